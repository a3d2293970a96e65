"""Fetching a file: from a real server on this machine, the way it goes well and every way it goes wrong."""

import csv
import functools
import gzip
import hashlib
import http.server
import io
import multiprocessing
import os
import re
import shutil
import socket
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, load, serving, settings

from lookback.data import archives, sources
from lookback.data.sources import Remote
from lookback.errors import ConfigError, DataError, Unavailable

CONTENT = b"day,temp\n2020-01-01,3.5\n" * 50
LONG = CONTENT * 300
TABLE = ROOT / "conf/sources.yaml"


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT in the way that the path names, and counts."""

    asked: list[str]
    folder: Path

    def do_GET(self):
        self.asked.append(self.path)
        if self.path == "/gone":
            self.send_error(404)
        elif self.path == "/elsewhere":
            self._send(b"", 302, location="/good")
        elif self.path == "/slow":
            time.sleep(0.3)
            self._send(CONTENT)
        elif self.path == "/cut":
            self._send(LONG[: len(LONG) // 2], length=len(LONG))
        elif self.path == "/endless":
            self._send(CONTENT * 2)
        elif self.path == "/zip":
            self._send((self.folder / "data.zip").read_bytes())
        else:
            self._send(CONTENT)

    def _send(self, body, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    handler = type("Handler", (Server,), {"asked": [], "folder": tmp_path})
    with serving(handler, monkeypatch) as running:
        running.asked, running.address = handler.asked, f"http://127.0.0.1:{running.server_port}"
        yield running


def remote(address, content=CONTENT, **more):
    return Remote(address, len(content), hashlib.sha256(content).hexdigest(), **more)


def download(wanted, target):
    return sources.download(wanted, target, plain_hosts=("127.0.0.1",))


def refused(kind, code, wanted, target):
    """The one line of a download that must fail, and must leave nothing under the real name."""
    with pytest.raises(kind) as caught:
        download(wanted, target)
    line = str(caught.value)
    assert code in line and "\n" not in line and not target.exists()
    assert not target.with_name(f"{target.name}.part").exists()
    return line


def test_a_file_is_fetched_once(server, tmp_path):
    target = tmp_path / "cache/x/a.csv"
    for _ in range(2):
        assert download(remote(f"{server.address}/good"), target) == target
        assert target.read_bytes() == CONTENT
    assert server.asked == ["/good"]


def test_a_cached_file_that_was_spoilt_is_fetched_again(server, tmp_path):
    target = tmp_path / "a.csv"
    target.write_bytes(CONTENT[:-1])
    download(remote(f"{server.address}/good"), target)
    assert target.read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_the_file_kept_aside(server, tmp_path):
    target = tmp_path / "a.csv"
    wanted = Remote(f"{server.address}/good", len(CONTENT), "0" * 64)
    line = refused(DataError, "SOURCE-HASH", wanted, target)
    assert hashlib.sha256(CONTENT).hexdigest() in line and "0" * 64 in line and f"{target}.bad" in line
    assert Path(f"{target}.bad").read_bytes() == CONTENT


def test_a_cut_download_is_refused_and_kept_aside(server, tmp_path):
    target = tmp_path / "a.csv"
    line = refused(Unavailable, "SOURCE-CUT", remote(f"{server.address}/cut", LONG), target)
    kept = Path(f"{target}.bad").stat().st_size
    assert 0 < kept <= len(LONG) // 2 and f"broke off after {kept} bytes" in line
    download(remote(f"{server.address}/good"), target)
    assert target.read_bytes() == CONTENT


def test_more_bytes_than_the_table_says_are_not_taken(server, tmp_path):
    target = tmp_path / "a.csv"
    refused(DataError, "SOURCE-SIZE", remote(f"{server.address}/endless"), target)


def test_what_a_server_refuses_or_moves_is_unavailable(server, tmp_path):
    for path, status in (("gone", "404"), ("elsewhere", "302")):
        line = refused(Unavailable, "SOURCE-HTTP", remote(f"{server.address}/{path}"), tmp_path / "a.csv")
        assert status in line and "LOOKBACK_DATA" in line
    assert server.asked == ["/gone", "/elsewhere"]  # the redirection was not followed
    assert not (tmp_path / "a.csv.bad").exists()


def test_without_a_network_the_line_names_the_address_and_the_hint(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/a.csv"  # bound, not listening: refused
        (tmp_path / "a.csv.part").write_text("of a process that was killed")
        line = refused(Unavailable, "SOURCE-NETWORK", remote(address), tmp_path / "a.csv")
    assert address in line and "LOOKBACK_DATA" in line
    assert not (tmp_path / "a.csv.bad").exists()


def test_only_https_is_fetched(tmp_path):
    with pytest.raises(ConfigError, match="SOURCE-HTTPS"):
        sources.download(remote("http://127.0.0.1:9/a.csv"), tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="SOURCE-HTTPS"):
        sources.download(remote(f"file://{TABLE}"), tmp_path / "a.csv", plain_hosts=("127.0.0.1",))


def test_processes_that_want_the_same_file_fetch_it_once(server, tmp_path):
    target = tmp_path / "a.csv"
    context = multiprocessing.get_context("fork")
    work = functools.partial(download, remote(f"{server.address}/slow"), target)
    processes = [context.Process(target=work) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [p.exitcode for p in processes] == [0, 0]
    assert target.read_bytes() == CONTENT and server.asked == ["/slow"]


# --- archives -----------------------------------------------------------------------------------------


def archive(folder, **members):
    with zipfile.ZipFile(folder / "data.zip", "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/"), content)


def test_of_an_archive_only_the_named_member_is_taken(server, tmp_path):
    archive(tmp_path, in__a=CONTENT, other=b"not wanted")
    target = tmp_path / "cache/a.csv"
    download(remote(f"{server.address}/zip", member="in/a"), target)
    assert target.read_bytes() == CONTENT
    assert {p.name for p in target.parent.iterdir()} == {"a.csv"}


def test_a_member_that_unpacks_to_more_than_its_size_is_refused(server, tmp_path):
    archive(tmp_path, a=b"0" * 3_000_000)  # 3 kB in the archive
    refused(DataError, "SOURCE-HASH", remote(f"{server.address}/zip", member="a"), tmp_path / "a.csv")
    assert (tmp_path / "a.csv.bad").stat().st_size == len(CONTENT) + 1


def test_an_archive_without_the_member_and_a_file_that_is_none(server, tmp_path):
    archive(tmp_path, other=CONTENT)
    refused(DataError, "SOURCE-ZIP", remote(f"{server.address}/zip", member="a"), tmp_path / "a.csv")
    refused(DataError, "SOURCE-ZIP", remote(f"{server.address}/good", member="a"), tmp_path / "b.csv")


# --- the table ----------------------------------------------------------------------------------------


def test_every_entry_of_the_table_is_whole():
    for name, source in yaml.safe_load(TABLE.read_text()).items():
        assert {"what", "origin", "licence", "files"} == set(source), name
        for found in sources._remotes(name, ROOT).values():
            assert found.address.startswith("https://") and found.bytes > 0 and found.rows > 0
            assert len(bytes.fromhex(found.sha256)) == 32
            assert re.search(r"/[0-9a-f]{40}/", found.address) or found.split  # pinned by a commit, or packed by us


def test_unknown_names_are_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"SOURCE-NAME.*'melburne'; did you mean 'melbourne'"):
        sources.fetch("melburne", "a.csv", ROOT)
    with pytest.raises(ConfigError, match=r"SOURCE-FILE.*'cos.csv' from source sin; .*sin.csv"):
        sources.fetch("sin", "cos.csv", ROOT)


def test_a_folder_of_ones_own_comes_first_and_is_checked(tmp_path, monkeypatch):
    held = tmp_path / "mine/sin/sin.csv"
    held.parent.mkdir(parents=True)
    held.write_text("something else")
    monkeypatch.setenv("LOOKBACK_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataError, match=r"SOURCE-HASH.*sin.csv: its SHA-256 is .* unset LOOKBACK_DATA"):
        sources.fetch("sin", "sin.csv", ROOT)


def rows(file, content):
    """Records of a CSV, header aside; sentences of CoNLL-U; lines of plain text."""
    if file.endswith(".csv"):
        return len(list(csv.reader(io.StringIO(content.decode(), newline="")))) - 1
    return content.count(b"\n\n" if file.endswith(".conllu") else b"\n")


def own_table(root, content, **more):
    """A table with one file, a.csv of source x, that no server would give."""
    (root / "conf").mkdir(parents=True)
    entry = {"address": "https://127.0.0.1:9/a.csv", "bytes": len(content)}
    entry |= {"sha256": hashlib.sha256(content).hexdigest(), **more}
    (root / "conf/sources.yaml").write_text(yaml.safe_dump({"x": {"files": {"a.csv": entry}}}))
    return root


def test_a_gzipped_file_of_ones_own_holds_the_file_and_is_read_once(tmp_path, monkeypatch):
    root, held = own_table(tmp_path / "root", CONTENT), tmp_path / "mine/x/a.csv.gz"
    held.parent.mkdir(parents=True)
    monkeypatch.setenv("LOOKBACK_DATA", str(tmp_path / "mine"))
    held.write_bytes(gzip.compress(CONTENT))
    before = archives._unpacked_digest.cache_info()
    assert [sources.fetch("x", "a.csv", root) for _ in range(3)] == [held] * 3
    after = archives._unpacked_digest.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)
    (held.parent / "a.csv").write_bytes(CONTENT)
    assert sources.fetch("x", "a.csv", root) == held.parent / "a.csv"  # the plain file comes first


@pytest.mark.parametrize(
    ("packed", "code"),
    [
        (gzip.compress(CONTENT[:-1]), f"SOURCE-HASH.*{len(CONTENT) - 1} bytes"),
        (gzip.compress(b"0" * 50_000_000), f"SOURCE-HASH.*{len(CONTENT) + 1} bytes"),  # not read to its end
        (gzip.compress(CONTENT)[:-9], "SOURCE-GZIP.*put the whole file there"),
        (CONTENT, "SOURCE-GZIP.*a.csv.gz: cannot be unpacked"),
    ],
    ids=["another", "bomb", "cut", "not-gzip"],
)
def test_a_gzipped_file_of_ones_own_is_checked_unpacked(packed, code, tmp_path, monkeypatch):
    root, held = own_table(tmp_path / "root", CONTENT), tmp_path / "mine/x/a.csv.gz"
    held.parent.mkdir(parents=True)
    monkeypatch.setenv("LOOKBACK_DATA", str(tmp_path / "mine"))
    held.write_bytes(gzip.compress(CONTENT))
    sources.fetch("x", "a.csv", root)
    held.write_bytes(packed)  # what was found before is not believed of another file
    with pytest.raises(DataError, match=code):
        sources.fetch("x", "a.csv", root)


def test_a_packed_file_is_looked_for_before_its_archive_is_fetched(tmp_path, monkeypatch):
    monkeypatch.delenv("LOOKBACK_DATA", raising=False)
    root = own_table(tmp_path, CONTENT, split="train", at_most=1, address="https://127.0.0.1:9/b.tar.gz")
    kept = tmp_path / ".lookback/data/x"
    with pytest.raises(Unavailable, match=r"SOURCE-NETWORK.*b\.tar\.gz"):
        sources.fetch("x", "a.csv", root)
    assert not list(kept.iterdir())
    (kept / "a.csv").write_bytes(CONTENT)
    assert sources.fetch("x", "a.csv", root) == kept / "a.csv"


def test_what_cannot_be_fetched_says_how_it_is_made(tmp_path, monkeypatch):
    monkeypatch.delenv("LOOKBACK_DATA", raising=False)
    (tmp_path / "conf").mkdir()
    shutil.copy(TABLE, tmp_path / "conf")
    with pytest.raises(Unavailable, match=r"SOURCE-BY-HAND.*git checkout 15d613d.*xargs cat.*LOOKBACK_DATA") as caught:
        sources.fetch("ud_ewt", "en_ewt-ud-train.conllu", tmp_path)
    assert "\n" not in str(caught.value) and "ud_ewt/en_ewt-ud-train.conllu" in str(caught.value)


@pytest.mark.slow
def test_the_files_at_hand_are_those_of_the_table():
    folder = Path(os.environ.get("LOOKBACK_DATA", "/nowhere"))
    if not folder.is_dir():
        pytest.skip("LOOKBACK_DATA names no folder with the fetched files")
    for name, source in yaml.safe_load(TABLE.read_text()).items():
        for file, entry in source["files"].items():
            found = sources.fetch(name, file, ROOT)
            assert found in (folder / name / file, folder / name / f"{file}.gz")
            content = gzip.decompress(found.read_bytes()) if found.suffix == ".gz" else found.read_bytes()
            assert len(content) == entry["bytes"] and rows(file, content) == entry["rows"], file


def test_the_cache_is_used_without_a_network(tmp_path, monkeypatch):
    folder = os.environ.get("LOOKBACK_DATA")
    if not folder or not (Path(folder) / "sin/sin.csv").is_file():
        pytest.skip("LOOKBACK_DATA names no folder with the fetched files")
    (tmp_path / "conf").mkdir()
    shutil.copy(TABLE, tmp_path / "conf")
    cached = tmp_path / ".lookback/data/sin/sin.csv"
    cached.parent.mkdir(parents=True)
    shutil.copy(Path(folder) / "sin/sin.csv", cached)
    monkeypatch.delenv("LOOKBACK_DATA")
    assert sources.fetch("sin", "sin.csv", tmp_path) == cached


# --- the tasks that read them -------------------------------------------------------------------------

NAIVE = {  # task -> test samples, MAE of the last value of the window, MAE of the value one season before
    "flu": (53, 4.698113, 3.584906),
    "jena": (2635, 2.143833, 2.143833),
    "sin": (300, 0.037979, 0.037979),
    "twosin": (1500, 0.016045, 0.016045),
}


@pytest.mark.parametrize("task", NAIVE)
def test_naive_scores_of_the_fetched_files(task):
    """From the file to the windows: a golden value that needs no training. Half of it stands in the task's YAML."""
    if not Path(os.environ.get("LOOKBACK_DATA", "/nowhere")).is_dir():
        pytest.skip("LOOKBACK_DATA names no folder with the fetched files")
    settled = settings(f"task={task}")
    data = load(settled)
    truth, series, last = data.test.targets()[:, 0], data.test.arrays["target"], data.test.origins() - 1
    target = data.test.target_rows()[:, 0]
    ahead = settled.task.lead
    assert (target - last == ahead).all()
    seasonal = series[target - settled.task.season * -(-ahead // settled.task.season)]
    found = len(truth), np.abs(series[last] - truth).mean(), np.abs(seasonal - truth).mean()
    assert found == pytest.approx(NAIVE[task], abs=1e-6)
    assert f"{found[1]:.4g}" in (ROOT / f"conf/task/{task}.yaml").read_text()


def test_jena_by_the_hour_is_as_predictable_as_it_is_known_to_be():
    """Persistence 0.605 °C and the day before 2.14 °C, one hour ahead on the last 30 %."""
    if not Path(os.environ.get("LOOKBACK_DATA", "/nowhere")).is_dir():
        pytest.skip("LOOKBACK_DATA names no folder with the fetched files")
    data = load(settings("task=jena", "task.lead=1"))
    rows, series = data.test.target_rows()[:, 0], data.test.arrays["target"]
    assert [round(np.abs(series[rows] - series[rows - k]).mean(), 3) for k in (1, 24)] == [0.605, 2.144]


def test_the_frequencies_of_the_sky():
    """The log loss that the task's YAML tells: of how often each kind occurs before 2015, half a time added."""
    data = load(settings("task=sky"))
    classes, first = data.test.arrays["target"], data.test.target_rows()[0, 0]
    counts = np.bincount(classes[:first]) + 0.5
    loss = -np.log(counts / counts.sum())[classes[first:]].mean()
    assert len(data.test) == len(classes) - first == 365
    assert f"log loss {loss:.4g} nats" in (ROOT / "conf/task/sky.yaml").read_text()
