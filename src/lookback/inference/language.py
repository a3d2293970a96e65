"""A trained run, loaded again: language models that write and read on without their data.

Shapes in comments: k sequences side by side, t steps, n tokens.
"""

import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookback.data import text
from lookback.data.sampling import SamplingConfig
from lookback.errors import ConfigError
from lookback.experiment.bundle import Bundle
from lookback.experiment.model import model_of
from lookback.inference import loading
from lookback.inference.arguments import Arguments
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


def language(arguments: Arguments, root: Path) -> Language:
    """The language model that is wanted.

    Raises:
        LookbackError: there is none, or the run is of another kind of task.
    """
    opened = store.open_store(arguments.uri, root)
    run, settings = loading.chosen(opened, arguments)
    if not settings.problem.carries_state:
        raise ConfigError("RUN-KIND", f"run: {run.name} ({run.id}) is no language model; set task=text run={runs.BEST}")
    return Language(run, loading.scored(opened, run, arguments.device, arguments.threads))


def warn_of_unknown(lacking: list[str], what: str) -> None:
    """One line on stderr that names what the vocabulary lacks."""
    if lacking:
        named = some(list(map(repr, dict.fromkeys(lacking))))
        print(f"warning: {what}: not in the vocabulary, read as unknown: {named}", file=sys.stderr, flush=True)
