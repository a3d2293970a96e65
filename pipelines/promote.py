"""Register a model as the champion of its task: python pipelines/promote.py task=airline.

The last sweep decides: the network that val chose where it beats the best baseline, else the baseline with
the lowest loss on val and test together.
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import promoting
from lookback.inference.arguments import Promote
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="promote")
def main(composed: DictConfig) -> None:
    """Register a model."""
    with messages.one_line_errors():
        promoting.promote(arguments.settled(Promote, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Promote)
