"""Characters, passages, streams."""

import numpy as np
import pytest
from conftest import load, settings
from hypothesis import given
from hypothesis import strategies as st

from lookback.data import text
from lookback.errors import LookbackError


@given(st.text(max_size=200))
def test_encode_and_decode_are_inverse(sample):
    tokens = text.vocabulary(sample, "characters", 1)
    assert text.decode(text.encode(sample, tokens), tokens) == sample


def test_what_the_vocabulary_lacks_becomes_unknown():
    tokens = text.vocabulary("abba", "characters", 1)
    assert tokens == (text.UNKNOWN["characters"], "a", "b")
    assert text.encode("abcx😀", tokens).tolist() == [1, 2, 0, 0, 0]


def test_words_that_train_holds_too_seldom_are_unknown():
    tokens = text.tokenise("The dog, the dog\nran.\n", "words")
    assert tokens == ["The", "dog", ",", "the", "dog", "\n", "ran", ".", "\n"]
    known = text.vocabulary(tokens, "words", 2)
    assert known == (text.UNKNOWN["words"], "\n", "dog")
    assert text.encode(tokens, known).tolist() == [0, 2, 0, 0, 2, 1, 0, 0, 1]


@pytest.mark.parametrize(
    "sample", ["Ben's dog ran (fast), didn't it?\nYes: 3.5 times!\n", "“No”\n\nso-called end.\n", "a [b] {c}; d\n"]
)
def test_words_are_put_together_as_they_were_written(sample):
    tokens = text.tokenise(sample, "words")
    known = text.vocabulary(tokens, "words", 1)
    written = text.decode(text.encode(tokens, known), known, "words")
    assert written.replace("“ ", "“").replace(" ”", "”") == sample
    assert text.characters(sample, tokens, "words").sum() == len(sample)


def test_what_train_of_words_holds_once_is_unknown_in_train_as_well():
    data = load(settings("task=words"))
    codes = data.train.arrays["codes"]
    counts = np.bincount(codes[: data.val.start], minlength=len(data.tokens))
    assert counts.min() >= 2 and counts[0] > 0 and len(data.index) == len(codes) == data.test.stop


def test_repeated_paragraphs_are_left_out_whatever_their_blanks():
    unique, dropped = text.without_repeats("one\n\ntwo  words\n\none\n\n two words \n\nthree")
    assert unique == "one\n\ntwo  words\n\nthree"
    assert dropped == len("one\n\n two words \n\n")


def test_the_language_reference_has_few_repeats_left():
    unique, dropped = text.without_repeats(text.language_reference())
    assert dropped > 10_000
    border = int(len(unique) * 0.9)
    train = {unique[i : i + 64] for i in range(border - 64)}
    tail = unique[border:]
    repeated = sum(tail[i : i + 64] in train for i in range(len(tail) - 64)) / len(tail)
    assert repeated < 0.01


def test_training_windows_shift_each_epoch_never_overlap_and_stay_in_train():
    data = load(settings("task=text"))
    lookback, border = data.train.x.length, data.val.start
    offsets = set()
    for epoch in range(1, 40):
        begin = np.sort(data.train.epoch(3, epoch))
        assert (np.diff(begin) == lookback).all()
        assert begin[-1] + 1 + lookback <= border
        offsets.add(int(begin[0]))
    assert len(offsets) > 20


def test_streams_cover_the_tails_once_without_a_gap():
    data = load(settings("task=text"))
    assert data.val.stop == data.test.start
    assert data.test.stop == len(data.index)
    assert len(data.val.targets()) == len(data.val)
    assert data.val.target_rows()[0] == data.val.start


def test_the_vocabulary_is_the_one_of_train():
    data = load(settings("task=text"))
    train = data.train.arrays["codes"][: data.val.start]
    assert set(train.tolist()) == set(range(1, len(data.tokens)))


def test_a_text_file_of_ones_own(tmp_path):
    (tmp_path / "my.txt").write_text("abcdefgh " * 200)
    data = load(settings("task=text", "task.path=my.txt", "task.unique_passages=false"), tmp_path)
    assert len(data.tokens) == 10


LINES = [f"line {i} of a text" for i in range(120)]
OWN_TEST = ("task=corpus", "task.level=words", "task.lookback=8", "task.split={by:files,val:0.1,test:late.txt}",
            "~task.split.train")  # fmt: skip


@pytest.mark.parametrize("column", ["", "Story"])
def test_a_test_text_of_its_own_comes_after_the_other_and_val_is_the_end_of_that(column, tmp_path):
    early, late = LINES[:100], LINES[50:]  # 50 lines stand in both
    for name, lines in (("early", early), ("late", late)):
        rows = ["n,Story", *(f'{i},"{line.replace(" of ", chr(10) + "of ")}"' for i, line in enumerate(lines))]
        (tmp_path / f"{name}.txt").write_text("\n".join(rows if column else lines))
    data = load(
        settings(*OWN_TEST, "task.path=early.txt", f"task.column={column}", "task.unique_passages=false"), tmp_path
    )
    assert len(data.test) == 70 * 6 - 1 and len(data.index) == 170 * 6 - 1  # words and line ends
    assert data.val.stop == data.test.start == 100 * 6 and data.val.start == 90 * 6
    assert text.decode(data.test.targets(), data.tokens, "words").startswith("line 50 of a text\nline 51 of")
    late_words = {data.tokens[c] for c in data.test.targets()}
    assert "89" in late_words and "95" not in late_words  # val's own numbers are not in the vocabulary


def test_a_passage_of_train_is_left_out_of_a_test_text_of_its_own(tmp_path):
    (tmp_path / "early.txt").write_text("\n\n".join(LINES[:100]))
    (tmp_path / "late.txt").write_text("\n\n".join(LINES[90:]))
    data = load(settings(*OWN_TEST, "task.path=early.txt"), tmp_path)
    assert "line 90" not in text.decode(data.test.targets(), data.tokens, "words")
    assert any("characters of repeated passages left out" in note for note in data.notes)
    assert len(data.test) == 20 * 5 + 19 * 2


@pytest.mark.parametrize(
    ("content", "overrides", "says"),
    [
        (b"ab\0c\n" * 99, (), r"CSV-NUL\] my.txt:1: NUL byte at offset 2; remove it"),
        (b" \n\n", (), r"CSV-EMPTY\] my.txt: the file is empty"),
        ("\u00a0\n".encode() * 999, (), r"TEXT-EMPTY\] my.txt: nothing but blanks; give a text to learn"),
        (b"", (), r"CSV-EMPTY\] my.txt: the file is empty"),
        ("abc\ud800 def".encode("utf-8", "surrogatepass"), (), r"CSV-ENCODING\] my.txt:1: byte 0xED .*; save the file"),
        ("ab".encode("utf-16"), (), r"CSV-ENCODING\] my.txt: looks like UTF-16 .*; save the file as UTF-8"),
        (b"too short", (), r"TEXT-SHORT\] my.txt: 9 tokens, of which train gets 7 and needs 129; set task.lookback"),
        (b"n,Story\n1,a\n", ("task.column=story",), r"no column 'story'; .*\? set task.column=Story"),
        (b"n,Story\n1,a\n2,\n", ("task.column=Story",), r"TEXT-EMPTY\] my.txt:3: column 'Story': the text is empty"),
        (b"a b " * 99, OWN_TEST[3:], r"late.txt: .*set task.split.test"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_learnt_is_refused_in_a_line(content, overrides, says, tmp_path):
    (tmp_path / "my.txt").write_bytes(content)
    with pytest.raises(LookbackError, match=says) as refused:
        load(settings("task=corpus", "task.path=my.txt", *overrides), tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("refit", [False, True])
def test_a_refit_sees_val_as_well_and_no_letter_of_test(refit):
    data = load(settings("task=text", f"task.refit={str(refit).lower()}"))
    known = data.folds[0].train
    last = known.starts[-1] + known.random_offset - 1 + known.y.offset + known.y.length  # the row after its last target
    border = data.test.start if refit else data.val.start
    assert border - 2 * known.x.length <= last <= border


@pytest.mark.parametrize("sample", ["one two.\nthree", "one two.\nthree\n", "\n\na b\fc\u2028d\n", ""])
def test_words_and_line_ends_account_for_every_character(sample):
    tokens = text.tokenise(sample, "words")
    assert sum(token == "\n" for token in tokens) == sample.count("\n")
    counted = text.characters(sample, tokens, "words")
    assert counted.sum() == len(sample) and (counted > 0).all()
