"""What these commands are given: types and ranges; the defaults are in conf/."""

from typing import Annotated, Literal

from pydantic import Field

from lookback.settings import Count, Strict


class Relocate(Strict):
    """Whether the store is changed, and whether it also is where the files of some are missing."""

    uri: str | None
    yes: bool
    anyway: bool


class Prune(Strict):
    """Which runs go. A run goes where one of the reasons holds for it and nothing keeps it."""

    uri: str | None
    tasks: Annotated[tuple[str, ...], Field(strict=False)] | None
    failed: bool
    killed: bool
    older_than: Annotated[float, Field(ge=0)] | None  # days
    keep: Annotated[int, Field(ge=0)]  # finished runs of each task
    last_sweep: bool
    yes: bool


class Doctor(Strict):
    """On what the probe computes, how long, and how much room there must be on the disk."""

    uri: str | None
    device: Literal["auto", "cpu", "gpu"]
    threads: Annotated[int, Field(ge=1, le=1024)]
    gigabytes: Annotated[float, Field(ge=0)]
    epochs: Count
