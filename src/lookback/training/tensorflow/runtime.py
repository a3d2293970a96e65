"""The start of TensorFlow in a process: device, threads, quiet."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any


def start(device: str, threads: int) -> tuple[str, bool]:
    """Import TensorFlow for this device and number of threads.

    Returns:
        the device that computes, and whether there is a GPU that it may not see.
    """
    with _without_chatter():
        import tensorflow as tf

        # Operations side by side, each on one core: splitting one this small costs more than it brings.
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.get_logger().setLevel("ERROR")
        found, hidden = _choose(tf.config, device)
        tf.zeros(1)  # the first operation starts the runtime, which talks too
    return found, hidden


def listed() -> list[str]:
    """What TensorFlow finds on this machine, once it is started: "CPU", "GPU: NVIDIA H100"."""
    import tensorflow as tf

    found = []
    for one in tf.config.list_physical_devices():
        name = tf.config.experimental.get_device_details(one).get("device_name", "")
        found.append(f"{one.device_type}: {name}" if name else str(one.device_type))
    return found


def _choose(config: Any, device: str) -> tuple[str, bool]:
    """Hide every GPU for device=cpu, or make its results repeatable. `config` is TensorFlow's.

    Returns:
        the device that computes, and whether there is a GPU that it may not see.
    """
    gpus = config.list_physical_devices("GPU")
    if not gpus or device == "cpu":
        config.set_visible_devices([], "GPU")
        return "cpu", bool(gpus)
    for gpu in gpus:
        config.experimental.set_memory_growth(gpu, True)
    config.experimental.enable_op_determinism()  # on a GPU sums would be added up in another order each time
    return "gpu", False


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
