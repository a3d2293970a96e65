"""Pictures. Arrays in, matplotlib figures out; no pyplot, so nothing is global and nothing opens."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lookback.report.axes import OWN_SCALE
from lookback.report.formatting import significant
from lookback.report.frames import dated, first_step

TRUTH = "#222222"
NUMBER = 0.22  # what a bar's number takes of the width of its picture
# Okabe & Ito's colours, told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
GREYS = TRUTH, "#808080"


def forecast(predictions: pd.DataFrame, title: str, unit: str) -> Figure:
    """One model's forecast over the truth of the test part.

    Args:
        predictions: columns split, time, step, truth, forecast, lower, upper; of several series, the first is drawn.
    """
    test = dated(first_step(predictions))
    figure, axes = _figure(title)
    axes.plot(test["time"], test["truth"], color=TRUTH, lw=1.4, label="truth")
    axes.plot(test["time"], test["forecast"], color=COLOURS[1], lw=1.2, label="forecast")
    if test["lower"].notna().any():
        axes.fill_between(
            test["time"], test["lower"], test["upper"], color=COLOURS[1], alpha=0.15, lw=0, label="interval"
        )
    axes.set_ylabel(unit)
    axes.legend(frameon=False)
    figure.autofmt_xdate()
    return figure


def future(past: pd.DataFrame, forecasts: pd.DataFrame, title: str, unit: str) -> Figure:
    """Forecasts that nothing can be compared with yet, behind the rows that they follow.

    Args:
        past: columns time, value; as many of the last rows as make four fifths of the picture are drawn.
        forecasts: columns time, forecast, lower, upper.
    """
    past, forecasts = dated(past.tail(max(4 * len(forecasts), 24))), dated(forecasts.sort_values("time"))
    figure, axes = _figure(title)
    axes.plot(past["time"], past["value"], color=TRUTH, lw=1.4, label="known")
    axes.plot(forecasts["time"], forecasts["forecast"], color=COLOURS[1], lw=1.2, marker=".", label="forecast")
    if forecasts["lower"].notna().any():
        low, high = forecasts["lower"], forecasts["upper"]
        if len(forecasts) > 1:
            axes.fill_between(forecasts["time"], low, high, color=COLOURS[1], alpha=0.15, lw=0, label="interval")
        else:
            axes.vlines(forecasts["time"], low, high, color=COLOURS[1], alpha=0.4, lw=2, label="interval")
    axes.set_ylabel(unit)
    axes.legend(frameon=False)
    figure.autofmt_xdate()
    return figure


def recursive(table: pd.DataFrame, title: str, unit: str) -> Figure:
    """One-step forecasts, which see the truth up to the row before, and recursive ones, which see their own answers.

    Args:
        table: columns time, truth, one_step, recursive.
    """
    table = dated(table)
    figure, axes = _figure(title)
    axes.plot(table["time"], table["truth"], color=TRUTH, lw=1.4, label="truth")
    axes.plot(table["time"], table["one_step"], color=COLOURS[1], lw=1.1, label="one step")
    axes.plot(table["time"], table["recursive"], color=COLOURS[0], lw=1.1, label="recursive")
    axes.set_ylabel(unit)
    axes.legend(frameon=False)
    return figure


def confusion(truth: pd.Series, guess: pd.Series, classes: tuple[str, ...], title: str) -> Figure:
    """How often each class was taken for each."""
    counts = pd.crosstab(truth, guess).reindex(index=classes, columns=classes, fill_value=0)
    figure, axes = _figure(title)
    shares = counts / np.maximum(counts.sum(axis=1), 1).to_numpy()[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    small = {"fontsize": 6} if len(classes) > 8 else {}
    if len(classes) > 8:
        figure.set_size_inches(9, 7)
    for (i, j), count in np.ndenumerate(counts.to_numpy()):
        colour = "white" if shares.to_numpy()[i, j] > 0.5 else TRUTH
        axes.text(j, i, count or "", ha="center", va="center", color=colour, **small)
    axes.set_xticks(range(len(classes)), classes, rotation=30)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("guess")
    axes.set_ylabel("truth")
    return figure


def ratings(truth: pd.Series, predicted: pd.Series, title: str, unit: str) -> Figure:
    """What was predicted for the texts of each rating: median, quartiles, and the 5th and 95th percentile."""
    values = np.sort(truth.unique())
    bins = values if len(values) <= 20 else np.linspace(values[0], values[-1], 11)
    near = pd.Series(bins[np.abs(truth.to_numpy()[:, None] - bins).argmin(1)], index=truth.index)
    figure, axes = _figure(title)
    width = 0.6 * np.diff(bins).min() if len(bins) > 1 else 0.6
    parts = [predicted[near == value].to_numpy() for value in bins]
    axes.boxplot(
        parts, positions=bins, widths=width, whis=(5, 95), showfliers=False, manage_ticks=False,
        medianprops={"color": COLOURS[1], "lw": 1.6},
    )  # fmt: skip
    axes.plot(bins, bins, color=TRUTH, lw=0.8, ls="--", label="as it should be")
    axes.set_xticks(bins)
    axes.set_xlabel(f"truth, {unit}")
    axes.set_ylabel(f"predicted, {unit}")
    axes.legend(frameon=False)
    return figure


def surprisal(nats: np.ndarray, title: str, level: str) -> Figure:
    """Nats of a language model along the test text, averaged over stretches: (n,).

    Args:
        level: what a token is: characters or words.
    """
    width = max(len(nats) // 150, 1)
    means = nats[: len(nats) // width * width].reshape(-1, width).mean(1)
    figure, axes = _figure(title)
    axes.plot(np.arange(len(means)) * width, means, color=COLOURS[0], lw=1.2)
    axes.axhline(nats.mean(), color=TRUTH, lw=0.8, ls="--", label=f"mean {nats.mean():.3f}")
    axes.set_xlabel(f"{level} of the test text")
    axes.set_ylabel(f"nats, mean of {width} {level}")
    axes.legend(frameon=False)
    return figure


def forecasts(shown: dict[str, pd.DataFrame], bars: pd.DataFrame, title: str, unit: str, metric: str) -> Figure:
    """Truth and some forecasts over the test part; beside them the score of every model.

    Args:
        shown: model -> predictions (columns split, time, step, truth, forecast).
        bars: columns model, mean, sd, scores (of each seed), network; best first.
    """
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    line, bar = figure.subplots(1, 2, width_ratios=[2.4, 1])
    for i, (name, predictions) in enumerate(shown.items()):
        test = dated(first_step(predictions))
        if i == 0:
            line.plot(test["time"], test["truth"], color=TRUTH, lw=1.6, label="truth")
        # The first is the reference: there, but in the background.
        style = {"color": "#aaaaaa", "lw": 1.0, "zorder": 1} if i == 0 else {"color": COLOURS[i], "lw": 1.2}
        line.plot(test["time"], test["forecast"], label=name, **style)
    line.set_ylabel(unit)
    line.set_title(f"{title}: the test part", loc="left")
    line.legend(frameon=False, ncols=2)
    line.tick_params(axis="x", rotation=30)
    _bars(bar, bars, f"test {metric.upper()}, dots: seeds\n{unit}")
    return _clean(figure)


def learning(
    curves: dict[str, list[float]], levels: dict[str, float], bars: pd.DataFrame, title: str, unit: str, loss: str
) -> Figure:
    """Val loss of each network epoch by epoch, the baselines as level lines; beside them every score.

    Args:
        loss: the unit that all curves and levels share; "" where each network has a scale, and so a panel, of its own.
    """
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=[2.4, 1])
    left, right = halves
    if loss:
        _one_panel(left.subplots(), curves, levels, f"val loss, {loss}").set_title(f"{title}: learning", loc="left")
    elif curves:
        _panels(left, curves)
        left.suptitle(f"{title}: val {OWN_SCALE}", x=0.01, ha="left", fontsize=10)
    _bars(right.subplots(), bars, f"test\n{unit}")
    return _clean(figure)


def _one_panel(axes: Any, curves: dict[str, list[float]], levels: dict[str, float], label: str) -> Any:
    for i, (name, losses) in enumerate(curves.items()):
        colour, dashes = COLOURS[i % len(COLOURS)], _dashes(i // len(COLOURS) - 1)
        axes.plot(range(1, len(losses) + 1), losses, color=colour, ls=dashes, lw=1.6, marker=".", label=name)
    for i, (name, level) in enumerate(levels.items()):
        axes.axhline(level, color=GREYS[i % len(GREYS)], lw=1.1, ls=_dashes(i), label=name)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if curves or levels:
        # Below the picture: on it, it would cover a line.
        axes.figure.legend(loc="outside lower left", frameon=False, ncols=4, handlelength=4)
    return axes


def _dashes(place: int) -> Any:
    """A dash and so many dots between it and the next: no two lines are alike, however many; below 0 unbroken."""
    return (0, (5, 2) + (1, 2) * place) if place >= 0 else "-"


def _panels(figure: Any, curves: dict[str, list[float]]) -> None:
    across = min(len(curves), 3)
    grid = figure.subplots(-(-len(curves) // across), across, squeeze=False).ravel()
    for axes, (name, losses) in zip(grid, curves.items(), strict=False):
        axes.plot(range(1, len(losses) + 1), losses, color=COLOURS[0], lw=1.4, marker=".")
        axes.set_title(name, loc="left", fontsize=9)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.supxlabel("epoch", fontsize=10)
    for axes in grid[len(curves) :]:
        axes.set_visible(False)


def _bars(axes: Any, bars: pd.DataFrame, label: str) -> None:
    places = np.arange(len(bars))[::-1]
    colours = [COLOURS[0] if network else "#b8b8b8" for network in bars["network"]]
    axes.barh(places, bars["mean"], color=colours, height=0.65)
    for place, scores in zip(places, bars["scores"], strict=True):
        axes.plot(scores, [place] * len(scores), "o", color=TRUTH, ms=3)
    width = axes.get_xlim()[1]
    for place, mean, scores, network in zip(places, bars["mean"], bars["scores"], bars["network"], strict=True):
        inside = mean > NUMBER * width
        at, colour = (0.02, "white" if network else TRUTH) if inside else (max(scores) / width + 0.03, TRUTH)
        label_at = {"va": "center", "fontsize": 8, "transform": axes.get_yaxis_transform()}
        axes.text(at, place, significant(mean), color=colour, **label_at)
    axes.set_yticks(places, bars["model"])
    axes.set_title(label, loc="left", fontsize=10)


def _figure(title: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    return _clean(figure), axes


def _clean(figure: Figure) -> Figure:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure
