"""Writing with a trained language model."""

from collections.abc import Iterator

import numpy as np

from lookback.data.sampling import SamplingConfig
from lookback.errors import ConfigError
from lookback.inference.arguments import Generate
from lookback.inference.language import Language, warn_of_unknown

SENTENCE_ENDS = (".", "!", "?", "\n")


def begin(language: Language, prompt: str) -> np.ndarray:
    """The tokens to go on after: (t,).

    Raises:
        ConfigError: there is nothing to begin after.
    """
    codes = language.encode(prompt) if prompt else language.line_end
    if not len(codes):
        why = "gives no token" if prompt else "is empty, and this vocabulary has no line end to begin after"
        raise ConfigError("PROMPT-EMPTY", f"prompt: {prompt!r} {why}; set prompt={language.tokens[-1]}")
    tokens = language.split(prompt)
    lacking = [token for token, code in zip(tokens, codes, strict=False) if code == 0]
    warn_of_unknown(lacking, "prompt")
    return codes


def show(wanted: Generate, language: Language, prompt: np.ndarray) -> None:
    """Print the samples after their prompt."""
    blocks = texts(wanted, language, prompt)
    if wanted.samples == 1:
        print(wanted.prompt, end="", flush=True)
        for block in blocks:
            print(block[0], end="", flush=True)
        print()
        return
    for number, parts in enumerate(zip(*blocks, strict=True), 1):
        print(f"--- sample {number} of {wanted.samples} ---")
        print((wanted.prompt + "".join(parts)).rstrip("\n"))


def texts(wanted: Generate, language: Language, prompt: np.ndarray) -> Iterator[list[str]]:
    """What is written after the prompt, block after block: a piece of text for each sample."""
    sampling = SamplingConfig(wanted.seed, wanted.temperature, wanted.top_k, wanted.top_p)
    before = [prompt] * wanted.samples
    sentences = [Sentence(language.tokens) for _ in before] if wanted.until == "sentence" else []
    for block in language.write(np.stack(before), wanted.length, sampling):
        rows = [s.take(row) for s, row in zip(sentences, block, strict=True)] if sentences else list(block)
        yield [_after(language, *pair) for pair in zip(before, rows, strict=True)]
        if sentences and all(s.over for s in sentences):
            return
        before = [row if len(row) else old for old, row in zip(before, rows, strict=True)]


def _after(language: Language, before: np.ndarray, codes: np.ndarray) -> str:
    """The codes as text. Whether a blank comes first depends on the token before."""
    head = before[-1:]
    return language.decode(np.concatenate([head, codes]))[len(language.decode(head)) :]


class Sentence:
    """Lets the tokens of one sample through up to the end of its first sentence, which holds a letter or a digit."""

    def __init__(self, tokens: tuple[str, ...]):
        self._ends = np.array([token in SENTENCE_ENDS for token in tokens])
        self._letters = np.array([any(map(str.isalnum, token)) for token in tokens])
        self.begun = self.over = False

    def take(self, codes: np.ndarray) -> np.ndarray:
        """The next tokens that belong to it: (n,) -> (up to n,)."""
        if self.over:
            return codes[:0]
        begun = np.logical_or.accumulate(np.append(self.begun, self._letters[codes]))[1:]
        ends = np.flatnonzero(self._ends[codes] & begun)
        self.begun, self.over = bool(begun[-1]), len(ends) > 0
        return codes[: ends[0] + 1] if self.over else codes
