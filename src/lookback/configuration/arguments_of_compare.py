"""What `pipelines/compare.py` and `pipelines/sync.py` are given."""

from typing import Any

from lookback.errors import ConfigError
from lookback.settings import suggest


def validated(raw: dict[str, Any]) -> dict[str, Any]:
    """The sweep's name and the store's URI.

    Raises:
        ConfigError: there is another key, or a value that is no text.
    """
    known = {"sweep": raw.get("sweep"), "tracking.uri": (raw.get("tracking") or {}).get("uri")}
    for key in raw:
        if key not in ("sweep", "tracking"):
            raise ConfigError("CONFIG-KEY", f"unknown key '{key}'{suggest(key, list(known))}")
    for key, value in known.items():
        if value is not None and not isinstance(value, str):
            hint = f"; quote it: {key}='\"{value}\"'" if not isinstance(value, dict | list) else ""
            raise ConfigError("CONFIG-VALUE", f"{key}: got {value!r}, allowed: a text, or null{hint}")
    return {"sweep": known["sweep"], "uri": known["tracking.uri"]}
