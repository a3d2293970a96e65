"""The numbers of every model."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from lookback.settings.base import FOR_THE_WHOLE, STEP_BY_STEP, Count, Dropout, Positive, Strict


class Plain(Strict):
    """A baseline without numbers of its own."""

    name: Literal[
        "naive", "seasonal_naive", "drift", "growth_naive", "frequencies", "persistence",
        "unigram", "majority", "mean_rating",
    ]  # fmt: skip


class Linear(Strict):
    """Ridge autoregression on the window, of values or of their logarithms; the penalties `alphas` are tried on val."""

    name: Literal["linear", "log_linear"]
    alphas: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False, min_length=1)]


class Lad(Strict):
    """Least absolute deviations on the window and yearly harmonics; `products` adds squares and products of them."""

    name: Literal["lad"]
    harmonics: Annotated[int, Field(ge=0)]
    products: bool


class Climatology(Strict):
    """Yearly harmonics, and an autoregression of `order` on what they leave."""

    name: Literal["climatology"]
    harmonics: Count
    order: Annotated[int, Field(ge=0)]


class HoltWinters(Strict):
    """Exponential smoothing with trend and season (Holt 1957, Winters 1960); the form is chosen on train."""

    name: Literal["holt_winters"]
    forms: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(none|add|damped)_(none|add|mul)$")], ...],
        Field(strict=False, min_length=1),
    ]
    max_rows: Annotated[int, Field(ge=12)]


class Sarima(Strict):
    """Seasonal ARIMA on logarithms where they exist (Box & Jenkins); orders chosen on train."""

    name: Literal["sarima"]
    orders: Annotated[tuple[Annotated[str, Field(pattern=r"^\d{3}-\d{3}$")], ...], Field(strict=False, min_length=1)]
    log: bool
    max_rows: Annotated[int, Field(ge=12)]


class Boosting(Strict):
    """Gradient-boosted trees on the window, one set for each step of the horizon."""

    name: Literal["boosting"]
    rounds: Count
    learning_rate: Positive
    leaves: Annotated[int, Field(ge=2)]


class Logistic(Strict):
    """Logistic regression on the window; the inverse penalties `Cs` are tried on val."""

    name: Literal["logistic"]
    Cs: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class Ngram(Strict):
    """Interpolated Witten-Bell n-gram; orders 1 to `max_order` are tried on val."""

    name: Literal["ngram"]
    max_order: Annotated[int, Field(ge=1, le=8)]


class TfidfLogistic(Strict):
    """Logistic regression on tf-idf of 1 to `max_order` words; the inverse penalties `Cs` are tried on val."""

    name: Literal["tfidf_logistic"]
    max_order: Annotated[int, Field(ge=1, le=5)]
    min_documents: Count  # texts of train that must hold a term
    Cs: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class TfidfRidge(Strict):
    """Ridge regression on tf-idf of 1 to `max_order` words; the penalties `alphas` are tried on val."""

    name: Literal["tfidf_ridge"]
    max_order: Annotated[int, Field(ge=1, le=5)]
    min_documents: Count  # texts of train that must hold a term
    alphas: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class NaiveBayes(Strict):
    """Multinomial naive Bayes on counts of 1 to `max_order` words; `smoothing` is tried on val."""

    name: Literal["naive_bayes"]
    max_order: Annotated[int, Field(ge=1, le=5)]
    binary: bool  # whether a word counts once a text
    smoothing: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class MostFrequentTag(Strict):
    """The tag that train gives a word most often; for unknown words, by their longest known ending."""

    name: Literal["most_frequent_tag"]
    max_suffix: Annotated[int, Field(ge=0)]


class Network(Strict):
    """What every network has.

    `members` networks, each from a seed of its own, answer with their mean: 1 is a plain network, more an ensemble.
    `skip_connection` adds a linear map of the window to the answer (the autoregressive highway of LSTNet).
    """

    units: Count
    layers: Count
    dropout: Dropout
    skip_connection: bool
    members: Count


class Dense(Network):
    """Perceptron on the window; on every step, one that sees the last `kernel_size` steps."""

    name: Literal["dense"]
    kernel_size: Annotated[Count, STEP_BY_STEP]


class Recurrent(Network):
    """A stack of Keras recurrent layers.

    `bidirectional`: half of the network reads backwards. `pooling`: what is handed on of its steps, where one thing
    is said of the whole: the last, or the mean or the maximum of all.
    """

    name: Literal["simple_rnn", "lstm", "gru"]
    bidirectional: bool
    pooling: Annotated[Literal["last", "mean", "max"], FOR_THE_WHOLE]


class BagOfWords(Network):
    """Perceptron on the counts of words, as shares of the text: their order is lost."""

    name: Literal["bag_of_words"]

    @property
    def unread(self) -> frozenset[str]:
        """Of a task: its embedding is as wide as the network."""
        return frozenset({"embedding"})


class Bigram(Strict):
    """The token before and nothing else: a table as a network, of rank `units`."""

    name: Literal["bigram"]
    units: Count
    members: Literal[1]

    @property
    def unread(self) -> frozenset[str]:
        """Of a task: its embedding is as wide as the network."""
        return frozenset({"embedding"})


AnyModel = (
    Plain | Linear | Lad | Climatology | HoltWinters | Sarima | Boosting | Logistic | Ngram
    | TfidfLogistic | TfidfRidge | NaiveBayes | MostFrequentTag | Dense | Recurrent | BagOfWords | Bigram
)  # fmt: skip
Model = Annotated[AnyModel, Field(discriminator="name")]
# Every model by its name.
MODELS: dict[str, type[Strict]] = {
    name: kind for kind in get_args(AnyModel) for name in get_args(kind.model_fields["name"].annotation)
}
