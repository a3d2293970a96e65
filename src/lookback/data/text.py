"""Texts and their tokens: characters or words."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookback.data import sources, words
from lookback.data.files import read_text
from lookback.errors import DataError

# Token 0: what the training part does not hold, or holds too seldom.
UNKNOWN = {"characters": "\N{REPLACEMENT CHARACTER}", "words": words.UNKNOWN}
_CLOSING = re.compile(r" (?=[.,;:!?)\]}%]|n't\b|'(?:s|t|re|ve|ll|d|m)\b)|(?<=[(\[{]) ")


def language_reference() -> str:
    """The Python language reference that ships with every interpreter, topics joined by a blank line.

    About 465,000 characters on Python 3.11; it differs between versions.
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def read(path: str, source: str | None, root: Path) -> str:
    """The text to learn: a file (of a source), or the language reference where `path` is empty; in Unicode's NFC.

    Raises:
        MissingFile, DataError: as for any file; or it holds nothing but blanks, or a NUL.
    """
    if not path:
        return language_reference()
    text = read_text(sources.fetch(source, path, root) if source else root / path, "utf-8")[0]
    if not text.strip():
        raise DataError("TEXT-EMPTY", f"{path}: nothing but blanks; give a text to learn")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError("TEXT-NUL", f"{path}:{line}: a NUL character; this is no text, or was damaged: remove it")
    return unicodedata.normalize("NFC", text)


def without_repeats(text: str) -> tuple[str, int]:
    """Leave out every paragraph that stood before, blanks aside, and count the characters left out.

    A passage that stands in the training part and again in the test part would be graded as if it
    were new.
    """
    seen: set[str] = set()
    kept = []
    for paragraph in text.split("\n\n"):
        key = " ".join(paragraph.split())
        if key not in seen or not key:
            kept.append(paragraph)
        seen.add(key)
    unique = "\n\n".join(kept)
    return unique, len(text) - len(unique)


def tokenise(text: str, level: str) -> Sequence[str]:
    """Its characters, or its words, marks and line ends."""
    if level == "characters":
        return text
    lines = [["\n", *words.tokenise(line, lowercase=False)] for line in text.split("\n")]
    return [token for line in lines for token in line][1:]  # a line end stands between two lines


def vocabulary(train: Sequence[str], level: str, min_count: int) -> tuple[str, ...]:
    """The tokens that the training part holds `min_count` times, in code order, after the unknown one."""
    often = {token for token, count in Counter(train).items() if count >= min_count}
    return (UNKNOWN[level], *sorted(often - {UNKNOWN[level]}))


def encode(tokens: Sequence[str], known: tuple[str, ...]) -> np.ndarray:
    """Tokens -> (n,) int32; what the vocabulary lacks becomes 0."""
    codes = {token: code for code, token in enumerate(known)}
    return np.fromiter((codes.get(token, 0) for token in tokens), np.int32, len(tokens))


def decode(codes: np.ndarray, known: tuple[str, ...], level: str = "characters") -> str:
    """(n,) int -> text; words are parted by blanks, where no mark follows."""
    tokens = [known[c] for c in codes]
    if level == "characters":
        return "".join(tokens)
    return re.sub(r" *\n *", "\n", _CLOSING.sub("", " ".join(tokens)))


def characters(text: str, tokens: Sequence[str], level: str) -> np.ndarray:
    """How many characters of the text each token stands for, the blanks before it included: (n,) int32."""
    if level == "characters":
        return np.ones(len(tokens), np.int32)
    ends, at = [], 0
    for token in tokens:
        at = max(text.find(token, at), at) + len(token)
        ends.append(at)
    return np.diff(ends, prepend=0).astype(np.int32)


def digest(text: str) -> str:
    """SHA-256 of the text as UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def borders(length: int, val: float, test: float, lookback: int) -> tuple[int, int]:
    """First character of val and of test.

    Raises:
        DataError: a part is too short to hold one window.
    """
    first_val, first_test = round(length * (1 - val - test)), round(length * (1 - test))
    if first_val < 2 * lookback + 1 or first_test - first_val < 2 or length - first_test < 2:
        raise DataError(
            "TEXT-SHORT",
            f"the text has {length} tokens: train gets {first_val} and needs {2 * lookback + 1}; "
            "set task.lookback or give a longer text",
        )
    return first_val, first_test
