"""Send what a lost server missed: python pipelines/sync.py [tracking.uri=URI].

Trials that finished while it did not answer wait in .lookback/journal. Each is sent once, however often this is run.
"""

import sys

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments_of_compare, compose, messages
from lookback.errors import KEPT
from lookback.paths import ROOT
from lookback.tracking import store, sync


@hydra.main(version_base="1.3", config_path="../conf", config_name="sync")
def main(composed: DictConfig) -> None:
    """Send all records of one store."""
    with messages.one_line_errors():
        uri = arguments_of_compare.validated(compose.plain(composed))["uri"]
        if not sync.waiting(store.unopened(uri, ROOT)):
            return print("nothing waits in .lookback/journal")
        opened = store.open_store(uri, ROOT)
        done = sync.sync(opened)
        print(f"{len(done.sent)} of {len(done.sent) + done.left} records are in {opened.shown}")
        for name in sorted(set(done.sent) - {"none"}):
            print(f"compare its sweep again: python pipelines/compare.py sweep={name}")
        for other in sorted(set(done.elsewhere)):
            print(f"{done.elsewhere.count(other)} wait for another store: tracking.uri={other}", file=sys.stderr)
        if done.left:
            sys.exit(KEPT)
    return None


if __name__ == "__main__":
    messages.run(main)
