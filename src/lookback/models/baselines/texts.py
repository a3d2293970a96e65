"""Baselines that say something of a whole text: which class it belongs to, or a number.

A term is a run of one or more words, and a word is two letters or digits or more, in lower case (the
way of scikit-learn). Only terms of the texts that a baseline is fitted on are known; what a text holds
besides is not seen.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data, UnsuitedError
from lookback.data.samples import Ragged
from lookback.evaluation.predictions import Classes, Points
from lookback.models.baselines.classes import Frequencies, shares
from lookback.models.baselines.libraries import one_thread
from lookback.models.catalogue import baseline
from lookback.settings.base import Count, Numbers, Positive


class NaiveBayesSettings(Numbers):
    """Multinomial naive Bayes on counts of 1 to `max_order` words; `smoothing` is tried on val."""

    max_order: Annotated[int, Field(ge=1, le=5)]
    binary: bool  # whether a word counts once a text
    smoothing: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class TfidfLogisticSettings(Numbers):
    """Logistic regression on tf-idf of 1 to `max_order` words; the inverse penalties `Cs` are tried on val."""

    max_order: Annotated[int, Field(ge=1, le=5)]
    min_documents: Count  # texts of train that must hold a term
    Cs: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class TfidfRidgeSettings(Numbers):
    """Ridge regression on tf-idf of 1 to `max_order` words; the penalties `alphas` are tried on val."""

    max_order: Annotated[int, Field(ge=1, le=5)]
    min_documents: Count  # texts of train that must hold a term
    alphas: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


@dataclass
class Majority(Frequencies):
    """How often each class or tag occurs among the targets of train. One that does not counts as half a time."""

    def _shares(self, train: Ragged) -> np.ndarray:
        return shares(train.targets(), self.classes)


@dataclass
class MeanRating:
    """The mean of train."""

    mean: float = 0.0
    parameters: int = 0

    def fit(self, train: Ragged, val: Ragged | None) -> None:
        """Nothing is chosen."""
        self.mean, self.parameters = float(train.targets().mean()), 1

    def predict(self, samples: Ragged) -> Points:
        """(n, 1)."""
        return Points(np.full((len(samples), 1), self.mean))


@dataclass
class _Terms:
    """A linear model on the terms of a text; `candidates` are tried on val."""

    max_order: int
    candidates: tuple[float, ...]
    chosen: float | None = None
    terms: np.ndarray | None = None  # (bytes,) uint8: UTF-8, a term a line
    idf: np.ndarray | None = None  # (terms,), how rare each is
    weights: np.ndarray | None = None  # (terms, answers)
    bias: np.ndarray | None = None  # (answers,)
    parameters: int = 0

    name: ClassVar[str]

    def fit(self, train: Ragged, val: Ragged | None) -> None:
        """Learn; the candidate with the lowest loss on `val` is kept.

        Raises:
            UnsuitedError: no term of train counts, or there is nothing to tell apart.
        """
        vectoriser, y = self._vectoriser(), train.targets()
        try:
            x = vectoriser.fit_transform(_texts(train))  # (n, terms)
        except ValueError as e:  # an empty vocabulary
            raise UnsuitedError(f"{self.name} finds no words that count in the texts of train ({e})") from None
        self.terms = np.frombuffer("\n".join(vectoriser.get_feature_names_out()).encode(), np.uint8)
        self.idf = getattr(vectoriser, "idf_", None)
        if val is None:
            assert self.chosen is not None, "fit without val comes after a fit with it"
            self.weights, self.bias = self._solve(x, y, self.chosen)
        else:
            seen, truth = vectoriser.transform(_texts(val)), val.targets()
            fits = [self._solve(x, y, candidate) for candidate in self.candidates]
            best = int(np.argmin([self._loss(seen @ weights + bias, truth) for weights, bias in fits]))
            self.chosen, (self.weights, self.bias) = self.candidates[best], fits[best]
        self.parameters = self.weights.size + self.bias.size

    def _scores(self, samples: Ragged) -> np.ndarray:
        assert self.terms is not None, "predict comes after fit"
        vectoriser = self._vectoriser(vocabulary=self.terms.tobytes().decode().split("\n"))
        if self.idf is not None:
            vectoriser.idf_ = self.idf
        return vectoriser.transform(_texts(samples)) @ self.weights + self.bias  # (n, answers)

    def _vectoriser(self, vocabulary: list[str] | None = None) -> Any:
        raise NotImplementedError

    def _solve(self, x: Any, y: np.ndarray, candidate: float) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    def _loss(self, scores: np.ndarray, truth: np.ndarray) -> float:
        """Share of errors, where scores are of classes."""
        return float(np.mean(scores.argmax(1) != truth))


@dataclass
class NaiveBayes(_Terms):
    """Multinomial naive Bayes on counts of terms; a candidate is the smoothing (scikit-learn).

    P(class | text) is proportional to P(class) times the product of P(term | class) over the terms of the
    text, where P(term | class) = (count + smoothing) / (terms of the class's texts + smoothing * terms known).
    McCallum & Nigam, AAAI workshop on learning for text categorization, 1998.
    """

    classes: int = field(kw_only=True)
    binary: bool = field(kw_only=True)  # whether a term counts once a text

    name = "naive_bayes"

    def predict(self, samples: Ragged) -> Classes:
        """(n, classes)."""
        return Classes(_softmax(self._scores(samples)))

    def _vectoriser(self, vocabulary: list[str] | None = None) -> Any:
        from sklearn.feature_extraction.text import CountVectorizer

        return CountVectorizer(ngram_range=(1, self.max_order), binary=self.binary, vocabulary=vocabulary)

    def _solve(self, x: Any, y: np.ndarray, candidate: float) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.naive_bayes import MultinomialNB

        found = MultinomialNB(alpha=candidate).fit(x, y)
        return _of_every_class(found.feature_log_prob_.T, found.class_log_prior_, found.classes_, self.classes, len(y))


@dataclass
class _Tfidf(_Terms):
    """Terms weighted by how rare they are, each text scaled to length 1 (scikit-learn).

    weight(term) = (1 + log(count in the text)) * (1 + log((1 + texts) / (1 + texts that hold it))):
    Spärck Jones, Journal of Documentation 28 (1972) 11, with logarithmic counts.
    """

    min_documents: int = field(kw_only=True)

    def _vectoriser(self, vocabulary: list[str] | None = None) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            ngram_range=(1, self.max_order),
            min_df=1 if vocabulary else self.min_documents,
            sublinear_tf=True,
            vocabulary=vocabulary,
        )


@dataclass
class TfidfLogistic(_Tfidf):
    """Logistic regression on tf-idf; a candidate is the inverse of the penalty, scikit-learn's C."""

    classes: int = field(kw_only=True)

    name = "tfidf_logistic"

    def predict(self, samples: Ragged) -> Classes:
        """(n, classes)."""
        return Classes(_softmax(self._scores(samples)))

    def _solve(self, x: Any, y: np.ndarray, candidate: float) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.linear_model import LogisticRegression

        if len(np.unique(y)) < 2:
            raise UnsuitedError("tfidf_logistic has one class only to learn from in train; set task.split")
        with one_thread():
            found = LogisticRegression(C=candidate, max_iter=1000).fit(x, y)
        weights, bias = found.coef_.T, found.intercept_  # (terms, found), (found,)
        if len(found.classes_) == 2:  # one column says both
            weights, bias = np.concatenate([0 * weights, weights], axis=1), np.append(0, bias)
        return _of_every_class(weights, bias, found.classes_, self.classes, len(y))


@dataclass
class TfidfRidge(_Tfidf):
    """Ridge regression on tf-idf; a candidate is the penalty, scikit-learn's alpha. Answers keep to `bounds`."""

    bounds: tuple[float, float] | None = field(kw_only=True)

    name = "tfidf_ridge"

    def predict(self, samples: Ragged) -> Points:
        """(n, 1)."""
        return Points(self._within(self._scores(samples)))

    def _solve(self, x: Any, y: np.ndarray, candidate: float) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.linear_model import Ridge

        with one_thread():
            found = Ridge(alpha=candidate).fit(x, y)
        return found.coef_.reshape(-1, 1), np.atleast_1d(found.intercept_)

    def _loss(self, scores: np.ndarray, truth: np.ndarray) -> float:
        return float(np.mean((self._within(scores)[:, 0] - truth) ** 2))

    def _within(self, scores: np.ndarray) -> np.ndarray:
        return scores if self.bounds is None else np.clip(scores, *self.bounds)


def _texts(samples: Ragged) -> np.ndarray:
    return samples.arrays["text"][samples.examples]  # (n,)


def _of_every_class(
    weights: np.ndarray, bias: np.ndarray, found: np.ndarray, classes: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Columns for the classes that train lacks too: below the least likely one for any text."""
    every = np.repeat(weights.min(1, keepdims=True), classes, axis=1)  # (terms, classes)
    biases = np.full(classes, bias.min() - np.log(count + 1))
    every[:, found], biases[found] = weights, bias
    return every, biases


def _softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities that are nowhere exactly 0: (n, classes)."""
    p = np.exp(scores - scores.max(1, keepdims=True))
    return np.maximum(p / p.sum(1, keepdims=True), np.finfo(float).tiny)


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("majority", Numbers, problems=("sentiment", "tagging"))
def _majority(data: Data) -> Majority:
    return Majority(len(data.tokens))


@baseline("mean_rating", Numbers, problems=("rating",))
def _mean_rating(data: Data) -> MeanRating:
    return MeanRating()


@baseline("naive_bayes", NaiveBayesSettings, problems=("sentiment",))
def _naive_bayes(data: Data, smoothing: tuple[float, ...], **numbers: Any) -> NaiveBayes:
    return NaiveBayes(candidates=smoothing, classes=len(data.tokens), **numbers)


@baseline("tfidf_logistic", TfidfLogisticSettings, problems=("sentiment",))
def _tfidf_logistic(data: Data, Cs: tuple[float, ...], **numbers: Any) -> TfidfLogistic:
    return TfidfLogistic(candidates=Cs, classes=len(data.tokens), **numbers)


@baseline("tfidf_ridge", TfidfRidgeSettings, problems=("rating",))
def _tfidf_ridge(data: Data, alphas: tuple[float, ...], **numbers: Any) -> TfidfRidge:
    return TfidfRidge(candidates=alphas, bounds=data.bounds, **numbers)
