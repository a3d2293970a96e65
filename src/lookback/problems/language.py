"""Language models: the next token (a character or a word) at every step of a text."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lookback.data import digests, documents
from lookback.data import text as texts
from lookback.data.dataset import Data, Fold
from lookback.data.samples import Span, Stream, Windows
from lookback.data.sampling import SamplingConfig
from lookback.errors import ConfigError
from lookback.problems.base import Line, Problem
from lookback.problems.facts import listed_files, parts, refitted
from lookback.settings import Evaluation, LanguageTask
from lookback.wording import count

PROMPT = 12  # tokens that show what a model takes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookback.models.networks.network import Network
    from lookback.settings.base import Numbers


class Language(Problem):
    """The next token of a text, the state carried along."""

    kind = "language"
    settings = LanguageTask
    tested = "tokens"
    every_step = True
    carries_state = True
    vocabulary = "tokens"

    def load(self, task: LanguageTask, evaluation: Evaluation, root: Path) -> Data:
        """Windows that do not overlap, and two streams."""
        return load(task, root)

    def network(self, task: LanguageTask, data: Data, model: "Numbers") -> "Network":
        """Tokens in, logits of the next token at every step out."""
        from lookback.models.networks import heads

        return heads.language(data, model, task.embedding)

    def stand_in(self, task: Any, known: dict[str, Any]) -> Data:
        """The vocabulary."""
        arrays = {"codes": np.zeros(1, np.int32)}
        train = Windows(arrays, np.zeros(0, np.int32), Span("codes", 0, task.lookback), Span("codes", 1, task.lookback))
        nothing = Stream(arrays, "codes", 1, 1)
        return Data(train, nothing, nothing, (), np.empty(0), **known)

    def unseen(self, task: Any, known: Data, source: Path | pd.DataFrame, rolling: bool) -> Data:
        """Prompts: a column of this name, or the lines of a file."""
        read = documents.unlabelled(source, "prompt")
        return replace(known, index=np.array(read.texts, object), digest=read.digest)

    def replies(self, task: Any, model: Any, new: Data, radii: np.ndarray) -> pd.DataFrame:
        """What the model writes after each prompt: `task.sample_length` tokens, drawn from the seed 0."""
        if not task.sample_length:
            raise ConfigError("RUN-KIND", f"task {task.name} was told to write nothing; run pipelines/generate.py")
        written = []
        for prompt in new.index:
            codes = texts.encode(texts.tokenise(prompt, task.level), new.tokens)
            blocks = model.write(codes[None], task.sample_length, SamplingConfig(seed=0))
            written.append(texts.decode(np.concatenate(list(blocks), axis=1)[0], new.tokens, task.level))
        return pd.DataFrame({"prompt": new.index, "text": written})

    def inputs(self, task: Any) -> tuple[str, ...]:
        """What to go on after."""
        return ("prompt",)

    def example(self, task: Any, data: Data) -> pd.DataFrame:
        """The beginning of test."""
        samples: Any = data.test
        codes = samples.targets().ravel()[:PROMPT]
        return pd.DataFrame({"prompt": [texts.decode(codes, data.tokens, task.level)]})

    def completed(self, samples: Any, prediction: Any) -> Any:
        """With how many characters of the file each target stands for."""
        held = samples.arrays.get("characters")
        ones = np.ones(len(samples), np.int32)
        return replace(prediction, characters=ones if held is None else held[samples.target_rows()])

    def place(self, samples: Any, data: Data) -> dict[str, np.ndarray]:
        """Its `position` in the text: (n,)."""
        return {"position": data.index[samples.target_rows()]}

    def protocol(self, task: LanguageTask, evaluation: Evaluation, data: Data) -> list[str]:
        """How the models are measured, in sentences."""
        own = task.test_file
        of = f" of {own}" if own else ""
        return [f"{'All' if of else 'The last'} {len(data.test):,} {task.level}{of}, read once.", refitted(task)]

    def card(self, task: LanguageTask, data: Data) -> list[Line]:
        """The facts of the data for a report."""
        lines = [("file", listed_files(task)), ("rows", f"{len(data.index):,}")]
        lines += [(name, f"{len(samples):,} samples") for name, samples in parts(data)]
        unknown = ", ".join(f"{(part.targets() == 0).mean():.1%} of {name}" for name, part in parts(data)[1:])
        lines += [("vocabulary", f"{len(data.tokens):,}"), ("unknown", unknown)]
        return [*lines, ("look-back", str(task.lookback)), ("SHA-256", data.digest)]

    def sized(self, task: LanguageTask, data: Data, samples: Any) -> str:
        """How many windows of train, or tokens of val and test, and where their targets are."""
        what = "window" if samples is data.train else task.level.removesuffix("s")
        rows = samples.target_rows()
        return f"{count(len(samples), what)}, targets row {data.index[rows.min()]} .. row {data.index[rows.max()]}"

    def picture(self, task: Any, data: Data, predictions: pd.DataFrame, name: str) -> "Figure":
        """The surprisal of each token along the test text."""
        from lookback.report import plots

        nats = predictions["nats"].to_numpy()
        return plots.surprisal(nats, f"{name}: surprisal along the test text", task.level)

    def sample(
        self, task: Any, data: Data, seed: int, writer: Any, temperatures: tuple[float, ...], length: int
    ) -> str:
        """What a model writes after the first words of the test part, at each temperature, as text."""
        prompt = data.test.targets()[: task.lookback]  # (t,)
        written = []
        for temperature in temperatures:
            blocks = writer.write(prompt[None], length, SamplingConfig(seed, temperature))
            codes = np.concatenate(list(blocks), axis=1)[0]  # (length,)
            head = f"temperature {temperature:g}\n" if len(temperatures) > 1 else ""
            begin, rest = (texts.decode(some_codes, data.tokens, task.level) for some_codes in (prompt, codes))
            written.append(f"{head}[{begin}]\n{rest}")
        return "\n\n".join(written)


def load(task: LanguageTask, root: Path) -> Data:
    """Read a text, leave out repeated passages, split it by position; a test part of its own comes after it.

    Training windows do not overlap; each epoch shifts them all by one random offset. Val and test
    are streams: read once, front to back.

    Raises:
        LookbackError: one line about the file.
    """
    texts_read = [texts.read(task.path, task.source, root, task.column, "task.path")]
    if task.test_file:
        texts_read.append(texts.read(task.test_file, task.source, root, task.column, "task.split.test"))
    digest, notes = digests.of_files(map(digests.of_text, texts_read)), []
    if task.unique_passages:
        texts_read, dropped = _without_repeats(texts_read)
        notes.append(f"{dropped} characters of repeated passages left out")
    text = "\n".join(texts_read)
    tokens = texts.tokenise(text, task.level)
    first_val, first_test = _borders(task, texts_read, len(tokens))
    known = texts.vocabulary(tokens[:first_val], task.level, task.min_count)
    arrays = {"codes": texts.encode(tokens, known), "characters": texts.characters(text, tokens, task.level)}
    notes += _unknown(arrays["codes"], first_val, first_test, task)
    test = Stream(arrays, "codes", first_test, len(tokens))
    return Data(
        train=_windows(arrays, task.lookback, first_val),
        val=Stream(arrays, "codes", first_val, first_test),
        test=test,
        folds=(Fold(_windows(arrays, task.lookback, first_test if task.refit else first_val), test),),
        index=np.arange(len(tokens)),
        outputs=len(known),
        unit=task.unit,
        digest=digest,
        tokens=known,
        whole=_windows(arrays, task.lookback, len(tokens)),
        notes=tuple(notes),
    )


def _without_repeats(texts_read: list[str]) -> tuple[list[str], int]:
    seen: set[str] = set()
    unique, dropped = zip(*(texts.without_repeats(part, seen) for part in texts_read), strict=True)
    return list(unique), sum(dropped)


def _borders(task: LanguageTask, texts_read: list[str], length: int) -> tuple[int, int]:
    """First token of val and of test."""
    split = task.split
    if task.test_file:
        test = length - len(texts.tokenise(texts_read[1], task.level))
        val = round(test * (1 - split.val))
    else:
        val, test = round(length * (1 - split.val - split.test)), round(length * (1 - split.test))  # type: ignore[operator]
    texts.check_borders(task.path, length, val, test, task.lookback)
    return val, test


def _windows(arrays: dict[str, np.ndarray], lookback: int, stop: int) -> Windows:
    """Windows that do not overlap; the last, shifted as far as it may be, still has its targets before `stop`."""
    starts = np.arange(0, stop - 2 * lookback, lookback, dtype=np.int32)
    return Windows(arrays, starts, Span("codes", 0, lookback), Span("codes", 1, lookback), random_offset=lookback)


def _unknown(codes: np.ndarray, first_val: int, first_test: int, task: LanguageTask) -> list[str]:
    """How much the vocabulary of train leaves out."""
    late = int((codes[first_val:] == 0).sum())
    if task.min_count == 1:
        return [f"{late} {task.level} of val and test do not occur in train"] if late else []
    shares = f"{np.mean(codes[:first_val] == 0):.1%} of train and {np.mean(codes[first_test:] == 0):.1%} of test"
    return [
        f"{shares} are {texts.UNKNOWN[task.level]}: {task.level} that train holds fewer than {task.min_count} times"
    ]
