"""A network as ONNX, for programs without Keras, and what onnxruntime makes of it."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from lookback.data.samples import Ragged, Samples, Stream, Windows
from lookback.errors import DataError, Unavailable

NEEDED = ("onnx", "onnxruntime", "tf2onnx")
LAST = 64  # samples that both are asked
READ = 32  # tokens of a text that are read at once
# Of the scale of the answers: the two add up float32 in another order, which is about a hundredth of this.
TOLERANCE = 1e-5


def check_installed() -> None:
    """Refuse where a library is missing.

    Raises:
        Unavailable: it is.
    """
    if lacking := [name for name in NEEDED if util.find_spec(name) is None]:
        raise Unavailable(
            "EXPORT-ONNX",
            f"onnx: {', '.join(lacking)} is not installed; pip install 'lookback[onnx]', or set onnx=false",
        )


def write(model: Any, samples: Samples, path: Path, name: str) -> float:
    """Write a network as ONNX and ask both for the last samples: by how much they differ at most.

    Args:
        model: of Keras, values of the file in, predictions out.
        samples: of the data that it was fitted on.
        name: what messages call it.

    Raises:
        DataError: it is not exported, or answers otherwise than Keras does; nothing is left of it then.
    """
    given = last(samples)
    try:
        with _quiet():
            said = np.asarray(model(given if len(given) > 1 else given[0]))  # one that was never called is not exported
            model.export(path, format="onnx", verbose=False)
            answer = _answer(path, given)
    except Exception as e:
        path.unlink(missing_ok=True)
        why = " ".join(str(e).split())[:200]
        raise DataError("EXPORT-ONNX", f"{name}: not exported as ONNX ({why}); set onnx=false") from None
    far = float(abs(said - answer).max())
    allowed = TOLERANCE * _scale(given[0], said)
    if not far <= allowed:
        path.unlink()
        raise DataError(
            "EXPORT-ONNX",
            f"{name}: onnxruntime differs from Keras by {far:.3g}, allowed: {allowed:.3g}; set onnx=false",
        )
    return far


def last(samples: Samples) -> list[np.ndarray]:
    """What the network is given of the last samples, an array for each of its inputs."""
    if isinstance(samples, Windows):
        rows = samples.arrays[samples.x.array][samples.x.rows(samples.starts[-LAST:])]
        return [rows]
    if isinstance(samples, Stream):
        codes = samples.arrays[samples.array][: samples.stop]
        length = min(READ, len(codes))
        number = min(LAST, len(codes) // length)
        return [codes[len(codes) - number * length :].reshape(number, length)]
    return _padded(samples)


def _padded(samples: Ragged) -> list[np.ndarray]:
    """The last examples, with 0 behind them."""
    first, numbers = samples.arrays["first"], samples.examples[-LAST:]
    longest = int((first[numbers + 1] - first[numbers]).max())
    found = []
    for name in samples.x:
        array = samples.arrays[name]
        held = np.zeros((len(numbers), longest, *array.shape[1:]), array.dtype)
        for row, number in zip(held, numbers, strict=True):
            own = array[first[number] : first[number + 1]]
            row[: len(own)] = own
        found.append(held)
    return found


def _scale(given: np.ndarray, said: np.ndarray) -> float:
    """What a difference is measured by: numbers of a file by how far they spread, and not by their level."""
    spread = float(np.ptp(given[..., 0])) if given.dtype.kind == "f" else 0.0
    return spread or float(abs(said).max()) or 1.0


def _answer(path: Path, given: list[np.ndarray]) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return np.asarray(session.run(None, dict(zip(names, given, strict=True)))[0])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The converter tells its steps, and asks NumPy for names that are gone."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
