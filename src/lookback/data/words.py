"""Texts and their words: splitting, numbering, and choosing the vocabulary."""

import functools
import re
import unicodedata
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PADDING, UNKNOWN = "", "<unk>"  # words 0 and 1 of every vocabulary
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")  # they say no word
# Numbers with their points, words with the apostrophes and hyphens inside them, and every other mark by itself.
_ASCII = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:['-]\w+)*|[^\w\s]")


def clean(text: str) -> str:
    """Composed characters (Unicode's NFC), a blank for a line break of HTML, no marks that nobody sees."""
    if "<" in text:
        text = _BREAK.sub(" ", text)
    return text if text.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFC", text))


def tokenise(text: str, lowercase: bool) -> list[str]:
    """The words, numbers and marks of a text, in their order.

    An apostrophe or a hyphen inside a word belongs to it: "don't", "so-called"; so do the points of "3.5".
    """
    text = clean(text.lower() if lowercase else text)
    return (_ASCII if text.isascii() else _any_script()).findall(text)


@functools.cache
def _any_script() -> re.Pattern[str]:
    """As for ASCII; vowel signs and accents that stand alone in Unicode are parts of their word."""
    marks = "".join(chr(c) for c in range(0x300, 0xFE30) if unicodedata.category(chr(c)).startswith("M"))
    return re.compile(rf"\d+(?:[.,]\d+)+|\w[\w{marks}]*(?:['’-]\w[\w{marks}]*)*|[^\w\s]")


@dataclass(frozen=True)
class Numbered:
    """The words of many examples, one after the other, as numbers in the order of their first coming.

    Attributes:
        numbers: (words,) int32.
        first: (examples + 1,) int32, the first word of each example and the end of the last.
        spelled: number -> word.
        lengths: (examples,) int32, words of each before it was cut.
    """

    numbers: np.ndarray
    first: np.ndarray
    spelled: tuple[str, ...]
    lengths: np.ndarray

    def counts(self, examples: np.ndarray) -> dict[str, int]:
        """How often each word comes in these examples; words that never do are left out."""
        chosen = np.zeros(len(self.first) - 1, bool)
        chosen[examples] = True
        inside = np.repeat(chosen, np.diff(self.first))  # (words,)
        counts = np.bincount(self.numbers[inside], minlength=len(self.spelled))
        return {self.spelled[i]: int(counts[i]) for i in np.flatnonzero(counts)}

    def codes(self, words: tuple[str, ...]) -> np.ndarray:
        """Every word as its place in a vocabulary: (words,) int32."""
        return encode(self.spelled, {word: i for i, word in enumerate(words)})[self.numbers]


class _Growing(dict[str, int]):
    """Gives every new word the next number."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


def numbered(examples: Iterable[Sequence[str]], left: slice) -> Numbered:
    """Number the words of examples while they come: none of them is kept twice.

    Args:
        left: the words of an example that stay.
    """
    known, numbers, first, lengths = _Growing(), array("i"), array("i", [0]), array("i")
    for words in examples:
        numbers.extend(map(known.__getitem__, words[left]))
        first.append(len(numbers))
        lengths.append(len(words))
    return Numbered(np.array(numbers, np.int32), np.array(first, np.int32), tuple(known), np.array(lengths, np.int32))


def vocabulary(counts: Mapping[str, int], min_count: int, max_words: int) -> tuple[str, ...]:
    """`PADDING`, `UNKNOWN` and the words by falling count, ties in the order of the alphabet.

    Args:
        counts: how often train holds each word.
        min_count: words that come less often are left out.
        max_words: no more words than these, besides the two that are no words.
    """
    often = [word for word, n in counts.items() if n >= min_count and word not in (PADDING, UNKNOWN)]
    often.sort(key=lambda word: (-counts[word], word))
    return (PADDING, UNKNOWN, *often[:max_words])


def encode(words: Iterable[str], index: Mapping[str, int]) -> np.ndarray:
    """Words -> (words,) int32; what the index lacks becomes 1, `UNKNOWN`."""
    return np.fromiter((index.get(word, 1) for word in words), np.int32)
