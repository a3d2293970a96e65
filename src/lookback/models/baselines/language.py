"""Baselines for texts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data
from lookback.data.samples import Stream, Windows
from lookback.data.sampling import SamplingConfig
from lookback.evaluation.predictions import Tokens
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers

WRITE = 64  # tokens that are written before they are shown


class NgramSettings(Numbers):
    """Interpolated Witten-Bell n-gram; orders 1 to `max_order` are tried on val."""

    max_order: Annotated[int, Field(ge=1, le=8)]


@dataclass
class AddOne:
    """How often each token occurs in train, counted once too often so that nothing is impossible.

    P(c) = (count(c) + 1) / (n + V) for n tokens of a vocabulary of V: Laplace's rule of succession
    (Mémoire sur la probabilité des causes par les évènements, 1774).
    """

    vocabulary: int
    shares: np.ndarray | None = None  # (vocabulary,)
    parameters: int = 0

    def fit(self, train: Windows | Stream, val: Stream | None) -> None:
        """Count; nothing is chosen."""
        counts = np.bincount(_known(train), minlength=self.vocabulary) + 1
        self.shares = counts / counts.sum()
        self.parameters = self.vocabulary - 1

    def predict(self, samples: Stream) -> Tokens:
        """Nats of every target, and the same guess for all: (n,) each."""
        p = self.next_chances(np.empty(0, np.int32))
        return Tokens(-np.log(p[samples.targets()]), np.full(len(samples), p.argmax()))

    def next_chances(self, context: np.ndarray) -> np.ndarray:
        """P of every token, whatever stands before: (vocabulary,)."""
        assert self.shares is not None, "this comes after fit"
        return self.shares

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """As `Ngram.write`."""
        return _write(self.next_chances, prompt, length, sampling)


@dataclass
class Ngram:
    """Interpolated Witten-Bell n-gram over tokens.

    P_k(c | h) = (count(h c) + types(h) P_{k-1}(c | h')) / (count(h) + types(h)), where h is the
    context of k - 1 tokens, types(h) the number of different tokens seen after it, h' the context
    without its first token, and P_0 is uniform. A context never seen leaves P_{k-1} as it is, and so
    does one that reaches back beyond the first token.
    Witten & Bell, IEEE Trans. Inf. Theory 37 (1991) 1085, method C.

    A k-gram is one integer: the rank of its first k - 1 tokens among the sorted (k-1)-grams of train,
    times the size of the vocabulary, plus its last token. It fits 64 bits for any order. Tables are sorted
    arrays, a look up is a binary search, so nothing here loops over tokens.
    """

    vocabulary: int
    max_order: int
    order: int = 0
    grams: list[np.ndarray] = field(default_factory=list)  # per order: h c as integers, sorted
    counts: list[np.ndarray] = field(default_factory=list)  # count(h c)
    totals: list[np.ndarray] = field(default_factory=list)  # per order, of every rank of h: count(h)
    types: list[np.ndarray] = field(default_factory=list)  # types(h)
    best: list[np.ndarray] = field(default_factory=list)  # the c of the highest P_k(c | h)
    parameters: int = 0

    def fit(self, train: Windows | Stream, val: Stream | None) -> None:
        """Count; choose the order with the lowest loss on `val`."""
        highest = self.order if val is None and self.order else self.max_order
        self._count(_known(train), highest)
        if val is not None:
            losses = [-np.log(p).mean() for p in self.likelihoods(val)]
            self.order = 1 + int(np.argmin(losses))
            for table in (self.grams, self.counts, self.totals, self.types, self.best):
                del table[self.order :]
        self.parameters = sum(len(g) for g in self.grams)

    def predict(self, samples: Stream) -> Tokens:
        """Nats of every target and a likeliest guess: (n,) each."""
        tokens = self._around(samples)
        guess = np.zeros(len(tokens), np.int64)
        for best, (context, _) in zip(self.best, self._ranks(tokens), strict=True):
            guess = np.where(context >= 0, best[context], guess)
        return Tokens(-np.log(self.likelihoods(samples)[-1]), guess[len(tokens) - len(samples) :])

    def likelihoods(self, samples: Stream, up_to: int | None = None) -> list[np.ndarray]:
        """P_k of every target for k = 1 .. `up_to`: a list of (n,)."""
        tokens = self._around(samples)
        p, result = np.full(len(tokens), 1 / self.vocabulary), []
        for k, (context, gram) in enumerate(self._ranks(tokens)):
            count = _at(self.counts[k], gram)
            total, types = _at(self.totals[k], context), _at(self.types[k], context)
            p = np.where(total > 0, (count + types * p) / np.maximum(total + types, 1), p)
            result.append(p[len(tokens) - len(samples) :])
        return result[:up_to]

    def next_chances(self, context: np.ndarray) -> np.ndarray:
        """P of every token to stand after `context`, (tokens,), which may be empty: (vocabulary,)."""
        latest = np.append(context[max(0, len(context) - len(self.grams) + 1) :], 0).astype(np.int64)
        p = np.full(self.vocabulary, 1 / self.vocabulary)
        for k, (ranks, _) in enumerate(self._ranks(latest)):
            total, types = _at(self.totals[k], ranks[-1:])[0], _at(self.types[k], ranks[-1:])[0]
            if total == 0:
                break  # no longer context is known either
            begin = ranks[-1] * self.vocabulary
            seen = slice(*np.searchsorted(self.grams[k], [begin, begin + self.vocabulary]))
            p = types * p
            p[self.grams[k][seen] - begin] += self.counts[k][seen]
            p /= total + types
        return p

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Go on after `prompt`, (k, t): blocks of tokens, (k, up to `WRITE`), `length` in all.

        Token 0, the unknown one, is never drawn.
        """
        return _write(self.next_chances, prompt, length, sampling)

    def _around(self, samples: Stream) -> np.ndarray:
        """The targets and as many tokens before them as the longest context has: (up to order - 1 + n,)."""
        first = max(0, samples.start - len(self.grams) + 1)
        return samples.arrays[samples.array][first : samples.stop].astype(np.int64)

    def _ranks(self, tokens: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each order: ranks of the context before every token, and of the two together; -1: not in train."""
        context = np.zeros(len(tokens), np.int64)  # the empty one
        for grams in self.grams:
            wanted = np.where(context >= 0, context * self.vocabulary + tokens, -1)
            at = np.minimum(np.searchsorted(grams, wanted), len(grams) - 1)
            gram = np.where(grams[at] == wanted, at, -1)
            yield context, gram
            context = np.append(-1, gram[:-1])

    def _count(self, tokens: np.ndarray, highest: int) -> None:
        """Fill the tables of orders 1 to `highest`, or to the number of tokens."""
        tables = []
        ends = np.zeros(len(tokens), np.int64)  # rank of the (k-1)-gram that ends at each token
        below = np.zeros(1, np.int64)  # of every context: the rank of the same without its first token
        chances, best, top = np.full(1, 1 / self.vocabulary), np.zeros(1, np.int64), np.full(1, 1 / self.vocabulary)
        for order in range(1, min(highest, len(tokens)) + 1):
            context = ends[:-1] if order > 1 else ends
            codes = context[max(order - 2, 0) :] * self.vocabulary + tokens[order - 1 :]
            grams, first, inverse, counts = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
            owner = grams // self.vocabulary
            totals = np.bincount(owner, counts, len(below)).astype(np.int64)
            types = np.bincount(owner, minlength=len(below))
            shorter = ends[order - 1 :][first]  # of every gram: the rank of the same without its first token
            chances = (counts + types[owner] * chances[shorter]) / (totals + types)[owner]
            weight = np.where(totals > 0, types / np.maximum(totals + types, 1), 1)
            best, top = _likeliest(owner, grams % self.vocabulary, chances, best[below], weight * top[below])
            tables.append((grams, counts, totals, types, best))
            ends[order - 1 :], below = inverse, shorter
        self.grams, self.counts, self.totals, self.types, self.best = map(list, zip(*tables, strict=True))


def _likeliest(
    owner: np.ndarray, token: np.ndarray, chance: np.ndarray, best: np.ndarray, top: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest token after each context, and its probability: (contexts,) each.

    Of the tokens never seen after a context the likeliest is the one that is likeliest after the shorter
    context; if that one was seen here, some token that was seen here is likelier still. So the choice is
    between it and the tokens that were seen.

    Args:
        owner, token, chance: of every gram, sorted by owner: its context, last token and probability.
        best, top: of every context, what the shorter context says: (contexts,).
    """
    ahead = np.lexsort((-chance, owner))
    context, first = np.unique(owner, return_index=True)
    leader = ahead[first]
    wins = chance[leader] > top[context]
    best, top = best.copy(), top.copy()
    best[context[wins]], top[context[wins]] = token[leader[wins]], chance[leader[wins]]
    return best, top


def _known(train: Windows | Stream) -> np.ndarray:
    """The tokens of the training part of the text, all that may be counted: (tokens,)."""
    array = train.arrays["codes"]
    return array[: train.stop_row()].astype(np.int64)


def _at(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """values[ranks], and 0 where a rank is -1: (n,)."""
    return np.where(ranks >= 0, values[ranks], 0)


def _write(
    chances: Callable[[np.ndarray], np.ndarray], prompt: np.ndarray, length: int, sampling: SamplingConfig
) -> Iterator[np.ndarray]:
    uniforms = np.random.default_rng(sampling.seed)
    samples, begin = prompt.shape
    texts = np.concatenate([prompt, np.zeros((samples, length), np.int32)], axis=1, dtype=np.int32)
    for first in range(begin, begin + length, WRITE):
        last = min(first + WRITE, begin + length)
        for t, draws in zip(range(first, last), uniforms.random((WRITE, samples)), strict=False):
            for text, draw in zip(texts, draws, strict=True):
                text[t] = _drawn(chances(text[:t]), draw, sampling)
        yield texts[:, first:last]


def _drawn(p: np.ndarray, draw: float, sampling: SamplingConfig) -> int:
    """One token by the probabilities (vocabulary,) and a number in [0, 1)."""
    if sampling.temperature == 0:
        return 1 + int(p[1:].argmax())
    reached = np.cumsum(_narrow(p, sampling.temperature, sampling.top_k, sampling.top_p))
    return int(np.searchsorted(reached, draw * reached[-1], side="right"))


def _narrow(p: np.ndarray, temperature: float, top_k: int, top_p: float) -> np.ndarray:
    """Probabilities to draw from: (vocabulary,)."""
    p = p.copy()
    p[0] = 0
    p = (p / p.max()) ** (1 / temperature)
    order = np.argsort(-p, kind="stable")
    p[order[top_k or len(p) :]] = 0
    p /= p.sum()
    before = np.cumsum(p[order]) - p[order]  # what the likelier ones have together
    p[order[before >= top_p]] = 0
    return p / p.sum()


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("unigram", Numbers, problems=("language",))
def _unigram(data: Data) -> AddOne:
    return AddOne(len(data.tokens))


@baseline("ngram", NgramSettings, problems=("language",))
def _ngram(data: Data, max_order: int) -> Ngram:
    return Ngram(len(data.tokens), max_order)
