"""Train one model on one task, or sweep over many with -m: python pipelines/train.py --help."""

import sys
import time
import traceback

import cli
import hydra
import sweeps
import trial
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from lookback.errors import LookbackError
from lookback.settings import Settings


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(composed: DictConfig) -> object:
    """One trial. In a sweep an error becomes the outcome of its trial, so that the others go on."""
    if HydraConfig.get().mode is RunMode.MULTIRUN:
        return one_of_many(cli.settings(composed))
    with cli.one_line_errors():
        return told(trial.run(cli.settings(composed)))


def one_of_many(settings: Settings) -> trial.Outcome:
    """A trial of a sweep: whatever goes wrong is told and kept."""
    began = time.monotonic()
    try:
        outcome = trial.run(settings)
    except Exception as e:
        if not isinstance(e, LookbackError):
            traceback.print_exc()
        why = str(e).splitlines()[0] if str(e) else type(e).__name__
        outcome = trial.Outcome.of(settings, "failed", why)
    return told(outcome, sweeps.done(settings, outcome, time.monotonic() - began))


def told(outcome: trial.Outcome, far: str = "") -> trial.Outcome:
    """One plain line per trial, and how far the sweep is that it belongs to."""
    rest = f"  [{far}]" if far else ""
    print(f"{outcome.status:>7}  {outcome.name:<38}{outcome.message}{rest}", flush=True)
    return outcome


def everybody(arguments: list[str]) -> list[str]:
    """A CSV of one's own without a model that is named is a sweep: every model, and the comparison."""
    one = any(a.startswith(("model=", "-")) for a in arguments)
    return ["-m", *arguments] if "task=csv" in arguments and not one else arguments


def dry(arguments: list[str]) -> list[str]:
    """`-m --cfg job`, for which Hydra has no answer: the trials of a sweep are listed, and none is run."""
    several = {"-m", "--multirun"} & set(arguments)
    left = [argument for argument in arguments if argument != "--cfg=job"]
    for flag in ("--cfg", "-c"):
        if flag in left and "job" in left[left.index(flag) + 1 :][:1]:
            at = left.index(flag)
            del left[at : at + 2]
    if not several or left == arguments:
        return arguments
    return [*(a for a in left if a != "--resolve"), "hydra.sweeper.only_list=true"]


if __name__ == "__main__":
    sys.argv[1:] = dry(everybody(sys.argv[1:]))
    cli.run(main)
