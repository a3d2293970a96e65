"""A mistake in what is typed is one line that names the key, what was received and the hint. Never a traceback."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment, new_files

from lookback.configuration import messages as terminal
from lookback.configuration import overrides
from lookback.errors import ConfigError

GROUPS = {"task": "airline", "model": "gru", "training": "smoke", "evaluation": "backtest"}  # and one of their options
NODES = ("tracking", "hydra", "hydra.launcher", "hydra.sweeper")
CSV = ["task=csv", "model=lstm", "task.path=data/airline.csv", "task.target=passengers"]
KEYS = "it has keys of its own: leave it out, or set one of them"

# Every case runs as a person runs it, the file as __main__; all of them in one process.
DRIVER = """
import contextlib, io, json, runpy, sys, traceback

def run(pipeline, *arguments):
    sys.argv = [f"pipelines/{pipeline}.py", *arguments]
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
            code = 0
        except SystemExit as e:
            code = e.code
        except BaseException:
            code = traceback.print_exc()
    return code, said.getvalue()

answers = [run(*case) for case in json.load(sys.stdin)]
print(json.dumps([answers, [name for name in ("tensorflow", "keras") if name in sys.modules]]))
"""

CASES = {  # the command line -> exit code, and what the line says
    **{("train", f"{group}=null"): (64, f"[CONFIG-NAME] {group}: got null; there is: ") for group in GROUPS},
    **{("train", f"+{group}=foo"): (64, f"[CONFIG-NAME] {group}: got 'foo'; there is: ") for group in GROUPS},
    **{("train", f"~{group}"): (64, f"[CONFIG-KEY] ~{group}: a setting can be changed, but must ") for group in GROUPS},
    **{("train", f"{node}=null"): (64, f"[CONFIG-VALUE] {node}: got null; {KEYS}") for node in NODES},
    ("train", "training=abc"): (64, "[CONFIG-NAME] training: got 'abc'; there is: default, smoke\n"),
    ("train", "hydra/launcher=foo"): (64, "[CONFIG-NAME] hydra/launcher: got 'foo'; there is: basic, joblib\n"),
    ("train", "hydra/launcher=null"): (64, "[CONFIG-NAME] hydra/launcher: got null; give a name, as in "),
    ("train", "task=[airline,text]"): (64, "[CONFIG-NAME] task: got [airline,text]; there is: "),
    ("train", "task=${seed}"): (64, "[CONFIG-NAME] task: got ${seed}; there is: "),
    ("train", "task=???"): (64, "[CONFIG-NAME] task: got ???; there is: "),
    ("train", "++task=text"): (64, "[CONFIG-KEY] ++task=text: task is a group; write task=text"),
    ("train", "+task=text"): (64, "[CONFIG-KEY] +task: there is one already; write task=... without the +\n"),
    ("train", "++task.sub=1"): (64, "[CONFIG-KEY] unknown key 'task.sub'; there is: "),
    ("train", "+foo=1"): (64, "[CONFIG-KEY] unknown key 'foo'; there is: "),
    ("train", "~foo"): (64, "[CONFIG-KEY] ~foo: a setting can be changed"),
    ("train", "~task.foo"): (64, "[CONFIG-KEY] ~task.foo: nothing is set there; leave ~task.foo out\n"),
    ("train", "~task.seeds"): (64, "[CONFIG-KEY] ~task.seeds: a setting can be changed"),
    ("train", "~task.split"): (64, "[CONFIG-KEY] key 'task.split' is missing"),
    ("train", "task.split=null"): (64, "[CONFIG-VALUE] task.split: got None"),
    ("train", "task.split=[]"): (64, "[CONFIG-VALUE] task.split: got []: "),
    ("train", "evaluation.intervals=null"): (64, "[CONFIG-VALUE] evaluation.intervals: got None"),
    ("train", "seed=null"): (64, "[CONFIG-VALUE] seed: got None, allowed: valid integer\n"),
    ("train", "seed={}"): (64, "[CONFIG-VALUE] seed: got {}, allowed: valid integer\n"),
    ("train", "seed=1.5"): (64, "[CONFIG-VALUE] seed: got 1.5, allowed: valid integer\n"),
    ("train", "++seed.sub=1"): (64, "[CONFIG-VALUE] seed: got {'sub': 1}, allowed: valid integer\n"),
    ("train", "seed=${foo}"): (64, "[CONFIG-VALUE] seed: Interpolation key 'foo' not found; set a value\n"),
    ("train", "seed=range(3)"): (64, "[CONFIG-SWEEP] seed=range(3): several values; add -m to sweep over them\n"),
    ("train", "seed='"): (64, "[CONFIG-QUOTE] cannot read seed='; close the quote, or write \\' inside of one\n"),
    ("train", "seed=["): (64, "[CONFIG-QUOTE] cannot read seed=[; quote the value: \"seed='['\"\n"),
    ("train", "seed"): (64, "[CONFIG-QUOTE] cannot read seed; write it as key=value\n"),
    ("train", "1=2"): (64, "[CONFIG-KEY] unknown key '1' in 1=2; write it as in model.units=64\n"),
    ("train", "tracking.uri=1.5"): (64, "[CONFIG-VALUE] tracking.uri: got 1.5, allowed: valid string\n"),
    ("train", "tracking.sweep=[]"): (64, "[CONFIG-VALUE] tracking.sweep: got [], allowed: valid string\n"),
    ("train", "~tracking.sweep"): (64, "[CONFIG-KEY] ~tracking.sweep: a setting can be changed"),
    ("train", "hydra.job.num=x"): (64, "[CONFIG-VALUE] hydra.job.num: got x: Value 'x' of type 'str' could not be"),
    ("train", "hydra.foo=1"): (64, "[CONFIG-KEY] unknown key 'hydra.foo'; --cfg hydra prints those of Hydra\n"),
    ("train", "hydra.searchpath=abc"): (64, "correct or leave out one of: hydra.searchpath=abc\n"),
    ("train", "-m", "task=airline,null"): (64, "[CONFIG-NAME] task: got null; there is: "),
    ("train", "-m", "task=range(3)"): (64, "correct or leave out one of: -m task=range(3)\n"),
    ("train", "-m", "seed=null"): (64, "[CONFIG-VALUE] seed: got None, allowed: valid integer\n"),
    ("train", "-m", "hydra/launcher=[]"): (64, "[CONFIG-VALUE] hydra.launcher: "),
    ("train", "-m", "+hydra.sweeper.params.task=null"): (64, "[CONFIG-NAME] task: got 'None'; there is: "),
    ("train", "-m", "hydra.sweeper.max_trials=abc"): (
        64,
        "hydra.sweeper.max_trials: got 'abc', allowed: valid integer",
    ),
    ("train", "-m", "hydra.sweeper.max_trials=null"): (
        64,
        "hydra.sweeper.max_trials: got None, allowed: valid integer",
    ),
    ("train", "-m", "hydra.sweeper.tasks=abc"): (64, "hydra.sweeper.tasks: got 'abc', allowed: valid list"),
    ("train", "-m", "hydra.sweeper.params=[1]"): (64, "hydra.sweeper.params: got [1], allowed: valid dictionary"),
    ("train", "-m", "+task.seeds={a:1}"): (64, "task.seeds: got {'a': 1}, allowed: valid integer"),
    ("train", "-m", "++task.seeds.a=1"): (64, "task.seeds: got {'a': 1}, allowed: valid integer"),
    ("train", "-m", "task.models=null"): (64, "task.models: got None, allowed: valid list"),
    ("train", "-m", "task.models=[]"): (64, "task.models: got [], allowed: List should have at least 1 item"),
    ("train", "-m", "task.kind=abc"): (64, "[CONFIG-NAME] task.kind: got 'abc'; there is: forecast, "),
    ("train", "-m", "~task.kind"): (64, "[CONFIG-NAME] task.kind: got None; there is: forecast, "),
    ("train", *CSV, "task.forecast=null"): (64, "[CONFIG-VALUE] task.forecast: got None; leave it out, or set one of"),
    ("train", *CSV, "task.forecast.models=abc"): (64, "task.forecast.models: got 'abc'; leave it out, or "),
    ("train", *CSV, "task.past_covariates=null"): (64, "[CONFIG-VALUE] task.past_covariates: got None, allowed: "),
    ("train", *CSV, "task.encoding=null"): (64, "[CONFIG-VALUE] task.encoding: got None, allowed: valid string\n"),
    ("train", *CSV, "task.sentinels=null"): (64, "[CONFIG-VALUE] task.sentinels: got None, allowed: "),
    ("train", *CSV, "task.max_megabytes=null"): (64, "task.max_megabytes: got None, allowed: valid integer\n"),
    ("train", *CSV, "~task.past_covariates"): (64, "[CONFIG-KEY] key 'task.past_covariates' is missing; "),
    ("train", *CSV, "task.derived=abc"): (64, "[CONFIG-VALUE] task.derived: got 'abc'; a sweep sets it: leave it out"),
    ("generate", "hydra=null"): (64, f"[CONFIG-VALUE] hydra: got null; {KEYS}"),
    ("generate", "tracking=abc"): (64, f"[CONFIG-VALUE] tracking: got abc; {KEYS}"),
    ("generate", "length={}"): (64, "[CONFIG-VALUE] length: got {}, allowed: valid integer\n"),
    ("generate", "+task=foo"): (64, "[CONFIG-NAME] task: got 'foo'; there is: "),
    ("generate", "~prompt"): (64, "[CONFIG-KEY] ~prompt: a setting can be changed"),
    ("generate", "~task"): (64, "[CONFIG-KEY] ~task: a setting can be changed"),
    ("generate", "~task.name"): (64, "[CONFIG-KEY] ~task.name: a setting can be changed"),
    ("score", "~tracking"): (64, "[CONFIG-KEY] ~tracking: a setting can be changed"),
    ("score", "endings=null"): (64, "[CONFIG-VALUE] endings: got None, allowed: valid boolean\n"),
    ("explain", "layer=[]"): (64, "[CONFIG-VALUE] layer: got [], allowed: valid integer\n"),
    ("explain", "tracking=1.5"): (64, f"[CONFIG-VALUE] tracking: got 1.5; {KEYS}"),
    ("compare", "tracking=null"): (64, f"[CONFIG-VALUE] tracking: got null; {KEYS}"),
    ("compare", "tracking.uri=1.5"): (64, "[CONFIG-VALUE] tracking.uri: got 1.5, allowed: valid string\n"),
    ("compare", "hydra/launcher=null"): (64, "[CONFIG-NAME] hydra/launcher: got null; give a name"),
    ("check", "task=null"): (64, "[CONFIG-NAME] task: got null; there is: "),
    ("check", "evaluation=1.5"): (64, "[CONFIG-NAME] evaluation: got 1.5; there is: backtest, holdout\n"),
    ("check", "~task"): (64, "[CONFIG-KEY] ~task: a setting can be changed"),
    ("check", "-m"): (64, "[CONFIG-SWEEP] check.py looks at one task; leave -m out\n"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What every case was answered, which heavy libraries were needed for it, and the files that were made."""
    house = tmp_path_factory.mktemp("house")
    for room in ("conf", "pipelines", "data"):
        shutil.copytree(ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    environment = clean_environment() | {"PYTHONPATH": f"pipelines{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command, typed = [sys.executable, "-c", DRIVER], json.dumps(list(CASES))
    done = subprocess.run(command, cwd=house, env=environment, input=typed, capture_output=True, text=True, check=True)
    answered, heavy = json.loads(done.stdout)
    return dict(zip(CASES, answered, strict=True)), heavy, new_files(house)


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_a_mistake_is_one_line(case, answers):
    code, said = answers[0][case]
    expected, line = CASES[case]
    assert code == expected, said
    assert said.startswith("error[") and said.count("\n") == 1 and line in said, said
    assert "provider=" not in said


def test_no_mistake_needs_tensorflow_or_leaves_a_file(answers):
    assert answers[1:] == ([], set())


VALUES = {"null": "null", "[]": "[]", "1.5": "1.5", "true": "true", "[1]": "[1]", "airline,null": "null", "???": "???"}


@pytest.mark.parametrize("prefix", ["", "+"])
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("group", GROUPS)
def test_what_is_no_name_is_no_option_of_a_group(group, value, prefix):
    with pytest.raises(ConfigError) as caught:
        overrides.check(["-m", f"{prefix}{group}={value}"])
    assert str(caught.value).startswith(f"error[CONFIG-NAME] {group}: got {VALUES[value]}; there is: ")
    assert GROUPS[group] in str(caught.value)


@pytest.mark.parametrize("value", ["null", "[]", "abc", "1.5", "true", "abc,null"])
@pytest.mark.parametrize("node", NODES)
def test_a_key_with_keys_below_it_takes_no_value(node, value):
    with pytest.raises(ConfigError, match=rf"CONFIG-VALUE\] {node}: got .*; it has keys of its own: .* as in {node}\."):
        overrides.check([f"{node}={value}"])


GOOD = [
    "task={lookback:5}", "task=airline,text", "task=my/own", "task='a b'", "+sweep=baselines", "~tuned",
    "training=smoke", "tuned=[airline_gru]", "tracking.uri=null", "tracking.uri=sqlite:///a.db",
    "tracking={uri:null}", "hydra={}", "hydra/launcher=joblib", "~hydra/launcher", "~task.split.train",
    "hydra.sweeper.max_trials=50", "task.seeds=1,2",
    "hydra.sweeper.tasks=[text]", "task.seeds=${threads}", 'task.models=["naive"],[drift]', "task.name=a,'b c'",
    "--cfg", "job", "-m", "not an override", "task.seeds=range(1,3)",
]  # fmt: skip


@pytest.mark.parametrize("argument", GOOD)
def test_what_means_something_is_left_to_hydra(argument):
    overrides.check([argument])


def test_only_errors_of_the_user_and_of_hydra_lose_their_traceback():
    with pytest.raises(ZeroDivisionError), terminal.one_line_errors():
        print(1 / 0)


def test_windows_is_refused_in_one_line_before_anything_runs(monkeypatch, capsys):
    called = []
    monkeypatch.setattr(sys, "argv", ["train.py"])
    with monkeypatch.context() as fake, pytest.raises(SystemExit) as caught:
        fake.setattr(os, "name", "nt")
        terminal.run(lambda: called.append(True))
    assert (caught.value.code, called) == (69, [])
    assert capsys.readouterr().err == (
        "error[PLATFORM] Windows: this runs on Linux and macOS; install WSL and run it there\n"
    )


def test_the_data_are_imported_where_there_are_no_locks_of_files():
    """As on Windows: else it could not even be said that it cannot be used there."""
    gone = "import sys; sys.modules |= dict.fromkeys(['fcntl', 'resource'])"
    code = f"{gone}; import lookback.configuration.messages, lookback.problems"
    path = f"{ROOT / 'pipelines'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = clean_environment() | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
