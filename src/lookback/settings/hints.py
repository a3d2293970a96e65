"""What to do about a word that nobody knows."""

import difflib
from collections.abc import Iterable

# Names of settings, models and values that are called otherwise now.
RENAMED = {
    "contestants": ("models",),
    "yardstick": ("reference",),
    "past": ("past_covariates",),
    "known": ("future_covariates",),
    "cut": ("truncate",),
    "block": ("group_size",),
    "dealt": ("shuffled",),
    "strengths": ("alphas", "Cs"),
    "linear_path": ("skip_connection",),
    "last_kind": ("persistence",),
    "floors": ("baselines",),
}


def suggest(word: str, known: Iterable[str]) -> str:
    """'; it is called 'x' now', '; did you mean 'x'?', or the list of what there is."""
    known = list(known)
    if renamed := [name for name in RENAMED.get(word, ()) if name in known]:
        return f"; it is called {' or '.join(map(repr, renamed))} now"
    close = difflib.get_close_matches(word, known, 1, cutoff=0.7)
    return f"; did you mean '{close[0]}'?" if close else f"; there is: {listed(known)}"


def check_known(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Refuse an empty list, or a name that is not known.

    Raises:
        ValueError: in words, for pydantic.
    """
    if not given:
        raise ValueError(f"{what}: the list is empty; choose from {listed(known)}")
    for name in given:
        if name not in known:
            raise ValueError(f"{what}: unknown name {name!r}{suggest(name, known)}")


def listed(names: Iterable[object]) -> str:
    """One after the other."""
    return ", ".join(map(str, names))
