"""The errors a user can fix. Each is one line: code, place, what was received, the hint."""

import re
from typing import Any

KEPT = 75  # exit code (sysexits' TEMPFAIL): all was trained, and records wait for pipelines/sync.py

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class LookbackError(Exception):
    """A mistake in the input, reported in one line: `error[code] message`. `exit_code` follows sysexits.h."""

    exit_code = 70

    def __init__(self, code: str, message: str):
        # A name or a cell may hold line breaks or terminal escapes: the line stays one line.
        self.code, self.message = code, _CONTROL.sub(lambda m: repr(m[0])[1:-1], message)
        super().__init__(f"error[{code}] {self.message}")

    def __reduce__(self) -> tuple[Any, ...]:  # a worker process sends it home
        return type(self), (self.code, self.message)


class ConfigError(LookbackError):
    """A wrong key, type, range or combination in the configuration."""

    exit_code = 64


class DataError(LookbackError):
    """A file whose content cannot be used as it is."""

    exit_code = 65


class MissingFile(LookbackError):
    """A file that is not there."""

    exit_code = 66


class Unavailable(LookbackError):
    """A device or a server that was requested and is not there."""

    exit_code = 69
