"""Train one contestant on one task, or sweep over many with -m: python pipelines/train.py --help."""

import traceback

import cli
import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from lookback.errors import LookbackError


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(composed: DictConfig) -> object:
    """One trial. In a sweep an error becomes the outcome of its trial, so that the others go on."""
    settings = cli.settings(composed)
    import trial

    try:
        outcome = trial.run(settings)
    except Exception as e:
        if HydraConfig.get().mode is not RunMode.MULTIRUN:
            raise
        if not isinstance(e, LookbackError):
            traceback.print_exc()
        seed = settings.seed if settings.network else None
        why = str(e).splitlines()[0] if str(e) else type(e).__name__
        outcome = trial.Outcome("failed", settings.task.name, settings.model.name, seed, message=why)
    print(f"{outcome.status:>7}  {outcome.name:<24}{outcome.message}", flush=True)
    return outcome


if __name__ == "__main__":
    cli.run(main)
