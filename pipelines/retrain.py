"""The same recipe on a longer file: python pipelines/retrain.py task=airline data=longer.csv.

Old and new model are compared on the last new rows, which neither was fitted on. Where the new one is not worse, it
is fitted once more on every row and becomes the champion.
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import retraining
from lookback.inference.arguments import Retrain
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="retrain")
def main(composed: DictConfig) -> None:
    """Train, compare and perhaps register."""
    with messages.one_line_errors():
        retraining.retrain(arguments.settled(Retrain, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Retrain, "data")
