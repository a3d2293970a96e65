"""Composing: from what Hydra made of the YAML files and the overrides to settings."""

from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lookback.configuration import overrides, plugins
from lookback.configuration.messages import config_error
from lookback.configuration.settings import Settings
from lookback.configuration.validation import validate
from lookback.data.csv import derive
from lookback.paths import CONF, ROOT

_printed: set[str] = set()


def settings(composed: DictConfig) -> Settings:
    """The validated settings of a composed configuration.

    Raises:
        ConfigError: in one line.
        LookbackError: a file that `task=csv` shall be read off is missing or no CSV.
    """
    raw = plain(composed)
    return validate(raw | {"task": task(raw)})


def task(raw: dict[str, Any]) -> dict[str, Any]:
    """The task's settings, those that `task=csv` leaves open read off the file; says what was derived, once.

    Raises:
        ConfigError: no sweep can make trials of it, or a setting is of a wrong type.
        LookbackError: as `settings`.
    """
    plugins.load(raw.get("plugins", []))
    if not isinstance(raw.get("task"), dict):
        return overrides.check_task(raw.get("task"))
    complete, sentences = derive.complete(raw["task"], ROOT)
    for sentence in sentences:
        if sentence not in _printed:
            print(sentence, flush=True)
            _printed.add(sentence)
    return overrides.check_task(complete)


def composed(words: list[str]) -> DictConfig:
    """What `pipelines/train.py` would compose of these overrides.

    Raises:
        ConfigError: in one line.
    """
    words = plugins.with_folders(words)
    overrides.check(words)
    return of_pipeline("train", words)


def of_pipeline(name: str, words: list[str]) -> DictConfig:
    """What Hydra composes for a pipeline of this name.

    Raises:
        ConfigError: in one line.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException

    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose(name, overrides=words)
    except (HydraException, OmegaConfBaseException) as e:
        raise config_error(e) from None


def max_trials() -> int:
    """The most trials that a sweep may have."""
    return int(OmegaConf.load(CONF / "hydra/sweeper/grid.yaml").max_trials)


def plain(composed: DictConfig) -> dict[str, Any]:
    """A composed configuration as a dictionary, every interpolation resolved, Hydra's own part left out."""
    try:
        raw = OmegaConf.to_container(composed, resolve=True)
    except OmegaConfBaseException as e:
        raise config_error(e) from None
    return {str(k): v for k, v in raw.items() if k != "hydra"}  # type: ignore[union-attr]
