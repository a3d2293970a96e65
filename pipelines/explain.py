"""A look inside a trained text network: python pipelines/explain.py task=text text="The for statement".

Writes its embedding and, of a language model, the state of every layer at each step of a text: tables and pictures
in reports/explain/<run>/.
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import explaining
from lookback.inference.arguments import Explain
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="explain")
def main(composed: DictConfig) -> None:
    """Write tables and pictures of one network."""
    with messages.one_line_errors():
        explaining.explain(arguments.settled(Explain, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Explain, "text")
