"""What a served model is guarded by: who may ask, how much may be sent, and that a refusal is one clear line."""

import contextvars
import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

# What the model says of a request. A list, because a thread that answers sees only a copy of the context.
SAID: contextvars.ContextVar[list[str]] = contextvars.ContextVar("said")
_LONGEST = 500  # characters of a refusal
_JSON = (b"content-type", b"application/json")


class Doors:
    """An ASGI application in front of another: foreign hosts and large bodies stay out, errors are one line of JSON.

    Without the check of the host a page of any site could have its own name point here and read the answers.

    Args:
        hosts: names, with the port where it is no standard one, that the server answers to.
        megabytes: that a request may have.
    """

    def __init__(self, app: App, hosts: Iterable[str], megabytes: float):
        self._app, self._hosts, self._most = app, frozenset(hosts), int(megabytes * 1e6)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := self._refusal(scope, headers):
            await _answer(send, *refusal)
            return
        body = await _read(receive, self._most)
        if body is None:
            await _answer(send, 413, f"the request has more than {self._most / 1e6:g} MB; send fewer rows")
            return
        SAID.set([])
        await self._app(scope, _once(body), _Clear(send).send)

    def _refusal(self, scope: MutableMapping[str, Any], headers: dict[str, str]) -> tuple[int, str] | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return 403, f"host {host[:80]!r} is not served here; set names=[...] where it should be"
        if origin is not None and urlsplit(origin).netloc not in self._hosts:
            return 403, f"origin {origin[:80]!r} is not served here"
        if scope["method"] == "POST" and "content-type" not in headers:
            return 415, "content-type is missing: application/json or text/csv"
        return None


async def _read(receive: Receive, most: int) -> bytes | None:
    """The whole body; None where it is larger than so many bytes. It is read to its end, so that the answer arrives."""
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= most:
            parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts) if size <= most else None


def _once(body: bytes) -> Receive:
    """Gives a body that was read; then nothing more comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


class _Clear:
    """Passes answers on, and makes one line of what an error says."""

    def __init__(self, send: Send):
        self._send, self._status, self._body = send, 0, b""

    async def send(self, message: Message) -> None:
        """Take a part of an answer."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._status = message["status"]
        elif not self._status:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await _answer(self._send, self._status, one_line(self._body, SAID.get([])))


def one_line(body: bytes, said: list[str]) -> str:
    """What is wrong with a request.

    Args:
        body: of the answer of MLflow's scoring server; it may hold the data that were sent, and a stack trace.
        said: by the model; where it said something, that is it.
    """
    if said:
        return said[-1]
    text = body.decode("utf-8", "replace")
    try:
        held = json.loads(text)
        text = str(held.get("message", held.get("detail", text))) if isinstance(held, dict) else text
    except ValueError:
        pass
    text = text.rpartition("Error: ")[2].partition(" IMPORTANT:")[0]  # after the data, and before what was true once
    if found := re.search(r"JSONDecodeError\('(.*?)'\)", text):
        text = f"the body is not JSON: {found[1]}"
    return re.sub(r"\s+", " ", text).strip()[:_LONGEST] or "the request cannot be answered"


async def _answer(send: Send, status: int, line: str) -> None:
    body = json.dumps({"error": line}).encode()
    headers = [_JSON, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
