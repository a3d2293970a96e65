"""Run a finished trial once more and say whether it comes out the same: python pipelines/reproduce.py run=RUN_ID."""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import reproducing
from lookback.inference.arguments import Stored
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="reproduce")
def main(composed: DictConfig) -> None:
    """Run it again and compare."""
    with messages.one_line_errors():
        reproducing.reproduce(arguments.settled(Stored, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Stored)
