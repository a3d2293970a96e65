"""Let a trained language model write: python pipelines/generate.py task=text prompt="The for statement".

One sample comes to the terminal as it is written; several are written side by side and shown one after the other.
"""

import os
import sys

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import language, writing
from lookback.inference.arguments import Generate
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="generate")
def main(composed: DictConfig) -> None:
    """Write what is asked for."""
    with messages.one_line_errors():
        wanted = arguments.settled(Generate, composed)
        model = language.language(wanted, ROOT)
        prompt = writing.begin(model, wanted.prompt)
        try:
            writing.show(wanted, model, prompt)
        except BrokenPipeError:  # the reader has seen enough: | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    arguments.run(main, Generate, "prompt")
