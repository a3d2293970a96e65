"""The lengths that examples are padded to."""

import numpy as np

_LENGTHS_TRIED = 500  # where buckets may end


def bucket_lengths(lengths: np.ndarray, most: int) -> tuple[int, ...]:
    """At most `most` lengths to pad to, so that least is padded; the last is the longest example.

    The best choice by dynamic programming over where buckets may end, which are `_LENGTHS_TRIED` places at most.

    Args:
        lengths: (examples,) words of each.
    """
    ends = np.unique(np.quantile(lengths, np.linspace(0, 1, _LENGTHS_TRIED), method="higher"))  # (places,)
    below = np.searchsorted(np.sort(lengths), ends, side="right")  # (places,) examples that are no longer
    before = np.concatenate([[0], below[:-1]])
    # cost[i, j]: padded tokens of one bucket for the places i .. j.
    cost = np.where(np.tri(len(ends)).T > 0, (below - before[:, None]) * ends, np.inf)
    best, cuts = cost[0], []  # (places,) of the buckets so far, the last of which ends there
    for _ in range(min(most, len(ends)) - 1):
        ways = np.concatenate([[np.inf], best[:-1]])[:, None] + cost  # (begin of the last bucket, its end)
        cuts.append(ways.argmin(axis=0))
        best = ways.min(axis=0)
    chosen, end = [int(ends[-1])], len(ends) - 1
    for cut in reversed(cuts):
        end = int(cut[end]) - 1
        chosen.append(int(ends[end]))
    return tuple(reversed(chosen))
