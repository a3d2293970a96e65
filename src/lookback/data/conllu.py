"""CoNLL-U: a word a line, a blank line behind every sentence (universaldependencies.org/format.html)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lookback.data.findings import Finding
from lookback.wording import count

TAGS = {"upos": 3, "xpos": 4}  # columns that hold tags
_COLUMNS = 10
_FORM = 1
_NO_TAG = ("", "_")
_SENT_ID = re.compile(r"#\s*sent_id\s*=\s*(.*\S)")
_BESIDE = re.compile(r"\d+-\d+|\d+\.\d+")  # a range of words written as one, a word that is only thought of


class Sentence(NamedTuple):
    """Words as they are written, the tag of each, the line of the first word, and what the file calls the sentence.

    Where the file gives it no name it is its number, from 1.
    """

    forms: tuple[str, ...]
    tags: tuple[str, ...]
    line: int
    id: str


def sentences(text: str, tags: str) -> tuple[list[Sentence], list[Finding]]:
    """The sentences of a text in CoNLL-U, or what is wrong with it.

    Args:
        tags: one of `TAGS`.
    """
    found: list[Sentence] = []
    faults: list[Finding] = []
    for first, lines in _blocks(text):
        number = len(found) + 1
        sentence = _sentence(first, lines, number, TAGS[tags])
        if sentence is None:
            faults += _faults_of_sentence(first, lines, number, tags)
        if sentence is None or sentence.forms:  # comments alone are no sentence
            found.append(sentence or Sentence((), (), first, ""))
    if any(f.code == "TAG-MISSING" for f in faults) and (other := _filled(text, tags)):
        faults = [f._replace(hint=f"set task.tags={other}") if f.code == "TAG-MISSING" else f for f in faults]
    return found, faults


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines between two blank ones, and the number of the first."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    block: list[str] = []
    for number, line in enumerate([*lines, ""]):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block) + 1, block
            block = []


def _sentence(first: int, lines: list[str], number: int, place: int) -> Sentence | None:
    """A sentence without faults, read fast; one without words where only comments stand; None where anything is odd."""
    rows = [line.split("\t") for line in lines if line[0] != "#"]
    if any(len(row) != _COLUMNS for row in rows):
        return None
    words = [row for row in rows if not _BESIDE.fullmatch(row[0])]
    forms = tuple(row[_FORM].strip() for row in words)
    tags = tuple(row[place].strip() for row in words)
    if (rows and not words) or [row[0] for row in words] != [str(i) for i in range(1, len(words) + 1)]:
        return None
    if "" in forms or any(tag in _NO_TAG for tag in tags):
        return None
    names = [found[1] for line in lines if line[0] == "#" and (found := _SENT_ID.match(line))]
    comments = next((i for i, line in enumerate(lines) if line[0] != "#"), 0)
    return Sentence(forms, tags, first + comments, names[0] if names else str(number))


def _faults_of_sentence(first: int, lines: list[str], number: int, tags: str) -> Iterator[Finding]:
    """What `_sentence` takes offence at, line by line."""
    name, last, comment = str(number), 0, 0  # of the sentence, the word before, the comment before this line
    for at, line in enumerate(lines, first):
        row = line.split("\t")
        if line[0] == "#":
            name = found[1] if (found := _SENT_ID.match(line)) else name
            comment = comment or at
            continue
        if len(row) != _COLUMNS:
            yield _columns_fault(at, line, name)
        elif _BESIDE.fullmatch(row[0]):
            continue
        else:
            if row[0] != str(last + 1):
                yield _order_fault(at, row[0], last, comment or at, name)
            yield from _word_faults(at, row, tags, name)
        begins = re.match(r"[1-9]\d{0,8}(?!\S)", line, re.ASCII)
        last, comment = int(begins[0]) if begins else last + 1, 0
    if not last:
        yield Finding(first, "TAG-WORD", f"sentence {name} has no words", "remove it, or complete it")


def _columns_fault(at: int, line: str, name: str) -> Finding:
    got = count(line.count("\t") + 1, "column")
    blanks = "; blanks stand between them, not tabs" if "\t" not in line and len(line.split()) >= _COLUMNS else ""
    what = f"sentence {name}: {got}, CoNLL-U has {_COLUMNS} parted by tabs{blanks}: {line[:40]!r}"
    return Finding(at, "TAG-COLUMNS", what, "part the columns by tabs" if blanks else "complete the line")


def _order_fault(at: int, got: str, last: int, begins: int, name: str) -> Finding:
    if got == "1":
        what = f"sentence {name}: word 1 follows word {last}, a blank line between two sentences is missing"
        return Finding(begins, "TAG-BLANK", what, "put a blank line before this line")
    what = f"sentence {name}: ID {got!r}, expected {last + 1}"
    if last:
        return Finding(at, "TAG-ID", what, "number the words of a sentence 1, 2, 3 ..., or restore what is missing")
    hint = "number its words from 1, or remove the blank line before it"
    return Finding(at, "TAG-ID", what, hint)


def _word_faults(at: int, row: list[str], tags: str, name: str) -> Iterator[Finding]:
    form, tag = row[_FORM].strip(), row[TAGS[tags]].strip()
    if not form:
        what = f"sentence {name}: word {row[0]} is empty"
        yield Finding(at, "TAG-WORD", what, "write the word into the second column")
    if tag in _NO_TAG:
        what = f"sentence {name}: word {row[0]}, {form!r}, has no {tags.upper()} tag ({tag!r})"
        yield Finding(at, "TAG-MISSING", what, "write the tag, or leave the sentence out")


def _filled(text: str, tags: str) -> str:
    """The other column of tags, if no word lacks a tag there."""
    other = next(name for name in TAGS if name != tags)
    rows = (line.split("\t") for _, lines in _blocks(text) for line in lines if line[0] != "#")
    words = (row for row in rows if not _BESIDE.fullmatch(row[0]))
    return other if all(len(row) == _COLUMNS and row[TAGS[other]].strip() not in _NO_TAG for row in words) else ""
