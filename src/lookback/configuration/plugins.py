"""Models and metrics of one's own: Python files that the user names."""

import functools
import importlib.util
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from lookback.configuration.overrides import quoted
from lookback.errors import ConfigError
from lookback.evaluation import metrics
from lookback.models import catalogue
from lookback.paths import CONF, ROOT
from lookback.problems import PROBLEMS
from lookback.settings import suggest

GROUPS = ("model", "task")  # folders beside a plugin that hold YAML files of its own
_loaded: set[Path] = set()


def load(files: object, root: Path = ROOT) -> None:
    """Run each file once, so that its decorators register what it holds.

    Args:
        files: paths, relative to `root`.

    Raises:
        ConfigError: no list of paths, no such file, or one that fails.
    """
    for name in _check(files):
        path = (root / name).resolve()
        if path in _loaded:
            continue
        spec = importlib.util.spec_from_file_location(f"lookback_plugin_{path.stem}", path)
        if not path.is_file() or spec is None or spec.loader is None:
            raise ConfigError(
                "PLUGIN-FILE", f"plugins: {name}: no such Python file; name one, as plugins=[my_models.py]"
            )
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        try:
            spec.loader.exec_module(module)
        except ConfigError:
            raise
        except Exception as e:
            raise ConfigError("PLUGIN-FILE", f"plugins: {name}: {type(e).__name__}: {e}; correct the file") from None
        _check_problems(name)
        _loaded.add(path)


def _check(files: object) -> Sequence[str]:
    if isinstance(files, Sequence) and not isinstance(files, str) and all(isinstance(f, str) for f in files):
        return files
    raise ConfigError("CONFIG-VALUE", f"plugins: got {files!r}, allowed: a list of files, as plugins=[my_models.py]")


def _check_problems(name: str) -> None:
    named = [entry.problems for entry in catalogue.entries().values()]
    named += [metric.problems for metric in metrics.METRICS.values()]
    for problem in itertools.chain(*named):
        if problem not in (*PROBLEMS, *catalogue.ANY):
            line = f"plugins: {name}: no kind of problem is called {problem!r}{suggest(problem, PROBLEMS)}"
            raise ConfigError("PLUGIN-PROBLEM", line)


def with_folders(words: list[str]) -> list[str]:
    """The overrides, with one more that lets Hydra find the YAML files beside the plugins, which are loaded.

    Raises:
        ConfigError: as `load`.
    """
    files = _named(words)
    load(files)
    folders = dict.fromkeys((ROOT / name).resolve().parent for name in files)
    found = [quoted(f"file://{folder}") for folder in folders if any((folder / group).is_dir() for group in GROUPS)]
    mine = any(word.startswith("hydra.searchpath=") for word in words)
    return words if mine or not found else [*words, f"hydra.searchpath=[{','.join(found)}]"]


def _named(words: list[str]) -> list[str]:
    """The files of the override `plugins=[...]`, else those of `conf/train.yaml`."""
    for word in reversed(words):
        if word.startswith("plugins="):
            try:
                value = OverridesParser.create().parse_override(word).value()
            except HydraException:
                return []  # Hydra will say what is wrong
            return list(_check(value))
    return list(_by_default())


@functools.cache  # asked for with every trial that is composed
def _by_default() -> tuple[str, ...]:
    return tuple(_check(list(OmegaConf.load(CONF / "train.yaml").plugins)))
