"""Train one model on one task, or sweep over many with -m: python pipelines/train.py --help."""

import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from lookback.configuration import arguments_of_train, compose, messages
from lookback.errors import KEPT
from lookback.experiment import sweep, trial
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(composed: DictConfig) -> object:
    """One trial. In a sweep an error becomes the outcome of its trial, so that the others go on."""
    if HydraConfig.get().mode is RunMode.MULTIRUN:
        return sweep.one_of_many(compose.settings(composed), ROOT)
    with messages.one_line_errors():
        outcome = sweep.print_outcome(trial.run(compose.settings(composed), ROOT))
    if outcome.status == "kept":
        sys.exit(KEPT)
    return outcome


if __name__ == "__main__":
    sys.argv[1:] = arguments_of_train.ready(sys.argv[1:])
    messages.run(main)
