"""The models of a task side by side: tests, verdicts, and what a report shows."""

from lookback.comparison.write import compare

__all__ = ["compare"]
