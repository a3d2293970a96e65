"""What language models write: while they learn, and at the end."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lookback.data import text
from lookback.data.dataset import Data
from lookback.data.sampling import SamplingConfig
from lookback.settings import LanguageTask, Settings
from lookback.tracking import log

WHILE_LEARNING = 200  # tokens


def told(settings: Settings, data: Data, writer: Any, temperatures: tuple[float, ...], length: int = 0) -> str:
    """What a model writes after the first words of the test part, at each temperature, as text."""
    task = _language(settings)
    prompt = data.test.targets()[: task.lookback]
    length, seed = length or task.sample_length, settings.seed if settings.network else 0
    parts = []
    for temperature in temperatures:
        written = np.concatenate(list(writer.write(prompt[None], length, SamplingConfig(seed, temperature))), axis=1)[0]
        head = f"temperature {temperature:g}\n" if len(temperatures) > 1 else ""
        begin, rest = (text.decode(codes, data.tokens, task.level) for codes in (prompt, written))
        parts.append(f"{head}[{begin}]\n{rest}")
    return "\n\n".join(parts)


def logged(settings: Settings, data: Data, tracked: log.Run) -> Callable[[Any, int], None]:
    """Logs what a network writes after its first epoch and after every so many, so that one can callback it learn."""
    task = _language(settings)

    def after_epoch(network: Any, epoch: int) -> None:
        due = epoch == 1 or epoch % task.sample_every == 0
        if due and task.sample_temperatures and task.sample_length:
            written = told(settings, data, network, task.sample_temperatures, WHILE_LEARNING)
            tracked.text(written, f"samples/epoch_{epoch:04d}.txt")

    return after_epoch


def _language(settings: Settings) -> LanguageTask:
    assert isinstance(settings.task, LanguageTask)
    return settings.task
