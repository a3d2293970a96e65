"""Floors for texts."""

from dataclasses import dataclass, field

import numpy as np

from lookback.data.contract import Stream, Windows


@dataclass
class Ngram:
    """Interpolated Witten-Bell n-gram over tokens.

    P_k(c | h) = (count(h c) + types(h) P_{k-1}(c | h')) / (count(h) + types(h)), where h is the
    context of k - 1 tokens, types(h) the number of different tokens seen after it, h' the context
    without its first token, and P_0 is uniform. A context never seen leaves P_{k-1} as it is.
    Witten & Bell, IEEE Trans. Inf. Theory 37 (1991) 1085, method C.

    A sequence of k tokens is one integer in base `vocabulary`; tables are sorted arrays, and a look
    up is a binary search, so nothing here loops over tokens.
    """

    vocabulary: int
    max_order: int
    order: int = 0
    grams: list[np.ndarray] = field(default_factory=list)  # per order: codes of h c, sorted
    counts: list[np.ndarray] = field(default_factory=list)
    contexts: list[np.ndarray] = field(default_factory=list)  # per order: codes of h, sorted
    totals: list[np.ndarray] = field(default_factory=list)  # count(h)
    types: list[np.ndarray] = field(default_factory=list)  # types(h)
    parameters: int = 0

    def __post_init__(self) -> None:
        if self.vocabulary**self.max_order > 2**63:
            raise ValueError(f"{self.vocabulary} tokens to the power of {self.max_order} do not fit 64 bits")

    def fit(self, train: Windows | Stream, val: Stream | None) -> None:
        """Count; choose the order with the lowest loss on `val`."""
        tokens = train.arrays["codes"][: _last_row(train)].astype(np.int64)
        tables = [self._count(tokens, order) for order in range(1, self.max_order + 1)]
        self.grams, self.counts, self.contexts, self.totals, self.types = map(list, zip(*tables, strict=True))
        if val is not None:
            losses = [-np.log(p).mean() for p in self.likelihoods(val)]
            self.order = 1 + int(np.argmin(losses))
        self.parameters = sum(len(g) for g in self.grams[: self.order])

    def predict(self, samples: Stream) -> dict[str, np.ndarray]:
        """Nats of every target and the likeliest guess: (n,) each."""
        *_, likelihood = self.likelihoods(samples, self.order)
        return {"nats": -np.log(likelihood), "guess": self._guesses(samples)}

    def likelihoods(self, samples: Stream, up_to: int | None = None) -> list[np.ndarray]:
        """P_k of every target for k = 1 .. `up_to`: a list of (n,)."""
        tokens = samples.arrays["codes"].astype(np.int64)
        rows = samples.target_rows()
        p, result = np.full(len(rows), 1 / self.vocabulary), []
        for order in range(1, (up_to or self.max_order) + 1):
            p = self._blend(order, self._code(tokens, rows - order + 1, order - 1), tokens[rows], p)
            result.append(p)
        return result

    def write(self, prompt: np.ndarray, length: int, seed: int) -> np.ndarray:
        """Go on after `prompt`: (length,) tokens. Token 0, the unknown character, is never drawn."""
        rng = np.random.default_rng([seed, length])
        written = prompt.astype(np.int64)
        every = np.arange(self.vocabulary)
        for _ in range(length):
            p = np.full(self.vocabulary, 1 / self.vocabulary)
            for order in range(1, min(self.order, len(written) + 1) + 1):
                context = self._code(written, np.array([len(written) - order + 1]), order - 1)
                p = self._blend(order, np.repeat(context, self.vocabulary), every, p)
            p[0] = 0
            written = np.append(written, rng.choice(self.vocabulary, p=p / p.sum()))
        return written[len(prompt) :].astype(np.int32)

    def _count(self, tokens: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
        grams, counts = np.unique(self._code(tokens, np.arange(len(tokens) - order + 1), order), return_counts=True)
        contexts, first = np.unique(grams // self.vocabulary, return_index=True)
        totals = np.add.reduceat(counts, first)
        types = np.diff(np.append(first, len(grams)))
        return grams, counts, contexts, totals, types

    def _code(self, tokens: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
        """`length` tokens from each start as one integer: (n,). Rows before the first count as token 0."""
        code = np.zeros(len(starts), np.int64)
        for i in range(length):
            row = starts + i
            code = code * self.vocabulary + np.where(row >= 0, tokens[np.maximum(row, 0)], 0)
        return code

    def _blend(self, order: int, context: np.ndarray, token: np.ndarray, lower: np.ndarray) -> np.ndarray:
        k = order - 1
        count = _look_up(self.grams[k], self.counts[k], context * self.vocabulary + token)
        total, types = (_look_up(self.contexts[k], t[k], context) for t in (self.totals, self.types))
        return np.where(total > 0, (count + types * lower) / np.maximum(total + types, 1), lower)

    def _guesses(self, samples: Stream) -> np.ndarray:
        """The likeliest token of every target."""
        tokens = samples.arrays["codes"].astype(np.int64)
        rows = samples.target_rows()
        # Contexts repeat: work on the different ones only.
        longest = self._code(tokens, rows - self.order + 1, self.order - 1)
        different, first, where = np.unique(longest, return_index=True, return_inverse=True)
        rows = rows[first]
        best, guess = np.zeros(len(different)), np.zeros(len(different), np.int64)
        for token in range(self.vocabulary):
            p = np.full(len(rows), 1 / self.vocabulary)
            for order in range(1, self.order + 1):
                p = self._blend(order, self._code(tokens, rows - order + 1, order - 1), np.full(len(rows), token), p)
            guess = np.where(p > best, token, guess)
            best = np.maximum(p, best)
        return guess[where]


def _last_row(train: Windows | Stream) -> int:
    """Where the training part of the text ends: everything before it may be counted."""
    if isinstance(train, Stream):
        return train.stop
    return int(train.starts[-1]) + train.jitter - 1 + train.y.offset + train.y.length


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """values[keys == wanted], or 0 where there is no such key."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)
