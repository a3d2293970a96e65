"""Scores and tables of texts, sentences and streams of words, on examples whose answers are written out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import score, settings

from lookback.configuration.settings import Settings
from lookback.configuration.validation import validate
from lookback.data.dataset import Data, Fold
from lookback.data.samples import Ragged, Span, Stream, Windows
from lookback.evaluation.predictions import Classes, Points, Tokens
from lookback.problems import PROBLEMS

EXAMPLES = {
    "source": None, "embedding": 4,
    "split": {"by": "shuffled", "train": 0.5, "val": 0.25, "test": 0.25, "seed": 0, "group_size": 1},
    "lowercase": True, "min_count": 1, "max_words": 100, "max_length": 50, "truncate": "end", "buckets": 1,
    "seeds": 1, "refit": False, "name": "toy",
}  # fmt: skip
DOCUMENTS = EXAMPLES | {"path": "toy.csv", "text": "text", "label": "label"}
TASKS = {
    "sentiment": DOCUMENTS | {"unit": "of the texts", "models": ["majority"], "reference": "majority",
                              "metrics": ["error_rate", "accuracy", "log_loss", "macro_f1", "accuracy_new"]},
    "rating": DOCUMENTS | {"unit": "points²", "models": ["mean_rating"], "reference": "mean_rating",
                           "low": 1.0, "high": 10.0, "metrics": ["mse", "r2", "mse_rounded", "mse_new"]},
    "tagging": EXAMPLES | {"unit": "of the words", "models": ["majority"], "reference": "majority",
                           "metrics": ["error_rate", "accuracy", "accuracy_known", "accuracy_unknown"],
                           "path": "toy.conllu", "format": "conllu", "words": "", "tags": "upos", "letters": 8,
                           "letter_embedding": 4, "letter_filters": 4},
    "language": {"name": "toy", "unit": "nats per word", "models": ["unigram"], "reference": "unigram",
                 "metrics": ["nats", "bits", "bits_per_character", "unknown"], "seeds": 1, "refit": False,
                 "lookback": 2, "source": None, "path": "toy.txt", "column": "", "level": "words", "min_count": 2,
                 "unique_passages": False, "embedding": 4,
                 "split": {"by": "fraction", "train": 0.5, "val": 0.25, "test": 0.25},
                 "sample_length": 0, "sample_temperatures": [1.0], "sample_every": 1},
}  # fmt: skip


def settled(kind: str, **changes: object) -> Settings:
    """The settings of a task that no file describes."""
    known = settings("task=airline", "model=naive").model_dump()
    task = TASKS[kind] | {"kind": kind} | changes
    return validate(known | {"task": task, "model": {"name": task["reference"]}})


def rows(examples: list[int], per_token: bool, **targets: np.ndarray) -> Ragged:
    """Examples 0 to 5 of 2, 1, 3, 1, 2 and 1 words."""
    arrays = {
        "first": np.array([0, 2, 3, 6, 7, 9, 10], np.int32),
        "words": np.array([2, 3, 1, 2, 2, 1, 3, 3, 1, 2], np.int32),  # 1: unknown
        **targets,
    }
    return Ragged(arrays, np.array(examples, np.int32), ("words",), next(iter(targets)), per_token, (3,))


def data_of(per_token: bool, targets: dict[str, np.ndarray], **facts: object) -> Data:
    train, val, test = (rows(e, per_token, **targets) for e in ([0, 1], [2], [3, 4, 5]))
    labels = np.array([f"toy:{i}" for i in range(6)])
    words = ("", "<unk>", "the", "a")
    known = {"outputs": 1, "unit": "", "digest": "0", "words": words} | facts
    return Data(train, val, test, (Fold(train, test),), labels, **known)


@pytest.fixture
def documents() -> Data:
    """Val is example 2; test is 3, 4 and 5, of which 4 stood before."""
    new = np.array([False, False, True, True, False, True])
    targets = {"label": np.array([0, 1, 0, 1, 1, 0], np.int32), "new": new}
    return data_of(False, targets, tokens=("bad", "good"), outputs=2)


@pytest.fixture
def tagged() -> Data:
    """Test is the words 6, 7 and 8, and 9; 8 is unknown."""
    targets = {
        "tag": np.array([0, 1, 2, 0, 0, 1, 0, 1, 2, 0], np.int32),
        "form": np.array(["The", "a", "cat", "the", "the", "x", "a", "A", "dog", "the"]),
        "known": np.array([1, 1, 0, 1, 1, 0, 1, 1, 0, 1], bool),
    }
    return data_of(True, targets, tokens=("D", "A", "N"), outputs=3)


def part(table: pd.DataFrame, split: str = "test") -> dict[str, list]:
    return table[table["split"] == split].drop(columns="split").to_dict("list")


def test_sentiment_by_hand(documents):
    val, test = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])  # the second is wrong
    found = score(settled("sentiment"), documents, Classes(val), Classes(test))
    expected = {"error_rate": 1 / 3, "accuracy": 2 / 3, "log_loss": -np.log([0.8, 0.3, 0.6]).mean(), "accuracy_new": 1}
    assert {name: found.scores[f"test/{name}"] for name in expected} == pytest.approx(expected)
    assert found.scores["val/error_rate"] == 0 and found.scores["val/accuracy_new"] == 1
    assert part(found.predictions) == {
        "example": ["toy:3", "toy:4", "toy:5"],
        "new": [True, False, True],
        "truth": ["good", "good", "bad"],
        "guess": ["good", "bad", "bad"],
        "p(bad)": [0.2, 0.7, 0.6],
        "p(good)": [0.8, 0.3, 0.4],
        "loss": [0, 1, 0],
    }
    assert part(found.predictions, "val")["example"] == ["toy:2"]
    assert found.by_step is None and found.by_series is None
    lines = found.by_class.set_index("class")
    assert lines.loc["good"].tolist() == [1, 1 / 2, pytest.approx(2 / 3), 2]
    assert lines.loc["bad"].tolist() == [1 / 2, 1, pytest.approx(2 / 3), 1]


def test_the_loss_of_a_text_is_what_the_metric_that_decides_averages(documents):
    said = Classes(np.array([[0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]))
    task = settled("sentiment", metrics=["log_loss", "error_rate"])
    found = score(task, documents, Classes(np.array([[0.5, 0.5]])), said)
    assert np.mean(part(found.predictions)["loss"]) == pytest.approx(found.scores["test/log_loss"])
    assert part(found.predictions)["loss"] == pytest.approx(-np.log([0.8, 0.3, 0.6]))


def test_rating_by_hand():
    new = np.array([False, False, True, True, False, True])
    data = data_of(False, {"label": np.array([1, 9, 4, 2, 7, 9], np.float32), "new": new}, bounds=(1.0, 10.0))
    found = score(settled("rating"), data, Points(np.array([[4.5]])), Points(np.array([[3.0], [7.25], [6.0]])))
    spread = np.var([2, 7, 9])
    expected = {
        "mse": (1 + 0.0625 + 9) / 3,
        "r2": 1 - (1 + 0.0625 + 9) / 3 / spread,
        "mse_rounded": (1 + 0 + 9) / 3,
        "mse_new": (1 + 9) / 2,
    }
    assert {name: found.scores[f"test/{name}"] for name in expected} == pytest.approx(expected)
    assert np.isnan(found.scores["val/r2"])  # one text: its rating never changes
    assert part(found.predictions) == {
        "example": ["toy:3", "toy:4", "toy:5"],
        "new": [True, False, True],
        "truth": [2, 7, 9],
        "forecast": [3, 7.25, 6],
        "loss": [1, 0.0625, 9],
    }
    assert found.by_class is None


def test_tagging_by_hand(tagged):
    val, test = np.eye(3)[[0, 0, 1]], np.eye(3)[[0, 2, 2, 1]]  # truth of test: 0, 1 2, 0
    found = score(settled("tagging"), tagged, Classes(val), Classes(test))
    expected = {"error_rate": 1 / 2, "accuracy": 1 / 2, "accuracy_known": 1 / 3, "accuracy_unknown": 1}
    assert {name: found.scores[f"test/{name}"] for name in expected} == pytest.approx(expected)
    assert part(found.predictions) == {
        "sentence": ["toy:3", "toy:4", "toy:4", "toy:5"],
        "word": ["a", "A", "dog", "the"],
        "known": [True, True, False, True],
        "truth": ["D", "A", "N", "D"],
        "guess": ["D", "N", "N", "A"],
        "loss": [0, 1, 0, 1],
    }
    assert found.by_class["count"].tolist() == [2, 1, 1]
    assert found.scores["val/accuracy"] == 1


def stream(**arrays: np.ndarray) -> Data:
    """Ten words, of which test is the last three."""
    held = {"codes": np.array([1, 2, 1, 0, 2, 1, 2, 0, 1, 2], np.int32), **arrays}
    train = Windows(held, np.array([0, 2], np.int32), Span("codes", 0, 2), Span("codes", 1, 2))
    test = Stream(held, "codes", 7, 10)
    facts = {"outputs": 3, "unit": "", "digest": "0", "tokens": ("<unk>", "the", "cat")}
    return Data(train, Stream(held, "codes", 5, 7), test, (Fold(train, test),), np.arange(10), **facts)


@pytest.mark.parametrize("counted", [True, False])
def test_a_stream_of_words_by_hand(counted):
    data = stream(characters=np.array([4, 4, 4, 6, 4, 4, 4, 5, 4, 3])) if counted else stream()
    said = Tokens(np.log([8.0, 2.0, 4.0]), np.array([0, 2, 2]))
    found = score(settled("language"), data, said[:2], said)
    characters = 5 + 4 + 3 if counted else 3
    expected = {"bits": 2.0, "bits_per_character": 6 / characters, "unknown": 1 / 3}
    assert {name: found.scores[f"test/{name}"] for name in expected} == pytest.approx(expected)
    told = part(found.predictions)
    assert told["position"] == [7, 8, 9] and told["truth"] == ["<unk>", "the", "cat"]
    assert told["guess"] == ["<unk>", "cat", "cat"] and told["loss"] == pytest.approx(np.log([8, 2, 4]))
    assert found.by_class is None


def test_no_text_has_recursive_forecasts(documents, tagged):
    for kind, data in (("sentiment", documents), ("rating", documents), ("tagging", tagged), ("language", stream())):
        assert PROBLEMS[kind].recursive(data, None, None) is None


# --- what a reader is told of it -------------------------------------------------------------------


def protocol(settled, data):
    return PROBLEMS[settled.task.kind].protocol(settled.task, settled.evaluation, data)


def facts_of(settled, data):
    return PROBLEMS[settled.task.kind].card(settled.task, data)


def test_how_texts_are_measured(documents):
    told = " ".join(protocol(settled("sentiment"), documents))
    assert told.startswith("3 texts, one of 2 classes for each. Of each no more than the first 50 words are read.")
    assert "50%, 25% and 25% of them, shuffled (seed 0)" in told and "no refit" in told
    files = {"by": "files", "val": 0.1, "test": "test.csv", "seed": 3, "group_size": 100}
    told = protocol(settled("rating", split=files, truncate="start", refit=True), documents)
    assert told == [
        "3 texts, a number between 1 and 10 for each.",
        "Of each no more than the last 50 words are read.",
        "Test is test.csv, val 10% of the rest, shuffled in groups of 100 neighbours (seed 3).",
        "Once val had chosen, every model was refitted on train+val.",
    ]


def test_how_sentences_and_streams_are_measured(tagged):
    split = {"by": "files", "val": "dev.conllu", "test": "test.conllu", "seed": 0, "group_size": 1}
    told = protocol(settled("tagging", split=split), tagged)
    assert told[0] == "3 sentences, one of 3 tags for each of their 4 words."
    assert told[2] == "Test is test.conllu, val dev.conllu."
    for level in ("words", "characters"):
        assert protocol(settled("language", level=level), stream())[0] == f"The last 3 {level}, read once."


def test_the_facts_of_texts_by_hand(documents):
    paths = [{"label": "bad", "path": "a.txt"}, {"label": "good", "path": "b.txt"}]
    card = dict(facts_of(settled("sentiment", path=paths), documents))
    assert card == {
        "file": "a.txt, b.txt",
        "train": "2 texts, 3 words",
        "val": "1 text, 3 words",
        "test": "3 texts, 4 words",
        "words of a text of train": "half have 1 to 2, median 2",
        "longest text of train": "2 words",
        "padding in batches of train": "50.0%",  # 3 words in 2 x 3 places
        "vocabulary": "2 words",
        "unknown": "33.3% of val, 25.0% of test",
        "texts of test that stood before": "1",
        "classes": "bad 50.0%, good 50.0%",
        "SHA-256": "0",
    }


def test_the_facts_of_sentences_and_streams_by_hand(tagged):
    card = dict(facts_of(settled("tagging"), tagged))
    assert card["tags"] == "D 33.3%, A 33.3%, N 33.3%" and card["test"] == "3 sentences, 4 words"
    card = dict(facts_of(settled("language"), stream()))
    assert card["vocabulary"] == "3" and card["unknown"] == "0.0% of val, 33.3% of test" and card["look-back"] == "2"


def test_many_tags_are_not_all_named(tagged):
    many = replace(tagged, tokens=tuple(f"T{i}" for i in range(30)))
    assert dict(facts_of(settled("tagging"), many))["tags"].endswith("T19 0.0%, and 10 more")
