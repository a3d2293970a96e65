"""The MLflow UI as `make ui` opens it: a real server on loopback, a real browser where there is one."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from conftest import clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture
def served(cli, house):
    assert cli("task=airline", "model=naive").returncode == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "pipelines/ui.py", str(port)]
    server = subprocess.Popen(
        command, cwd=house, env=clean_environment(house), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(120):
            try:
                if get(port, "/health").status == 200:
                    break
            except OSError:
                time.sleep(0.5)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def get(port, path, **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    return urllib.request.urlopen(request, timeout=10)


def test_the_ui_answers_here_and_to_no_other_name(served):
    assert b"MLflow" in get(served, "/").read()
    assert get(served, "/", Host=f"localhost:{served}").status == 200
    for stranger in ("evil.example.com", "10.evil.com", f"192.168.evil.com:{served}"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(served, "/", Host=stranger)
        assert refused.value.code == 403


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium on this machine")
def test_the_ui_shows_the_experiment_in_a_browser(served, tmp_path):
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += [
        "--disable-component-update",
        "--disable-sync",
        "--virtual-time-budget=20000",
        f"--user-data-dir={tmp_path}",
    ]
    page = f"http://127.0.0.1:{served}/#/experiments"
    shown = subprocess.run(["chromium", *flags, "--dump-dom", page], capture_output=True, text=True, timeout=120).stdout
    assert "airline" in shown


def test_a_wrong_port_is_refused_in_one_line(house):
    done = subprocess.run(
        [sys.executable, "pipelines/ui.py", "70000"],
        cwd=house,
        env=clean_environment(house),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 64 and done.stderr.strip() == "error[CONFIG-VALUE] PORT: got '70000', allowed: 1 to 65535"
