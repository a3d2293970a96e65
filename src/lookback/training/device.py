"""The process that computes: its device, its threads, its compiler flags. Fixed once, before TensorFlow."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lookback.errors import ConfigError, Unavailable

# Chosen on LSTM(32), look-back 20, on an AVX-512 Xeon: the first two make it a third faster, the third
# saves a tenth of the compilation at the same speed. They can change the last bits of a result, so
# they stand in the trial key. `make bench` runs under them too.
XLA_FLAGS = (
    "--xla_cpu_prefer_vector_width=512 --xla_cpu_enable_concurrency_optimized_scheduler=false "
    "--xla_backend_optimization_level=1"
)

_prepared: tuple[str, int] | None = None


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
    if _prepared and _prepared[1] != threads:
        raise ConfigError(
            "THREADS",
            f"threads: got {threads}, but this process computes with {_prepared[1]} since its start; "
            "sweep over threads with hydra/launcher=joblib, or in runs of their own",
        )
    if _prepared:
        found = _prepared[0]
    elif any(Path("/dev").glob("nvidia[0-9]*")):
        found = prepare("auto", threads)
    else:
        found = "cpu"
    if device == "gpu" and found != "gpu":
        raise Unavailable(
            "DEVICE-GPU", "device=gpu: TensorFlow finds no GPU on this machine; set device=cpu or device=auto"
        )
    return "cpu" if device == "cpu" else found


def prepare(device: str, threads: int) -> str:
    """Import TensorFlow for this device and number of threads, once in a process, and name the device.

    Raises:
        Unavailable: the device was asked for and is not there.
        ConfigError: the process already computes with another number of threads.
    """
    global _prepared
    if _prepared is None:
        _prepared = (_start(threads), threads)
    return name(device, threads)


def _start(threads: int) -> str:
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = flags if XLA_FLAGS in flags else f"{flags} {XLA_FLAGS}".strip()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _without_chatter():
        import tensorflow as tf

        # Operations side by side, each on one core: splitting one this small costs more than it brings.
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.get_logger().setLevel("ERROR")
        gpus = tf.config.list_physical_devices("GPU")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.zeros(1)  # the first operation starts the runtime, which talks too
    return "gpu" if gpus else "cpu"


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """TensorFlow's C++ start-up lines obey no log level: keep them off the terminal."""
    if "LOOKBACK_DEBUG" in os.environ:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
