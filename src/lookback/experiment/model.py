"""A model in a trial, network or baseline: what its result depends on, how it is fitted and what is kept of it.

Whoever runs, keys, lists or stores trials asks these methods, and never which of the two it is.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lookback.configuration.settings import Settings
from lookback.data.dataset import Data, UnsuitedError
from lookback.data.samples import Stream
from lookback.errors import ConfigError, DataError
from lookback.models.baselines import state
from lookback.training import device
from lookback.training.compiler import uses_xla

if TYPE_CHECKING:
    from lookback.training.callbacks import Callback
    from lookback.training.fitted import Fitted

AfterEpoch = Callable[[Any, int], None]


class Model(Protocol):
    """The model of a trial."""

    family: str  # "network" or "baseline": a tag of its run
    backend: str  # the library that computes
    roles: frozenset[str]  # whose settings are part of its key (`settings.base.Role`)

    def seed(self, settings: Settings) -> int | None:
        """The seed that its result depends on; None where it depends on none."""

    def seeds(self, wanted: Sequence[str]) -> Sequence[str]:
        """Of the requested seeds, those that make trials of their own."""

    def device(self, settings: Settings) -> str:
        """The device that computes.

        Raises:
            LookbackError: it cannot be had.
        """

    def key_part(self, settings: Settings) -> dict[str, Any]:
        """What besides task, model and evaluation can change its result."""

    def machine_part(self, device: str, flags: str) -> dict[str, str]:
        """What of the machine can."""

    def warning(self, settings: Settings, data: Data) -> str:
        """What of the settings is odd for these data; "" where nothing is."""

    def reads(self, override: str) -> bool:
        """Whether an override can change its result."""

    def fit(
        self, settings: Settings, data: Data, callback: "Callback", after_epoch: AfterEpoch | None = None
    ) -> "Fitted":
        """Choose on val, then fit anew for each fold where the task says so.

        Args:
            after_epoch: called with a language model as it stands and the number of the epoch.

        Raises:
            ConfigError: it cannot learn from these data.
            LookbackError: the device cannot be had.
        """

    def save(self, fitted: Any, folder: Path) -> None:
        """Write what was fitted: an element of `Fitted.finals`. No pickle."""

    def load(self, settings: Settings, data: Data, folder: Path) -> Any:
        """What was written, as it was when it was fitted.

        Args:
            data: the stand-in for the data that it was fitted on.

        Raises:
            LookbackError: a file is missing or is not what it should be, or the device cannot be had.
        """

    def learnt(self, fitted: Any) -> list[np.ndarray]:
        """All numbers that fitting found, in an order that is always the same."""

    def nats(self, fitted: Any, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """-log P of every token but the first, given those before it, of a language model: (n,) -> (n - 1,) each."""


class NetworkModel:
    """Trained by gradients, from a seed, by the engine."""

    family, backend = "network", "tensorflow"
    roles = frozenset({"everybody", "networks"})

    def seed(self, settings: Settings) -> int | None:
        """As `Model.seed`."""
        return settings.seed

    def seeds(self, wanted: Sequence[str]) -> Sequence[str]:
        """As `Model.seeds`."""
        return wanted

    def device(self, settings: Settings) -> str:
        """As `Model.device`."""
        return device.name(settings.device, settings.threads)

    def key_part(self, settings: Settings) -> dict[str, Any]:
        """As `Model.key_part`."""
        training = settings.training.model_dump() | {"compiler": _compiler(settings)}
        return {"training": training, "seed": settings.seed, "threads": settings.threads}

    def machine_part(self, device: str, flags: str) -> dict[str, str]:
        """As `Model.machine_part`."""
        return {"device": device, "flags": flags}

    def warning(self, settings: Settings, data: Data) -> str:
        """As `Model.warning`."""
        batch = settings.training.batch_size
        if batch <= len(data.train):
            return ""
        return (
            f"training.batch_size={batch} is more than the {len(data.train)} training samples; every epoch is one step"
        )

    def reads(self, override: str) -> bool:
        """As `Model.reads`."""
        return True

    def fit(
        self, settings: Settings, data: Data, callback: "Callback", after_epoch: AfterEpoch | None = None
    ) -> "Fitted":
        """As `Model.fit`."""
        device.prepare(settings.device, settings.threads)  # before anything that imports Keras
        from lookback.training import fit

        return fit.fit_network(recipe_of(settings, after_epoch), data, settings.seed, callback)

    def save(self, fitted: Any, folder: Path) -> None:
        """As `Model.save`: `model.keras`, which plain Keras reads too, and the units in which the engine computes."""
        fitted.model.save(folder / "model.keras")
        units = fitted.units
        arrays = {"level": units.level, "spread": units.spread, "own": units.own}
        np.savez_compressed(folder / "units.npz", log=units.log, classes=units.classes, **arrays)

    def load(self, settings: Settings, data: Data, folder: Path) -> Any:
        """As `Model.load`. Keras is told to run no code that the file holds."""
        device.prepare(settings.device, settings.threads)
        import keras

        from lookback.models.networks.units import Units
        from lookback.training import fit

        try:
            model = keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)
        except Exception as e:
            why = " ".join(str(e).split())[:200]
            raise DataError("RUN-MODEL", f"model.keras is not read ({why}); train it anew") from None
        with np.load(folder / "units.npz", allow_pickle=False) as held:
            flags = bool(held["log"]), bool(held["classes"])
            units = Units(held["level"], held["spread"], held["own"], *flags)
        members = [model.get_layer(f"member_{i}") for i in range(settings.members)] if settings.members > 1 else [model]
        return fit.restored(recipe_of(settings), data, units, members)

    def learnt(self, fitted: Any) -> list[np.ndarray]:
        """As `Model.learnt`: the weights."""
        return list(fitted.model.get_weights())

    def nats(self, fitted: Any, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """As `Model.nats`: many sequences side by side."""
        from lookback.models.networks import introspection

        fitted.program.load(fitted.weights)
        return introspection.Reader(fitted.program.network.step_model).nats(sequences)


class BaselineModel:
    """Anything cheaper, which a network must beat first."""

    family, backend = "baseline", "numpy"
    roles = frozenset({"everybody"})

    def seed(self, settings: Settings) -> int | None:
        """As `Model.seed`."""
        return None

    def seeds(self, wanted: Sequence[str]) -> Sequence[str]:
        """As `Model.seeds`."""
        return wanted[:1]

    def device(self, settings: Settings) -> str:
        """As `Model.device`."""
        return "cpu"

    def key_part(self, settings: Settings) -> dict[str, Any]:
        """As `Model.key_part`: neither seed nor training changes anything."""
        return {}

    def machine_part(self, device: str, flags: str) -> dict[str, str]:
        """As `Model.machine_part`."""
        return {}

    def warning(self, settings: Settings, data: Data) -> str:
        """As `Model.warning`."""
        return ""

    def reads(self, override: str) -> bool:
        """As `Model.reads`."""
        return override.startswith(("task.", "model.", "evaluation."))

    def fit(
        self, settings: Settings, data: Data, callback: "Callback", after_epoch: AfterEpoch | None = None
    ) -> "Fitted":
        """As `Model.fit`."""
        from lookback.training import fit

        try:
            baseline = settings.entry.build(data, **settings.model.model_dump(exclude={"name"}))
            return fit.fit_baseline(baseline, data, settings.task.refit, callback)
        except UnsuitedError as e:
            raise ConfigError("MODEL-DATA", f"{settings.task.name}/{settings.model.name}: {e}") from None

    def save(self, fitted: Any, folder: Path) -> None:
        """As `Model.save`: its numbers as JSON, its arrays as npz."""
        state.write(vars(fitted), folder)

    def load(self, settings: Settings, data: Data, folder: Path) -> Any:
        """As `Model.load`."""
        from lookback.models import baselines

        numbers = settings.model.model_dump(exclude={"name"})
        return baselines.load(data, settings.model.name, numbers, state.read(folder))

    def learnt(self, fitted: Any) -> list[np.ndarray]:
        """As `Model.learnt`."""
        return state.arrays(vars(fitted))

    def nats(self, fitted: Any, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """As `Model.nats`."""
        return [fitted.predict(Stream({"codes": s}, "codes", 1, len(s))).nats for s in sequences]


_FAMILIES: dict[bool, Model] = {True: NetworkModel(), False: BaselineModel()}


def model_of(settings: Settings) -> Model:
    """The model of a trial."""
    return _FAMILIES[settings.entry.network]


def recipe_of(settings: Settings, after_epoch: AfterEpoch | None = None) -> Any:
    """How the network of a trial is made and trained. Imports Keras."""
    from lookback.models.networks.network import average_models
    from lookback.training import fit

    return fit.Recipe(
        build=lambda part: settings.problem.network(settings.task, part, settings.model),
        units=settings.model.units,  # type: ignore[attr-defined]
        members=settings.members,
        average_models=average_models,
        training=settings.training,
        refit=settings.task.refit,
        warm_start=getattr(settings.evaluation, "warm_start", False),
        after_epoch=after_epoch,
    )


def _compiler(settings: Settings) -> str:
    """What `auto` stands for."""
    units = settings.model.units  # type: ignore[attr-defined]
    texts = not settings.problem.fixed_lengths
    return "xla" if uses_xla(settings.training.compiler, units, texts) else "graph"
