"""A digest of the data that were read: trials with equal digests are comparable."""

import hashlib
from collections.abc import Iterable


def of_bytes(body: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def of_text(text: str) -> str:
    """SHA-256 of a text as UTF-8."""
    return of_bytes(text.encode("utf-8", "surrogatepass"))


def framed(parts: Iterable[str]) -> str:
    """SHA-256 of several texts in their order, each behind its length: where one ends makes a difference.

    The lengths hold NUL bytes, which no file that is read does: this is never the digest of a file.
    """
    bodies = [part.encode("utf-8", "surrogatepass") for part in parts]
    return of_bytes(b"".join(len(body).to_bytes(8, "big") + body for body in bodies))


def of_files(digests: Iterable[str]) -> str:
    """Of one file its own digest; of several, train before val before test, that of all of them in this order."""
    listed = list(digests)
    return listed[0] if len(listed) == 1 else framed(listed)
