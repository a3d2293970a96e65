"""Let the previous champion of a task be the champion again: python pipelines/demote.py task=airline."""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import promoting
from lookback.inference.arguments import Promote
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="promote")
def main(composed: DictConfig) -> None:
    """Go back to the model before."""
    with messages.one_line_errors():
        promoting.demote(arguments.settled(Promote, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Promote)
