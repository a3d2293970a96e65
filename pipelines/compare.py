"""Compare the contestants of a sweep: python pipelines/compare.py [sweep=NAME] [tracking.uri=URI].

Prints a table and a verdict per task, and writes reports/index.html, comparison.md, .csv and a
picture per task.
"""

from datetime import datetime
from pathlib import Path

import cli
import evidence
import hydra
import pandas as pd
from cli import ROOT
from evidence import Evidence
from omegaconf import DictConfig
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lookback.report import page, table
from lookback.report.table import TaskFacts
from lookback.tracking import ledger, store, sweeps

REPORTS = ROOT / "reports"
SKILL = "skill = 1 - loss / loss of the yardstick"


@hydra.main(version_base="1.3", config_path="../conf", config_name="compare")
def main(composed: DictConfig) -> None:
    """Compare the last sweep, or the one that is named."""
    opened = store.open_store(composed.tracking.uri, ROOT)
    compare(opened, sweeps.find(opened, composed.sweep))


def compare(opened: store.Store, sweep: sweeps.Sweep) -> None:
    """Print and write the comparison of a sweep."""
    rows = sweeps.rows(opened, sweep)
    missing = len(sweep.trials) - len(rows)
    if rows.empty:
        print("nothing to compare: no trial of this sweep is finished, smoke runs aside")
        return
    gathered = {}
    for name, known in sweep.tasks.items():
        if (rows["task"] == name).any():
            facts = TaskFacts.read(known)
            gathered[name] = evidence.gather(opened, rows[rows["task"] == name], facts)
    _print(gathered, missing)
    REPORTS.mkdir(exist_ok=True)
    _write(REPORTS, sweep, gathered, missing)
    _page(opened, sweep, gathered, missing)
    for found in gathered.values():
        _draw(opened, found)
    written = ["index.html", "comparison.md", "comparison.csv", *(f"{name}.png" for name in gathered)]
    print(f"\nwritten: {', '.join(written)} in {REPORTS.relative_to(ROOT)}/")


def _print(gathered: dict[str, Evidence], missing: int) -> None:
    console = Console(width=None if Console().is_terminal else 230, highlight=False)
    for name, found in gathered.items():
        head, cells = table.columns(found.table, found.facts)
        shown = Table(*head, box=SIMPLE_HEAD, title_justify="left", title=f"{name}: test part, {found.facts.unit}")
        for column in shown.columns:
            column.no_wrap, column.justify = True, "right" if column.header != "contestant" else "left"
        for line in cells:
            shown.add_row(*line)
        console.print(shown)
        if (series := evidence.series_table(found)) is not None:
            _print_series(console, found, *series)
        for sentence in (*found.facts.protocol, *found.facts.notes, evidence.interval_note(found), found.verdict):
            if sentence:
                console.print(sentence, soft_wrap=True)
        console.print()
    if len(gathered) > 1:
        matrix = _matrix(gathered)
        shown = Table("", *matrix.columns, box=SIMPLE_HEAD, title=SKILL, title_justify="left")
        for contestant, line in matrix.iterrows():
            shown.add_row(str(contestant), *[f"{v:.3f}" if v == v else "" for v in line])
        console.print(shown)
    if missing:
        console.print(f"{missing} trials of the sweep are not finished; the same command finishes them")


def _print_series(console: Console, found: Evidence, head: list[str], cells: list[list[str]]) -> None:
    shown = Table(*head, box=SIMPLE_HEAD, title=f"{table.primary_label(found.facts)} by series", title_justify="left")
    for line in cells:
        shown.add_row(*line)
    console.print(shown)


def _matrix(gathered: dict[str, Evidence]) -> pd.DataFrame:
    return table.matrix({name: found.table for name, found in gathered.items()})


def _write(folder: Path, sweep: sweeps.Sweep, gathered: dict[str, Evidence], missing: int) -> None:
    parts = [f"# Comparison\n\nSweep {sweep.name}." + (f" {missing} trials are not finished." if missing else "")]
    for name, found in gathered.items():
        facts = found.facts
        parts.append(
            f"## {name}\n\n{found.verdict}\n\n{' '.join(facts.protocol)}\n\n"
            f"{table.markdown(*table.columns(found.table, facts))}\n\n"
            f"Scores on the test part in {facts.unit}; ± is half the {evidence.CONFIDENCE:.0%} interval of the "
            "mean over seeds. "
            f"Skill = 1 - {facts.primary} / {facts.primary} of {facts.yardstick}. Δ: mean difference of the losses "
            f"against the best floor, with its {evidence.CONFIDENCE:.0%} bootstrap interval; p: Diebold-Mariano, "
            f"adjusted for all comparisons (Holm); ▼ lower, ▲ higher, = cannot be told apart. Cover: share of targets "
            f"inside the {facts.level:.0%} intervals. {evidence.interval_note(found)}\n\n![{name}]({name}.png)"
        )
        if (series := evidence.series_table(found)) is not None:
            parts.append(f"{table.primary_label(facts)} by series:\n\n{table.markdown(*series)}")
    matrix = _matrix(gathered)
    cells = [[str(c), *[f"{v:.3f}" if v == v else "" for v in line]] for c, line in matrix.iterrows()]
    parts.append("## Skill, contestants x tasks\n\n" + table.markdown(["", *matrix.columns], cells))
    (folder / "comparison.md").write_text("\n\n".join(parts) + "\n")
    everything = pd.concat([found.table.assign(task=name) for name, found in gathered.items()])
    everything.drop(columns="scores").to_csv(folder / "comparison.csv", index=False)


def _page(opened: store.Store, sweep: sweeps.Sweep, gathered: dict[str, Evidence], missing: int) -> None:
    """The report as one file, in reports/ and with the sweep's run."""
    told = page.Page(
        title="Does the recurrent network earn its keep?",
        sweep=sweep.name,
        date=f"{datetime.now():%Y-%m-%d %H:%M}",
        commit=ledger.commit(ROOT)[:12],
        tasks=tuple(evidence.report(opened, found) for found in gathered.values()),
        matrix=_matrix(gathered),
        missing=missing,
    )
    (REPORTS / "index.html").write_text(page.render(told), encoding="utf-8")
    sweeps.attach(opened, sweep, REPORTS / "index.html")


def _draw(opened: store.Store, found: Evidence) -> None:
    """The yardstick, the best floor and the network that val chose; for text, the learning curves."""
    from lookback.report import plots

    facts = found.facts
    scored = found.table.dropna(subset=[facts.primary]).assign(mean=lambda line: line[facts.primary])
    networks, floors = scored[scored["network"]], scored[~scored["network"]]
    if facts.kind == "forecast":
        shown = {name: found.predictions[name][0] for name in found.shown}
        figure = plots.forecasts(shown, scored, facts.name, facts.unit, facts.primary)
    else:
        first = found.runs[~found.runs["diverged"]].drop_duplicates("model").set_index("model")["run_id"]
        curves = {n: sweeps.losses(opened, first[n])["val_loss"].tolist() for n in networks["contestant"]}
        # Elsewhere networks minimise another loss than the one that decides: a floor's score is no level of it.
        language = facts.kind == "language"
        levels = dict(zip(floors["contestant"], floors["val"], strict=True)) if language else {}
        loss = f"val, {facts.unit}" if language else "val loss, as the networks minimise it"
        figure = plots.learning(curves, levels, scored, facts.name, facts.unit, loss)
    figure.savefig(REPORTS / f"{facts.name}.png", dpi=110)


if __name__ == "__main__":
    cli.run(main)
