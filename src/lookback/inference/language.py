"""A trained run, loaded again: language models that write and read on without their data.

Shapes in comments: k sequences side by side, t steps, n tokens.
"""

import atexit
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookback.configuration.settings import Settings
from lookback.data import text
from lookback.data.sampling import SamplingConfig
from lookback.errors import ConfigError, DataError
from lookback.experiment import bundle
from lookback.experiment.bundle import Bundle
from lookback.experiment.model import model_of
from lookback.inference.arguments import Arguments, Stored
from lookback.tracking import runs, store
from lookback.wording import some

LINE_END = "\n"


@dataclass(frozen=True)
class Language:
    """A trained language model and its vocabulary. The model itself is loaded when it is first used."""

    run: runs.Found
    bundle: Bundle

    @property
    def tokens(self) -> tuple[str, ...]:
        """Index -> token."""
        return self.bundle.known.tokens

    @property
    def level(self) -> str:
        """What a token is: "characters" or "words"."""
        return self.bundle.settings.task.level  # type: ignore[attr-defined]

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Go on after `prompt`, (k, t): blocks of tokens, (k, some), `length` in all."""
        return self.bundle.model.write(prompt, length, sampling)

    def nats(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """-log P of every token but the first, given those before it: (n,) -> (n - 1,) each."""
        return model_of(self.bundle.settings).nats(self.bundle.model, sequences)

    @property
    def line_end(self) -> np.ndarray:
        """The line end, (1,), or (0,) where the vocabulary has none."""
        return np.array([self.tokens.index(LINE_END)] if LINE_END in self.tokens else [], np.int32)

    def split(self, written: str) -> list[str]:
        """The tokens of a text. The end of its last line is one only where it stands there."""
        return list(text.tokenise(unicodedata.normalize("NFC", written), self.level))

    def encode(self, written: str) -> np.ndarray:
        """(n,) int32; what the vocabulary lacks becomes 0."""
        return text.encode(self.split(written), self.tokens)

    def decode(self, codes: np.ndarray) -> str:
        """As it is read."""
        return text.decode(codes, self.tokens, self.level)


def chosen(opened: store.Store, arguments: Stored, networks_only: bool = False) -> tuple[runs.Found, Settings]:
    """The run that is wanted, and its settings; says on stderr which one is best.

    Raises:
        LookbackError: there is none, or it cannot be read.
    """
    if arguments.run != runs.BEST:
        run = runs.find(opened, arguments.run)
        return run, runs.settings(opened, run)
    ranked = runs.ranked(opened, arguments.task, networks_only)
    for run in ranked:
        try:
            settings = runs.settings(opened, run)
        except DataError as e:
            print(f"passed over: {e}", file=sys.stderr)
            continue
        line = f"{run.name}, val {run.metric} {run.val[run.metric]:.4g}, the lowest of {len(ranked)}: run={run.id}"
        print(line, file=sys.stderr, flush=True)
        return run, settings
    raise DataError(
        "RUN-OLD", f"run: every run of task {arguments.task} is of another version of Lookback; train it anew"
    )


def language(arguments: Arguments, root: Path) -> Language:
    """The language model that is wanted.

    Raises:
        LookbackError: there is none, or the run is of another kind of task.
    """
    opened = store.open_store(arguments.uri, root)
    run, settings = chosen(opened, arguments)
    if not settings.problem.carries_state:
        raise ConfigError("RUN-KIND", f"run: {run.name} ({run.id}) is no language model; set task=text run={runs.BEST}")
    return Language(run, loaded(opened, run, arguments.device, arguments.threads))


def loaded(opened: store.Store, run: runs.Found, device: str, threads: int) -> Bundle:
    """The model of a run, to compute on a device with so many threads.

    Raises:
        LookbackError: the run holds none, or not as it was written.
    """
    files = runs.model_folder(opened, runs.first_model(opened, run), bundle.NAME, temporary_folder())
    return bundle.read(files, f"run {run.id}", device, threads)


def temporary_folder() -> Path:
    """A folder that lives as long as the process: a model is read when it is first used."""
    folder = Path(tempfile.mkdtemp(prefix="lookback-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def warn_of_unknown(lacking: list[str], what: str) -> None:
    """One line on stderr that names what the vocabulary lacks."""
    if lacking:
        named = some(list(map(repr, dict.fromkeys(lacking))))
        print(f"warning: {what}: not in the vocabulary, read as unknown: {named}", file=sys.stderr, flush=True)
