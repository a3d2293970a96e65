"""The digest of the data: it changes with all that training or scoring reads, and with nothing else."""

import functools
import gc
import gzip
import hashlib
import weakref
from pathlib import Path

import pytest
from conftest import ROOT, load, settings
from hypothesis import given
from hypothesis import strategies as st

from lookback.configuration.settings import Settings
from lookback.configuration.validation import validate
from lookback.data import digests
from lookback.experiment.key import trial_key

NOUNS = ["ink", "moss", "clay", "salt", "oak", "fern", "wool", "rain", "jam", "tea"]
SAID = [f"the {noun} is {word}" for word in ("good", "bad") for noun in NOUNS]
ROWS = "day,load,sky\n" + "".join(f"2020-01-{i + 1:02},{i % 7}.5,{'sun' if i % 3 else 'rain'}\n" for i in range(30))
A, B, LONGER, SHORTER = ("\n".join(lines) for lines in (SAID[:10], SAID[10:], SAID[:11], SAID[11:]))
BY_FILES = {"by": "files", "seed": 0, "group_size": 1}


def labelled(first=0, labels="yn"):
    """A CSV of ten texts, each with its label."""
    return "text,label\n" + "".join(f"{SAID[first + i]},{labels[i % len(labels)]}\n" for i in range(10))


def swapped(text):
    """With the second line and the third one in each other's place."""
    header, second, third, *rest = text.split("\n")
    return "\n".join([header, third, second, *rest])


def rated(*ratings):
    return "text,rating\n" + "".join(f"{text},{rating}\n" for text, rating in zip(SAID, ratings, strict=False))


def tagged(*tags):
    """Sentences of two words in CoNLL-U."""
    rest = "\t_" * 6
    words = [f"1\tthe\t_\tDET{rest}\n2\t{n}\t_\t{t}{rest}\n" for n, t in zip(NOUNS, tags, strict=False)]
    return "\n".join([*words, ""])


def lists(*tags):
    """The same as rows of a CSV."""
    return "form,upos\n" + "".join(f"the {n},DET {t}\n" for n, t in zip(NOUNS, tags, strict=False))


NOUN, VERB = ["NOUN", "VERB"] * 5, ["VERB", "NOUN"] * 5
SERIES = {
    "path": "a",
    "time": "day",
    "time_format": "%Y-%m-%d",
    "freq": "D",
    "lookback": 3,
    "past_covariates": [],
    "calendar": [],
}
SERIES |= {"split": {"by": "rows", "val": 6, "test": 6}}
LANGUAGE = {"lookback": 4, "unique_passages": False}
PLUS, MINUS = {"label": "plus", "path": "a"}, {"label": "minus", "path": "b"}
TWO = {
    "path": [PLUS, MINUS],
    "split": {"by": "shuffled", "train": 0.6, "val": 0.2, "test": 0.2, "seed": 0, "group_size": 1},
}
SWAPPED = {"path": [{**PLUS, "label": "minus"}, {**MINUS, "label": "plus"}]}
OWN = {"path": "a", "split": {**BY_FILES, "val": "b", "test": "c"}}
SHARE = {"path": "a", "split": {**BY_FILES, "val": 0.3, "test": "c"}}

WORLDS = {  # name -> overrides, settings of the task, its files
    "forecast": (["task=airline"], {**SERIES, "target": "load", "season": 2}, {"a": ROWS}),
    "classify": (["task=sky", "model=frequencies"], {**SERIES, "target": "sky"}, {"a": ROWS}),
    "language": (["task=text"], {**LANGUAGE, "path": "a"}, {"a": A}),
    "language, a test of its own": (
        ["task=text"],
        {**LANGUAGE, "path": "a", "split": {"by": "files", "val": 0.2, "test": "c"}},
        {"a": A, "c": B},
    ),
    "language of a column": (["task=text"], {**LANGUAGE, "path": "a", "column": "text"}, {"a": labelled()}),
    "sentiment": (["task=sentiment"], {**TWO, "path": "a"}, {"a": labelled()}),
    "sentiment, labels in the settings": (["task=sentiment"], TWO, {"a": A, "b": B}),
    "sentiment, files of its parts": (
        ["task=sentiment"],
        OWN,
        {"a": labelled(), "b": labelled(5), "c": labelled(10)},
    ),
    "sentiment, a share for val": (["task=sentiment"], SHARE, {"a": labelled(), "c": labelled(10)}),
    "rating": (["task=rating"], {**TWO, "path": "a"}, {"a": rated(*range(1, 11))}),
    "tagging": (["task=tagging"], {**OWN}, {"a": tagged(*NOUN), "b": tagged(*NOUN[:2]), "c": tagged(*NOUN[:4])}),
    "tagging, a sentence a row": (
        ["task=tagging"],
        {**SHARE, "format": "csv"},
        {"a": lists(*NOUN), "c": lists(*NOUN[:4])},
    ),
}

CHANGES = [  # world, what is changed, settings and files that replace those above
    ("forecast", "a number", {}, {"a": ROWS.replace("2020-01-30,1.5", "2020-01-30,2.5")}),
    ("forecast", "a date", {}, {"a": ROWS.replace("2020-01-", "2021-01-")}),
    ("classify", "a kind", {}, {"a": ROWS.replace("1.5,sun", "1.5,rain", 1)}),
    ("language", "a letter", {}, {"a": A.replace("tea", "sea")}),
    ("language", "the order of lines", {}, {"a": swapped(A)}),
    ("language, a test of its own", "the test file", {}, {"c": B.replace("tea", "sea")}),
    ("language, a test of its own", "the border", {}, {"a": LONGER, "c": SHORTER}),
    ("language, a test of its own", "which is which", {}, {"a": B, "c": A}),
    ("language of a column", "a text", {}, {"a": labelled().replace("ink", "inc")}),
    ("language of a column", "the border of rows", {}, {"a": labelled().replace("good,y\nthe", "good the,y\n", 1)}),
    ("sentiment", "a label", {}, {"a": labelled().replace("good,n", "good,y", 1)}),
    ("sentiment", "a text", {}, {"a": labelled().replace("ink", "inc")}),
    ("sentiment", "the order of rows", {}, {"a": swapped(labelled())}),
    ("sentiment, labels in the settings", "a label", {"path": [PLUS, {**MINUS, "label": "bad"}]}, {}),
    ("sentiment, labels in the settings", "labels swapped", SWAPPED, {}),
    ("sentiment, labels in the settings", "the order of files", {"path": [MINUS, PLUS]}, {}),
    ("sentiment, labels in the settings", "a text", {}, {"b": B.replace("tea", "sea")}),
    ("sentiment, labels in the settings", "the border", {}, {"a": LONGER, "b": SHORTER}),
    ("sentiment, files of its parts", "the val file", {}, {"b": labelled(5).replace("good,n", "good,y", 1)}),
    ("sentiment, files of its parts", "the test file", {}, {"c": labelled(10).replace("bad,n", "bad,y", 1)}),
    ("sentiment, files of its parts", "which is which", {"split": {**BY_FILES, "val": "c", "test": "b"}}, {}),
    ("sentiment, files of its parts", "no val file", {"split": {**BY_FILES, "val": 0.3, "test": "c"}}, {}),
    ("sentiment, a share for val", "the test file", {}, {"c": labelled(9)}),
    ("rating", "a rating", {}, {"a": rated(*range(1, 10), 9)}),
    ("tagging", "a tag of train", {}, {"a": tagged(*NOUN[:9], "NOUN")}),
    ("tagging", "the val file", {}, {"b": tagged(*VERB[:2])}),
    ("tagging", "the test file", {}, {"c": tagged(*VERB[:4])}),
    ("tagging", "a word", {}, {"a": tagged(*NOUN).replace("tea", "sea")}),
    ("tagging", "a sentence moved", {}, {"a": tagged(*NOUN[:9]), "b": tagged(*NOUN[:3])}),
    ("tagging, a sentence a row", "a tag", {}, {"a": lists(*NOUN[:9], "NOUN")}),
]  # fmt: skip


@functools.cache
def composed(*overrides) -> Settings:
    return settings(*overrides)


def settled(world: str, **changed) -> Settings:
    overrides, task, _ = WORLDS[world]
    whole = composed(*overrides).model_dump(mode="json")
    return validate(whole | {"task": whole["task"] | task | changed})


def digest(folder: Path, world: str, changed=(), files=(), **more) -> str:
    folder.mkdir(exist_ok=True)
    for name, text in (WORLDS[world][2] | dict(files)).items():
        (folder / name).write_text(text)
    return load(settled(world, **dict(changed), **more), folder).digest


@pytest.mark.parametrize(("world", "what", "changed", "files"), CHANGES, ids=lambda v: v if isinstance(v, str) else "")
def test_whatever_is_read_changes_the_digest(world, what, changed, files, tmp_path):
    assert digest(tmp_path / "one", world) != digest(tmp_path / "two", world, changed, files)


@pytest.mark.parametrize("world", WORLDS)
def test_the_same_data_at_another_place_have_the_same_digest(world, tmp_path):
    task, files = WORLDS[world][1:]
    (tmp_path / "two" / "elsewhere").mkdir(parents=True)
    path = task["path"]
    moved = {"path": f"elsewhere/{path}"} if isinstance(path, str) else {}
    if not isinstance(path, str):
        moved["path"] = [file | {"path": f"elsewhere/{file['path']}"} for file in path]
    split = task.get("split", {})
    named = {part: f"elsewhere/{split[part]}" for part in ("val", "test") if isinstance(split.get(part), str)}
    moved |= {"split": split | named} if named else {}
    there = digest(tmp_path / "two", world, moved, {f"elsewhere/{name}": text for name, text in files.items()})
    assert digest(tmp_path / "one", world) == there


@pytest.mark.parametrize("world", ["forecast", "classify", "language", "sentiment", "rating"])
def test_of_one_plain_file_it_is_the_sha_256_of_the_file_packed_or_not(world, tmp_path):
    text = WORLDS[world][2]["a"].encode()
    packed = settled(world, path="a.gz")
    (tmp_path / "a.gz").write_bytes(gzip.compress(text))
    assert digest(tmp_path, world) == hashlib.sha256(text).hexdigest() == load(packed, tmp_path).digest


def test_the_same_files_under_other_labels_are_another_trial(tmp_path):
    world = "sentiment, labels in the settings"
    keys = {
        trial_key(settled(world, **changed), digest(tmp_path / "x", world, changed), "cpu", "")
        for changed in ({}, SWAPPED)
    }
    assert len(keys) == 2


PARTS = st.lists(st.text("ab\0\n", max_size=3), max_size=3)


@given(PARTS, PARTS)
def test_lists_of_texts_that_differ_never_meet(one, other):
    assert (digests.framed(one) == digests.framed(other)) == (one == other)


def test_the_card_of_a_task_that_ships_shows_the_hash_of_its_file():
    settled = settings("task=airline")
    assert load(settled).digest == hashlib.sha256((ROOT / "data/airline.csv").read_bytes()).hexdigest()


def test_the_data_of_many_tasks_do_not_pile_up(tmp_path):
    digest(tmp_path, "forecast")
    held = [weakref.ref(load(settled("forecast", lookback=3 + i), tmp_path)) for i in range(12)]
    gc.collect()
    assert 1 <= sum(data() is not None for data in held) <= 4


def test_the_tasks_of_a_sweep_that_names_none_are_each_read_once(tmp_path):
    digest(tmp_path, "forecast")
    once, again = ([load(settled("forecast", lookback=3 + i), tmp_path) for i in range(3)] for _ in range(2))
    assert all(a is b for a, b in zip(once, again, strict=True))
