"""Every file under conf/ composes, and nothing there is dead."""

import re

import pytest
import yaml
from conftest import ROOT, settings

from lookback.config import Settings

CONF = ROOT / "conf"


@pytest.mark.parametrize("path", sorted((CONF / "tuned").glob("*.yaml")), ids=lambda p: p.stem)
def test_tuned_numbers_reach_their_pair_and_differ_from_the_defaults(path):
    task, _, model = path.stem.partition("_")
    text = path.read_text()
    assert text.startswith("# @package _global_\n")
    assert "val" in text.split("\n")[1], "the second line says how the numbers were chosen"
    tuned = settings(f"task={task}", f"model={model}").model_dump()
    for group, values in yaml.safe_load(text).items():
        for key, value in values.items():
            assert tuned[group][key] == value
            default = yaml.safe_load(
                (CONF / group / f"{ {'task': task, 'model': model}.get(group, 'default') }.yaml").read_text()
            )
            assert default.get(key) != value, f"{group}.{key} only repeats its default"


@pytest.mark.parametrize("path", sorted((CONF / "training").glob("*.yaml")), ids=lambda p: p.stem)
def test_training_configurations_compose(path):
    assert isinstance(settings(f"training={path.stem}"), Settings)


def test_no_default_value_lives_in_python():
    config = (ROOT / "src/lookback/config.py").read_text()
    classes = config[: config.index("\ndef validate")]
    assert not re.search(r"^    \w+: [^=\n]+ = ", classes, re.M), "config.py holds types and ranges only"


def test_every_setting_is_read_somewhere():
    code = "\n".join(
        p.read_text() for room in ("src", "pipelines") for p in (ROOT / room).rglob("*.py") if p.name != "config.py"
    )
    code += re.sub(r"^    \w+:.*$", "", (ROOT / "src/lookback/config.py").read_text(), flags=re.M)
    for task in ("airline", "text", "sentiment", "rating", "tagging"):
        for key in settings(f"task={task}").task.model_dump():
            assert re.search(rf"\b{key}\b", code), f"task.{key} is read nowhere"
    for key in settings().training.model_dump():
        assert re.search(rf"training\.{key}\b", code), f"training.{key} is read nowhere"
