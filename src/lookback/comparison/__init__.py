"""The models of a task side by side: tests, verdicts, and what a report shows."""

from lookback.comparison.write import compare, of_task

__all__ = ["compare", "of_task"]
