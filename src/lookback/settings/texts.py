"""Tasks on texts: the next token, one thing to say of the whole, a tag for every word."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from lookback.settings.base import SEEN, TABLE, TRAINED, Count, Positive, Strict
from lookback.settings.splits import ExampleSplit, OwnTestSplit, TextSplit
from lookback.settings.task import Task


class LanguageTask(Task):
    """The next token (a character or a word) at every step of a text."""

    kind: Literal["language"]
    lookback: Annotated[Count, SEEN]  # steps in a training window
    source: Annotated[str | None, TABLE]
    path: Annotated[str, TABLE]  # a text file; "" is the language reference of the standard library
    column: str  # of a CSV: every row of it is a line of the text; "": the file is the text
    level: Literal["characters", "words"]  # what a token is
    min_count: Count  # tokens that train holds less often count as unknown, in train as well
    unique_passages: bool
    embedding: Annotated[Count, TRAINED]
    split: TextSplit
    sample_length: Annotated[int, Field(ge=0), SEEN]  # tokens that a trained model writes; 0: none
    # Of the samples written while it learns.
    sample_temperatures: Annotated[tuple[Positive, ...], Field(strict=False), TRAINED]
    sample_every: Annotated[Count, TRAINED]  # epochs from one of these to the next

    @property
    def test_file(self) -> str:
        """The file that test is, "" where it is the end of the same text."""
        return self.split.test if isinstance(self.split, OwnTestSplit) else ""

    @property
    def idle(self) -> frozenset[str]:
        """When to write and how, where nothing is written."""
        writes = self.sample_length and self.sample_temperatures
        return frozenset() if writes else frozenset({"sample_temperatures", "sample_every"})


class ExampleTask(Task):
    """Examples of their own length, made of words. `noun`: what one of them is called."""

    noun: ClassVar[str] = "text"

    source: Annotated[str | None, TABLE]
    embedding: Annotated[Count, TRAINED]
    split: ExampleSplit
    lowercase: bool
    min_count: Count  # words that train holds less often count as unknown, in train as well
    max_words: Count  # the most frequent ones of train; the others count as unknown
    max_length: Count  # words; longer examples are cut
    truncate: Literal["start", "end"]  # which end of them goes
    buckets: Annotated[Count, TRAINED]  # lengths that examples are padded to


class LabelledFile(Strict):
    """A text file with an example a line, all of one label."""

    label: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(min_length=1)]


class DocumentTask(ExampleTask):
    """Something to say of a whole text: a CSV with a column of texts and one of labels."""

    path: Annotated[
        Annotated[str, Field(min_length=1)] | Annotated[tuple[LabelledFile, ...], Field(strict=False, min_length=1)],
        TABLE,
    ]
    text: str  # column of the texts
    label: str  # column of what is said of them


class SentimentTask(DocumentTask):
    """Which of several classes a text belongs to."""

    kind: Literal["sentiment"]


class RatingTask(DocumentTask):
    """A number that goes with a text, between `low` and `high`."""

    kind: Literal["rating"]
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> "RatingTask":
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low:g} and {self.high:g}")
        return self


class TaggingTask(ExampleTask):
    """A tag for every word of a sentence."""

    noun: ClassVar[str] = "sentence"
    kind: Literal["tagging"]
    path: Annotated[str, Field(min_length=1), TABLE]
    format: Literal["conllu", "csv"]
    words: str  # csv: column of the words of a sentence, blanks between them
    tags: str  # csv: column of the tags; conllu: upos or xpos
    letters: Annotated[Count, TRAINED]  # of a word that the network sees; of longer words, the first and last ones
    letter_embedding: Annotated[Count, TRAINED]
    letter_filters: Annotated[Count, TRAINED]  # patterns of five letters that are looked for

    @property
    def idle(self) -> frozenset[str]:
        """The column of the words, which CoNLL-U has in a place of its own."""
        return frozenset({"words"}) if self.format == "conllu" else frozenset()
