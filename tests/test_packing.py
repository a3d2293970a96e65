"""Packing the archive of film reviews: what comes out is known to the bit, and what should not be in it is refused."""

import csv
import dataclasses
import functools
import gzip
import hashlib
import http.server
import io
import os
import random
import tarfile
from pathlib import Path

import pytest
from conftest import ROOT, serving
from hypothesis import given
from hypothesis import strategies as st

from lookback.data import packing, sources
from lookback.data.sources import Remote
from lookback.errors import DataError, Unavailable

EACH = 2
PACKED = {  # of the archive that `good` makes; "10" after "9": numbers, not text
    "train": 'id,rating,label,text\n9,1,0,dull\n10,4,0,"so, so"\n0,10,1,Zürich\n7,7,1," ""fine"" <br />"\n',
    "test": "id,rating,label,text\n0,2,0,bad\n1,3,0,worse\n0,8,1,good\n1,9,1,better\n",
}


def good():
    """Members of a small archive of the right make-up, in no order."""
    reviews = {
        f"{split}/{('neg', 'pos')[int(row['label'])]}/{row['id']}_{row['rating']}.txt": row["text"]
        for split, content in PACKED.items()
        for row in csv.DictReader(io.StringIO(content, newline=""))
    }
    names = sorted(reviews, key=lambda name: hashlib.sha256(name.encode()).digest())
    others = {"train/unsup/0_0.txt": "not labelled", "train/urls_pos.txt": "http://...", "imdb.vocab": "the"}
    return [folder("aclImdb"), folder("aclImdb/train/pos")] + [
        member(f"aclImdb/{name}", (reviews | others)[name]) for name in [*others, *names]
    ]


def member(name, content="", kind=tarfile.REGTYPE, **more):
    info = tarfile.TarInfo(name)
    body = content.encode() if isinstance(content, str) else content
    info.size, info.type = len(body), kind
    for key, value in more.items():
        setattr(info, key, value)
    return info, body


def pax(**records):
    """The content of an extended header; each record begins with its own length."""
    lines = (f" {key.replace('__', '.')}={value}\n" for key, value in records.items())
    return "".join(f"{len(line) + 2}{line}" for line in lines)  # of two digits


def folder(name):
    return member(name, kind=tarfile.DIRTYPE)


def archive(members, form=tarfile.GNU_FORMAT):
    raw = io.BytesIO()
    with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as zipped:
        for info, body in members:
            zipped.write(info.tobuf(form) + body + b"\0" * (-len(body) % 512))
        zipped.write(b"\0" * 1024)
    return raw.getvalue()


class Server(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Content-Encoding", "x-gzip")  # as some servers say of a .tar.gz; it is no reason to unpack it
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    (tmp_path / "served").mkdir()
    handler = functools.partial(Server, directory=tmp_path / "served")
    with serving(handler, monkeypatch) as running:
        running.file, running.address = tmp_path / "served/a.tar.gz", f"http://127.0.0.1:{running.server_port}/a.tar.gz"
        yield running


def remotes(kept, server, at_most=1 << 20):
    return {
        kept / f"{split}.csv": Remote(
            server.address,
            len(content.encode()),
            hashlib.sha256(content.encode()).hexdigest(),
            rows=2 * EACH,
            split=split,
            at_most=at_most,
        )
        for split, content in PACKED.items()
    }


def download(target, files):
    return sources.download_packed(target, files, plain_hosts=("127.0.0.1",))


def test_one_archive_is_packed_into_both_files_and_given_up(server, tmp_path):
    kept = tmp_path / "kept"
    files = remotes(kept, server)
    server.file.write_bytes(archive(good()))
    assert download(kept / "test.csv", files) == kept / "test.csv"
    assert {p.name for p in kept.iterdir()} == {"train.csv", "test.csv"}
    assert {p.stem: p.read_bytes().decode() for p in kept.glob("*.csv")} == PACKED
    server.file.unlink()
    assert download(kept / "train.csv", files) == kept / "train.csv"  # nothing is fetched again


HOSTILE = {  # members, what the line says
    "link": ([member("aclImdb/train/pos/7_7.txt", kind=tarfile.SYMTYPE, linkname="/etc/passwd")], "7_7.txt' is a link"),
    "hard link": ([member("aclImdb/x", kind=tarfile.LNKTYPE, linkname="aclImdb/README")], "'aclImdb/x' is a link"),
    "device": ([member("aclImdb/x", kind=tarfile.CHRTYPE)], "is a link, a device"),
    "pipe": ([member("aclImdb/x", kind=tarfile.FIFOTYPE)], "is a link, a device"),
    "unknown kind": ([member("aclImdb/x", kind=b"Q")], "is a link, a device"),
    "holes": ([member("aclImdb/x", kind=tarfile.GNUTYPE_SPARSE)], "a file with holes"),
    "holes in a header": (
        [member("x", pax(GNU__sparse__map="0,1"), kind=tarfile.XHDTYPE), member("aclImdb/x", "a")],
        "is a link, a device",
    ),
    "no number": (
        [member("x", pax(GNU__sparse__map="a,b"), kind=tarfile.XHDTYPE), member("aclImdb/x", "a")],
        "cannot be read as a gzipped tar (ValueError",
    ),
    "holes in the content": (
        [
            member("x", pax(GNU__sparse__major="1", GNU__sparse__minor="0"), kind=tarfile.XHDTYPE),
            member("aclImdb/x", "9\n" + "0\n" * 255),
        ],
        "a file with holes",
    ),
    "parent": ([member("aclImdb/train/pos/../../../x")], "leads out of the archive"),
    "absolute": ([member("/etc/cron.d/x")], "leads out of the archive"),
    "backslash": ([member("aclImdb\\..\\x")], "leads out of the archive"),
    "absolute folder": ([folder("/etc")], "leads out of the archive"),
    "too few": ([], f"holds {EACH - 1} reviews in t"),
    "too many": ([member("aclImdb/train/neg/5_1.txt")] * 1, f"holds {EACH + 1} reviews in train/neg, not {EACH}"),
    "huge": ([member("aclImdb/train/neg/5_1.txt", b"0" * 70_000)], "has 70000 bytes, more than the 65536"),
    "twice": ([member("aclImdb/test/neg/0_2.txt")], "test/neg/0_2.txt' comes twice"),
    "twice, rated otherwise": ([member("aclImdb/test/neg/00_3.txt")], "test/neg/00_3.txt' comes twice"),
    "not text": ([member("aclImdb/test/neg/5_2.txt", b"caf\xe9")], "is not UTF-8"),
    "total": ([member("aclImdb/x", size=1 << 40)], "holds more than 120000 members or 536870912 bytes"),
    "negative": ([member("aclImdb/x", size=-512)], "has -512 bytes"),
    "long header": ([member("x", b"0" * 10_000, kind=tarfile.XHDTYPE)], "an extended header of 10000 bytes"),
    "endless header": ([member("x", kind=tarfile.GNUTYPE_LONGNAME, size=1 << 40)], f"header of {1 << 40} bytes"),
    "common header": ([member("x", b"11 path=x\n", kind=tarfile.XGLTYPE)], "an extended header of 10 bytes"),
    "headers of headers": ([member("x", b"a", kind=tarfile.GNUTYPE_LONGNAME)] * 2000, "RecursionError"),
    "size in a header": (
        [member("x", pax(size=str(1 << 40)), kind=tarfile.XHDTYPE), member("aclImdb/x")],
        "holds more than",
    ),
}


def refused(server, tmp_path, files):
    """The line of a download that must fail and leave nothing under a real name."""
    kept = tmp_path / "kept"
    with pytest.raises(DataError) as caught:
        download(kept / "train.csv", files)
    line = str(caught.value)
    assert caught.value.exit_code == 65 and "\n" not in line
    assert not list(tmp_path.rglob("*.part")) and not list(kept.glob("*.csv")) and not (kept / "a.tar.gz").exists()
    assert (kept / "a.tar.gz.bad").read_bytes() == server.file.read_bytes()
    return line


@pytest.mark.parametrize("fault", HOSTILE)
def test_an_archive_with_anything_that_should_not_be_in_it_is_refused_whole(fault, server, tmp_path):
    members, told = HOSTILE[fault]
    content = archive([*good(), *members]) if fault != "too few" else archive(good()[:-1])
    server.file.write_bytes(content)
    line = refused(server, tmp_path, remotes(tmp_path / "kept", server))
    assert "error[SOURCE-TAR]" in line and told in line and server.address in line and "LOOKBACK_DATA" in line


def test_reviews_may_be_named_in_extended_headers(tmp_path):
    """As some programs write every archive; the name in the plain header is then of no account."""
    long_name = member("././@LongLink", "aclImdb/train/neg/9_1.txt\0", kind=tarfile.GNUTYPE_LONGNAME)
    members = [m for m in good() if "train/neg/9_1" not in m[0].name]
    found = packing.read(io.BytesIO(archive([*members, long_name, member("cut", "dull")])), "a", EACH)
    assert found["train"][0, 9] == (1, "dull")
    escape = member("././@LongLink", "../../x\0", kind=tarfile.GNUTYPE_LONGNAME)
    with pytest.raises(DataError, match="leads out of the archive"):
        packing.read(io.BytesIO(archive([*good(), escape, member("aclImdb/x")])), "a", EACH)


@pytest.mark.slow
def test_too_many_members_are_not_read_to_their_end():
    block = member("aclImdb/x")[0].tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(DataError, match="holds more than 120000 members"):
        packing.read(io.BytesIO(gzip.compress(block * 120_001, 1)), "a", EACH)


def test_another_text_gives_another_file_which_is_kept_aside(server, tmp_path):
    kept = tmp_path / "kept"
    members = [m for m in good() if m[0].name != "aclImdb/train/neg/9_1.txt"]
    server.file.write_bytes(archive([*members, member("aclImdb/train/neg/9_1.txt", "dumb")]))
    line = refused(server, tmp_path, remotes(kept, server))
    assert "SOURCE-HASH" in line and f"{kept / 'train.csv'}.bad" in line
    assert (kept / "train.csv.bad").read_text(encoding="utf-8") == PACKED["train"].replace("dull", "dumb")


def test_more_bytes_than_an_archive_may_have_are_not_taken(server, tmp_path):
    server.file.write_bytes(archive([*good(), member("aclImdb/x", random.Random(0).randbytes(200_000))]))
    with pytest.raises(DataError, match=r"SOURCE-SIZE.* 100000 bytes"):
        download(tmp_path / "kept/train.csv", remotes(tmp_path / "kept", server, at_most=100_000))


def test_an_archive_that_is_not_there_is_unavailable(server, tmp_path):
    with pytest.raises(Unavailable, match=r"SOURCE-HTTP.*404"):
        download(tmp_path / "kept/train.csv", remotes(tmp_path / "kept", server))


WHOLE = archive(good())
TAR = gzip.decompress(WHOLE)


@given(st.booleans(), st.integers(0, len(TAR) - 1), st.none() | st.integers(1, 255))
def test_an_archive_cut_or_changed_anywhere_is_refused_or_has_the_right_make_up(inside, at, flip):
    """A change of a text or a rating goes through here: the hash of what is packed tells it."""
    whole = TAR if inside else WHOLE
    at %= len(whole)
    spoilt = whole[:at] if flip is None else whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
    try:
        found = packing.read(io.BytesIO(gzip.compress(spoilt, 1) if inside else spoilt), "a", EACH)
    except DataError as e:
        assert str(e).startswith("error[SOURCE-TAR] a: ") and "\n" not in str(e)
    else:
        for reviews in found.values():
            assert [label for label, _ in sorted(reviews)] == [0, 0, 1, 1]


def test_an_archive_cut_in_its_first_bytes_is_refused():
    for at in range(40):
        with pytest.raises(DataError, match="SOURCE-TAR"):
            packing.read(io.BytesIO(WHOLE[:at]), "a", EACH)


def test_a_cut_archive_is_refused_and_kept_aside(server, tmp_path):
    server.file.write_bytes(WHOLE[: len(WHOLE) // 2])
    assert "SOURCE-TAR" in refused(server, tmp_path, remotes(tmp_path / "kept", server))


# --- the real reviews ---------------------------------------------------------------------------------


def rebuilt(folder, target):
    """An archive of the real reviews in another order, beside as many that have no label."""
    names = []
    for split in ("train", "test"):
        with gzip.open(folder / f"imdb_{split}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                kind = ("neg", "pos")[int(row["label"])]
                names.append((f"aclImdb/{split}/{kind}/{row['id']}_{row['rating']}.txt", row["text"]))
    names += [(f"aclImdb/train/unsup/{n}_0.txt", "not labelled") for n in range(50_000)]
    random.Random(0).shuffle(names)
    with tarfile.open(target, "w:gz", compresslevel=1, format=tarfile.USTAR_FORMAT) as tar:
        for info, body in (member(name, text) for name, text in names):
            tar.addfile(info, io.BytesIO(body))


@pytest.mark.slow
def test_the_real_reviews_packed_again_are_the_same_to_the_bit(server, tmp_path):
    folder = Path(os.environ.get("LOOKBACK_DATA", "/nowhere")) / "imdb"
    if not folder.is_dir():
        pytest.skip("LOOKBACK_DATA names no folder with imdb")
    rebuilt(folder, server.file)
    table, kept = sources._remotes("imdb", ROOT), tmp_path / "kept"
    files = {kept / f: dataclasses.replace(remote, address=server.address) for f, remote in table.items()}
    download(kept / "imdb_train.csv", files)
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in kept.glob("*.csv")}
    assert found == {file: remote.sha256 for file, remote in table.items()} and len(found) == 2
