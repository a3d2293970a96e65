"""The Large Movie Review Dataset as one CSV per split, packed from the archive that its authors give out.

Maas, Daly, Pham, Huang, Ng and Potts, Learning word vectors for sentiment analysis, ACL 2011. Nothing is
extracted to disk: members are read in the stream, in any order, and an archive that holds anything but what
it should is refused as a whole.
"""

import csv
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn, Self

from lookback.errors import DataError

Reviews = dict[tuple[int, int], tuple[int, str]]  # (label, id) -> rating, text

_REVIEW = re.compile(r"aclImdb/(train|test)/(pos|neg)/([0-9]{1,5})_([0-9]{1,2})\.txt")
_LABELS = {"neg": 0, "pos": 1}
_COLUMNS = ("id", "rating", "label", "text")
_EXTENDED = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
# What one review, one extended header and all members may take. The longest review has 14 kB, all together have
# 66 MB; the archive holds as many again without a label, and tables of word counts.
_REVIEW_BYTES, _HEADER_BYTES, _TOTAL_BYTES = 1 << 16, 1 << 13, 1 << 29
_MEMBERS = 120_000  # 100,000 reviews, half of them without a label, and a few tables
_BROKEN = (tarfile.TarError, RecursionError, TypeError, ValueError)  # the last two where a header is cut or no text


class _Header(tarfile.TarInfo):
    """A header that is refused before what it announces is read into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a file with holes")
        if header.type == tarfile.XGLTYPE or (header.type in _EXTENDED and not 0 <= header.size <= _HEADER_BYTES):
            raise tarfile.ReadError(f"an extended header of {header.size} bytes")
        return header

    def _proc_gnusparse_10(self, *_: object) -> NoReturn:  # would read a list of holes of any length
        raise tarfile.ReadError("a file with holes")


def read(archive: BinaryIO, name: str, each: int) -> dict[str, Reviews]:
    """The reviews of an aclImdb archive by split, train and test.

    Args:
        archive: a gzipped tar, read once from front to back.
        name: what to call it in messages.
        each: reviews that each split must hold of each label.

    Raises:
        DataError: it is torn, or holds a link, a device, a path that leads elsewhere, a review twice, more than
            it may or another number of reviews.
    """
    found: dict[str, Reviews] = {"train": {}, "test": {}}
    try:
        with tarfile.open(fileobj=archive, mode="r|gz", tarinfo=_Header) as tar:
            for member in _members(tar, name):
                _take(tar, member, found, name)
    except _BROKEN as e:
        _refuse(name, f"cannot be read as a gzipped tar ({type(e).__name__}: {e})")
    _check_counts(found, name, each)
    return found


def write(reviews: Reviews, path: Path) -> None:
    """Write reviews as CSV, ordered by label and id: fields quoted where they must be, lines ended by LF."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(_COLUMNS)
        out.writerows((number, rating, label, text) for (label, number), (rating, text) in sorted(reviews.items()))


def _members(tar: tarfile.TarFile, name: str) -> Iterator[tarfile.TarInfo]:
    """Every member, checked before the stream moves on past it."""
    count = total = 0
    while member := tar.next():
        tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all
        count, total = count + 1, total + max(member.size, 0)
        _check_member(member, name)
        if count > _MEMBERS or total > _TOTAL_BYTES:
            _refuse(name, f"holds more than {_MEMBERS} members or {_TOTAL_BYTES} bytes")
        yield member


def _check_member(member: tarfile.TarInfo, name: str) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        _refuse(name, f"member {member.name!r} leads out of the archive")
    if not (member.isreg() or member.isdir()) or member.issparse():
        _refuse(name, f"member {member.name!r} is a link, a device or the like, not a plain file")
    if member.size < 0:
        _refuse(name, f"member {member.name!r} has {member.size} bytes")


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, found: dict[str, Reviews], name: str) -> None:
    """Keep the member if it is a review; the rest of the archive is not wanted."""
    is_review = _REVIEW.fullmatch(member.name)
    if not is_review or not (file := tar.extractfile(member)):  # a folder has no content
        return
    split, kind, number, rating = is_review.groups()
    key = _LABELS[kind], int(number)
    if key in found[split]:
        _refuse(name, f"member {member.name!r} comes twice")
    if member.size > _REVIEW_BYTES:
        _refuse(name, f"member {member.name!r} has {member.size} bytes, more than the {_REVIEW_BYTES} of a review")
    try:
        found[split][key] = int(rating), file.read().decode("utf-8")
    except UnicodeDecodeError as e:
        _refuse(name, f"member {member.name!r} is not UTF-8 ({e})")


def _check_counts(found: dict[str, Reviews], name: str, each: int) -> None:
    for split, reviews in found.items():
        counts = Counter(label for label, _ in reviews)
        for kind, label in _LABELS.items():
            if counts[label] != each:
                _refuse(name, f"holds {counts[label]} reviews in {split}/{kind}, not {each}")


def _refuse(name: str, what: str) -> NoReturn:
    hint = "fetch it again, or set LOOKBACK_DATA to a folder that holds the packed files"
    raise DataError("SOURCE-TAR", f"{name}: {what}; {hint}") from None
