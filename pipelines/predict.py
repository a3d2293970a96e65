"""Answer new rows or texts with a trained model: python pipelines/predict.py data=new.csv out=forecast.csv.

Forecasts go on from the last row of the file, with their intervals; each text gets its class or rating.
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import predicting
from lookback.inference.arguments import Predict
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="predict")
def main(composed: DictConfig) -> None:
    """Answer a file."""
    with messages.one_line_errors():
        predicting.predict(arguments.settled(Predict, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Predict, "data", "out", "picture")
