"""Does a recurrent network earn its keep on your sequences? `compare`, `train`, `load`, decorators for your own."""

import importlib
from typing import Any

_OFFERED = {  # name -> the module that it stands in
    "Comparison": "lookback.api",
    "Model": "lookback.api",
    "LookbackError": "lookback.errors",
    "Trained": "lookback.api",
    "baseline": "lookback.models.catalogue",
    "compare": "lookback.api",
    "load": "lookback.api",
    "metric": "lookback.evaluation.metrics",
    "network": "lookback.models.catalogue",
    "train": "lookback.api",
}
__all__ = list(_OFFERED)


def __getattr__(name: str) -> Any:
    """Imported on first use, so that `import lookback.x` stays light."""
    if name not in _OFFERED:
        raise AttributeError(f"module 'lookback' has no attribute {name!r}")
    return getattr(importlib.import_module(_OFFERED[name]), name)
