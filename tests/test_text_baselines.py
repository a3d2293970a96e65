"""The baselines for texts: by hand, against brute force and scikit-learn, and the figures of the references.

The references were computed apart from this code, on files that are not part of it: set LOOKBACK_DATA to
the folder that holds them.
"""

import copy
import os
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.data.dataset import Data, Fold, UnsuitedError
from lookback.data.samples import Ragged, Stream
from lookback.data.sampling import SamplingConfig
from lookback.models import baselines
from lookback.models.baselines import state
from lookback.models.baselines.language import AddOne, Ngram
from lookback.models.baselines.tags import MostFrequentTag
from lookback.models.baselines.texts import Majority, MeanRating, NaiveBayes, TfidfLogistic, TfidfRidge

# --- samples by hand -------------------------------------------------------------------------------


def stream(codes, start=0, stop=None) -> Stream:
    codes = np.asarray(codes, np.int32)
    return Stream({"codes": codes}, "codes", start, len(codes) if stop is None else stop)


def documents(texts, labels) -> dict[str, np.ndarray]:
    return {
        "first": np.arange(len(texts) + 1, dtype=np.int32),
        "words": np.ones(len(texts), np.int32),
        "text": np.array(list(texts), object),
        "label": np.asarray(labels),
    }


def sentences(several) -> dict[str, np.ndarray]:
    """[[(word, code of its tag), ..], ..]."""
    words = [pair for sentence in several for pair in sentence]
    return {
        "first": np.cumsum([0, *map(len, several)]).astype(np.int32),
        "words": np.ones(len(words), np.int32),
        "form": np.array([word for word, _ in words], object),
        "tag": np.array([tag for _, tag in words]),
    }


def rows(arrays, first=0, stop=None) -> Ragged:
    tagging = "tag" in arrays
    examples = np.arange(first, len(arrays["first"]) - 1 if stop is None else stop)
    return Ragged(arrays, examples, ("words",), "tag" if tagging else "label", tagging, (100,))


def data_of(arrays, borders, tokens=(), bounds=None) -> Data:
    parts = [rows(arrays, a, b) for a, b in zip([0, *borders], [*borders, None], strict=True)]
    fold = Fold(rows(arrays, 0, borders[1]), parts[2])
    labels = np.arange(len(arrays["first"]) - 1)
    return Data(*parts, (fold,), labels, max(len(tokens), 1), "", "", tokens=tokens, bounds=bounds)


WORDS = ["awful", "bad", "dull", "poor", "grey", "fine", "good", "great", "superb", "lovely"]


def reviews(count=150, classes=2, seed=0) -> tuple[list[str], np.ndarray]:
    """Texts of twelve words, the later in `WORDS` the higher the label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=count)
    centres = (labels + 0.5) / classes * len(WORDS)
    drawn = rng.normal(centres[:, None], 3, (count, 12)).clip(0, len(WORDS) - 1).astype(int)
    return [" ".join(WORDS[i] for i in line) for line in drawn], labels


def small(name: str) -> tuple[Data, dict]:
    """Data that a baseline is at home on, and its numbers."""
    if name in ("unigram", "ngram"):
        text = stream(np.random.default_rng(0).integers(6, size=300))
        parts = [stream(text.arrays["codes"], a, b) for a, b in ((0, 200), (200, 250), (250, 300))]
        fold = Fold(parts[0], parts[2])
        data = Data(*parts, (fold,), np.arange(300), 6, "", "", tokens=tuple("?abcde"))
        return data, {"max_order": 3} if name == "ngram" else {}
    if name == "most_frequent_tag":
        rng = np.random.default_rng(0)
        lines = [[(f"{a}{'ing' if a % 2 else 'ed'}", int(rng.integers(3))) for a in rng.integers(60, size=5)]] * 1
        lines += [[(f"{a}{'ing' if a % 2 else 'ed'}", int(a % 3)) for a in rng.integers(60, size=5)] for _ in range(40)]
        return data_of(sentences(lines), (20, 30), tuple("NVD")), {"max_suffix": 3}
    texts, labels = reviews(classes=10 if "r" in name.split("_")[-1][0] else 2)
    if name in ("mean_rating", "tfidf_ridge"):
        labels = labels + 1.0
        numbers = {"max_order": 2, "min_documents": 2, "alphas": (0.1, 1, 10)} if name == "tfidf_ridge" else {}
        return data_of(documents(texts, labels), (80, 120), bounds=(1.0, 10.0)), numbers
    numbers = {
        "majority": {},
        "naive_bayes": {"max_order": 2, "binary": True, "smoothing": (0.1, 1)},
        "tfidf_logistic": {"max_order": 2, "min_documents": 2, "Cs": (0.1, 1, 10)},
    }[name]
    return data_of(documents(texts, labels), (80, 120), ("bad", "good")), numbers


NAMES = [
    "unigram", "ngram", "majority", "mean_rating", "naive_bayes", "tfidf_logistic", "tfidf_ridge", "most_frequent_tag",
]  # fmt: skip


def fitted(name: str):
    data, numbers = small(name)
    baseline = baselines.build(data, name, **numbers)
    baseline.fit(data.train, data.val)
    return baseline, data, numbers


def same(left, right) -> bool:
    if isinstance(left, dict):
        return all(np.array_equal(left[name], right[name]) for name in left)
    return np.array_equal(left, right)


# --- what is common to all -------------------------------------------------------------------------


def loads_as(state: dict, baseline, name: str, data: Data, numbers: dict) -> bool:
    again = baselines.load(data, name, numbers, state)
    return vars(again).keys() == vars(baseline).keys() and same(baseline.predict(data.test), again.predict(data.test))


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_predicts_the_same_after_json_and_npz_without_pickle(name, tmp_path):
    baseline, data, numbers = fitted(name)
    state.write(vars(baseline), tmp_path)
    assert loads_as(state.read(tmp_path), baseline, name, data, numbers)
    assert baseline.parameters > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_refit_keeps_what_was_chosen_and_leaves_the_original_alone(name):
    baseline, data, _ = fitted(name)
    before, known = baseline.predict(data.test), dict(vars(baseline))
    final = copy.copy(baseline)
    train = data.folds[0].train if name not in ("unigram", "ngram") else stream(data.train.arrays["codes"], 0, 250)
    final.fit(train, None)
    assert same(baseline.predict(data.test), before) and vars(baseline).keys() == known.keys()
    assert not same(final.predict(data.test), before)
    for chosen in ("chosen", "order"):
        assert getattr(final, chosen, None) == getattr(baseline, chosen, None)


@pytest.mark.parametrize("name", ["naive_bayes", "tfidf_logistic", "tfidf_ridge"])
def test_words_of_val_and_test_are_not_in_the_vocabulary(name):
    data, numbers = small(name)
    texts = data.train.arrays["text"].copy()
    texts[80:] = [text + " unheard" for text in texts[80:]]
    told = data_of(data.train.arrays | {"text": texts}, (80, 120), data.tokens, data.bounds)
    plain, other = (baselines.build(data, name, **numbers) for _ in range(2))
    plain.fit(data.train, data.val)
    other.fit(told.train, told.val)
    assert b"unheard" not in other.terms.tobytes() and same(plain.terms, other.terms)
    assert same(plain.predict(data.test), other.predict(told.test))


# --- language --------------------------------------------------------------------------------------


def test_add_one_by_hand():
    # a b a a: P(a) = (3 + 1) / (4 + 3), P(b) = 2 / 7, and the unknown one 1 / 7.
    baseline = AddOne(3)
    baseline.fit(stream([1, 2, 1, 1, 2, 0], 0, 4), None)
    said = baseline.predict(stream([1, 2, 1, 1, 2, 0], 4))
    np.testing.assert_allclose(np.exp(-said.nats), [2 / 7, 1 / 7])
    assert said.guess.tolist() == [1, 1] and baseline.parameters == 2


def brute_force(train: list[int], context: tuple[int, ...], token: int, vocabulary: int) -> float:
    """P of a token after a context of any length, by counting anew: the formula and nothing else."""
    if not context:
        followers, lower = Counter(train), 1 / vocabulary
    else:
        k = len(context)
        followers = Counter(train[i + k] for i in range(len(train) - k) if tuple(train[i : i + k]) == context)
        lower = brute_force(train, context[1:], token, vocabulary)
    if not followers:
        return lower
    return (followers[token] + len(followers) * lower) / (followers.total() + len(followers))


TEXTS = st.integers(2, 5).flatmap(
    lambda classes: st.tuples(
        st.just(classes),
        st.lists(st.integers(0, classes - 1), min_size=1, max_size=30),
        st.lists(st.integers(0, classes - 1), min_size=1, max_size=12),
    )
)


@given(TEXTS, st.integers(1, 4), st.sampled_from([0, 99_990]), st.booleans())
def test_ngram_is_the_formula_whatever_the_size_of_the_vocabulary(texts, order, shift, whole):
    classes, train, test = texts
    train, test, size = [t + shift for t in train], [t + shift for t in test], classes + shift
    baseline = Ngram(size, order)
    baseline.fit(stream(train + test, 0, len(train)), None)
    samples = stream(train + test, 0 if whole else len(train))  # from the first token, before which there is none
    for k, found in enumerate(baseline.likelihoods(samples), 1):
        for row, p in zip(samples.target_rows(), found, strict=True):
            before = tuple((train + test)[max(0, row - k + 1) : row])
            assert p == pytest.approx(brute_force(train, before, (train + test)[row], size), rel=1e-9)


@given(TEXTS, st.integers(1, 4))
def test_ngram_says_chances_of_every_token_that_sum_to_one_and_guesses_the_likeliest(texts, order):
    classes, train, test = texts
    baseline = Ngram(classes, order)
    baseline.fit(stream(train + test, 0, len(train)), None)
    samples = stream(train + test, len(train))
    said = baseline.predict(samples)
    for row, nats, guess in zip(samples.target_rows(), said.nats, said.guess, strict=True):
        p = baseline.next_chances(np.array((train + test)[:row]))
        assert p.sum() == pytest.approx(1) and p.min() > 0
        assert p[(train + test)[row]] == pytest.approx(np.exp(-nats), rel=1e-9)
        assert p[guess] == pytest.approx(p.max(), rel=1e-9)


def test_ngram_takes_the_order_that_val_likes_best_and_drops_the_longer_ones():
    codes = np.tile([1, 2, 1, 3], 60)  # the token before the last one is needed, and no more
    codes[200:] = np.roll(codes[200:], 1)
    baseline = Ngram(4, 5)
    baseline.fit(stream(codes, 0, 200), None)
    losses = [-np.log(p).mean() for p in baseline.likelihoods(stream(codes, 200, 220))]
    assert len(losses) == 5
    baseline.fit(stream(codes, 0, 200), stream(codes, 200, 220))
    assert baseline.order == 1 + int(np.argmin(losses)) == 3 == len(baseline.grams)


def test_ngram_bears_a_text_shorter_than_its_order():
    baseline = Ngram(5, 7)
    baseline.fit(stream([1, 2, 3, 1], 0, 3), None)
    assert np.isfinite(baseline.predict(stream([1, 2, 3, 1], 3)).nats).all()


@pytest.mark.parametrize("baseline", [AddOne(4), Ngram(4, 3)])
def test_writing_never_draws_the_unknown_token_and_follows_its_numbers(baseline):
    baseline.fit(stream(np.random.default_rng(0).choice(4, 500, p=[0.4, 0.3, 0.2, 0.1])), None)

    def write(length: int, seed: int, temperature: float = 1.0, **limits: float) -> np.ndarray:
        blocks = list(
            baseline.write(np.array([[1, 2]] * 2, np.int32), length, SamplingConfig(seed, temperature, **limits))
        )
        return np.concatenate(blocks, axis=1)

    written = write(300, 1)
    assert written.shape == (2, 300) and written.dtype == np.int32 and set(written.ravel().tolist()) == {1, 2, 3}
    assert same(written, write(300, 1)) and not same(written, write(300, 2)) and not same(*written)
    assert same(written[:, :70], write(70, 1))
    greedy = write(20, 1, top_k=1)
    assert same(greedy, write(20, 2, temperature=0.001)) and same(greedy, write(20, 2, temperature=0))
    assert same(greedy, write(20, 3, top_p=1e-9))
    hot = [np.mean(write(600, 1, t) == 3) for t in (0.5, 1.0, 50.0)]
    assert hot[0] < hot[1] < hot[2] < 0.4


def test_narrowing_by_hand():
    from lookback.models.baselines.language import _narrow

    p = np.array([0.2, 0.1, 0.4, 0.3])
    np.testing.assert_allclose(_narrow(p, 1.0, 0, 1.0), [0, 1 / 8, 4 / 8, 3 / 8])
    np.testing.assert_allclose(_narrow(p, 0.5, 0, 1.0), [0, 1 / 26, 16 / 26, 9 / 26])
    np.testing.assert_allclose(_narrow(p, 1.0, 2, 1.0), [0, 0, 4 / 7, 3 / 7])
    np.testing.assert_allclose(_narrow(p, 1.0, 0, 0.51), [0, 0, 4 / 7, 3 / 7])
    np.testing.assert_allclose(_narrow(p, 1.0, 0, 0.49), [0, 0, 1, 0])


# --- documents -------------------------------------------------------------------------------------


def test_majority_and_mean_by_hand():
    arrays = documents(["a"] * 5, [1, 1, 0, 1, 2])
    baseline = Majority(4)
    baseline.fit(rows(arrays), None)
    assert baseline.predict(rows(arrays, 0, 2)).probabilities.tolist() == [[1 / 5.5, 3 / 5.5, 1 / 5.5, 0.5 / 5.5]] * 2
    words = sentences([[("a", 0), ("b", 1)], [("c", 1)]])
    baseline.fit(rows(words), None)
    assert baseline.predict(rows(words)).probabilities.shape == (3, 4) and baseline.shares.argmax() == 1
    mean = MeanRating()
    mean.fit(rows(documents(["a"] * 4, [1.0, 2.0, 6.0, 9.0]), 0, 3), None)
    assert mean.predict(rows(arrays, 3)).values.tolist() == [[3.0], [3.0]]


@pytest.mark.parametrize("binary", [False, True])
def test_naive_bayes_by_hand(binary):
    # Of "good": "fine film film"; of "bad": "dull film", "dull". Four terms; "me" is known, "a" is no word.
    texts, labels = ["fine film film me", "dull film", "dull", "A FILM! dull, unheard"], [1, 0, 0, 0]
    data = data_of(documents(texts, labels), (3, 3), ("bad", "good"))
    baseline = baselines.build(data, "naive_bayes", max_order=1, binary=binary, smoothing=(0.5,))
    baseline.fit(data.train, rows(data.train.arrays, 0, 3))
    film, terms = (1, 3) if binary else (2, 4)
    good = 1 / 3 * (film + 0.5) / (terms + 2) * 0.5 / (terms + 2)
    bad = 2 / 3 * 1.5 / 5 * 2.5 / 5
    np.testing.assert_allclose(baseline.predict(data.test).probabilities, [[bad / (good + bad), good / (good + bad)]])
    assert baseline.terms.tobytes().decode().split("\n") == ["dull", "film", "fine", "me"]


@pytest.mark.parametrize("classes", [2, 3])
def test_tfidf_logistic_is_scikit_learns(classes):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = reviews(classes=classes)
    data = data_of(documents(texts, labels), (80, 120), tuple("abc")[:classes])
    errors, strengths, said = [], (0.01, 0.1, 1, 10, 100), []
    for strength in strengths:
        theirs = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True),
            LogisticRegression(C=strength, max_iter=1000),
        ).fit(texts[:80], labels[:80])
        errors.append(np.mean(theirs.predict(texts[80:120]) != labels[80:120]))
        said.append(theirs.predict_proba(texts[120:]))
    baseline = TfidfLogistic(2, strengths, min_documents=3, classes=classes)
    baseline.fit(data.train, data.val)
    assert baseline.chosen == strengths[int(np.argmin(errors))] and len(set(errors)) > 1
    np.testing.assert_allclose(baseline.predict(data.test).probabilities, said[int(np.argmin(errors))], rtol=1e-6)


@pytest.mark.parametrize("bounds", [None, (3.0, 7.0)])
def test_tfidf_ridge_is_scikit_learns_and_keeps_to_the_bounds(bounds):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    texts, labels = reviews(classes=10)
    data = data_of(documents(texts, labels + 0.0), (80, 120), bounds=bounds)
    losses, strengths, said = [], (0.01, 1, 100), []
    for strength in strengths:
        theirs = make_pipeline(TfidfVectorizer(min_df=3, sublinear_tf=True), Ridge(strength))
        theirs.fit(texts[:80], labels[:80])
        answers = theirs.predict(texts[80:]) if bounds is None else theirs.predict(texts[80:]).clip(*bounds)
        losses.append(np.mean((answers[:40] - labels[80:120]) ** 2))
        said.append(answers[40:, None])
    baseline = TfidfRidge(1, strengths, min_documents=3, bounds=bounds)
    baseline.fit(data.train, data.val)
    assert baseline.chosen == strengths[int(np.argmin(losses))]
    np.testing.assert_allclose(baseline.predict(data.test), said[int(np.argmin(losses))], atol=1e-3)  # both iterate
    assert baseline.predict(data.test).values.shape == (30, 1)


@pytest.mark.parametrize("name", ["naive_bayes", "tfidf_logistic"])
@pytest.mark.parametrize("classes", [3, 4])
def test_a_class_that_train_lacks_is_the_least_likely_and_not_impossible(name, classes):
    texts, labels = reviews()
    data = data_of(documents([*texts, "unheard"], [*labels, classes - 1]), (80, 120), tuple("abcd")[:classes])
    baseline = baselines.build(data, name, **small(name)[1])
    baseline.fit(data.train, data.val)
    p = baseline.predict(data.test).probabilities
    assert p.shape == (31, classes) and p.min() > 0 and np.allclose(p.sum(1), 1)
    assert (p[:, 2:].max(1) < p[:, :2].min(1)).all()


@pytest.mark.filterwarnings("error")
def test_naive_bayes_of_a_very_long_text_is_sure_and_finite():
    texts, labels = reviews()
    texts[-1] = " ".join(["awful"] * 20_000)
    data = data_of(documents(texts, labels), (80, 120), ("bad", "good"))
    baseline = baselines.build(data, "naive_bayes", max_order=1, binary=False, smoothing=(1,))
    baseline.fit(data.train, data.val)
    assert np.isfinite(np.log(baseline.predict(data.test).probabilities)).all()


def test_texts_without_words_and_a_single_class_are_said_to_be_unsuited():
    blank = data_of(documents(["a", "!", "", "b"] * 5, [0, 1] * 10), (10, 15), ("bad", "good"))
    rare = data_of(documents([f"word{i}" for i in range(20)], [0, 1] * 10), (10, 15), ("bad", "good"))
    alike = data_of(documents(["fine film"] * 20, [1] * 20), (10, 15), ("bad", "good"))
    for data, name, said in (
        (blank, "naive_bayes", "no words that count"),
        (rare, "tfidf_logistic", "no words that count"),
        (alike, "tfidf_logistic", "one class only"),
    ):
        with pytest.raises(UnsuitedError, match=said):
            baselines.build(data, name, **small(name)[1]).fit(data.train, data.val)


# --- tags ------------------------------------------------------------------------------------------

NOUN, VERB, OTHER = range(3)
SAID = [
    [("The", OTHER), ("runs", NOUN), ("walking", VERB)],
    [("runs", NOUN), ("runs", VERB), ("the", OTHER), ("Mark", NOUN)],
    [("singing", VERB), ("mark", VERB), ("ring", NOUN), ("ring", NOUN), ("ring", NOUN)],
]


def tag_of(word: str, max_suffix: int) -> int:
    baseline = MostFrequentTag(3, max_suffix)
    baseline.fit(rows(sentences(SAID)), None)
    return int(baseline.predict(rows(sentences([[(word, 0)]]))).probabilities.argmax())


@pytest.mark.parametrize(
    ("word", "max_suffix", "expected"),
    [
        ("runs", 3, NOUN),  # twice against once
        ("Mark", 3, NOUN),  # as it is written
        ("mark", 3, VERB),
        ("THE", 0, OTHER),  # in lower case
        ("talking", 3, VERB),  # -ing: two words against one, though that one occurs three times
        ("talking", 4, VERB),  # -king
        ("xyz", 3, NOUN),  # of all words most are nouns
        ("talking", 0, NOUN),  # without endings
    ],
)
def test_most_frequent_tag_by_hand(word, max_suffix, expected):
    assert tag_of(word, max_suffix) == expected


def test_most_frequent_tag_says_the_chances_of_its_formula():
    baseline = MostFrequentTag(4, 1)  # a tag that train lacks
    baseline.fit(rows(sentences(SAID)), None)
    p = np.array([6, 4, 2, 0.5]) / 12.5
    p = (np.array([1, 1, 0, 0]) + 0.5 * p) / 2.5  # -s: "runs" with two tags
    p = (np.array([2, 1, 0, 0]) + 0.5 * p) / 3.5  # lower case
    p = (np.array([2, 1, 0, 0]) + 0.5 * p) / 3.5  # as written
    said = baseline.predict(rows(sentences([[("runs", 0)]]))).probabilities
    np.testing.assert_allclose(said, [p])


WORD = st.tuples(st.text("aAbB", min_size=1, max_size=4), st.integers(0, 2))
TAGGED = st.lists(st.lists(WORD, min_size=1), min_size=1)


@given(TAGGED, TAGGED, st.integers(0, 3))
def test_a_known_word_gets_a_tag_that_no_other_tag_stands_more_often_with(train, test, max_suffix):
    baseline = MostFrequentTag(3, max_suffix)
    baseline.fit(rows(sentences(train)), None)
    p = baseline.predict(rows(sentences(test))).probabilities
    assert np.allclose(p.sum(1), 1) and p.min() > 0
    stands = Counter(pair for sentence in train for pair in sentence)
    for (word, _), chances in zip((pair for sentence in test for pair in sentence), p, strict=True):
        often = [stands[word, tag] for tag in range(3)]
        assert not any(often) or often[chances.argmax()] == max(often)


# --- the figures of the references -----------------------------------------------------------------


def reference(*path: str) -> Path:
    folder = os.environ.get("LOOKBACK_DATA")
    file = Path(folder or "", *path)
    if not folder or not file.exists():
        pytest.skip(f"set LOOKBACK_DATA to the folder that holds {'/'.join(path)}")
    return file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.90, [3.347, 2.486, 2.049, 1.774, 1.669, 1.698, 1.779]),
        (0.95, [3.361, 2.487, 2.082, 1.832, 1.742, 1.775, 1.859]),
    ],
)
def test_ngram_on_tiny_shakespeare(share, expected):
    text = reference("tinyshakespeare", "input.txt").read_text(encoding="utf-8")
    codes = np.unique(list(text), return_inverse=True)[1]
    border = int(share * len(codes))
    baseline = Ngram(65, 7)
    baseline.fit(stream(codes, 0, border), None)
    nats = [-np.log(p).mean() for p in baseline.likelihoods(stream(codes, border))]
    assert np.round(nats, 3).tolist() == expected


@pytest.mark.slow
@pytest.mark.parametrize(("least", "expected"), [(1, 394), (2, 61)])
def test_the_perplexity_of_the_stories_of_a_notebook_is_a_matter_of_the_vocabulary(least, expected):
    texts = []
    for part in ("train", "test"):
        stories = pd.read_csv(reference("keras_rnn_notebooks", f"example_{part}_stories.csv"))["Story"]
        texts.append([word for story in stories for word in re.findall(r"[\w']+|[^\w\s]", story.lower())])
    often = sorted(word for word, count in Counter(texts[0]).items() if count >= least)
    codes = {word: i for i, word in enumerate(often, 1)}
    train, test = ([codes.get(word, 0) for word in words] for words in texts)
    baseline = AddOne(1 + len(often))
    baseline.fit(stream(train, 0), None)
    nats = baseline.predict(stream(train + test, len(train))).nats
    # How the reference tells words apart is not known; the usual ways give 387 to 401, and 61 to 67.
    assert np.exp(nats.mean()) == pytest.approx(expected, rel=0.03)


def imdb(part: str) -> pd.DataFrame:
    return pd.read_csv(reference("imdb", f"imdb_{part}.csv.gz"))


@pytest.fixture(scope="module")
def films() -> pd.DataFrame:
    return pd.concat([imdb("train"), imdb("test")])


def accuracy(baseline, samples: Ragged) -> float:
    return float(np.mean(baseline.predict(samples).probabilities.argmax(1) == samples.targets()))


@pytest.mark.slow
def test_naive_bayes_on_imdb(films):
    arrays = documents(films["text"], films["label"])
    baseline = NaiveBayes(1, (1,), 1, classes=2, binary=True)
    baseline.fit(rows(arrays, 0, 25_000), None)
    assert accuracy(baseline, rows(arrays, 25_000)) == pytest.approx(0.829, abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize(("max_order", "strength", "expected"), [(1, 1, 0.8891), (2, 10, 0.9059)])
def test_tfidf_logistic_on_imdb(films, max_order, strength, expected):
    arrays = documents(films["text"], films["label"])
    baseline = TfidfLogistic(max_order, (strength,), strength, min_documents=2, classes=2)
    baseline.fit(rows(arrays, 0, 25_000), None)
    assert accuracy(baseline, rows(arrays, 25_000)) == pytest.approx(expected, abs=0.001)


# The references do not say all settings (strength of the penalty, least number of documents): those here are of the
# few tried by hand that come within the tolerance. On 1-2-grams the reference is not the best that ridge can do:
# min_documents=2 gives 4.123, and 4.082 with a strength of 0.5.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("max_order", "least", "strength", "mse", "r2_rounded"), [(1, 2, 1, 4.674, 0.610), (2, 5, 0.5, 4.165, 0.651)]
)
def test_tfidf_ridge_on_imdb(films, max_order, least, strength, mse, r2_rounded):
    arrays = documents(films["text"], films["rating"].astype(float))
    baseline = TfidfRidge(max_order, (strength,), strength, min_documents=least, bounds=(1.0, 10.0))
    baseline.fit(rows(arrays, 0, 25_000), None)
    test = rows(arrays, 25_000)
    said, truth = baseline.predict(test).values[:, 0], test.targets()
    assert np.mean((said - truth) ** 2) == pytest.approx(mse, abs=0.02)
    assert 1 - np.mean((said.round() - truth) ** 2) / truth.var() == pytest.approx(r2_rounded, abs=0.002)


@pytest.mark.slow
def test_mean_rating_on_imdb(films):
    arrays = documents(films["text"], films["rating"].astype(float))
    baseline = MeanRating()
    baseline.fit(rows(arrays, 0, 25_000), None)
    test = rows(arrays, 25_000)
    assert np.mean((baseline.predict(test).values[:, 0] - test.targets()) ** 2) == pytest.approx(12.187, abs=0.0005)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (NaiveBayes(2, (1,), 1, classes=2, binary=True), 0.788),
        (TfidfLogistic(2, (2,), 2, min_documents=2, classes=2), 0.778),
    ],
)
def test_ten_folds_of_rotten_tomatoes(baseline, expected):
    # The folds of the reference are not known, and neither is its strength: 2 is one of five tried. With another seed
    # of the folds the mean of the regression moves by 0.004.
    from sklearn.model_selection import StratifiedKFold

    files = [reference("rt_polarity", f"rt-polarity.{end}").read_text("latin-1") for end in ("neg", "pos")]
    parts = [text.strip("\n").split("\n") for text in files]
    arrays = documents([*parts[0], *parts[1]], np.repeat([0, 1], [len(part) for part in parts]))
    everything, right = rows(arrays), []
    for train, test in StratifiedKFold(10, shuffle=True, random_state=0).split(arrays["text"], arrays["label"]):
        baseline.fit(replace(everything, examples=train), None)
        right.append(accuracy(baseline, replace(everything, examples=test)))
    assert len(everything) == 10_662 and np.mean(right) == pytest.approx(expected, abs=0.002)


def of_lines(parts: list[list[list[tuple[str, str]]]]) -> tuple[Ragged, Ragged, int]:
    """Sentences of (word, tag) -> train, test and the number of tags."""
    tags = sorted({tag for part in parts for sentence in part for _, tag in sentence})
    arrays = sentences([[(word, tags.index(tag)) for word, tag in s] for part in parts for s in part])
    return rows(arrays, 0, len(parts[0])), rows(arrays, len(parts[0])), len(tags)


def treebank(part: str) -> list[list[tuple[str, str]]]:
    text = reference("ud_ewt", f"en_ewt-ud-{part}.conllu").read_text("utf-8")
    blocks = ([line.split("\t") for line in block.split("\n")] for block in text.strip().split("\n\n"))
    return [[(cells[1], cells[3]) for cells in block if cells[0].isdecimal()] for block in blocks]


@pytest.mark.slow
def test_most_frequent_tag_on_the_english_web_treebank():
    train, test, tags = of_lines([treebank("train"), treebank("test")])
    right = []
    for max_suffix in (0, 3):
        baseline = MostFrequentTag(tags, max_suffix)
        baseline.fit(train, None)
        right.append(accuracy(baseline, test))
    # The references 0.862 and 0.889 ask for the word in one spelling only; ours asks for the lower case as well.
    assert right == pytest.approx([0.8669, 0.8922], abs=0.0005)
    words = dict(test.arrays)
    words["form"] = np.array([form.lower() for form in words["form"]], object)
    baseline = MostFrequentTag(tags, 0)
    baseline.fit(replace(train, arrays=words), None)
    assert accuracy(baseline, replace(test, arrays=words)) == pytest.approx(0.862, abs=0.0005)


@pytest.mark.slow
def test_most_frequent_tag_on_a_hundred_sentences_of_brown():
    parts = []
    for part in ("train", "test"):
        table = pd.read_csv(reference("keras_rnn_notebooks", f"example_{part}_brown_corpus.csv"))
        pairs = zip(table["Tokenized_Sentence"], table["Tagged_Sentence"], strict=True)
        parts.append([list(zip(words.split(), tags.split(), strict=True)) for words, tags in pairs])
    train, test, tags = of_lines(parts)
    baseline = MostFrequentTag(tags, 0)
    baseline.fit(train, None)
    # Tags that stand equally often with a word are told apart otherwise than in the reference: 4 words of 1,860.
    assert accuracy(baseline, test) == pytest.approx(0.746, abs=0.0025)
