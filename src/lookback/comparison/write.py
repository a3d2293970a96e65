"""A comparison as it is printed, and as the files of reports/<sweep>/."""

import contextlib
import os
import shutil
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lookback.comparison import drawn, gather
from lookback.comparison.gather import Comparison
from lookback.errors import DataError
from lookback.report import page, table, text, verdict
from lookback.report.table import TaskFacts
from lookback.report.text import Column
from lookback.tracking import comparison_runs, registry, store, sweep_runs
from lookback.wording import count

SKILL = "skill = 1 - loss / loss of the reference"
WIDTH = 200  # of the tables where there is no terminal, and COLUMNS says nothing


def compare(opened: store.Store, sweep: sweep_runs.Sweep, root: Path) -> dict[str, Comparison]:
    """Print the comparison of a sweep, and write it to reports/<sweep>/.

    Returns:
        task -> its comparison.

    Raises:
        DataError: another version of Lookback made the sweep.
    """
    rows = sweep_runs.rows(opened, sweep)
    missing = len(sweep.trials) - len(rows)
    if rows.empty:
        print("nothing to compare: no trial of this sweep is finished, smoke runs aside")
        return {}
    gathered = _gathered(opened, sweep, rows)
    folder = root / "reports" / sweep.name
    where = f"{folder.relative_to(root)}/"
    width = shutil.get_terminal_size((WIDTH, 0)).columns
    print(rendered(gathered, missing, width, where))
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, sweep, gathered, missing)
    _page(opened, folder, sweep, gathered, missing, root)
    for found in gathered.values():
        _draw(opened, folder, found)
        _publish(opened, folder, sweep, found)
    _point(folder.with_name("latest"), folder)
    written = ["index.html", "comparison.md", "comparison.csv", *(f"{name}.png" for name in gathered)]
    print("\n" + _folded(f"written: {', '.join(written)} in {where}", width))
    return gathered


def of_task(opened: store.Store, sweep: sweep_runs.Sweep, task: str) -> Comparison | None:
    """The comparison of one task of a sweep; None where no trial of it is finished.

    Raises:
        DataError: another version of Lookback made the sweep.
    """
    rows = sweep_runs.rows(opened, sweep)
    return None if rows.empty else _gathered(opened, sweep, rows[rows["task"] == task]).get(task)


def _gathered(opened: store.Store, sweep: sweep_runs.Sweep, rows: pd.DataFrame) -> dict[str, Comparison]:
    rows = rows.assign(model=rows["model"].map(table.shortened(rows["model"])))
    return {
        name: gather.gather(opened, rows[rows["task"] == name], _facts(sweep, known))
        for name, known in sweep.tasks.items()
        if (rows["task"] == name).any()
    }


def _facts(sweep: sweep_runs.Sweep, known: dict[str, Any]) -> TaskFacts:
    try:
        return TaskFacts.read(known)
    except TypeError:
        raise DataError("SWEEP-OLD", f"sweep {sweep.name}: of another version of Lookback; run it anew") from None


def _point(link: Path, folder: Path) -> None:
    """Let a link name a folder beside it; whoever reads it meanwhile finds the old one or the new one."""
    fresh = link.with_name(f".{link.name}-{os.getpid()}")
    with contextlib.suppress(OSError):  # a disk without links: the folder itself is there
        fresh.symlink_to(folder.name)
        fresh.replace(link)


def rendered(gathered: dict[str, Comparison], missing: int, width: int, where: str) -> str:
    """What is printed of a comparison: who wins, then a table and a verdict per task; no table is wider than `width`.

    Args:
        where: the folder of the report, for what finds no room.
    """
    parts = [verdict.headline({name: found.decision.answer for name, found in gathered.items()}, width)]
    for name, found in gathered.items():
        title = [f"{name}: {found.decision.answer}", f"test part, {found.facts.unit}"]
        parts.append(_table(text.filled(title, width, " · "), table.columns(found.table, found.facts), width, where))
        if (series := drawn.series_table(found)) is not None:
            parts.append(_table(f"{table.primary_label(found.facts)} by series", series, width, where))
        sentences = (*found.facts.protocol, *found.facts.notes, drawn.interval_note(found), found.verdict)
        parts.append("\n".join(_folded(sentence, width) for sentence in sentences if sentence))
    if len(gathered) > 1:
        parts.append(_table(SKILL, table.skills(_matrix(gathered)), width, where))
    if missing:
        parts.append(_folded(f"{_unfinished(missing)}; the same command goes on with what is missing", width))
    return "\n\n".join(parts)


def _table(title: str, columns: Sequence[Column], width: int, where: str) -> str:
    drawn, left_out = text.fitted(columns, width)
    rest = _folded(f"left out at this width: {', '.join(left_out)}; all are in {where}", width)
    return "\n\n".join([title, drawn, *([rest] if left_out else [])])


def _folded(sentence: str, width: int) -> str:
    return textwrap.fill(sentence, width, break_long_words=False, break_on_hyphens=False)


def _unfinished(missing: int) -> str:
    return f"{count(missing, 'trial')} of the sweep {'is' if missing == 1 else 'are'} not finished"


def _matrix(gathered: dict[str, Comparison]) -> pd.DataFrame:
    return table.matrix({name: found.table for name, found in gathered.items()})


def _write(folder: Path, sweep: sweep_runs.Sweep, gathered: dict[str, Comparison], missing: int) -> None:
    parts = [f"# Comparison\n\nSweep {sweep.name}." + (f" {_unfinished(missing)}." if missing else "")]
    answers = " · ".join(f"{name} **{found.decision.answer}**" for name, found in gathered.items())
    parts.append(f"{verdict.QUESTION} {answers}")
    parts += [part for found in gathered.values() for part in _section(found)]
    parts.append("## Skill, models x tasks\n\n" + text.markdown(table.skills(_matrix(gathered))))
    (folder / "comparison.md").write_text("\n\n".join(parts) + "\n")
    everything = pd.concat([found.table.assign(task=name) for name, found in gathered.items()])
    everything.drop(columns="scores").to_csv(folder / "comparison.csv", index=False)


def _section(found: Comparison) -> list[str]:
    """A task's part of comparison.md."""
    facts = found.facts
    parts = [
        f"## {facts.name}",
        f"**{verdict.QUESTION} {found.decision.answer}.** {found.verdict}",
        " ".join(facts.protocol),
        text.markdown(table.columns(found.table, facts)),
        f"Scores on the test part in {facts.unit}; ± is half the {gather.CONFIDENCE:.0%} interval of the mean over "
        f"seeds. Skill = 1 - {facts.primary} / {facts.primary} of {facts.reference}. Δ: mean difference of the losses "
        f"against the best baseline with its {gather.CONFIDENCE:.0%} bootstrap interval; p: Diebold-Mariano, "
        "adjusted for all comparisons (Holm); ▼ lower, ▲ higher, = cannot be told apart. CPU s: processor time of "
        f"fitting, all threads together. Cover: share of targets inside the {facts.level:.0%} intervals. "
        f"{drawn.interval_note(found)}".strip(),
        f"![{facts.name}]({facts.name}.png)",
    ]
    if (series := drawn.series_table(found)) is not None:
        parts.append(f"{table.primary_label(facts)} by series:\n\n{text.markdown(series)}")
    return parts


def _page(
    opened: store.Store,
    folder: Path,
    sweep: sweep_runs.Sweep,
    gathered: dict[str, Comparison],
    missing: int,
    root: Path,
) -> None:
    """The report as one file, in the folder and with the sweep's run."""
    report = page.Page(
        title=verdict.QUESTION,
        sweep=sweep.name,
        date=f"{datetime.now():%Y-%m-%d %H:%M}",
        commit=registry.commit(root)[:12],
        tasks=tuple(drawn.report(opened, found) for found in gathered.values()),
        matrix=_matrix(gathered),
        missing=missing,
    )
    (folder / "index.html").write_text(page.render(report), encoding="utf-8")
    sweep_runs.attach(opened, sweep, folder / "index.html")


def _publish(opened: store.Store, folder: Path, sweep: sweep_runs.Sweep, found: Comparison) -> None:
    """The comparison as a run of its task's experiment."""
    name, fine = found.facts.name, found.runs[~found.runs["diverged"]]
    best = fine[fine["model"] == found.best].sort_values(f"val/{found.facts.primary}")["run_id"]
    comparison_runs.publish(
        opened,
        name,
        sweep.name,
        found.table.drop(columns="scores"),
        f"{found.decision.answer}. {found.verdict}",
        found.runs["run_id"],
        best.iloc[0] if len(best) else "",
        [folder / "index.html", folder / f"{name}.png"],
    )


def _draw(opened: store.Store, folder: Path, found: Comparison) -> None:
    """The reference, the best baseline and the network that val chose; for text, the learning curves."""
    from lookback.report import plots

    facts = found.facts
    scored = found.table.dropna(subset=[facts.primary]).assign(mean=lambda line: line[facts.primary])
    networks, baselines = scored[scored["network"]], scored[~scored["network"]]
    if facts.forecasts:
        shown = {name: found.predictions[name][0] for name in found.shown}
        figure = plots.forecasts(shown, scored, facts.name, facts.unit, facts.primary)
    else:
        first = found.runs[~found.runs["diverged"]].drop_duplicates("model").set_index("model")["run_id"]
        curves = {n: sweep_runs.losses(opened, first[n])["val_loss"].tolist() for n in networks["model"]}
        # Elsewhere networks minimise another loss than the one that decides: a baseline's score is no level of it.
        nats = facts.primary == "nats"
        levels = dict(zip(baselines["model"], baselines["val"], strict=True)) if nats else {}
        scores = facts.unit if nats else f"{table.primary_label(facts)}, {facts.unit}"
        figure = plots.learning(curves, levels, scored, facts.name, scores, facts.loss_unit)
    figure.savefig(folder / f"{facts.name}.png", dpi=110)
