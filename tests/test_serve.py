"""The champion over HTTP: a real server, real requests, real signals."""

import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest
from conftest import ROOT, clean_environment

sys.path.insert(0, str(ROOT / "benchmarks"))
import load as bench

ROWS = pd.read_csv(ROOT / "data/airline.csv").tail(40)
TABLE = ROWS.to_csv(index=False)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def served(house, *arguments):
    port = free_port()
    command = [sys.executable, "pipelines/serve.py", f"port={port}", *arguments]
    server = subprocess.Popen(
        command, cwd=house, env=clean_environment(house), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                if ask(port, None, method="GET", path="/health")[0] == 200:
                    break
            assert server.poll() is None, server.communicate()
            time.sleep(0.25)
        yield port, server
    finally:
        server.terminate()
        server.communicate(timeout=60)


def ask(port, body, kind="application/json", method="POST", path="/invocations", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body, ({"Content-Type": kind} if kind else {}) | headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def shop(tmp_path_factory, forking, empty_store):
    """A house with a champion."""
    house = tmp_path_factory.mktemp("shop")
    for room in ("conf", "pipelines", "data"):
        shutil.copytree(ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    (house / "src").symlink_to(ROOT / "src")
    shutil.copy(empty_store, house / "mlflow.db")
    for command in (["train", "-m", "task=airline", "model=naive,linear"], ["promote", "task=airline"]):
        done = forking.run([f"pipelines/{command[0]}.py", *command[1:]], house, clean_environment(house))
        assert done.returncode == 0, done.stderr
    return house


@pytest.fixture(scope="module")
def open_shop(shop):
    with served(shop) as (port, _):
        yield port


def split(frame):
    return json.dumps({"dataframe_split": frame.to_dict("split")})


def test_requests_are_answered_and_bad_ones_get_one_clear_line(open_shop, shop, forking):
    port = open_shop
    status, said = ask(port, split(ROWS))
    assert status == 200
    (line,) = json.loads(said)["predictions"]
    assert ask(port, split(ROWS[ROWS.columns[::-1]])) == (status, said), "columns are matched by name"
    assert ask(port, TABLE, "text/csv") == (status, said)
    done = forking.run(["pipelines/predict.py", "run=airline@champion", "out=here.csv"], shop, clean_environment(shop))
    assert done.returncode == 0 and pd.read_csv(shop / "here.csv")["forecast"].tolist() == [line["forecast"]]

    wrong = ROWS.astype({"passengers": object})
    wrong.iloc[3, 1] = "many"
    holes = ROWS.astype({"passengers": float})
    holes.iloc[3, 1] = float("nan")
    bad = [
        (400, "the body is not JSON: Expecting value", {"body": "not json"}),
        (400, r"CSV-COLUMN\] frame:1: no column 'passengers'", {"body": split(ROWS.drop(columns="passengers"))}),
        (400, r"CSV-NUMBER\] frame:5: column 'passengers': 'many' is not a number", {"body": split(wrong)}),
        (400, r"CSV-MISSING\] frame:5: column 'passengers': the cell is empty", {"body": split(holes)}),
        (400, r"PREDICT-HISTORY\] frame: 2 unbroken rows at the end", {"body": split(ROWS.tail(2))}),
        (400, r"SERVE-FORMAT\] request: send a table", {"body": json.dumps({"inputs": [1, 2]})}),
        (400, "exactly one of the input fields", {"body": "{}"}),
        (400, "Received a list", {"body": "[]"}),
        (413, "more than 5 MB", {"body": b"x" * 10_000_000}),
        (415, "content-type is missing", {"body": "", "kind": None}),
        (415, "only supports the following content types", {"body": "x", "kind": "image/png"}),
        (403, "host 'evil.example.com' is not served here", {"body": split(ROWS), "Host": "evil.example.com"}),
        (403, "origin 'http://evil.example.com'", {"body": split(ROWS), "Origin": "http://evil.example.com"}),
        (404, "Not Found", {"body": None, "method": "GET", "path": "/nowhere"}),
        (405, "Method Not Allowed", {"body": None, "method": "GET"}),
    ]
    for expected, pattern, request in bad:
        got, told = ask(port, **request)
        told = json.loads(told)["error"]
        assert (got, bool(re.search(pattern, told))) == (expected, True), (pattern, got, told)
        assert "\n" not in told and "Traceback" not in told and "site-packages" not in told
    assert ask(port, split(ROWS), Host=f"localhost:{port}") == (status, said), "it still answers"


def test_what_cannot_be_served_is_said_at_once(shop, forking):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for arguments, code, line in (
            ([f"port={taken.getsockname()[1]}"], 69, "[SERVE-PORT] port: 127.0.0.1:"),
            (["run=weather@champion"], 66, "[MODEL-MISSING] run: nothing is registered as weather@champion"),
            (["bundle=nowhere"], 66, "[SERVE-BUNDLE] bundle: there is no folder nowhere"),
            (["port=0"], 64, "[CONFIG-VALUE] port: got 0"),
        ):
            done = forking.run(["pipelines/serve.py", *arguments], shop, clean_environment(shop))
            assert done.returncode == code and line in done.stderr, done.stderr


@pytest.mark.slow
def test_what_was_begun_is_finished_when_the_server_is_told_to_end(shop):
    with served(shop) as (port, server):
        answers = []
        asking = [threading.Thread(target=lambda: answers.append(ask(port, TABLE, "text/csv"))) for _ in range(40)]
        for one in asking:
            one.start()
        while len(answers) < 3:
            time.sleep(0.005)
        began = len(answers)
        server.send_signal(signal.SIGTERM)
        for one in asking:
            one.join()
    assert began < 40 and [status for status, _ in answers] == [200] * 40 and len({said for _, said in answers}) == 1


@pytest.mark.slow
def test_of_ten_thousand_requests_none_is_lost(open_shop):
    _, taken, answers = bench.load(f"http://127.0.0.1:{open_shop}", TABLE.encode(), 10_000, 8)
    assert len(taken) == 10_000 and len(answers) == 1 and next(iter(answers)).startswith("200 ")


@pytest.mark.slow
def test_an_exported_bundle_is_served_without_a_store(shop, forking, tmp_path):
    command = ["pipelines/export.py", "run=airline@champion", f"out={tmp_path / 'given'}", "onnx=false"]
    done = forking.run(command, shop, clean_environment(shop))
    assert done.returncode == 0, done.stderr
    (tmp_path / "empty").mkdir()
    for room in ("conf", "pipelines"):
        shutil.copytree(ROOT / room, tmp_path / "empty" / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "empty/src").symlink_to(ROOT / "src")
    with served(tmp_path / "empty", f"bundle={tmp_path / 'given/bundle'}", "workers=1") as (port, _):
        assert ask(port, TABLE, "text/csv")[0] == 200
    assert not (tmp_path / "empty/mlflow.db").exists()


def test_the_container_is_locked_and_nobody_is_root():
    """Docker is on few machines that run this: what can be read off the file is checked without it."""
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    assert steps[0] == ["FROM", "python:3.11-slim"]
    names = [name for name, _ in steps]
    assert set(names) <= {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT"}
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()[1:]}
    for name, what in steps:
        if name == "COPY":
            for source in what.split()[:-1]:
                assert (ROOT / source).exists() and source in kept, f"{source} is not there, or not sent to Docker"
        if name == "RUN":
            for command in re.findall(r"pip install [^&]*", what):
                assert "--require-hashes" in command or "--no-deps --no-build-isolation -e ." in command, command
    assert names.index("USER") < names.index("ENTRYPOINT") and dict(steps)["USER"] != "root"


@pytest.mark.slow
def test_the_container_is_built_and_answers(shop, forking, tmp_path):
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("no Docker daemon on this machine")
    subprocess.run(["docker", "build", "-q", "-t", "lookback-test", str(ROOT)], check=True)
    command = ["pipelines/export.py", "run=airline@champion", f"out={tmp_path / 'given'}", "onnx=false"]
    assert forking.run(command, shop, clean_environment(shop)).returncode == 0
    mounted, published = f"{tmp_path / 'given/bundle'}:/model:ro", "127.0.0.1:5001:5001"
    started = ["docker", "run", "-d", "--rm", "-v", mounted, "-p", published, "lookback-test"]
    box = subprocess.run(started, capture_output=True, text=True, check=True).stdout.strip()
    try:
        for _ in range(120):
            with contextlib.suppress(OSError, http.client.HTTPException):
                if ask(5001, TABLE, "text/csv")[0] == 200:
                    return
            time.sleep(0.5)
        raise AssertionError("it does not answer")
    finally:
        subprocess.run(["docker", "rm", "-f", box], capture_output=True)
