"""What decides the result of a trial, and what decides how the models of a table are measured.

Each setting says in `settings/` whose result it can change and whether a table has one of it (`Role`), and on which
kinds of tasks it means something (`OnlyOn`). Everything here is derived from that.
"""

import functools
import hashlib
import json
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from lookback.settings import MEASURED, OnlyOn, Role, SeriesTask, Settings, Strict
from lookback.training.compiler import uses_xla

_VERSIONED = ("tensorflow", "keras", "numpy", "scipy", "pandas", "scikit-learn", "statsmodels")
# Rooms and files of the package whose code computes results; a chart, a message of MLflow's or a table is in none.
_COMPUTES = ("settings", "data", "tasks", "models", "training", "evaluation", "scoring.py", "experiment")


def trial_key(settings: Settings, digest: str, device: str, flags: str) -> str:
    """SHA-256 of everything that can change the result of a trial.

    Args:
        digest: of the data.
        device: that computes ("cpu", "gpu").
        flags: of the compiler.
    """
    content = deciding(settings) | {"data": digest, "versions": versions(), "sources": sources()}
    if settings.network:
        content |= {"device": device, "flags": flags}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that can change the result of this trial: two trials that have the same ones are one."""
    asks = {"everybody", "networks"} if settings.network else {"everybody"}

    def counts(field: FieldInfo) -> bool:
        return role(field).key in asks and _means_something(field, settings.task.kind)

    content: dict[str, Any] = {
        "task": _chosen(settings.task, counts, settings.task.idle | getattr(settings.model, "unread", frozenset())),
        "model": _chosen(settings.model, counts),
        "evaluation": _chosen(settings.evaluation, counts),
        "smoke": settings.smoke,
    }
    if settings.network:  # a baseline has no seed, and nothing of this changes it
        training = settings.training.model_dump() | {"compiler": _compiler(settings)}
        content |= {"training": training, "seed": settings.seed, "threads": settings.threads}
    return content


def _compiler(settings: Settings) -> str:
    """What `auto` stands for."""
    units, texts = settings.model.units, not isinstance(settings.task, SeriesTask)  # type: ignore[union-attr]
    return "xla" if uses_xla(settings.training.compiler, units, texts) else "graph"


def measured(settings: Settings) -> dict[str, Any]:
    """What all models of a table must have in common: dotted key -> value."""

    def alike(field: FieldInfo) -> bool:
        return role(field).alike

    parts = {"task": settings.task, "evaluation": settings.evaluation}
    found = {f"{group}.{key}": value for group, part in parts.items() for key, value in _chosen(part, alike).items()}
    return found | {"smoke": settings.smoke}


def role(field: FieldInfo) -> Role:
    """What a setting can change."""
    return next((told for told in field.metadata if isinstance(told, Role)), MEASURED)


def _means_something(field: FieldInfo, kind: str) -> bool:
    return all(kind in told.kinds for told in field.metadata if isinstance(told, OnlyOn))


def _chosen(
    part: Strict, wanted: Callable[[FieldInfo], bool], left_out: frozenset[str] = frozenset()
) -> dict[str, Any]:
    fields = type(part).model_fields
    return part.model_dump(include={name for name, field in fields.items() if wanted(field)} - left_out)


@functools.cache
def versions() -> dict[str, str]:
    """Of the interpreter and the libraries that compute."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _VERSIONED}


@functools.cache
def sources() -> str:
    """SHA-256 of the code that computes results."""
    return digest_of(Path(__file__).parents[1])


def digest_of(package: Path) -> str:
    """SHA-256 of the files below `package` that compute results."""
    paths = [path for name in _COMPUTES for path in [package / name, *(package / name).rglob("*.py")] if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
