"""What the commands on trained runs are given: types and ranges; the defaults are in conf/."""

from typing import Annotated, Literal

from pydantic import Field

from lookback.settings import Count, Strict
from lookback.settings.base import Names

Words = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Stored(Strict):
    """Which run.

    `run` is the id of a run, or "best": of the finished runs of `task` the one that is best on val. Where a registered
    model will do, `TASK@ALIAS` names it.
    """

    run: Words
    task: Words
    uri: str | None


class Arguments(Stored):
    """Which run, and on what it computes."""

    device: Literal["auto", "cpu", "gpu"]
    threads: Annotated[int, Field(ge=1, le=1024)]


class Generate(Arguments):
    """What to write."""

    prompt: str
    length: Annotated[int, Field(ge=1, le=1_000_000)]  # tokens, at most
    samples: Annotated[int, Field(ge=1, le=1024)]
    seed: Seed
    temperature: Annotated[float, Field(ge=0, le=100)]
    top_k: Annotated[int, Field(ge=0)]
    top_p: Annotated[float, Field(gt=0, le=1)]
    until: Literal["none", "sentence"]


class Score(Arguments):
    """What to score."""

    texts: Words
    column: str | None
    endings: bool
    seed: Seed


class Predict(Arguments):
    """What to answer, and where the answers go."""

    data: str | None
    out: str | None
    rolling: bool
    final: bool
    picture: str | None


class Promote(Arguments):
    """Which model is used from now on."""

    final: bool
    anyway: bool


class Serve(Arguments):
    """Which model answers, and where.

    Attributes:
        bundle: the folder `bundle` that `export` wrote, to serve without a store; None: the model of `run`.
        names: host names, with the port, that it answers to besides those of this machine; behind a proxy or in a
            container they are the ones that clients use.
        megabytes: that a request may have.
    """

    final: bool
    bundle: str | None
    host: Words
    port: Annotated[int, Field(ge=1, le=65535)]
    workers: Annotated[int, Field(ge=1, le=64)]
    names: Names
    megabytes: Annotated[float, Field(gt=0, le=1000)]


class Explain(Arguments):
    """What to look into."""

    text: str
    layer: Count | None
    unit: Annotated[int, Field(ge=0)] | None


class Export(Arguments):
    """Which model is written, where, and whether as ONNX too."""

    out: str | None
    final: bool
    onnx: bool


class Retrain(Arguments):
    """Which recipe, on which longer file, and how much of what is new decides.

    Attributes:
        held: share of the new rows that the new model does not see before it is compared.
        forecasts: that both are compared on, at least.
    """

    data: str | None
    held: Annotated[float, Field(gt=0, le=1)]
    forecasts: Count
