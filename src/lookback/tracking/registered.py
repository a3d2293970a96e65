"""Registered models: which one is used, under the name of its task."""

from typing import Any

from lookback.errors import ConfigError, MissingFile
from lookback.settings import suggest
from lookback.tracking.store import Store

CHAMPION, PREVIOUS = "champion", "previous"


def model_id(store: Store, name: str) -> str:
    """The id of the logged model behind `<task>@<alias>`; raises as `version` does."""
    return _logged(version(store, name))


def run_id(store: Store, name: str) -> str:
    """The id of the run that it comes from; raises as `version` does."""
    return str(version(store, name).run_id)


def version(store: Store, name: str) -> Any:
    """The version of a model behind `<task>@<alias>`.

    Raises:
        ConfigError: it is not written like that.
        MissingFile: nothing is registered so.
    """
    task, _, alias = name.partition("@")
    if not task or not alias:
        raise ConfigError("CONFIG-VALUE", f"run: got {name!r}, allowed: best, the id of a run, or TASK@{CHAMPION}")
    found = find(store, task, alias)
    if found is None:
        known = [f"{m.name}@{a}" for m in store.client.search_registered_models() for a in m.aliases]
        hint = suggest(name, known) if known else "; run pipelines/promote.py first"
        raise MissingFile("MODEL-MISSING", f"run: nothing is registered as {name} in {store.shown}{hint}")
    return found


def _logged(found: Any) -> str:
    """The id of the logged model that a version stands for."""
    return str(found.source).removeprefix("models:/")


def find(store: Store, task: str, alias: str) -> Any:
    """The version of a task's model with an alias; None where there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_model_version_by_alias(task, alias)
    except MlflowException:
        return None


def promote(store: Store, task: str, logged: str, run_id: str, card: str) -> tuple[str, str | None]:
    """Register a logged model as the champion of its task; the one before stays as `previous`.

    Args:
        card: what people should know of it, in Markdown.

    Returns:
        The number of its version, and that of the one before.
    """
    before = find(store, task, CHAMPION)
    if before is not None and _logged(before) == logged:
        return str(before.version), None
    if not any(model.name == task for model in store.client.search_registered_models(f"name = '{task}'")):
        store.client.create_registered_model(task, description=f"The models of task {task} that are used.")
    made = store.client.create_model_version(task, f"models:/{logged}", run_id, description=card, model_id=logged)
    store.client.set_registered_model_alias(task, CHAMPION, made.version)
    if before is None:
        return str(made.version), None
    store.client.set_registered_model_alias(task, PREVIOUS, before.version)
    return str(made.version), str(before.version)


def demote(store: Store, task: str) -> tuple[str, str]:
    """Make the previous champion of a task the champion again.

    Returns:
        The number of the version that is used now, and of the one that no longer is.

    Raises:
        MissingFile: there was none before.
    """
    now, before = find(store, task, CHAMPION), find(store, task, PREVIOUS)
    if now is None or before is None:
        what = "no champion" if now is None else "no model before its champion"
        raise MissingFile("MODEL-MISSING", f"task: {task} has {what} in {store.shown}")
    store.client.set_registered_model_alias(task, CHAMPION, before.version)
    store.client.delete_registered_model_alias(task, PREVIOUS)
    return str(before.version), str(now.version)
