"""Remove old, failed and killed runs and their files: python pipelines/prune.py older_than=30 --yes.

Without --yes they are listed, and nothing is removed. A run that a registered model stands on always stays.
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.paths import ROOT
from lookback.upkeep import pruning
from lookback.upkeep.arguments import Prune


@hydra.main(version_base="1.3", config_path="../conf", config_name="prune")
def main(composed: DictConfig) -> None:
    """List or remove runs."""
    with messages.one_line_errors():
        pruning.prune(arguments.settled(Prune, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Prune)
