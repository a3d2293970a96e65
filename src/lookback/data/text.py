"""Texts and their tokens: characters or words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lookback.data import documents, sources, words
from lookback.data.files import place
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


def read(path: str, source: str | None, root: Path, column: str, key: str) -> str:
    """The text to learn: a file (of a source), or the language reference where `path` is empty; in Unicode's NFC.

    Args:
        column: of a CSV, every row of which is a line of the text; "": the file is the text.
        key: the setting that names the file.

    Raises:
        MissingFile, DataError: it is not there, holds nothing but blanks, or is no text.
    """
    if not path:
        return language_reference()
    file = sources.fetch(source, path, root) if source else place(root, path)
    if column:
        text = "\n".join(lines_of(file, path, key, {"task.column": column}))
    else:
        text = documents.body(file, path, key)[0].decode("utf-8")
        if not text.strip():  # of Unicode's other blanks
            raise DataError("TEXT-EMPTY", f"{path}: nothing but blanks; give a text to learn")
    return unicodedata.normalize("NFC", text)


def lines_of(path: Path, name: str, key: str, column: Mapping[str, str]) -> list[str]:
    """The texts of a column of a CSV, each in one line: a line break inside one is a blank.

    Args:
        name: what to call the file in messages.
        key: the setting that names it.
        column: setting -> column.
    """
    return [" ".join(text.splitlines()) for text in documents.read_csv(path, name, key, column).texts]


def without_repeats(text: str, seen: set[str] | None = None) -> tuple[str, int]:
    """Leave out every paragraph that stood before, blanks aside, and count the characters left out.

    A passage that stands in the training part and again in the test part would be graded as if it
    were new.

    Args:
        seen: paragraphs of other texts that stood before; those of this one are added.
    """
    seen = set() if seen is None else seen
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


def check_borders(path: str, length: int, first_val: int, first_test: int, lookback: int) -> None:
    """Check that every part of a text is long enough.

    Args:
        path: what to call it.
        first_val, first_test: the first token of val and of test.

    Raises:
        DataError: a part is too short to hold one window.
    """
    if first_val < 2 * lookback + 1 or first_test - first_val < 2 or length - first_test < 2:
        raise DataError(
            "TEXT-SHORT",
            f"{path or 'the language reference'}: {length} tokens, of which train gets {first_val} and needs "
            f"{2 * lookback + 1}; set task.lookback or give a longer text",
        )
