"""Compare the models of a sweep: python pipelines/compare.py [sweep=NAME] [tracking.uri=URI].

Prints a table and a verdict per task, and writes index.html, comparison.md, .csv and a picture per task to
reports/<sweep>/, which reports/latest then points at.
"""

import sys

import hydra
from omegaconf import DictConfig

from lookback.comparison import compare
from lookback.configuration import arguments_of_compare, compose, messages
from lookback.paths import ROOT
from lookback.tracking import store, sweep_runs


# A folder of its own: beside the others, `sweep=NAME` would choose one of conf/sweep.
@hydra.main(version_base="1.3", config_path="../conf/compare", config_name="compare")
def main(composed: DictConfig) -> None:
    """Compare the last sweep that came to its end, or the one that is named."""
    with messages.one_line_errors():
        arguments = arguments_of_compare.validated(compose.plain(composed))
        opened = store.open_store(arguments["uri"], ROOT)
        sweep = sweep_runs.find(opened, arguments["sweep"])
        for name in () if arguments["sweep"] else sweep_runs.killed_since(opened, sweep):
            print(f"sweep {name} was killed before its end; sweep={name} compares what it has", file=sys.stderr)
        compare(opened, sweep, ROOT)


if __name__ == "__main__":
    messages.run(main)
