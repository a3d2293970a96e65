"""Write a trained model as one folder for other programs: python pipelines/export.py run=airline@champion.

Keras, ONNX (checked against onnxruntime), settings, predictions and scores, in exports/.
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import exporting
from lookback.inference.arguments import Export
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="export")
def main(composed: DictConfig) -> None:
    """Write the folder."""
    with messages.one_line_errors():
        exporting.export(arguments.settled(Export, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Export, "out")
