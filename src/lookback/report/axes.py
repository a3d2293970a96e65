"""Axes of the page's charts: a range of values, and ticks at round numbers or dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lookback.report.formatting import unsigned_zero

OWN_SCALE = "losses on each network's own scaled target: compare shapes, not heights"
LETTER = 7.4  # px, about the mean width of a letter in the charts, in a wide font


def number(value: float, decimals: int = 0) -> str:
    """With a true minus, thousands apart; a dash for what is missing."""
    if not np.isfinite(value):
        return "–" if np.isnan(value) else "∞"
    return unsigned_zero(f"{value:,.{decimals}f}").replace("-", "−")


def short(text: object, letters: int = 18) -> str:
    """A label that fits: both ends, for the numbers that tell two variants apart stand last. Tables hold the whole."""
    text, end = str(text), letters // 2
    return text if len(text) <= letters else f"{text[: letters - end - 1]}…{text[-end:]}"


def readable(numbers: Any, low: float, high: float) -> list[str]:
    """Numbers of an axis as text, so long that a thousandth of its range can be read."""
    spread = high - low
    decimals = int(np.clip(3 - np.floor(np.log10(spread)), 0, 8)) if np.isfinite(spread) and spread > 0 else 3
    return [number(float(value), decimals) for value in np.asarray(numbers, float)]


def moments(times: pd.Series) -> list[str]:
    """Dates as short as all of them allow, or whole numbers, as text."""
    if pd.api.types.is_numeric_dtype(times):
        return [f"{value:.12g}" for value in times]
    dates = pd.to_datetime(times).dt
    midnight = bool((dates.hour == 0).all() and (dates.minute == 0).all())
    form = "%Y-%m-%d %H:%M" if not midnight else "%Y-%m" if bool((dates.day == 1).all()) else "%Y-%m-%d"
    return list(dates.strftime(form))


@dataclass(frozen=True)
class Axis:
    """A range of values and where its ticks are."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def share(self, values: Any) -> np.ndarray:
        """Place along the axis: 0 at its beginning, 1 at its end."""
        values = np.asarray(values, float)
        if self.log:
            return np.log(values / self.low) / np.log(self.high / self.low)
        return (values - self.low) / (self.high - self.low)

    def outside(self, value: float) -> int:
        """-1 below the axis, 1 above, 0 on it."""
        return int(value > self.high) - int(value < self.low)


def linear(values: Any, count: int = 5, pad: float = 0.05) -> Axis:
    """From the least to the greatest value and a little more, `pad` of the range; ticks at round numbers."""
    from matplotlib.ticker import MaxNLocator

    low, high = _range(values)
    pad *= high - low
    ticks = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    decimals = _decimals(float(ticks[1] - ticks[0]))
    inside = [float(tick) for tick in ticks if low - pad <= tick <= high + pad]
    return Axis(low - pad, high + pad, tuple((tick, number(tick, decimals)) for tick in inside))


def logarithmic(values: Any) -> Axis:
    """Ticks at powers of ten, and at twice and five times these where the range is short."""
    low, high = (float(np.log10(v)) for v in _range(values))
    pad = max(0.06 * (high - low), 0.1)
    first, last = 10 ** (low - pad), 10 ** (high + pad)
    powers = range(int(np.floor(low - pad)), int(np.ceil(high + pad)) + 1)
    factors = (1,) if high - low > 1.5 else (1, 2, 5)
    ticks = tuple((f * 10.0**p, number(f * 10.0**p, max(-p, 0))) for p in powers for f in factors)
    return Axis(first, last, tuple(tick for tick in ticks if first <= tick[0] <= last), log=True)


def time(values: pd.Series) -> tuple[Axis, np.ndarray]:
    """An axis of dates or of whole numbers, and the values as numbers on it."""
    if pd.api.types.is_numeric_dtype(values):
        return linear(values, 5, 0.006), values.to_numpy(float)
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num, num2date

    numbers = date2num(pd.to_datetime(values).to_numpy())
    low, high = _range(numbers)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    ticks = [t for t in locator.tick_values(num2date(low), num2date(high)) if low <= t <= high]
    labels = ConciseDateFormatter(locator).format_ticks(ticks)
    pad = 0.006 * (high - low)
    return Axis(low - pad, high + pad, tuple(zip(ticks, labels, strict=True))), numbers


def steps(labels: Sequence[object]) -> Axis:
    """Categories or steps at 0, 1, 2 ...; where they are many, only some are labelled."""
    names = [short(f"{v:g}" if isinstance(v, int | float | np.number) else v, 8) for v in labels]
    width = max(map(len, names)) * LETTER + 8
    stride = int(np.ceil(len(names) * width / 380))
    ticks = tuple((float(i), name) for i, name in enumerate(names) if i % stride == 0)
    return Axis(-0.3, len(names) - 0.7, ticks)


def within(core: Sequence[float], everything: pd.Series) -> Axis:
    """An axis with `core` on it, and of everything what is no further off than three times the range of that."""
    low, high = (min(core), max(core)) if max(core) > min(core) else (everything.min(), everything.max())
    room = 3 * (high - low)
    near = everything[(everything >= low - room) & (everything <= high + room)]
    return linear([*core, *near])


def _range(values: Any) -> tuple[float, float]:
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1))


def _decimals(step: float) -> int:
    return next((d for d in range(9) if abs(step * 10**d - round(step * 10**d)) < 1e-6 * step * 10**d), 9)
