"""What a baseline has learnt, as files: its numbers as JSON, its arrays as npz. No pickle."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

_NUMBERS, _ARRAYS = "numbers.json", "arrays.npz"


def write(state: dict[str, Any], folder: Path) -> None:
    """`vars` of a baseline: numbers, words, arrays and lists of arrays."""
    numbers = {name: value for name, value in state.items() if not _is_arrays(value)}
    arrays: dict[str, np.ndarray] = {}
    for name, value in state.items():
        if _is_arrays(value):
            several = value if isinstance(value, list) else [value]
            arrays |= {f"{name}.{i}" if isinstance(value, list) else name: array for i, array in enumerate(several)}
    (folder / _NUMBERS).write_text(json.dumps(numbers, indent=2), encoding="utf-8")
    if arrays:
        np.savez_compressed(folder / _ARRAYS, **arrays)  # type: ignore[arg-type]


def read(folder: Path) -> dict[str, Any]:
    """What was written there."""
    state = json.loads((folder / _NUMBERS).read_text(encoding="utf-8"))
    if not (folder / _ARRAYS).exists():  # there are baselines without arrays
        return state
    with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
        several = Counter(name.rpartition(".")[0] for name in arrays.files)
        lists = {name: [arrays[f"{name}.{i}"] for i in range(n)] for name, n in several.items() if name}
        return state | lists | {name: arrays[name] for name in arrays.files if "." not in name}


def arrays(state: dict[str, Any]) -> list[np.ndarray]:
    """The numbers in it, in the order of their names; words are left out."""
    found = []
    for name in sorted(state):
        several = state[name] if isinstance(state[name], list | tuple) else [state[name]]
        found += [np.asarray(value) for value in several if isinstance(value, np.ndarray | int | float)]
    return found


def _is_arrays(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], np.ndarray)
    )
