"""Every file under conf/ composes, and nothing there is dead."""

import ast
import re

import pytest
import yaml
from conftest import ROOT, composed, settings
from hydra import compose, initialize_config_dir

from lookback.configuration.settings import Settings

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


SETTINGS = ROOT / "src/lookback/settings"


def test_no_default_value_lives_in_python():
    for path in SETTINGS.glob("*.py"):
        classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
        fields = [f for c in classes for f in c.body if isinstance(f, ast.AnnAssign)]
        fields = [f for f in fields if "ClassVar" not in ast.unparse(f.annotation)]
        assert not [f for f in fields if f.value is not None], f"{path.name} holds types and ranges only"


def test_every_setting_is_read_somewhere():
    paths = [path for room in ("src", "pipelines") for path in (ROOT / room).rglob("*.py")]
    code = "\n".join(
        re.sub(r"^    \w+:.*$", "", p.read_text(), flags=re.M) if SETTINGS in p.parents else p.read_text()
        for p in paths
    )
    for task in ("airline", "text", "sentiment", "rating", "tagging"):
        for key in settings(f"task={task}").task.model_dump():
            assert re.search(rf"\b{key}\b", code), f"task.{key} is read nowhere"
    for key in settings().training.model_dump():
        assert re.search(rf"training\.{key}\b", code), f"training.{key} is read nowhere"


@pytest.mark.parametrize(
    "words",
    [
        ["task=airline", "model=lstm", "model.units=7"],
        ["task=weather", "task.past_covariates=[wind]", "task.split={by: rows, val: 5, test: 5}"],
        ["+task.split.train=0.5", "task.split.by=fraction", "task=airline", "training=smoke", "evaluation=backtest"],
        ["task.path='a, b.csv'", "seed=3", "task.metrics=[mae]", "tracking.uri=null", "~task.unit"],
        ["+sweep=baselines", "task=airline"],
    ],
    ids=" ".join,
)
def test_the_tests_compose_as_hydra_does(words):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        expected = compose("train", overrides=words)
    assert composed(*words) == expected
