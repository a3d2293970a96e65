"""The process that computes: its device, its threads, its compiler flags. Fixed once, before TensorFlow."""

import os
from pathlib import Path

from lookback.errors import ConfigError, Unavailable

# Chosen on LSTM(32), look-back 20, on an AVX-512 Xeon: the first two make it a third faster, the third
# saves a tenth of the compilation at the same speed. They can change the last bits of a result, so
# they stand in the trial key. `make bench` runs under them too.
XLA_FLAGS = (
    "--xla_cpu_prefer_vector_width=512 --xla_cpu_enable_concurrency_optimized_scheduler=false "
    "--xla_backend_optimization_level=1"
)

_prepared: tuple[str, int, bool] | None = None  # the device that computes, operations side by side, a GPU is hidden


def name(device: str, threads: int) -> str:
    """What `prepare` would say: the device that computes; without TensorFlow where there can be no GPU.

    Raises:
        Unavailable, ConfigError: as `prepare`.
    """
    if device == "tpu":
        raise Unavailable(
            "DEVICE-TPU",
            "device=tpu: TensorFlow has no TPU build since 2.21; a TPU needs the JAX backend, which this version "
            "does not have yet; set device=auto",
        )
    if _prepared:
        return _as_prepared(device, threads)
    if device != "cpu" and has_gpu():
        return prepare(device, threads)
    return _answer(device, "cpu")


def has_gpu() -> bool:
    """Whether this machine has a GPU that TensorFlow could use, told without importing it."""
    return any(Path("/dev").glob("nvidia[0-9]*"))


def prepare(device: str, threads: int) -> str:
    """Import TensorFlow for this device and number of threads, once in a process, and name the device.

    Raises:
        Unavailable: the device was asked for and is not there.
        ConfigError: the process already computes on another device, or with another number of threads.
    """
    global _prepared
    if _prepared is None:
        found, hidden = _start(device, threads)
        _prepared = (found, threads, hidden)
    return _as_prepared(device, threads)


def listed() -> list[str]:
    """The devices that TensorFlow finds, in a process that was prepared."""
    from lookback.training.tensorflow import runtime

    return runtime.listed()


def _as_prepared(device: str, threads: int) -> str:
    """The device of this process, if it is the one that is asked for."""
    assert _prepared is not None
    found, side_by_side, hidden = _prepared
    if side_by_side != threads:
        raise _since_its_start(f"threads: got {threads}", f"with {side_by_side}", "threads")
    if (hidden and device != "cpu") or (found == "gpu" and device == "cpu"):
        raise _since_its_start(f"device: got {device}", f"on the {found}", "device")
    return _answer(device, found)


def _since_its_start(got: str, computes: str, key: str) -> ConfigError:
    return ConfigError(
        key.upper(),
        f"{got}, but this process computes {computes} since its start; "
        f"sweep over {key} with hydra/launcher=joblib, or in runs of their own",
    )


def _answer(device: str, found: str) -> str:
    if device == "gpu" and found != "gpu":
        raise Unavailable(
            "DEVICE-GPU", "device=gpu: TensorFlow finds no GPU on this machine; set device=cpu or device=auto"
        )
    return found


def flags() -> str:
    """What XLA is told: ours, and what the environment says before them."""
    given = os.environ.get("XLA_FLAGS", "")
    return given if XLA_FLAGS in given else f"{given} {XLA_FLAGS}".strip()


def environment() -> None:
    """What XLA, TensorFlow and Keras read of the environment when they are first imported."""
    os.environ["XLA_FLAGS"] = flags()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def _start(device: str, threads: int) -> tuple[str, bool]:
    environment()
    from lookback.training.tensorflow import runtime

    return runtime.start(device, threads)
