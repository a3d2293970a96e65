"""The folder was moved: let the addresses in its store follow: python pipelines/relocate.py --yes.

Without --yes, what would be rewritten is listed, and nothing is changed.
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.paths import ROOT
from lookback.upkeep import relocating
from lookback.upkeep.arguments import Relocate


@hydra.main(version_base="1.3", config_path="../conf", config_name="relocate")
def main(composed: DictConfig) -> None:
    """List or rewrite the addresses."""
    with messages.one_line_errors():
        relocating.relocate(arguments.settled(Relocate, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Relocate)
