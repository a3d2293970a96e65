"""A store on a server: unreachable, lost midway, and what `sync` sends. Real sockets, real servers, real kills."""

import contextlib
import http.server
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, clean_environment, new_files, serving, settings
from servers import SECRET, mlflow_server, postgres

from lookback.errors import Unavailable
from lookback.experiment import trial
from lookback.tracking import journal, log, registry, runs, server, store, sync

# --- unreachable ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def listening(answer):
    """A socket that accepts, and does with a connection what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        open_ones = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    open_ones.append(connection)
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        for connection in open_ones:
            connection.close()


def mute(connection):
    """Nothing is said."""


def dripping(connection):
    """An answer without end, byte by byte: no single wait is long."""
    with contextlib.suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\n" + b"a" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.3)


def another_language(connection):
    with contextlib.suppress(OSError):
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def refusal(uri, folder):
    """What opening a store says, in a process of its own: psycopg2 brings another OpenSSL than TensorFlow's."""
    if uri.startswith("postgresql"):
        pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    code = (
        "import sys; from pathlib import Path; from lookback.errors import Unavailable; from lookback.tracking import "
        "store\ntry: store.open_store(sys.argv[1], Path(sys.argv[2]))\nexcept Unavailable as e: print(e.exit_code, e)"
    )
    known = {k: v for k, v in clean_environment().items() if not k.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", code, uri, str(folder)],
        env=known | {"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


@pytest.mark.parametrize("behaviour", [mute, dripping, another_language], ids=lambda f: f.__name__)
@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_what_accepts_and_does_not_answer_is_no_server(behaviour, scheme, tmp_path):
    with listening(behaviour) as port:
        said = refusal(f"{scheme}://ann:{SECRET}@127.0.0.1:{port}/x", tmp_path)
    spoken = scheme.replace("ql", "ql+psycopg2")
    assert said.startswith(
        f"69 error[TRACKING-SERVER] tracking.uri: {spoken}://ann:***@127.0.0.1:{port}/x does not answer ("
    )
    assert said.endswith("start it, or set another tracking.uri or MLFLOW_TRACKING_URI")
    assert SECRET not in said and "\n" not in said and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:9",
        "http://no-such-host.invalid:5000",
        "https://127.0.0.1:9",
        "http://",
        "http://127.0.0.1:port",
        "postgresql://127.0.0.1:9/x",
        "postgresql+psycopg2://no-such-host.invalid/x",
    ],
)
def test_an_address_where_nobody_is(uri, tmp_path):
    assert re.search(r"^69 .*TRACKING-SERVER.*does not answer", refusal(uri, tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="others answer for a full queue")
@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_a_black_hole(scheme, tmp_path):
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # its queue is full: whatever comes now is dropped without a word
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        said = refusal(f"{scheme}://127.0.0.1:{full.getsockname()[1]}/x", tmp_path)
        assert re.search(r"^69 .*TRACKING-SERVER.*does not answer \(.*time", said)


def test_the_time_to_know_is_bounded():
    assert server.SOCKET_SECONDS < server.PROBE_SECONDS < 5
    code = "import os, lookback.tracking.store; print(*[os.environ[n] for n in ('MLFLOW_HTTP_REQUEST_MAX_RETRIES', "
    code += "'MLFLOW_HTTP_REQUEST_TIMEOUT', 'PGCONNECT_TIMEOUT')])"
    for own, expected in (({}, "2 20 4"), ({"MLFLOW_HTTP_REQUEST_TIMEOUT": "7", "PGCONNECT_TIMEOUT": "9"}, "2 7 9")):
        known = {k: v for k, v in clean_environment().items() if not k.startswith("PG")} | own
        done = subprocess.run([sys.executable, "-c", code], env=known, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected, "what the user sets stays"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ann:a:b@c@host:5000/x", "http://ann:***@host:5000/x"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("postgresql://u@/db?host=/tmp&password=abc&x=1", "postgresql://u@/db?host=/tmp&password=***&x=1"),
        ("sqlite:////home/a:b@c/x.db", "sqlite:////home/a:b@c/x.db"),
        ("asked http://a:b@h/x, and got 'no'", "asked http://a:***@h/x, and got 'no'"),
    ],
)
def test_no_password_is_shown(text, shown):
    assert server.hidden(text) == shown


class Page(http.server.BaseHTTPRequestHandler):
    code = 404

    def do_GET(self):
        self.send_response(self.code)
        self.end_headers()

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


class Gone(Page):
    code = 502


def test_a_server_of_another_kind_is_refused_and_so_is_a_proxy_before_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with serving(Page, monkeypatch) as page, pytest.raises(Unavailable, match=r"refuses us \(.*404.*is it MLflow"):
        store.open_store(f"http://127.0.0.1:{page.server_port}", tmp_path)
    with serving(Gone, monkeypatch) as page, pytest.raises(Unavailable, match=r"does not answer \(HTTP 502\)"):
        store.open_store(f"http://127.0.0.1:{page.server_port}", tmp_path)


@pytest.mark.parametrize("arguments", [[], ["-m", "task=airline", "model=lstm"]], ids=["trial", "sweep"])
def test_unreachable_is_known_before_tensorflow_and_before_data_are_read(arguments, cli, house):
    witness = house / "witness"
    witness.mkdir()
    told = 'atexit.register(lambda: print("HEAVY", "tensorflow" in sys.modules, file=sys.stderr))'
    (witness / "sitecustomize.py").write_text(f"import atexit, sys\n{told}\n")
    shutil.rmtree(house / "data")  # whoever read it would say so
    with listening(mute) as port:
        uri = f"http://ann:{SECRET}@127.0.0.1:{port}"
        done = cli(
            *arguments, PYTHONPATH=f"{witness}{os.pathsep}{house / 'src'}", MLFLOW_TRACKING_URI=uri, no_proxy="*"
        )
    assert done.returncode == 69, done.stderr
    assert "HEAVY False" in done.stderr
    lines = done.stderr.replace("HEAVY False\n", "").strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error[TRACKING-SERVER]") and f"127.0.0.1:{port}" in lines[0]
    assert SECRET not in done.stdout + done.stderr
    assert not {f for f in new_files(house) if not f.startswith(("witness", ".lookback"))}


# --- lost midway ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("server")) as one:
        yield one


@pytest.fixture
def up(running):
    """The server of this file, running."""
    if running.process is None:
        running.start()
    return running


@pytest.fixture
def few_retries(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


NAIVE = ("task=airline", "model=naive")
CHANGING = ("seconds", "cpu_seconds")  # from run to run


def content(opened, run):
    """All that a run holds and that is the same each time the trial is run: nothing missing, nothing twice."""
    client, run_id = opened.client, run.info.run_id
    history = {
        name: [(m.step, m.value if name not in CHANGING else 0) for m in client.get_metric_history(run_id, name)]
        for name in run.data.metrics
    }
    tags = {k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.") and k not in ("record", "sweep")}

    def listed(folder=None):
        for file in client.list_artifacts(run_id, folder):
            yield from listed(file.path) if file.is_dir else [file.path]

    models = len(run.outputs.model_outputs) if run.outputs else 0
    return {"metrics": history, "params": run.data.params, "tags": tags, "files": sorted(listed()), "models": models}


def finished(opened, key, task="airline"):
    found = registry.runs(opened, opened.experiment(task), key)
    assert not [r for r in found if r.info.status == "RUNNING"]
    return [opened.client.get_run(r.info.run_id) for r in found if r.info.status == "FINISHED"]


def loads(opened, run, folder):
    """Whether the model of a run can be read, and holds what its manifest says."""
    model = runs.first_model(opened, runs.find(opened, run.info.run_id))
    files = runs.model_folder(opened, model, "bundle", folder)
    return (files / "manifest.json").exists() or sorted(p.name for p in files.iterdir())


@pytest.fixture(scope="module")
def expected(tmp_path_factory, open_stores):
    """What the trial holds that nothing disturbed."""
    folder = tmp_path_factory.mktemp("quiet")
    opened = open_stores(folder)
    (folder / "data").symlink_to(ROOT / "data")
    outcome = trial.run(settings(*NAIVE, f"tracking.uri='{opened.uri}'"), folder)
    (run,) = finished(opened, outcome.key)
    return content(opened, run)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


def wanted(uri, *more):
    return settings(*NAIVE, f"tracking.uri='{uri}'", *more)


SENDS: list = []  # what to do before a request of this process is sent


def _before_a_request(event, arguments):
    if event == "http.client.send" and SENDS:
        SENDS[0](arguments[1])


sys.addaudithook(_before_a_request)


@contextlib.contextmanager
def killed_before(server, number):
    """The server dies before so many-th requests of this process; yields how many there were."""
    seen = []

    def count(sent):
        seen.append(bytes(sent))
        if len(seen) == number:
            server.kill()

    SENDS.append(count)
    try:
        yield seen
    finally:
        SENDS.clear()


def fresh_experiment(opened):
    """No run of an earlier test of this file is known."""
    if found := opened.client.get_experiment_by_name("airline"):
        for run in registry.runs(opened, found.experiment_id):
            opened.client.delete_run(run.info.run_id)


def lost(server, place, number, capsys):
    """A trial whose server is killed before so many-th of its requests, and is back afterwards."""
    fresh_experiment(store.open_store(server.uri, place))
    with killed_before(server, number) as seen:
        outcome = trial.run(wanted(server.uri), place)
    said = capsys.readouterr().err
    if server.process is None:
        server.start()
    return outcome, len(seen), said


def check_sent(server, place, outcome, expected):
    opened = store.open_store(server.uri, place)
    done = sync.sync(opened)
    assert done.left == 0
    (run,) = finished(opened, outcome.key)
    assert content(opened, run) == expected
    assert loads(opened, run, place / "loaded") is True
    assert not [p for p in (place / ".lookback/journal").iterdir() if p.name != "sync.lock"]
    assert sync.sync(opened).sent == [], "a second time there is nothing to send"
    assert [r.info.run_id for r in finished(opened, outcome.key)] == [run.info.run_id]
    assert trial.run(wanted(server.uri), place).status == "known"
    return opened, run


@pytest.mark.usefixtures("few_retries")
def test_training_goes_on_without_its_server_and_sync_sends_the_record_once(up, place, expected, capsys):
    outcome, _, said = lost(up, place, 40, capsys)
    assert outcome.status == "kept" and "python pipelines/sync.py sends it" in outcome.message
    assert said.count("warning: airline/naive: ") == 1 and "training goes on" in said and up.uri in said
    (folder,) = journal.folders(store.unopened(up.uri, place))
    assert folder.parent == place / ".lookback/journal" and folder.parent.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in folder.rglob("*") if p.is_file()} == {0o600}
    assert trial.run(wanted(up.uri), place).status == "kept", "it waits: nothing is trained again"
    assert len(journal.folders(store.unopened(up.uri, place))) == 1
    opened, run = check_sent(up, place, outcome, expected)
    assert run.info.start_time <= run.info.end_time < time.time() * 1000
    halves = [
        r for r in registry.runs(opened, opened.experiment("airline"), outcome.key) if r.info.status != "FINISHED"
    ]
    assert not halves, "what was half written is deleted"


@pytest.mark.slow
@pytest.mark.usefixtures("few_retries")
def test_the_server_may_die_before_any_request_of_a_trial(up, place, expected, capsys):
    for _ in range(2):  # the second one finds the experiment, as all later ones do
        fresh_experiment(store.open_store(up.uri, place))
        with killed_before(up, -1) as seen:
            assert trial.run(wanted(up.uri), place).status == "trained"
    total = len(seen)
    first = 1 + next(i for i, sent in enumerate(seen) if b"get-by-name" in sent)  # the looks before that: unreachable
    moments = sorted({first, total, *random.Random(6).sample(range(first, total), 6)})
    for number in moments:
        outcome, count, _ = lost(up, place, number, capsys)
        assert count >= number, (count, total)
        assert outcome.status == "kept", number
        check_sent(up, place, outcome, expected)


SYNC = """
import os, signal, sys
from pathlib import Path
from lookback.tracking import store, sync
root = Path(sys.argv[2])
opened = store.open_store(sys.argv[1], root)
for number in range(1, 500):
    child = os.fork()
    if not child:
        seen = []
        def hook(event, arguments):
            if event in ("http.client.send", "os.rename", "shutil.rmtree"):
                seen.append(event)
                if len(seen) == number:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        done = sync.sync(opened)
        os._exit(1 if done.left else 0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code >= 0:
        print(number, code)
        break
"""


@pytest.mark.slow
@pytest.mark.usefixtures("few_retries")
def test_a_sync_that_is_killed_before_each_of_its_steps_sends_once_all_the_same(up, place, expected, capsys):
    outcome, _, _ = lost(up, place, 40, capsys)
    known = clean_environment() | {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    command = [sys.executable, "-c", SYNC, up.uri, str(place)]
    done = subprocess.run(command, env=known, capture_output=True, text=True, timeout=500)
    number, code = map(int, done.stdout.split()[-2:])
    assert code == 0 and number > 15, done.stdout + done.stderr
    check_sent(up, place, outcome, expected)
    opened = store.open_store(up.uri, place)
    (experiment,) = [opened.experiment("airline")]
    own = [r.info.run_id for r in registry.runs(opened, experiment)]
    models = opened.client.search_logged_models([experiment])
    assert [m.source_run_id for m in models if m.source_run_id in own] == own, "no model of a half is left"


ONE_SYNC = """
import sys
from pathlib import Path
from lookback.tracking import store, sync
done = sync.sync(store.open_store(sys.argv[1], Path(sys.argv[2])))
print("SENT", len(done.sent), "LEFT", done.left)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("few_retries")
def test_two_syncs_at_once_send_each_record_once(up, place, expected, capsys):
    outcome, _, _ = lost(up, place, 40, capsys)
    command = [sys.executable, "-c", ONE_SYNC, up.uri, str(place)]
    both = [
        subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=120) for one in both]
    told = sorted(out.splitlines()[-1] for out, _ in said)
    assert told == ["SENT 0 LEFT 0", "SENT 1 LEFT 0"], said
    check_sent(up, place, outcome, expected)


def begun(opened, key):
    tags = {"task": "airline", "trial_key": key}
    run = log.Run(opened, opened.experiment("airline"), "airline/x", tags, {"a": "1"})
    run.metrics({"loss": 1.0})
    return run


def test_a_run_that_the_server_finished_and_could_not_say_so_is_not_sent_again(up, tmp_path):
    opened = store.open_store(up.uri, tmp_path)
    run = begun(opened, "answer-lost")
    journal.keep(opened, run._record, run._files)
    run.finish()
    assert len(sync.sync(opened).sent) == 1
    assert [r.info.run_id for r in finished(opened, "answer-lost")] == [run.id]


def test_a_record_older_than_the_finished_run_is_dropped_and_a_newer_one_replaces_it(up, tmp_path, capsys):
    opened = store.open_store(up.uri, tmp_path)
    old, new = begun(opened, "twice"), begun(opened, "twice")
    new._record.started = old._record.started + 5
    journal.keep(opened, new._record, new._files)
    journal.keep(opened, old._record, old._files).rename(tmp_path / "old")
    old.finish()
    sync.sync(opened)
    (run,) = finished(opened, "twice")
    assert run.data.tags["record"] == new._record.id and "sent  airline/x" in capsys.readouterr().out
    (tmp_path / "old").rename(opened.journal / old._record.id)
    sync.sync(opened)
    assert "known  airline/x" in capsys.readouterr().out
    assert [r.info.run_id for r in finished(opened, "twice")] == [run.info.run_id]


def test_torn_records_foreign_ones_and_what_the_killed_left_harm_nobody(up, tmp_path, capsys):
    opened = store.open_store(up.uri, tmp_path)
    run = begun(opened, "torn")
    whole = journal.keep(opened, run._record, run._files)
    text = (whole / "record.json").read_text()
    for cut in (0, 1, len(text) // 2, len(text) - 1):
        folder = whole.with_name(f"torn{cut}")
        shutil.copytree(whole, folder)
        (folder / "record.json").write_text(text[:cut])
    foreign = whole.with_name("foreign")
    shutil.copytree(whole, foreign)
    (foreign / "record.json").write_text(json.dumps(json.loads(text) | {"uri": "http://elsewhere", "id": "foreign"}))
    for name in ("a.unfinished", "b.unfinished", "c.sent"):
        shutil.copytree(whole, whole.with_name(name))
    os.utime(whole.with_name("b.unfinished"), (0, 0))
    done = sync.sync(opened)
    assert (len(done.sent), done.left, done.elsewhere) == (1, 4, ["http://elsewhere"])
    assert capsys.readouterr().err.count("cannot be read") == 4
    assert len(finished(opened, "torn")) == 1
    left = {p.name for p in whole.parent.iterdir()}
    assert {"foreign", "a.unfinished", f"torn{len(text) // 2}"} <= left
    assert not {"b.unfinished", "c.sent", whole.name} & left


def test_a_password_is_in_no_record_and_in_no_artifact(up, place):
    uri = up.uri.replace("//", f"//ann:{SECRET}@")
    outcome = trial.run(wanted(uri, "force=true"), place)
    assert outcome.status == "trained"
    opened = store.open_store(uri, place)
    assert SECRET not in opened.shown
    (run,) = finished(opened, outcome.key)
    opened.client.download_artifacts(run.info.run_id, "", str(place))
    assert SECRET not in (place / "config.json").read_text() + str(run.to_dictionary())


def test_sync_says_what_it_does(cli, house):
    done = cli("--help", pipeline="sync")
    assert done.returncode == 0 and "pipelines/sync.py tracking.uri=http://127.0.0.1:5000" in done.stdout
    done = cli(pipeline="sync")
    assert (done.returncode, done.stdout) == (0, "nothing waits in .lookback/journal\n")
    assert "mlflow.db" not in new_files(house)


# --- whole walks ------------------------------------------------------------------------------------------------------

SWEEP = ["-m", "task=airline", "model=naive,linear,dense", "seed=0", "training.epochs=3", "training.compiler=graph"]


@pytest.mark.slow
@pytest.mark.usefixtures("few_retries")
def test_a_sweep_goes_on_without_its_server(up, house):
    fresh_experiment(store.open_store(up.uri, house))
    known = clean_environment(house) | {"MLFLOW_TRACKING_URI": up.uri, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    command = [sys.executable, "pipelines/train.py", *SWEEP]
    started = subprocess.Popen(command, cwd=house, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = []
    for line in started.stdout:
        said.append(line)
        if line.startswith("trained"):
            up.kill()
            break
    rest, errors = started.communicate(timeout=300)
    assert started.returncode == 75, errors
    assert rest.count("   kept  ") == 2 and "failed" not in rest + errors, rest + errors
    assert "2 of 3 trials are kept in .lookback/journal and missing" in errors

    def pipeline(name, *arguments):
        asked = [sys.executable, f"pipelines/{name}.py", *arguments]
        return subprocess.run(asked, cwd=house, env=known, capture_output=True, text=True, timeout=300)

    missed = pipeline("sync")
    assert missed.returncode == 69 and len(missed.stderr.splitlines()) == 1
    up.start()
    done = pipeline("sync")
    assert done.returncode == 0 and "2 of 2 records are in" in done.stdout, done.stdout + done.stderr
    name = done.stdout.split("sweep=")[1].split()[0]
    compared = pipeline("compare", f"sweep={name}")
    assert compared.returncode == 0 and "has the lowest loss, MAE" in compared.stdout, compared.stderr
    assert all(model in compared.stdout for model in ("naive", "linear", "dense"))
    assert "missing" not in compared.stdout
    opened = store.open_store(up.uri, house)
    (swept,) = [r for r in registry.runs(opened, opened.experiment("sweeps")) if r.data.tags["sweep"] == name]
    assert swept.info.status == "FINISHED"
    again = pipeline("train", *SWEEP)
    assert again.returncode == 0 and again.stdout.count("known  ") == 3


@pytest.mark.slow
def test_a_server_killed_at_random_moments_costs_no_row(up, house):
    chosen = random.Random(3)
    known = clean_environment(house) | {"MLFLOW_TRACKING_URI": up.uri, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    train = [sys.executable, "pipelines/train.py", "task=airline", "model=dense", "training.patience=null"]
    train += ["training.compiler=graph", "training.epochs=40"]
    fresh_experiment(store.open_store(up.uri, house))

    def run(*command):
        return subprocess.run(command, cwd=house, env=known, capture_output=True, text=True, timeout=300)

    began = time.monotonic()
    assert run(*train).returncode == 0
    whole = time.monotonic() - began
    opened = store.open_store(up.uri, house)
    (run_id,) = [r.info.run_id for r in registry.runs(opened, opened.experiment("airline"))]
    reference = content(opened, opened.client.get_run(run_id))
    assert len(reference["metrics"]["val_loss"]) == 40
    codes = []
    for _ in range(4):
        fresh_experiment(opened)
        started = subprocess.Popen(
            train, cwd=house, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(chosen.uniform(0.3, 1.0) * whole)
        up.kill()
        out, errors = started.communicate(timeout=300)
        up.start()
        codes.append(started.returncode)
        assert started.returncode in (0, 69, 75), errors
        if started.returncode == 69:  # before training
            assert run(*train).returncode == 0
        assert run(sys.executable, "pipelines/sync.py").returncode == 0
        (key,) = {r.data.tags["trial_key"] for r in registry.runs(opened, opened.experiment("airline"))}
        (found,) = finished(opened, key)
        assert content(opened, found) == reference, (out, errors)
    assert 75 in codes, codes


def walk(cli, house, uri):
    """Train, compare, promote, predict: as on the SQLite file of the repository."""
    own = {"MLFLOW_TRACKING_URI": uri}
    trained = cli(*SWEEP, **own)
    assert trained.returncode == 0 and trained.stdout.count("trained  ") == 3, trained.stderr
    again = cli(*SWEEP, **own)
    assert again.returncode == 0 and again.stdout.count("known  ") == 3, again.stderr
    compared = cli(pipeline="compare", **own)
    assert compared.returncode == 0 and "has the lowest loss, MAE" in compared.stdout, compared.stderr
    promoted = cli("task=airline", pipeline="promote", **own)
    assert promoted.returncode == 0, promoted.stderr
    arguments = ("run=airline@champion", "data=data/airline.csv", "out=forecast.csv")
    predicted = cli(*arguments, pipeline="predict", **own)
    assert predicted.returncode == 0 and (house / "forecast.csv").exists(), predicted.stderr
    missing = cli("sweep=nobody", pipeline="compare", **own)
    assert missing.returncode == 66 and len(missing.stderr.splitlines()) == 1
    every = [trained, again, compared, promoted, predicted, missing]
    assert SECRET not in "".join(done.stdout + done.stderr for done in every)
    assert not (house / "mlflow.db").exists() and not (house / "mlruns").exists()


@pytest.mark.slow
def test_the_whole_way_on_a_server_with_sqlite(cli, house, tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("own")) as one:
        walk(cli, house, one.uri)


@pytest.mark.slow
def test_the_whole_way_on_a_server_with_postgresql(cli, house, tmp_path_factory):
    with postgres() as uri, mlflow_server(tmp_path_factory.mktemp("own"), uri) as one:
        walk(cli, house, one.uri)


@pytest.mark.slow
def test_the_whole_way_on_postgresql_itself(cli, house):
    with postgres() as uri:
        walk(cli, house, uri)
    done = cli("task=airline", "model=naive", MLFLOW_TRACKING_URI=uri)
    assert done.returncode == 69 and SECRET not in done.stderr and len(done.stderr.splitlines()) == 1
