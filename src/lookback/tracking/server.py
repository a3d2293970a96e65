"""Servers and databases that may be far away: do they answer, and what may be said of their addresses."""

import base64
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from lookback.errors import Unavailable

T = TypeVar("T")

PROBE_SECONDS = 4.0  # for all of it: the name, the connection, the answer
SOCKET_SECONDS = 3  # for each wait on a connection
DATABASE = re.compile(r"postgresql(\+psycopg2)?://")
_PASSWORDS = (re.compile(r"(://[^/@:\s]*):[^\s'\"/]*@"), re.compile(r"(?i)\b(password=)[^&\s'\"]*"))


class Link:
    """Whether a store still answers. After the first call that failed nothing more is asked of it.

    Attributes:
        lost: why it does not answer any more; "" while it does.
    """

    def __init__(self) -> None:
        self.lost = ""

    def attempt(self, ask: Callable[[], T]) -> T | None:
        """Ask the store something; None where it does not answer any more.

        Whatever a store raises counts: hours of training are worth more than knowing whose fault it was.
        """
        if self.lost:
            return None
        try:
            return ask()
        except Exception as e:
            self.lost = reason(e)
            return None


def hidden(text: str) -> str:
    """A text without the passwords of the addresses in it."""
    for pattern, kept in zip(_PASSWORDS, (r"\1:***@", r"\1***"), strict=True):
        text = pattern.sub(kept, text)
    return text


def reason(error: BaseException) -> str:
    """Why something failed: the first line, without passwords."""
    said = str(getattr(error, "reason", "") or error).strip()
    return hidden(said.splitlines()[0][:300]) if said else type(error).__name__


def is_database(uri: str) -> bool:
    """Whether it is a PostgreSQL database, and no MLflow server."""
    return DATABASE.match(uri) is not None


def spoken(uri: str) -> str:
    """A URI that names the driver which is installed with us: SQLAlchemy's own choice depends on its version."""
    return DATABASE.sub("postgresql+psycopg2://", uri)


def is_remote(uri: str) -> bool:
    """Whether it is asked over a connection; else it is a file."""
    return uri.startswith(("http://", "https://")) or is_database(uri)


def silence(uri: str) -> str:
    """Why a server does not answer; "" where it does. Known after `PROBE_SECONDS`, whatever happens."""
    if not is_remote(uri):
        return ""
    ask = _ask_database if is_database(uri) else _ask_server
    said: list[str] = []

    def asked() -> None:
        try:
            said.append(ask(uri))
        except Exception as e:  # whatever stands at that address may answer with anything
            said.append(reason(e))

    # Looking up a name has no time limit of its own, and an answer may come byte by byte: so another thread waits.
    waiting = threading.Thread(target=asked, daemon=True)
    waiting.start()
    waiting.join(PROBE_SECONDS)
    return said[0] if said else f"no answer within {PROBE_SECONDS:g} s"


def _ask_server(uri: str) -> str:
    parts = urlsplit(uri)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
    request = urllib.request.Request(f"{bare}/health")
    if parts.username:
        who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(who.encode()).decode()}")
    try:
        urllib.request.urlopen(request, timeout=SOCKET_SECONDS).close()
    except urllib.error.HTTPError as e:
        return f"HTTP {e.code}" if e.code in (502, 503, 504) else ""  # a proxy before a server that is gone
    return ""


def _ask_database(uri: str) -> str:
    driver().connect(DATABASE.sub("postgresql://", uri), connect_timeout=SOCKET_SECONDS).close()
    return ""


def driver() -> Any:
    """What speaks to PostgreSQL.

    Raises:
        Unavailable: it is not installed.
    """
    try:
        import psycopg2
    except ImportError:
        hint = "run: pip install 'psycopg2-binary>=2.9'"
        raise Unavailable(
            "TRACKING-DRIVER", f"tracking.uri: PostgreSQL needs a driver that is not there; {hint}"
        ) from None
    return psycopg2
