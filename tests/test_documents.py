"""Texts with a class or a rating: words, parts, lengths, and files that cannot be used as they are."""

import functools
import gzip
import itertools
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from catalogue import typed
from conftest import ROOT, settings
from hypothesis import example, given
from hypothesis import strategies as st

from lookback.data import documents, words
from lookback.errors import DataError, LookbackError
from lookback.problems import PROBLEMS, examples
from lookback.problems import buckets as buckets_of
from lookback.settings import FileSplit, FractionSplit, ShuffledSplit

HEADER = "text,label\n"
NOUNS = ["ink", "moss", "clay", "salt", "oak", "fern", "wool", "rain", "jam", "tea"]
LINES = [f"the {n} is {'good' if i % 2 else 'bad'} no {i},{'yes' if i % 2 else 'no'}" for i, n in enumerate(2 * NOUNS)]
GOOD = HEADER + "\n".join(LINES) + "\n"
NUMBERS = "text,label\n" + "".join(f"the {n} costs {i} coins,{i % 10 + 1}\n" for i, n in enumerate(2 * NOUNS))
WORDS = st.text("abc", max_size=2)


@functools.cache
def task_of(*overrides):
    return settings("task=sentiment", "model=gru", *typed(*overrides)).task


def load(root, *overrides):
    task = task_of(*overrides)
    return PROBLEMS[task.kind].load(task, None, root)


def of_csv(tmp_path, content, *overrides, name="x.csv"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(tmp_path, f"task.path={name}", *overrides)


def spelled(data, example):
    first = data.train.arrays["first"]
    return [data.words[c] for c in data.train.arrays["words"][first[example] : first[example + 1]]]


TASK = task_of()


# --- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Don't say so-called 3.5 or 1,000!?", ["don't", "say", "so-called", "3.5", "or", "1,000", "!", "?"]),
        ("bad<br /><br/>good<BR>", ["bad", "good"]),
        ("'tis -well- end.", ["'", "tis", "-", "well", "-", "end", "."]),
        ("cafe\u0301 café", ["café", "café"]),
        ("\u200fשלום\u200e עולם", ["שלום", "עולם"]),
        ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया", "।"]),
        ("it’s 😀", ["it’s", "😀"]),
    ],
)
def test_words_numbers_and_marks(text, found):
    assert words.tokenise(text, lowercase=True) == found


def test_capitals_stay_where_they_are_wanted():
    assert words.tokenise("A Dull DAY", lowercase=False) == ["A", "Dull", "DAY"]


@given(st.text(max_size=40))
@example("e\u0301\u0301 ि क\u200fि")
def test_tokenising_loses_blanks_and_nothing_else(text):
    found = words.tokenise(text, lowercase=False)
    assert "".join(found) == re.sub(r"\s", "", words.clean(text))
    assert all(found)


@given(st.text(max_size=40))
def test_two_ways_to_write_a_character_are_one_word(text):
    decomposed = unicodedata.normalize("NFD", text)
    assert words.tokenise(decomposed, True) == words.tokenise(unicodedata.normalize("NFC", decomposed), True)


@given(st.lists(st.lists(WORDS, max_size=6), max_size=8), st.integers(1, 3), st.integers(1, 4))
def test_the_vocabulary_holds_the_most_frequent_words_in_their_order(lists, min_count, max_words):
    counts = Counter(w for some in lists for w in some if w)
    chosen = words.vocabulary(Counter(itertools.chain.from_iterable(lists)), min_count, max_words)
    assert chosen[:2] == ("", "<unk>")
    ranks = [(-counts[w], w) for w in chosen[2:]]
    assert ranks == sorted((-n, w) for w, n in counts.items() if n >= min_count)[:max_words]
    codes = words.encode(chosen[2:], {w: i for i, w in enumerate(chosen)})
    assert codes.tolist() == list(range(2, len(chosen)))


@given(st.lists(st.lists(WORDS.filter(bool), min_size=1, max_size=6), min_size=1, max_size=8), st.integers(1, 4))
def test_numbering_as_they_come_is_counting_and_coding_afterwards(lists, length):
    left = slice(length)
    numbered = words.numbered(lists, left)
    cut = [some[left] for some in lists]
    half = np.arange(0, len(lists), 2)
    chosen = words.vocabulary(numbered.counts(half), 1, 3)
    assert chosen == words.vocabulary(Counter(itertools.chain.from_iterable(cut[::2])), 1, 3)
    index = {w: i for i, w in enumerate(chosen)}
    assert numbered.codes(chosen).tolist() == words.encode(itertools.chain.from_iterable(cut), index).tolist()
    assert np.diff(numbered.first).tolist() == [len(some) for some in cut]
    assert numbered.lengths.tolist() == [len(some) for some in lists]


def test_what_looks_like_the_unknown_word_is_no_word():
    assert words.vocabulary({"<unk>": 1, "": 1, "a": 1}, 1, 9) == ("", "<unk>", "a")


# --- parts -----------------------------------------------------------------------------------------

SPLITS = st.sampled_from(
    [
        FractionSplit(by="fraction", train=0.5, val=0.25, test=0.25),
        ShuffledSplit(by="shuffled", train=0.5, val=0.25, test=0.25, seed=0, group_size=1),
        ShuffledSplit(by="shuffled", train=0.6, val=0.2, test=0.2, seed=7, group_size=3),
    ]
)


@given(SPLITS, st.lists(st.integers(0, 40), min_size=60, max_size=90))
def test_each_text_is_in_one_part_once(split, keys):
    keys = [*range(8), *keys]
    task = TASK.model_copy(update={"split": split})
    parts, notes = examples.deal(task, np.zeros(len(keys), int), keys)
    assert sorted(np.concatenate(parts)) == sorted(keys.index(k) for k in set(keys))
    assert notes == [f"{len(keys) - len(set(keys))} texts that stood before, word for word, left out"]
    assert not examples.new(parts, keys)[parts.train].any()
    assert examples.new(parts, keys)[np.concatenate(parts[1:])].all()


@given(st.integers(20, 60), st.integers(1, 30), st.integers(0, 5))
def test_files_are_parts_and_val_is_a_share_of_the_first(train, test, seed):
    task = TASK.model_copy(update={"split": FileSplit(by="files", val=0.25, test="b", seed=seed, group_size=1)})
    keys = [str(i % 17) for i in range(train + test)]
    parts, notes = examples.deal(task, np.repeat([0, 1], [train, test]), keys)
    assert np.concatenate([*np.sort(np.concatenate(parts[:2]))[None], parts.test]).tolist() == [*range(train + test)]
    assert len(parts.val) == round(train * 0.25)
    assert not notes
    known = {keys[i] for i in range(train)}
    assert examples.new(parts, keys)[parts.test].tolist() == [keys[i] not in known for i in parts.test]


def test_another_seed_deals_otherwise_and_by_position_the_file_decides(tmp_path):
    one, again, two = (of_csv(tmp_path, GOOD, f"task.split.seed={s}").train.examples.tolist() for s in (3, 3, 4))
    assert one == again != two
    data = of_csv(tmp_path, GOOD, "task.split.by=fraction", "~task.split.seed", "~task.split.group_size")
    assert [len(p) for p in (data.train, data.val, data.test)] == [12, 4, 4]
    assert np.concatenate([p.examples for p in (data.train, data.val, data.test)]).tolist() == list(range(20))


# --- lengths ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 4))
def test_buckets_fit_all_and_nothing_pads_less(lengths, most):
    buckets = buckets_of.bucket_lengths(np.array(lengths), most)
    assert buckets[-1] == max(lengths)
    assert list(buckets) == sorted(set(buckets))
    assert len(buckets) <= most

    def padded(ends):
        return sum(min(e for e in ends if e >= n) for n in lengths)

    others = sorted(set(lengths) - {max(lengths)})
    ways = (w for k in range(min(most, len(others) + 1)) for w in itertools.combinations(others[:9], k))
    assert padded(buckets) <= min(padded((*w, max(lengths))) for w in ways)


def test_thousands_of_lengths_still_fit():
    lengths = np.random.default_rng(0).integers(1, 9_000, 20_000)
    buckets = buckets_of.bucket_lengths(lengths, 8)
    assert len(buckets) == 8
    assert buckets[-1] == lengths.max()


@pytest.mark.parametrize(("cut", "left"), [("end", ["the", "ink", "is"]), ("start", ["bad", "no", "0"])])
def test_the_end_that_is_named_goes(tmp_path, cut, left):
    data = of_csv(
        tmp_path, GOOD, "task.max_length=3", f"task.truncate={cut}", "task.min_count=1", "task.split.train=0.6"
    )
    words_of_0 = spelled(data, 0)
    assert [w for w in words_of_0 if w != "<unk>"] == [w for w in left if w in data.words]
    assert len(words_of_0) == 3
    assert f"20 of 20 texts (100.0%) were longer than 3 words and lost their {cut}" in data.notes
    assert data.train.buckets == (3,)
    assert data.train.arrays["text"][0] == "the ink is bad no 0"


# --- all together ----------------------------------------------------------------------------------


def test_a_csv_in_two_files_with_line_breaks_in_its_cells(tmp_path):
    train = ["review,stars", '"a good\n""film""",5', "a bad film,1", "a good day,5", "bad bad,1", "no film,1"]
    (tmp_path / "test.csv").write_text('review,stars\na bad film,5\n\n"a new\none",1\n')
    data = of_csv(
        tmp_path,
        "\r\n".join(train) + "\r\n",
        "task=imdb",
        "task.source=null",
        "task.text=review",
        "task.label=stars",
        "task.split.val=0.2",
        "task.split.test=test.csv",
        "task.min_count=1",
        "task.refit=true",
    )
    assert data.index.tolist() == ["x.csv:2", "x.csv:4", "x.csv:5", "x.csv:6", "x.csv:7", "test.csv:2", "test.csv:4"]
    assert data.tokens == ("1", "5")
    assert data.test.targets().tolist() == [1, 0]
    assert data.test.arrays["new"].tolist()[-2:] == [False, True]
    assert data.test.arrays["text"][6] == "a new\none"
    assert sorted([*data.train.examples, *data.val.examples]) == data.folds[0].train.examples.tolist() == [*range(5)]
    assert data.folds[0].test.examples.tolist() == data.test.examples.tolist() == [5, 6]
    assert "1 of 2 texts of test stand in train or val, word for word" in data.notes
    train_words = {w for i in data.train.examples for w in words.tokenise(data.train.arrays["text"][i], True)}
    assert set(data.words) == {"", "<unk>"} | train_words


def test_neighbours_in_a_file_are_dealt_out_together(tmp_path):
    rows = [f"text number {i},{'yes' if i % 2 else 'no'}" for i in range(60)]
    (tmp_path / "x.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    data = of_csv(tmp_path, (tmp_path / "x.csv").read_text(), "task.split.group_size=10", "task.min_count=1")
    blocks = [set((part.examples // 10).tolist()) for part in (data.train, data.val, data.test)]
    assert sum(map(len, blocks)) <= 6 + 2  # none is cut but those at the two borders between the parts


@pytest.mark.parametrize("seed", range(4))
def test_words_are_those_of_train(tmp_path, seed):
    data = of_csv(tmp_path, GOOD, f"task.split.seed={seed}", "task.min_count=2")
    texts = data.train.arrays["text"]
    counts = Counter(w for i in data.train.examples for w in words.tokenise(texts[i], True))
    assert set(data.words[2:]) == {w for w, n in counts.items() if n >= 2}
    tested = [w for i in data.test.examples for w in words.tokenise(texts[i], True)]
    unknown = np.mean([w not in data.words for w in tested])
    assert f"{unknown:.1%} of the words of test are unknown to train" in data.notes


def test_ratings_are_numbers_between_their_bounds(tmp_path):
    data = of_csv(tmp_path, NUMBERS, "task=rating", "task.label=label")
    assert data.bounds == (1, 10)
    assert (data.outputs, data.tokens) == (1, ())
    assert data.train.arrays["label"].dtype == np.float64
    assert data.train.arrays["label"].tolist() == [i % 10 + 1 for i in range(20)]


def test_without_a_refit_the_fold_knows_train_alone(tmp_path):
    data = of_csv(tmp_path, GOOD)
    assert data.folds[0].train is data.train
    assert data.train.y == "label"
    assert data.train.x == ("words",)
    assert not data.train.per_token


def test_the_digest_is_that_of_the_text_packed_or_not(tmp_path):
    plain, packed = of_csv(tmp_path, GOOD), of_csv(tmp_path, gzip.compress(GOOD.encode()), name="x.csv.gz")
    assert plain.digest == packed.digest != of_csv(tmp_path, GOOD.replace("ink", "inc")).digest


@pytest.mark.parametrize("task", ["sentiment", "rating"])
def test_the_reviews_that_ship(task):
    data = load(ROOT, f"task={task}")
    assert len(data.train) + len(data.val) + len(data.test) == len(data.index) >= 200
    assert data.tokens == (("negative", "positive") if task == "sentiment" else ())


def test_a_file_an_example_a_line(tmp_path):
    (tmp_path / "n.txt").write_text("".join(f"bad {n}\n" for n in NOUNS))
    (tmp_path / "p.txt").write_text("".join(f"good\x85{n}\r\n" for n in NOUNS))
    data = load(tmp_path, "task=rt-polarity", "task.source=null", "task.path.0.path=n.txt", "task.path.1.path=p.txt")
    assert data.index[[9, 10]].tolist() == ["n.txt:10", "p.txt:1"]
    assert data.train.arrays["label"].tolist() == [0] * 10 + [1] * 10
    assert data.train.arrays["text"][10] == "good\x85ink"


# --- bad files -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bad:
    """A file, what its line says, and the hint that it names, which is typed and must work."""

    content: str | bytes
    code: str
    says: str
    hint: str = ""
    given: tuple[str, ...] = ()


RATED = ("task=rating", "task.label=label")
BY_LABEL = HEADER + "\n".join(sorted(LINES, key=lambda line: line.rsplit(",", 1)[1])) + "\n"
BAD = {
    "2": Bad("", "CSV-EMPTY", "x.csv: the file is empty"),
    "3": Bad(HEADER, "CSV-ROWS", "x.csv:1: 0 data rows below the header; add some"),
    "4": Bad(
        GOOD.replace("text,label", "Texts,label"),
        "CSV-COLUMN",
        "x.csv:1: no column 'text'; the columns are Texts, label; did you mean 'Texts'? set task.text=Texts",
        "task.text=Texts",
    ),
    "4 label": Bad(
        GOOD.replace("text,label", "text,the labels"),
        "CSV-COLUMN",
        "x.csv:1: no column 'label'; the columns are text, the labels; did you mean 'the labels'?",
        "\"task.label='the labels'\"",
    ),
    "4 nothing like it": Bad(
        GOOD.replace("text,", "q,"), "CSV-COLUMN", "x.csv:1: no column 'text'; the columns are q, label; set task.text"
    ),
    "7": Bad(
        GOOD.replace("ink", "caf\xe9").encode("latin-1"),
        "CSV-ENCODING",
        "x.csv:2: byte 0xE9 at offset 18 is not utf-8; save the file as UTF-8",
    ),
    "8": Bad(
        GOOD.replace(",", ";"),
        "CSV-DELIM",
        "x.csv:1: the fields look separated by semicolons, not by commas; save it with commas",
    ),
    "16": Bad(GOOD + HEADER, "CSV-HEADER-AGAIN", "x.csv:22: repeats the header (files joined?); remove the line"),
    "24": Bad(
        GOOD.replace("text,label", "text,text"),
        "CSV-HEADER",
        "x.csv:1: column 'text' stands 2 times (fields [1, 2])",
    ),
    "27": Bad(
        GOOD + 'the "end,no\n"open,no\n', "CSV-QUOTE", "x.csv:23: a quote is opened here and never closed; close it"
    ),
    "83": Bad(
        GOOD.replace(LINES[1], " ,yes"),
        "TEXT-EMPTY",
        "x.csv:3: column 'text': the text is empty; write something into it, or remove the row",
    ),
    "83 a blank of HTML": Bad(
        GOOD + '"<br />\n\u200e",no\n', "TEXT-EMPTY", "x.csv:22: column 'text': the text is empty"
    ),
    "83 no label": Bad(
        GOOD + "so it goes,\n",
        "CSV-MISSING",
        "x.csv:22: column 'label': the cell is empty; fill it in, or remove the row",
    ),
    "84": Bad(
        re.sub(",(no|yes)", ",maybe", GOOD),
        "CLASS-ONE",
        "x.csv:2: 'maybe' is all there is: nothing to tell apart; add others",
    ),
    "84 rating": Bad(
        re.sub(r",\d+\n", ",4\n", NUMBERS), "RATING-ONE", "x.csv:2: 4 is every rating of train: nothing", "", RATED
    ),
    "83 a cell beyond all measure": Bad(
        GOOD + "a" * 140_000 + ",no\n", "CSV-CELL",
        "x.csv:22: a cell is longer than 131,072 characters; correct the cell"
    ),
    "85": Bad(
        GOOD + "neither good nor bad,maybe\n",
        "CLASS-UNSEEN",
        "x.csv:22: 'maybe' stands in val and nowhere in train, which has no, yes; set task.split.seed=1",
        "task.split.seed=1",
    ),
    "85 sorted": Bad(
        BY_LABEL,
        "CLASS-UNSEEN",
        "x.csv:12: 'yes' stands in test and nowhere in train, which has no; set task.split.by=shuffled "
        "+task.split.seed=0 +task.split.group_size=1",
        "task.split.by=shuffled +task.split.seed=0 +task.split.group_size=1",
        (
            "task.split={train:0.4,val:0.1,test:0.5}", "task.split.by=fraction", "~task.split.seed",
            "~task.split.group_size",
        ),
    ),
    "86 below": Bad(
        NUMBERS.replace(",1\n", ",-3\n", 1),
        "RATING-BOUNDS",
        "x.csv:2: column 'label': -3 is below task.low=1; set task.low=-3, or correct the cell",
        "task.low=-3",
        RATED,
    ),
    "86 above": Bad(
        NUMBERS,
        "RATING-BOUNDS",
        "x.csv:7: column 'label': 6 is above task.high=5; line 8: column 'label': 7 is above task.high=5",
        "task.high=10",
        (*RATED, "task.high=5"),
    ),
    "86 nan": Bad(
        NUMBERS.replace(",5\n", ",nan\n", 1), "CSV-NUMBER", "x.csv:6: column 'label': 'nan' is not a number", "", RATED
    ),
    "86 beyond all numbers": Bad(
        NUMBERS.replace(",5\n", ",1e999\n", 1), "CSV-NUMBER", "x.csv:6: column 'label': '1e999' is not", "", RATED
    ),
    "86 a word": Bad(
        GOOD,
        "CSV-NUMBER",
        "x.csv:2: column 'label': 'no' is not a number; ",
        "task=sentiment",
        RATED,
    ),
    "86 a decimal comma": Bad(
        NUMBERS.replace(",5\n", ',"4,5"\n', 1),
        "CSV-NUMBER",
        "x.csv:6: column 'label': '4,5' is not a number; write 4.5",
        "",
        RATED,
    ),
    "91 NUL": Bad(
        GOOD.replace("clay", "cl\0ay"), "CSV-NUL", "x.csv:4: NUL byte at offset 66; remove it"
    ),
    "91 half of a pair": Bad(
        GOOD.replace("moss", "\ud83d").encode("utf-8", "surrogatepass"),
        "CSV-ENCODING",
        "x.csv:3: byte 0xED at offset 38 is not utf-8; save the file as UTF-8",
    ),
    "93 more": Bad(
        GOOD.replace("the clay is", "the clay, is", 1), "CSV-FIELDS", "x.csv:4: 3 fields, expected 2; quote the cell"
    ),
    "93 fewer": Bad(
        GOOD.replace(LINES[3], "well"), "CSV-FIELDS", "x.csv:5: 1 field, expected 2; complete the row"
    ),
    "too few": Bad(
        "text,label\na,b\na,c\n", "EXAMPLE-PARTS", "x.csv: 1 different text, which leaves none for val; add some"
    ),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_in_one_line_whose_hint_works(bad, tmp_path):
    with pytest.raises(LookbackError) as caught:
        of_csv(tmp_path, bad.content, *bad.given)
    said = str(caught.value)
    assert said.startswith(f"error[{bad.code}] {bad.says}")
    assert "\n" not in said
    assert caught.value.exit_code == 65
    if bad.hint:
        assert bad.hint in said
        of_csv(tmp_path, bad.content, *bad.given, bad.hint)


@pytest.mark.parametrize(("key", "value"), [("task.path", "y.csv"), ("task.split.test", "z.csv")])
def test_a_file_that_is_not_there_is_hinted_by_the_setting_that_names_it(tmp_path, key, value):
    files = {"task.path": "x.csv", "task.split.test": "x.csv", key: value}
    (tmp_path / "x.csv").write_text(GOOD)
    with pytest.raises(LookbackError, match=rf"^error\[FILE-MISSING\] {value}: no such file.* set {key}=x.csv$") as e:
        load(tmp_path, "task=imdb", "task.source=null", *(f"{k}={v}" for k, v in files.items()))
    assert e.value.exit_code == 66


def test_a_blank_line_between_examples_is_an_empty_one(tmp_path):
    for name, content in {"n.txt": "bad\n\nworse\n", "p.txt": "good\n"}.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(LookbackError, match=r"^error\[TEXT-EMPTY\] n\.txt:2: the text is empty; write something"):
        load(tmp_path, "task=rt-polarity", "task.source=null", "task.path.0.path=n.txt", "task.path.1.path=p.txt")


def test_files_of_one_label_are_no_files_of_parts(tmp_path):
    split = "task.split={by:files,val:0.1,test:t.txt}"
    with pytest.raises(LookbackError, match=r"task\.split\.by=files goes with one file in task\.path; set"):
        load(tmp_path, "task=rt-polarity", "task.source=null", split, "~task.split.train")


# What is kept, with a word on it.
NOTED = {
    "88": (GOOD, ("task.max_length=5",), "20 of 20 texts (100.0%) were longer than 5 words and lost their end"),
    "91 two ways": (
        GOOD.replace("ink", "cafe\u0301").replace("moss", "café"), (), "2 texts put into composed characters",
    ),
    "92": (GOOD + "zzz qqq,no\n", (), "1 of 21 texts (4.8%) hold no word that train knows"),
    "twice": (GOOD + LINES[0] + "\n" + LINES[1] + "\n", (), "2 texts that stood before, word for word, left out"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "given", "note"), NOTED.values(), ids=NOTED)
def test_what_is_done_to_the_texts_is_said(content, given, note, tmp_path):
    assert any(note in said for said in of_csv(tmp_path, content, *given).notes)
    assert not any(note in said for said in of_csv(tmp_path, GOOD).notes)


@pytest.mark.parametrize("path", ["data/reviews.csv", "README.md"])
def test_reading_and_refusing_take_no_heavy_library(path):
    code = (
        "import sys; from pathlib import Path; from lookback.settings import SentimentTask; "
        "from lookback.errors import DataError; from lookback.problems import PROBLEMS\n"
        "try: PROBLEMS['sentiment'].load(SentimentTask.model_validate_json(sys.argv[1]), None, Path('.'))\n"
        "except DataError as e: print(e.code)\n"
        "print([m for m in ('tensorflow', 'keras', 'sklearn', 'scipy') if m in sys.modules])"
    )
    task = TASK.model_copy(update={"path": path}).model_dump_json()
    done = subprocess.run([sys.executable, "-c", code, task], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == [*(["CSV-COLUMN"] if path == "README.md" else []), "[]"]


# --- the real ones ---------------------------------------------------------------------------------


def held(name):
    return pytest.mark.skipif(
        not (Path(os.environ.get("LOOKBACK_DATA", "/nowhere")) / name).is_dir(), reason=f"LOOKBACK_DATA holds no {name}"
    )


@held("rt_polarity")
def test_rt_polarity():
    data = load(ROOT, "task=rt-polarity")
    assert [len(p) for p in (data.train, data.val, data.test)] == [8530, 1066, 1066]
    assert np.bincount(data.train.arrays["label"]).tolist() == [5331, 5331]


@held("imdb")
@pytest.mark.slow
@pytest.mark.parametrize("task", ["imdb", "imdb-rating"])
def test_imdb(task):
    data = load(ROOT, f"task={task}")
    assert [len(p) for p in (data.train, data.val, data.test)] == [22_500, 2_500, 25_000]
    assert int((~data.test.arrays["new"][data.test.examples]).sum()) == 123
    assert data.index[-1].endswith("imdb_test.csv:25001")
    assert data.train.waste() < 0.1
    if task == "imdb":
        assert np.bincount(data.test.targets()).tolist() == [12_500, 12_500]
    else:
        assert sorted(set(data.test.targets())) == [1, 2, 3, 4, 7, 8, 9, 10]


# --- texts that a trained model is given ------------------------------------------------------------------


def test_texts_without_labels_come_from_a_column_or_from_lines(tmp_path):
    (tmp_path / "x.csv").write_text('stars,review\n5,"good, really"\n,bad\n')
    (tmp_path / "x.txt").write_text("good, really\nbad\n")
    frame = pd.DataFrame({"review": ["good, really", "bad"], "stars": [5, None]})
    for source in (tmp_path / "x.csv", tmp_path / "x.txt", frame):
        assert documents.unlabelled(source, "review").texts == ["good, really", "bad"]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (pd.DataFrame({"text": ["a"]}), r"CSV-COLUMN\] frame: no column 'review'; the columns are text"),
        (pd.DataFrame({"review": ["a", None]}), r"TEXT-EMPTY\] frame: row 1: column 'review': the text is empty"),
        (pd.DataFrame({"review": []}), r"CSV-ROWS\] frame: it has no rows"),
    ],
)
def test_a_frame_without_texts_is_refused_in_a_line(source, line):
    with pytest.raises(DataError, match=line):
        documents.unlabelled(source, "review")
