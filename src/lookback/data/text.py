"""Texts and their characters."""

import hashlib
from pathlib import Path

import numpy as np

from lookback.data.files import read_text
from lookback.errors import DataError

UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # token 0: a character that the training part does not hold


def language_reference() -> str:
    """The Python language reference that ships with every interpreter, topics joined by a blank line.

    About 465,000 characters on Python 3.11; it differs between versions.
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def read(path: str, root: Path) -> str:
    """The text to learn: a file, or the language reference where `path` is empty.

    Raises:
        MissingFile, DataError: as for any file.
    """
    return read_text(root / path, "utf-8")[0] if path else language_reference()


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


def vocabulary(train: str) -> tuple[str, ...]:
    """The characters of the training part in code order, after `UNKNOWN`."""
    return (UNKNOWN, *sorted(set(train) - {UNKNOWN}))


def encode(text: str, tokens: tuple[str, ...]) -> np.ndarray:
    """Characters -> (len(text),) int32; what the vocabulary lacks becomes 0."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)  # (n,)
    table = np.zeros(int(codes.max(initial=0)) + 1, np.int32)
    for index, token in enumerate(tokens):
        if ord(token) < len(table):
            table[ord(token)] = index
    return table[codes]


def decode(codes: np.ndarray, tokens: tuple[str, ...]) -> str:
    """(n,) int -> text."""
    return "".join(tokens[c] for c in codes)


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
            f"the text has {length} characters: train gets {first_val} and needs {2 * lookback + 1}; "
            "set task.lookback or give a longer text",
        )
    return first_val, first_test
