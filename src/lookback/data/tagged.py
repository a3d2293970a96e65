"""Sentences whose every word has a tag, read from CoNLL-U or from a CSV."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lookback.data import conllu, documents
from lookback.data.conllu import Sentence
from lookback.data.csv import records as csv_records
from lookback.data.findings import Finding, closest, override, refusal
from lookback.errors import ConfigError, DataError
from lookback.settings import CHARACTER, TaggingTask
from lookback.wording import count

_TOKEN = re.compile(r"[^ \t\r\n]+")


@dataclass(frozen=True)
class Tagged:
    """What one file holds.

    Attributes:
        name: what messages call the file.
        sentences: in their order, in composed characters (Unicode's NFC).
        composed: how many lines were in other characters than composed ones.
        digest: SHA-256 of the file.
    """

    name: str
    sentences: list[Sentence]
    composed: int
    digest: str


def read(path: Path, name: str, key: str, task: TaggingTask) -> Tagged:
    """The sentences of a file of UTF-8, which may be gzipped.

    Args:
        path: where it lies.
        name: what to call it in messages.
        key: the setting that names it.

    Raises:
        MissingFile: it is not there.
        ConfigError: `task.tags` names no column of CoNLL-U that holds tags.
        DataError: the first faults of the file, each with its line and its sentence.
    """
    if task.format == "conllu" and task.tags not in conllu.TAGS:
        raise ConfigError("CONFIG-VALUE", f"task.tags: got {task.tags!r}; set task.tags=upos or task.tags=xpos")
    body, digest = documents.body(path, name, key)
    written = body.decode("utf-8")
    text = unicodedata.normalize("NFC", written)
    sentences, faults = conllu.sentences(text, task.tags) if task.format == "conllu" else _csv(text, task)
    if faults:
        raise refusal(name, _with_format(faults, name, task))
    if not sentences:
        raise DataError("TAG-EMPTY", f"{name}: no sentence stands in it; set {key} to a file that holds some")
    if all(form == "_" for sentence in sentences for form in sentence.forms):
        raise DataError("TAG-TEXT", f"{name}: every word is _: the text was taken out; put it back first")
    changed = sum(a != b for a, b in zip(written.split("\n"), text.split("\n"), strict=True)) if written != text else 0
    return Tagged(name, sentences, changed, digest)


def words_of(sentence: str) -> tuple[str, ...]:
    """The words of a sentence, which stand between blanks."""
    return tuple(_TOKEN.findall(sentence))


def _with_format(faults: list[Finding], name: str, task: TaggingTask) -> list[Finding]:
    """Where the file's name says that it is of the other format, that is the hint of what cannot be made out."""
    plain = name.removesuffix(".gz")
    if task.format == "conllu" and plain.endswith(".csv"):
        hint = "if it is a CSV set task.format=csv, and task.words and task.tags to its columns"
    elif task.format == "csv" and plain.endswith((".conllu", ".conll")):
        hint = "if it is CoNLL-U set task.format=conllu task.tags=upos"
    else:
        return faults
    return [f._replace(hint=hint) if f.code in ("TAG-COLUMNS", "CSV-COLUMN") else f for f in faults]


# --- CSV -------------------------------------------------------------------------------------------


def _csv(text: str, task: TaggingTask) -> tuple[list[Sentence], list[Finding]]:
    """A sentence a row: its words in one cell and their tags in another, blanks or tabs between them."""
    sentences: list[Sentence] = []
    faults: list[Finding] = []
    try:
        records = csv_records.records(text, CHARACTER["comma"], comments=False)
        first, _, header = next(records, (1, 0, [""]))  # a byte order mark may be all there is
        names = [name.strip() for name in header]
        if faults := [*_header_faults(first, names, task)]:
            return [], faults
        places = names.index(task.words), names.index(task.tags)
        for number, (line, _, row) in enumerate(records, 1):
            if len(row) != len(names):
                what = f"sentence {number}: {count(len(row), 'field')}, expected {len(names)}"
                faults.append(Finding(line, "CSV-FIELDS", what, "quote the cells that hold commas"))
                continue
            forms, tags = (words_of(row[place]) for place in places)
            sentences.append(Sentence(forms, tags, line, str(number)))
            faults += _faults_of_row(sentences[-1])
    except csv_records.MalformedCsv as e:
        what, _, hint = str(e).partition("; ")
        faults.append(Finding(e.line, "CSV-QUOTE" if "quote" in what else "CSV-CELL", what, hint))
    return sentences, faults


def _header_faults(line: int, names: list[str], task: TaggingTask) -> Iterator[Finding]:
    for key, name in (("words", task.words), ("tags", task.tags)):
        if names.count(name) > 1:
            what = f"column {name!r} stands {names.count(name)} times"
            yield Finding(line, "CSV-HEADER", what, "rename all but one")
        elif name not in names:
            close = closest(name, names, (task.words, task.tags))
            hint = f"set {override(f'task.{key}', close)}" if close else f"set task.{key}"
            what = f"no column {name!r}; the columns are {', '.join(n[:40] for n in names[:20])}"
            yield Finding(line, "CSV-COLUMN", what, hint)


def _faults_of_row(sentence: Sentence) -> Sequence[Finding]:
    words, tags = len(sentence.forms), len(sentence.tags)
    if words != tags:
        begins = " ".join(sentence.forms[:3])[:40]
        what = f"sentence {sentence.id}, {begins!r}: {count(words, 'word')}, {count(tags, 'tag')}"
        return [Finding(sentence.line, "TAG-COUNT", what, "give every word one tag")]
    if not words:
        what = f"sentence {sentence.id} has no words"
        return [Finding(sentence.line, "TAG-WORD", what, "remove the row, or complete it")]
    return []
