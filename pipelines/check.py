"""Read and split the data of a task, and nothing else: python pipelines/check.py task=csv task.path=my.csv.

Prints a card of the data. Where the file is wrong, its faults, a line each (20 of a code), and exit code 65.
"""

import sys
import textwrap

import hydra
from omegaconf import DictConfig

from lookback.configuration import compose, messages
from lookback.data.findings import FileFaults, each
from lookback.errors import ConfigError
from lookback.experiment import description, trial
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(composed: DictConfig) -> None:
    """Check one task."""
    with messages.one_line_errors():
        settings = compose.settings(composed)
        try:
            lines = list(description.checked(settings, trial.data_of(settings, ROOT)))
        except FileFaults as faults:
            print("\n".join(description.listed_faults(each(faults))), file=sys.stderr)
            sys.exit(faults.exit_code)
        width = max(len(name) for name, _ in lines) + 2
        for name, value in lines:
            folded = textwrap.wrap(value, 118 - width, subsequent_indent=" " * (width + 2)) or [""]
            print(f"  {name:{width}}" + "\n".join(folded))


if __name__ == "__main__":
    if {"-m", "--multirun"} & set(sys.argv[1:]):
        with messages.one_line_errors():
            raise ConfigError("CONFIG-SWEEP", "check.py looks at one task; leave -m out")
    messages.run(main)
