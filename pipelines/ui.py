"""The MLflow UI on this machine only: python pipelines/ui.py [PORT]."""

import os
import sys

from lookback.configuration import messages
from lookback.errors import ConfigError
from lookback.paths import ROOT
from lookback.tracking import store, view

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}


def main() -> None:
    """Serve the store; this process becomes the server."""
    port = sys.argv[1] if len(sys.argv) > 1 else "5000"
    if not (port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError("CONFIG-VALUE", f"PORT: got {port!r}, allowed: 1 to 65535")
    opened = store.open_store(None, ROOT)
    if opened.artifacts is None:
        raise ConfigError("CONFIG-VALUE", f"the runs are on {opened.shown}: open that address in a browser")
    hosts = [f"127.0.0.1:{port}", f"localhost:{port}"]
    base = f"http://{hosts[0]}"
    tasks = [f"  {name}: {address}" for name, address in view.addresses(opened, base)]
    print("\n".join([f"MLflow: {base}/#/experiments  (Ctrl-C ends it)", *tasks]), flush=True)
    server = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    # Without these, any host name of a private-looking pattern would be let in.
    doors = ["--allowed-hosts", ",".join(hosts), "--cors-allowed-origins", ",".join(f"http://{h}" for h in hosts)]
    stores = ["--default-artifact-root", opened.artifacts.as_uri()]
    where = {"MLFLOW_BACKEND_STORE_URI": opened.uri}  # it may hold a password: not for the list of processes
    os.execve(sys.executable, server + doors + stores, os.environ | QUIET | where)


if __name__ == "__main__":
    messages.run(main)
