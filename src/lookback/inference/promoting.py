"""Which trained model is used from now on, by the rule of the comparison, and its model card."""

from dataclasses import dataclass
from pathlib import Path

from lookback import comparison
from lookback.comparison.gather import Comparison
from lookback.configuration.settings import Settings
from lookback.errors import ConfigError, DataError, MissingFile
from lookback.experiment import use
from lookback.experiment.bundle import Origin
from lookback.inference import loading, predicting
from lookback.inference.arguments import Promote
from lookback.tracking import registered, runs, store, sweep_runs
from lookback.tracking.runs import Found
from lookback.tracking.store import Store

YES = "YES"  # of the comparison: the network that val chose beats the best baseline


@dataclass(frozen=True)
class Choice:
    """A run, and why it is the one.

    Attributes:
        verdict: of the comparison that it was chosen in; "" where there is none.
    """

    run: Found
    reason: str
    verdict: str


def promote(wanted: Promote, root: Path) -> None:
    """Register a model as the champion of its task.

    Raises:
        ConfigError: it is a network that was not shown to beat the best baseline, and nobody said anyway.
        LookbackError: there is no such run, or it cannot be read.
    """
    opened = store.open_store(wanted.uri, root)
    choice = chosen(opened, wanted)
    settings = runs.settings(opened, choice.run)
    logged = predicting.of_run(opened, choice.run, settings, wanted, wanted.final, root)
    model = loading.logged(opened, logged, f"run {choice.run.id}", wanted.device, wanted.threads)
    text = card(settings, model.origin, choice)
    version, before = registered.promote(opened, settings.task.name, logged, choice.run.id, text)
    opened.client.log_text(choice.run.id, text, "model_card.md")
    print(f"{choice.run.name}: {choice.reason}")
    after = f"; version {before} is kept as {registered.PREVIOUS}" if before else ""
    print(f"{settings.task.name}@{registered.CHAMPION}: version {version}, fitted on {model.origin.parts}{after}")


def demote(wanted: Promote, root: Path) -> None:
    """Let the previous champion of a task be the champion again.

    Raises:
        MissingFile: there was none before.
    """
    now, was = registered.demote(store.open_store(wanted.uri, root), wanted.task)
    print(f"{wanted.task}@{registered.CHAMPION}: version {now} again, and no longer {was}")


def chosen(opened: Store, wanted: Promote) -> Choice:
    """The run that is wanted.

    Where none is named, the last sweep of the task decides: the network that val chose, where it beats the best
    baseline; else the baseline with the lowest loss on val and test together. Test alone never picks a model.

    Raises:
        ConfigError, MissingFile: see `promote`.
    """
    named = None if wanted.run == runs.BEST else runs.find(opened, wanted.run)
    found = compared(opened, named.task if named else wanted.task)
    if named is None:
        if found is None:
            raise MissingFile(
                "SWEEP-MISSING",
                f"task: no sweep of {wanted.task} in {opened.shown} says which model is best; run "
                f"pipelines/train.py -m task={wanted.task}",
            )
        return _best(opened, found)
    verdict = found.verdict if found else ""
    if not named.network:
        return Choice(named, "named by hand", verdict)
    shown = found is not None and found.decision.answer == YES and named.id in _runs(found, found.decision.network)
    if not (shown or wanted.anyway):
        why = f"{found.decision.answer}. {found.verdict}" if found else "no sweep compares it with any baseline"
        raise ConfigError(
            "MODEL-BASELINE", f"run: {named.name} was not shown to beat the best baseline ({why}); set anyway=true"
        )
    return Choice(named, "it beats the best baseline" if shown else "named by hand", verdict)


def compared(opened: Store, task: str) -> Comparison | None:
    """The comparison of a task in the last sweep that came to its end; None where that has none of it."""
    try:
        sweep = sweep_runs.find(opened, None)
    except MissingFile:
        return None
    return comparison.of_task(opened, sweep, task)


def _best(opened: Store, found: Comparison) -> Choice:
    decision = found.decision
    if decision.answer == YES:
        run = _first(opened, found, decision.network)
        return Choice(run, "the network that val chose beats the best baseline", found.verdict)
    baselines = found.table.loc[~found.table["network"], "model"]
    losses = {name: tables[0]["loss"].mean() for name, tables in found.predictions.items() if name in set(baselines)}
    if not losses:
        raise ConfigError(
            "MODEL-BASELINE", f"task: {found.facts.name} has no baseline that was scored, and {found.verdict}"
        )
    name = min(losses, key=losses.__getitem__)
    why = "no network was shown to beat the best baseline" if found.table["network"].any() else "no network was trained"
    return Choice(
        _first(opened, found, name), f"the baseline with the lowest loss on val and test together; {why}", found.verdict
    )


def _runs(found: Comparison, model: str | None) -> list[str]:
    """The runs of a model that did not diverge, the lowest loss on val first."""
    own = found.runs[(found.runs["model"] == model) & ~found.runs["diverged"]]
    return list(own.sort_values(f"val/{found.facts.primary}")["run_id"])


def _first(opened: Store, found: Comparison, model: str | None) -> Found:
    ids = _runs(found, model)
    if not ids:
        raise DataError("RUN-MISSING", f"task: no run of {model} on {found.facts.name} came to its end")
    return runs.find(opened, ids[0])


def card(settings: Settings, origin: Origin, choice: Choice) -> str:
    """What people should know before they use a model, in Markdown."""
    task = settings.task
    scores = "\n".join(f"| {name} | {value:.4g} |" for name, value in origin.scores.items())
    limits = [
        "The scores are those of the model that had not seen test; this one was fitted once more on every row, and "
        "nothing is left to score it on."
        if origin.parts == use.EVERY
        else f"It was fitted on {origin.parts}: it knows nothing of the rows after.",
        "Its intervals rest on past errors: they are too narrow where the future is less like the past than val was.",
    ]
    reason = f"{choice.reason[0].upper()}{choice.reason[1:]}."
    parts = [
        f"# {origin.name}",
        f"Task `{task.name}`, unit {task.unit}. Fitted on {origin.parts}, {origin.rows:,} samples.",
        f"Why this one: {reason}",
        choice.verdict,
        f"| score | {task.unit} |\n|---|---:|\n{scores}",
        "Limits: " + " ".join(limits),
        f"Use it: `python pipelines/predict.py run={task.name}@{registered.CHAMPION} data=new.csv out=forecast.csv`",
        "Fitted with " + ", ".join(f"{name} {version}" for name, version in origin.versions.items()) + ".",
    ]
    return "\n\n".join(part for part in parts if part)
