"""The recipe of every trial: from its settings and its data to a model that has learnt."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lookback.data.dataset import Data, UnsuitedError
from lookback.errors import ConfigError
from lookback.settings import Settings
from lookback.training import device

if TYPE_CHECKING:
    from lookback.training.callbacks import Callback
    from lookback.training.fitted import Fitted

AfterEpoch = Callable[[Any, int], None]


def fit(settings: Settings, data: Data, callback: "Callback", after_epoch: AfterEpoch | None = None) -> "Fitted":
    """Fit the model of a trial: choose on val, then fit anew for each fold where the task says so.

    Args:
        after_epoch: called with a language model as it stands and the number of the epoch.

    Raises:
        ConfigError: the model cannot learn from these data.
        LookbackError: the device cannot be had.
    """
    return _network(settings, data, callback, after_epoch) if settings.network else _baseline(settings, data, callback)


def _baseline(settings: Settings, data: Data, callback: "Callback") -> "Fitted":
    from lookback.models import baselines
    from lookback.training import loop

    numbers = settings.model.model_dump(exclude={"name"})
    try:
        baseline = baselines.build(data, settings.model.name, **numbers)
        return loop.fit_baseline(baseline, data, settings.task.refit, callback)
    except UnsuitedError as e:
        raise ConfigError("MODEL-DATA", f"{settings.task.name}/{settings.model.name}: {e}") from None


def _network(settings: Settings, data: Data, callback: "Callback", after_epoch: AfterEpoch | None) -> "Fitted":
    device.prepare(settings.device, settings.threads)  # before anything that imports Keras
    from lookback.models import networks
    from lookback.training import loop

    numbers = settings.model.model_dump(exclude={"name", "members"})
    recipe = loop.Recipe(
        build=lambda part: networks.build(part, settings.model.name, **numbers),
        units=numbers["units"],
        members=settings.members,
        average_models=networks.average_models,
        training=settings.training,
        refit=settings.task.refit,
        warm_start=getattr(settings.evaluation, "warm_start", False),
        after_epoch=after_epoch,
    )
    return loop.fit_network(recipe, data, settings.seed, callback)
