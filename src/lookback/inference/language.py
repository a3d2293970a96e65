"""A trained run, loaded again: language models that write and read on without their data.

Shapes in comments: k sequences side by side, t steps, n tokens.
"""

import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lookback.configuration.settings import Settings
from lookback.data import text
from lookback.data.dataset import Data
from lookback.data.samples import Span, Stream, Windows
from lookback.data.sampling import SamplingConfig
from lookback.errors import ConfigError, DataError
from lookback.inference.arguments import Arguments
from lookback.tracking import runs, store
from lookback.training import device
from lookback.wording import some

LINE_END = "\n"


class Model(Protocol):
    """A language model, network or baseline."""

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Go on after `prompt`, (k, t): blocks of tokens, (k, some), `length` in all."""

    def nats(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """-log P of every token but the first, given those before it: (n,) -> (n - 1,) each."""


@dataclass(frozen=True)
class Language:
    """A language model and its vocabulary. The model itself is loaded when it is first used.

    Attributes:
        level: what a token is: "characters" or "words".
    """

    run: runs.Found
    tokens: tuple[str, ...]
    level: str
    load: Callable[[], Model]

    @cached_property
    def model(self) -> Model:
        """What writes and reads."""
        return self.load()

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


class LanguageNetwork:
    """A network that carries its state along."""

    def __init__(self, opened: store.Store, run: runs.Found, settings: Settings, tokens: tuple[str, ...]):
        self._network = settings.problem.network(settings.task, without_texts(tokens), settings.model)
        self._network.model.set_weights(runs.network(opened, run).get_weights())

    @cached_property
    def _streams(self) -> Any:
        from lookback.training.program import streams_of

        return streams_of(self._network.step_model)

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """As `Model.write`."""
        return self._streams.write(prompt, length, sampling)

    def nats(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """As `Model.nats`."""
        from lookback.models.networks import introspection

        return introspection.Reader(self._network.step_model).nats(sequences)


class LanguageBaseline:
    """A baseline that counts tokens."""

    def __init__(self, opened: store.Store, run: runs.Found, settings: Settings, tokens: tuple[str, ...]):
        from lookback.models import baselines

        numbers = settings.model.model_dump(exclude={"name"})
        data = without_texts(tokens)
        self._baseline = baselines.load(data, settings.model.name, numbers, runs.baseline(opened, run))

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """As `Model.write`."""
        return self._baseline.write(prompt, length, sampling)

    def nats(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """As `Model.nats`."""
        predictions = (self._baseline.predict(Stream({"codes": s}, "codes", 1, len(s))) for s in sequences)
        return [one.nats for one in predictions]


def chosen(opened: store.Store, arguments: Arguments, networks_only: bool = False) -> tuple[runs.Found, Settings]:
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
    task: Any = settings.task
    tokens, level = runs.vocabulary(opened, run)["tokens"], task.level

    def load() -> Model:
        if not run.network:
            return LanguageBaseline(opened, run, settings, tokens)
        device.prepare(arguments.device, arguments.threads)  # before anything that imports Keras
        return LanguageNetwork(opened, run, settings, tokens)

    return Language(run, tokens, level, load)


def without_texts(tokens: tuple[str, ...]) -> Data:
    """All that a language model must know of its data: the vocabulary."""
    arrays = {"codes": np.zeros(1, np.int32)}
    train = Windows(arrays, np.zeros(0, np.int32), Span("codes", 0, 1), Span("codes", 1, 1))
    nothing = Stream(arrays, "codes", 1, 1)
    labels, facts = np.empty(0), {"outputs": len(tokens), "tokens": tokens}
    return Data(train, nothing, nothing, (), labels, unit="", digest="", **facts)  # type: ignore[arg-type]


def warn_of_unknown(lacking: list[str], what: str) -> None:
    """One line on stderr that names what the vocabulary lacks."""
    if lacking:
        named = some(list(map(repr, dict.fromkeys(lacking))))
        print(f"warning: {what}: not in the vocabulary, read as unknown: {named}", file=sys.stderr, flush=True)
