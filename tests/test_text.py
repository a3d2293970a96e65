"""Characters, passages, streams."""

import numpy as np
import pytest
from conftest import load, settings
from hypothesis import given
from hypothesis import strategies as st

from lookback.data import text


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
    assert counts.min() >= 2 and counts[0] > 0 and len(data.labels) == len(codes) == data.test.stop


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
    assert data.test.stop == len(data.labels)
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


@pytest.mark.parametrize("refit", [False, True])
def test_a_refit_sees_val_as_well_and_no_letter_of_test(refit):
    data = load(settings("task=text", f"task.refit={str(refit).lower()}"))
    known = data.folds[0].train
    last = known.starts[-1] + known.jitter - 1 + known.y.offset + known.y.length  # the row after its last target
    border = data.test.start if refit else data.val.start
    assert border - 2 * known.x.length <= last <= border


@pytest.mark.parametrize("sample", ["one two.\nthree", "one two.\nthree\n", "\n\na b\fc\u2028d\n", ""])
def test_words_and_line_ends_account_for_every_character(sample):
    tokens = text.tokenise(sample, "words")
    assert sum(token == "\n" for token in tokens) == sample.count("\n")
    counted = text.characters(sample, tokens, "words")
    assert counted.sum() == len(sample) and (counted > 0).all()
