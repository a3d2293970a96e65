"""Answer requests over HTTP with a registered model: python pipelines/serve.py task=airline."""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import serving
from lookback.inference.arguments import Serve
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="serve")
def main(composed: DictConfig) -> None:
    """Serve a model."""
    with messages.one_line_errors():
        serving.serve(arguments.settled(Serve, composed), ROOT)


if __name__ == "__main__":
    arguments.run(main, Serve, "host", "bundle")
