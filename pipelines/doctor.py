"""Is all well here: python pipelines/doctor.py.

A line each for Python, the libraries, the store, the disk, the data, the devices and two seconds of training: ok, or
warn or FAIL with what to do. Exit code 1 where something fails.
"""

import sys

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.paths import ROOT
from lookback.upkeep import checkup
from lookback.upkeep.arguments import Doctor


@hydra.main(version_base="1.3", config_path="../conf", config_name="doctor")
def main(composed: DictConfig) -> None:
    """Look at everything."""
    with messages.one_line_errors():
        sys.exit(not checkup.doctor(arguments.settled(Doctor, composed), ROOT))


if __name__ == "__main__":
    arguments.run(main, Doctor)
