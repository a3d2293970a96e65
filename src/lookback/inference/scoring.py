"""How likely a language model finds texts, and the game of two endings."""

import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lookback.data import documents, text
from lookback.errors import DataError
from lookback.inference.language import Language
from lookback.wording import count

SHOWN = 20  # texts that are printed
# What ends a sentence: a mark, perhaps with closing quotes or brackets, and blanks after it.
_BETWEEN = re.compile(r"(?<=[.!?])[\"'”’)\]]*(\s+)")


def read(path: str, column: str | None, root: Path) -> list[str]:
    """The texts of a file: its lines, blank ones left out, or the rows of a column.

    Args:
        column: of a CSV; None: every line is a text.

    Raises:
        LookbackError: one line about the file.
    """
    if column is not None:
        return text.lines_of(root / path, path, "texts", {"column": column})
    body, _ = documents.body(root / path, path, "texts")
    found = [line for line in body.decode("utf-8").splitlines() if line.strip()]
    if not found:
        raise DataError("TEXT-EMPTY", f"{path}: no text stands in it; set texts to a file that holds some")
    return found


def lacking(language: Language, found: list[str]) -> list[str]:
    """The tokens of texts that the vocabulary lacks."""
    known = set(language.tokens[1:])
    return [token for line in found for token in language.split(line) if token not in known]


# --- how likely each text is ---------------------------------------------------------------------------


def scores(language: Language, found: list[str]) -> pd.DataFrame:
    """One row a text: text, characters, tokens, unknown, nats (of all its tokens), nats_per_token, bits_per_character.

    Each text is read from no memory, after a line end. Where the vocabulary has none, the first token of a text is
    read and not scored.
    """
    begin, level = language.line_end, language.level
    own = [language.encode(line) for line in found]
    nats = language.nats([np.concatenate([begin, codes]) for codes in own])
    read_only = 1 - len(begin)  # tokens
    lengths = [text.characters(line, language.split(line), level)[read_only:] for line in found]
    table = pd.DataFrame(
        {
            "text": found,
            "characters": [int(length.sum()) for length in lengths],
            "tokens": [len(lost) for lost in nats],
            "unknown": [int((codes[read_only:] == 0).sum()) for codes in own],
            "nats": [float(lost.sum()) for lost in nats],
        }
    )
    return table.assign(nats_per_token=table["nats"] / table["tokens"], bits_per_character=_bits(table))


def _bits(table: Any) -> Any:
    return table["nats"] / math.log(2) / table["characters"]


def show_scores(table: pd.DataFrame) -> None:
    """The first texts, and all of them together."""
    shown = Table("", "text", *table.columns[1:], box=SIMPLE_HEAD)
    shown.columns[1].no_wrap = True
    for column in shown.columns[2:]:
        column.justify, column.header = "right", str(column.header).replace("_", " ")
    for i, row in enumerate(table.head(SHOWN).to_dict("records"), 1):
        shown.add_row(str(i), *_told(row))
    if len(table) > SHOWN:
        shown.add_row("...", f"and {count(len(table) - SHOWN, 'text')} more, in the file")
    sums = table.drop(columns="text").sum()
    each = {"nats_per_token": sums["nats"] / sums["tokens"], "bits_per_character": _bits(sums)}
    shown.add_row("", *_told({"text": "all together"} | dict(sums) | each))
    console().print(shown)


def _told(row: dict[str, Any]) -> list[str]:
    counts = [f"{int(row[name]):,}" for name in ("characters", "tokens", "unknown")]
    per = [f"{row[name]:.3f}" for name in ("nats_per_token", "bits_per_character")]
    return [escape(cut(row["text"])), *counts, f"{row['nats']:,.1f}", *per]


# --- two endings ---------------------------------------------------------------------------------------


def endings(language: Language, found: list[str], seed: int) -> pd.DataFrame:
    """One row a story: story, given, other, and of both endings the mean log-probability of a token.

    `given` and `other`: after the story; `given_alone` and `other_alone`: after a line end and nothing else.

    Args:
        seed: of which other story lends its ending.

    Raises:
        DataError: fewer than two stories have an end and something before it, or all end alike.
    """
    stories = [parts for parts in map(split_ending, found) if parts]
    if left_out := len(found) - len(stories):
        print(f"{count(left_out, 'text')} of one sentence left out", file=sys.stderr)
    table = pd.DataFrame(stories, columns=["story", "ending"])
    table["other_ending"] = _others(table["ending"].tolist(), seed)
    for name, column in (("given", "ending"), ("other", "other_ending")):
        pairs = list(zip(table["story"], table[column], strict=True))
        table[name] = _means(language, pairs)
        table[f"{name}_alone"] = _means(language, [("", ending) for _, ending in pairs])
    return table


def split_ending(story: str) -> tuple[str, str] | None:
    """A story without its last sentence, the blank before that included, and the sentence; None where it has one."""
    breaks = list(_BETWEEN.finditer(story.rstrip()))
    return (story[: breaks[-1].end()], story[breaks[-1].end() :].rstrip()) if breaks else None


def _others(given: list[str], seed: int) -> list[str]:
    """For each ending another one, drawn among those that read differently."""
    rng = np.random.default_rng(seed)
    if len(set(given)) < 2:
        raise DataError("TEXT-ENDINGS", "texts: fewer than two stories with endings of their own; set texts")
    others = []
    for ending in given:
        while (other := given[rng.integers(len(given))]) == ending:
            pass
        others.append(other)
    return others


def _means(language: Language, pairs: list[tuple[str, str]]) -> np.ndarray:
    """Mean log-probability of a token of the second text after the first, which begins after a line end: (n,)."""
    begin, before = language.line_end, [language.encode(story) for story, _ in pairs]
    own = [language.encode(ending) for _, ending in pairs]
    nats = language.nats([np.concatenate([begin, *both]) for both in zip(before, own, strict=True)])
    return np.array([-lost[-len(codes) :].mean() for lost, codes in zip(nats, own, strict=True)])


def show_endings(table: pd.DataFrame) -> None:
    """How often the given ending is the likelier one, after its story and alone."""
    shown = Table("the given ending is likelier", "stories", "share", "95 % interval", box=SIMPLE_HEAD)
    for column in shown.columns[1:]:
        column.justify = "right"
    for name, what in (("", "after its story"), ("_alone", "without the story (prior)")):
        right = won(table[f"given{name}"], table[f"other{name}"])
        low, high = wilson(right, len(table))
        shown.add_row(what, f"{right:g} of {len(table)}", f"{right / len(table):.3f}", f"{low:.3f} to {high:.3f}")
    console().print(shown)
    print("Only what the first share is above the second has to do with the story; a coin has 0.5.")


def won(given: pd.Series, other: pd.Series) -> float:
    """How often the first is higher; where both are alike, half a time."""
    return float((given > other).sum() + (given == other).sum() / 2)


def wilson(right: float, n: int) -> tuple[float, float]:
    """95 % interval of a share: Wilson, J. Am. Stat. Assoc. 22 (1927) 209."""
    from statsmodels.stats.proportion import proportion_confint

    return proportion_confint(right, n, alpha=0.05, method="wilson")


# --- the terminal --------------------------------------------------------------------------------------


def console() -> Console:
    """As wide as the terminal; wide where it is a file."""
    return Console(width=None if Console().is_terminal else 140, highlight=False)


def cut(line: str, longest: int = 50) -> str:
    """The beginning of a long line."""
    return line if len(line) <= longest else line[: longest - 1] + "…"
