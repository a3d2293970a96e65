"""A process that has imported the libraries and forks off one for each pipeline that is asked for.

Importing pandas, Hydra and MLflow takes longer than most pipelines run. Each run is a process of its own, with its own
arguments, folder, environment, output and exit code; only Lookback itself is imported anew, and TensorFlow, which does
not outlive a fork.

It reads a JSON object a line and answers each with the exit code.
"""

import atexit
import gc
import json
import os
import runpy
import sys
import threading
import traceback
from pathlib import Path

LIGHT = (
    "hydra", "hydra._internal.core_plugins", "hydra.core.plugins", "omegaconf", "pandas", "pydantic", "pyarrow.csv",
    "pyarrow.compute", "pyarrow.parquet", "yaml", "rich.progress", "jinja2", "joblib",
)  # fmt: skip
LOGGING = (
    "mlflow", "mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store", "git", "matplotlib.figure",
    "matplotlib.backends.backend_agg", "scipy.stats", "statsmodels.api",
)  # fmt: skip


def main() -> None:
    """Serve until the input ends."""
    for name in (*LIGHT, *LOGGING):
        __import__(name)
    gc.freeze()  # what is shared with the children is not touched by their collections
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            return _run(asked)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


def _run(asked: dict) -> None:
    """As `python script arguments` would; the interpreter then ends as always."""
    for number, name in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
        opened = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["arguments"]
    script = Path(asked["arguments"][0])
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(script.parent.absolute()), *filter(None, own)]
    sys.modules.pop("sitecustomize", None)
    if any((Path(folder) / "sitecustomize.py").exists() for folder in own if folder):
        __import__("sitecustomize")
    code: object = 0
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as e:
        code = e.code
    except Exception:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))  # without taking every library apart


if __name__ == "__main__":
    main()
