"""What the README and the docs say is true of the repository."""

import re
import shlex
import tomllib

import pytest
import yaml
from conftest import ROOT, settings
from hydra import compose, initialize_config_dir

from lookback.configuration import compose as composing

README = (ROOT / "README.md").read_text()
SETTINGS = "\n".join(path.read_text() for path in (ROOT / "src/lookback/settings").glob("*.py"))
BLOCKS = "\n".join(re.findall(r"```bash\n(.*?)```", README, re.S))


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"make ([a-z-]+)", README + (ROOT / "docs/architecture.md").read_text()))
    assert named <= targets and {"train", "test", "ui", "bench", "compare", "smoke", "sweep"} <= targets


COMMANDS = [
    shlex.split(line.split("#")[0].strip().removeprefix("python pipelines/train.py "))
    for line in BLOCKS.splitlines()
    if line.startswith("python pipelines/train.py")
]


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_of_the_readme_composes(command):
    words = [a for a in command if a not in ("-m", "--cfg", "job", "--help") and not a.startswith("hydra/")]
    first_point = [word if "[" in word else re.sub(r"=([^,]+),.*", r"=\1", word) for word in words]
    if any(word.startswith("plugins=") for word in words):
        assert composing.settings(composing.composed(first_point)).plugins
    elif "task=csv" in first_point:  # complete once its file is read
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            assert compose("train", overrides=first_point).task.path == "my.csv"
    else:
        assert settings(*first_point)


def test_a_launcher_of_the_readme_composes(cli):
    assert any("hydra/launcher=joblib" in command for command in COMMANDS)
    done = cli("task=airline", "hydra/launcher=joblib", "--cfg", "job")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_one_command_of_the_readme_runs_as_written(cli):
    done = cli("-m", "+sweep=baselines", "task=airline")
    assert done.returncode == 0 and "holt_winters has the lowest loss, MAE 10.55" in done.stdout


def test_the_config_tree_is_the_one_on_disk():
    tree = re.search(r"## The config tree\n\n```\n(.*?)```", README, re.S)[1]
    for group in ("task", "model", "training", "sweep"):
        said = set(re.search(rf"^  {group}/ +(.*)$", tree, re.M)[1].split(":")[0].replace("|", " ").split())
        assert said == {p.stem for p in (ROOT / "conf" / group).glob("[!_]*.yaml")}


def test_every_extra_is_read_by_something():
    """An extra whose packages nothing imports, runs or configures promises what is not there."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    used = [*(ROOT / "src").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py"), *(ROOT / "tests").glob("*.py")]
    code = "\n".join(path.read_text() for path in [*used, ROOT / "Makefile", ROOT / "mkdocs.yml"])
    plugins = {
        "psycopg2-binary": "import psycopg2",
        "pytest-timeout": "timeout = ",
        "pytest-xdist": "-n auto",
        "mkdocs-material": "name: material",
    }
    for extra, packages in extras.items():
        for package in packages:
            name = re.match(r"[\w-]+", package)[0]
            pattern = plugins.get(name, rf"\b{name.replace('-', '_')}\b")
            assert re.search(pattern, code + (ROOT / "pyproject.toml").read_text().split("[tool.", 1)[1]), (
                f"{extra}: {package}"
            )


def test_the_places_that_the_readme_names_for_new_models_and_metrics_exist():
    for place in re.findall(r"`(src/[\w/]+(?:\.py)?)`", README):
        assert (ROOT / place).exists(), place


def test_the_numbers_of_the_task_table_are_those_of_the_tasks():
    airline, weather = (yaml.safe_load((ROOT / f"conf/task/{t}.yaml").read_text()) for t in ("airline", "weather"))
    assert f"from {airline['lookback']} months" in README and f"last {airline['split']['test']} months" in README
    assert f"from {weather['lookback']} days" in README


def test_pictures_that_are_shown_exist():
    for name in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / name).read_bytes().startswith(b"\x89PNG")


def test_no_address_of_a_registry_and_no_path_of_a_machine():
    for path in [*ROOT.glob("*.*"), ROOT / "Makefile", *(ROOT / "docs").glob("*.*"), ROOT / "requirements.lock"]:
        if path.is_file() and path.suffix not in (".png", ".db"):
            text = path.read_text(errors="ignore")
            assert not re.search(r"index-url|find-links|/home/|/root/|/Users/", text), path
            assert not re.search(r"(?<![\w.])/\S*/\.lookback/", text), path
