"""The command `lookback`: `lookback train task=weather` runs `pipelines/train.py task=weather`, from any folder."""

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lookback.errors import ConfigError
from lookback.paths import HOME
from lookback.settings.hints import suggest

PIPELINES = HOME / "pipelines"
_COMPLETION = Path(__file__).with_name("completion.bash")


def commands() -> Iterator[tuple[str, str]]:
    """(name, what it does) of each pipeline, as the first line of its file says it."""
    for path in sorted(PIPELINES.glob("*.py")):
        told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield path.stem, told.splitlines()[0].partition(": python ")[0].rstrip(".")


def main() -> None:
    """Become the process of the pipeline that is named."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        print(_help())
    elif name == "completion":
        print(_COMPLETION.read_text(encoding="utf-8"), end="")
    elif (script := PIPELINES / f"{name}.py").is_file() and name.isidentifier():
        os.execv(sys.executable, [sys.executable, str(script), *arguments])
    else:
        error = ConfigError("CONFIG-NAME", f"lookback: got {name!r}{suggest(name, [n for n, _ in commands()])}")
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def _help() -> str:
    lines = [f"  {name:<11} {told}" for name, told in commands()]
    return "\n".join(
        [
            "lookback COMMAND [SETTING=VALUE ...]   (lookback COMMAND --help lists the settings)",
            "",
            *lines,
            "  completion  Print what makes bash complete commands and settings",
            "",
            "  lookback train task=weather model=lstm      one trial",
            "  lookback train -m task=airline              a task's models and seeds, then the comparison",
            "  lookback train --config-dir conf task=mine  with conf/task/mine.yaml of your own",
            '  eval "$(lookback completion)"               completion in this shell',
        ]
    )
