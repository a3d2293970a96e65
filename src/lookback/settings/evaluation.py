"""From how many origins a task is measured, and how sure forecasts are."""

from typing import Annotated, Literal

from pydantic import Field

from lookback.settings.base import FORECASTS, WARM, Count, Fraction, Strict


class Intervals(Strict):
    """Split-conformal prediction intervals."""

    level: Fraction  # share of targets that they shall cover
    gamma: Annotated[float, Field(ge=0, lt=1)]  # 0: split conformal; above: the step of the adaptive method


class Holdout(Strict):
    """One origin: the first row of test."""

    name: Literal["holdout"]
    intervals: Annotated[Intervals, FORECASTS]


class Backtest(Strict):
    """Rolling origins up to the end of the series. Choices are made once, before the first."""

    name: Literal["backtest"]
    intervals: Annotated[Intervals, FORECASTS]
    origins: Annotated[int, Field(ge=2)]
    step: Count  # rows from one origin to the next; the windows between are forecast from the earlier one
    gap: Annotated[int, Field(ge=0)]  # rows before an origin that nothing is fitted, chosen or calibrated on
    refit: bool  # fit anew at every origin, or once before the first
    warm_start: Annotated[bool, WARM]  # networks go on from the weights of the origin before; else from fresh ones


Evaluation = Annotated[Holdout | Backtest, Field(discriminator="name")]
