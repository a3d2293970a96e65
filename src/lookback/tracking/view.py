"""What one sees first of an experiment in MLflow's UI: the models of its task, and what the columns are."""

import json
from typing import Any

from lookback.tracking.store import Store

KEY = "comparison"
NOTE = "mlflow.note.content"  # the description of an experiment or a run
_VIEW = f"mlflow.sharedViewState.{KEY}"  # where the UI keeps a view that is shared by its address
SHOWN = 2  # metrics of a task that have a column at first
_BARS, _CURVES = "lookback-bars", "lookback-curves"


def describe(store: Store, experiment: str, task: str, labels: dict[str, str], unit: str) -> None:
    """Give an experiment its note and its shared view, where it has not got just these.

    Args:
        labels: metric -> what people call it; the first decides, and is a loss.
    """
    wanted = {NOTE: _note(task, labels, unit), _VIEW: json.dumps(_state(list(labels)))}
    held = store.client.get_experiment(experiment).tags
    for name, value in wanted.items():
        if held.get(name) != value:
            store.client.set_experiment_tag(experiment, name, value)


def addresses(store: Store, base: str) -> list[tuple[str, str]]:
    """(task, the address of its comparison) of every experiment that has one."""
    found = [e for e in store.client.search_experiments() if _VIEW in e.tags]
    return [(e.name, f"{base}/#/experiments/{e.experiment_id}/runs?viewStateShareKey={KEY}") for e in found]


def _note(task: str, labels: dict[str, str], unit: str) -> str:
    scores = "\n".join(f"- `test/{name}`, `val/{name}`: {label}" for name, label in labels.items())
    first = next(iter(labels))
    return (
        f"The models of task {task}, in {unit}. A run is one model with one seed.\n\n{scores}\n"
        f"- `val/{first}` chooses among the settings of a model; test is read once and chooses nothing\n"
        "- `loss`, `val_loss`: learning curves of networks, on the scaled target\n"
        "- `seconds`, `cpu_seconds`: of fitting; `parameters`: that were learnt\n\n"
        "`comparison ...` is the comparison of a sweep: its report, its table and the id of the best run (tag "
        "`best_run`). The runs of the sweep stand below it. Every setting of a run is in its `config.json`."
    )


def _state(names: list[str]) -> dict[str, Any]:
    """The view as the UI keeps it: which columns, sorted by what, which charts."""
    first = names[0]
    scores = [f"metrics.`{split}/{name}`" for name in names[:SHOWN] for split in ("val", "test")]
    costs = [f"metrics.`{name}`" for name in ("seconds", "parameters")]
    return {
        "searchFilter": "",
        "orderByKey": f"metrics.`val/{first}`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": ["tags.`model`", "tags.`seed`", *scores, *costs],
        "groupBy": {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": "model"}]},
        "useGroupedValuesInCharts": True,
        "compareRunCharts": [_bar(f"val/{first}"), _bar(f"test/{first}"), _curve("val_loss"), _curve("loss")],
        "compareRunSections": [_section(_BARS, "Scores"), _section(_CURVES, "Learning curves")],
    }


def _section(uuid: str, name: str) -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "display": True, "isReordered": False, "deleted": False, "isGenerated": False}


def _bar(metric: str) -> dict[str, Any]:
    return _chart("BAR", metric, _BARS) | {"displayName": metric}


def _curve(metric: str) -> dict[str, Any]:
    axes = {"xAxisKey": "step", "selectedXAxisMetricKey": "", "selectedMetricKeys": [metric], "yAxisKey": "metric"}
    scale = {"scaleType": "linear", "xAxisScaleType": "linear", "lineSmoothness": 0, "range": {}}
    return _chart("LINE", metric, _CURVES) | axes | scale


def _chart(kind: str, metric: str, section: str) -> dict[str, Any]:
    return {
        "type": kind,
        "uuid": f"lookback-{kind}-{metric}".lower(),
        "metricKey": metric,
        "metricSectionId": section,
        "runsCountToCompare": 20,
        "deleted": False,
        "isGenerated": False,
    }
