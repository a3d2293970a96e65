"""A trained model over HTTP."""

import json
import os
import socket
import sys
from pathlib import Path

from lookback.errors import MissingFile, Unavailable
from lookback.experiment import bundle
from lookback.experiment.bundle import Bundle
from lookback.inference import predicting, served
from lookback.inference.arguments import Serve

GRACE = 30  # seconds that requests have to end in when the server is told to


def serve(wanted: Serve, root: Path) -> None:
    """Serve a model until SIGTERM or Ctrl-C comes; what was begun by then is finished.

    Raises:
        Unavailable: the port is taken.
        LookbackError: there is no such model, or it cannot be read.
    """
    import uvicorn

    _check_port(wanted.host, wanted.port)
    model = _model(wanted, root)
    names = ["127.0.0.1", "localhost", *([] if wanted.host in ("0.0.0.0", "127.0.0.1") else [wanted.host])]
    hosts = [f"{name}:{wanted.port}" for name in names] + list(wanted.names)
    told = {"folder": str(model.folder), "name": model.origin.name, "device": wanted.device, "threads": wanted.threads}
    os.environ[served.ENVIRONMENT] = json.dumps(told | {"hosts": hosts, "megabytes": wanted.megabytes})
    print(f"{model.origin.name}, fitted on {model.origin.parts}", file=sys.stderr)
    print(f"serving on http://{wanted.host}:{wanted.port}/invocations  (Ctrl-C ends it)", flush=True)
    uvicorn.run(
        "lookback.inference.served:app",
        factory=True,
        host=wanted.host,
        port=wanted.port,
        workers=wanted.workers,
        log_level="warning",
        timeout_graceful_shutdown=GRACE,
    )


def _model(wanted: Serve, root: Path) -> Bundle:
    if wanted.bundle is None:
        return predicting.loaded(wanted, wanted.final, root)
    folder = Path(wanted.bundle)
    if not folder.is_dir():
        raise MissingFile("SERVE-BUNDLE", f"bundle: there is no folder {folder}; pipelines/export.py writes one")
    return bundle.read(folder, f"bundle {folder}", wanted.device, wanted.threads)


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as e:
            raise Unavailable("SERVE-PORT", f"port: {host}:{port} cannot be used ({e.strerror}); set another") from None
