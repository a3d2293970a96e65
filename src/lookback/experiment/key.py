"""What decides the result of a trial, and what decides how the models of a table are measured.

Each setting says in `settings/` whose result it can change and whether a table has one of it (`Role`), and on which
problems it means something (`OnlyOn`). Everything here is derived from that.
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

from lookback.configuration.settings import Settings
from lookback.experiment.model import model_of
from lookback.paths import ROOT
from lookback.problems.base import Problem
from lookback.settings import MEASURED, OnlyOn, Role, Strict

_VERSIONED = ("tensorflow", "keras", "numpy", "scipy", "pandas", "scikit-learn", "statsmodels")
# Rooms and files of the package whose code computes results; a chart, a message of MLflow's or a table is in none.
_COMPUTES = ("settings", "configuration", "data", "problems", "models", "training", "evaluation", "experiment")


def trial_key(settings: Settings, digest: str, device: str, flags: str) -> str:
    """SHA-256 of everything that can change the result of a trial.

    Args:
        digest: of the data.
        device: that computes ("cpu", "gpu").
        flags: of the compiler.
    """
    content = deciding(settings) | {"data": digest, "versions": versions(), "sources": sources()}
    content |= model_of(settings).machine_part(device, flags)
    if settings.plugins:
        content["plugins"] = [hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in settings.plugins]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that can change the result of this trial: two trials that have the same ones are one."""
    roles = model_of(settings).roles

    def counts(field: FieldInfo) -> bool:
        return role(field).key in roles and _means_something(field, settings.problem)

    content: dict[str, Any] = {
        "task": _chosen(settings.task, counts, settings.task.idle | settings.model.unread),
        "model": _chosen(settings.model, counts),
        "evaluation": _chosen(settings.evaluation, counts),
        "smoke": settings.smoke,
    }
    return content | model_of(settings).key_part(settings)


def measured(settings: Settings) -> dict[str, Any]:
    """What all models of a table must have in common: dotted key -> value."""

    def alike(field: FieldInfo) -> bool:
        return role(field).alike

    parts = {"task": settings.task, "evaluation": settings.evaluation}
    found = {f"{group}.{key}": value for group, part in parts.items() for key, value in _chosen(part, alike).items()}
    return found | {"smoke": settings.smoke}


def role(field: FieldInfo) -> Role:
    """What a setting can change."""
    return next((role for role in field.metadata if isinstance(role, Role)), MEASURED)


def _means_something(field: FieldInfo, problem: Problem) -> bool:
    return all(getattr(problem, role.trait) == role.value for role in field.metadata if isinstance(role, OnlyOn))


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
