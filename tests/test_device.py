"""What a machine with a GPU is told: CI has none, so what TensorFlow would say of one is put in its place."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_engine import fresh, graph, letters, program, series

from lookback.errors import ConfigError, Unavailable
from lookback.training import device
from lookback.training import program as programs
from lookback.training.tensorflow import cudnn, evaluation, runtime
from lookback.training.tensorflow.gather import upload


@pytest.fixture
def told():
    """TensorFlow's `config` on a machine with one GPU, and what was asked of it."""
    asked = []
    return asked, SimpleNamespace(
        list_physical_devices=lambda kind: ["gpu:0"],
        set_visible_devices=lambda devices, kind: asked.append(("visible", devices, kind)),
        experimental=SimpleNamespace(
            set_memory_growth=lambda gpu, on: asked.append(("growth", gpu, on)),
            enable_op_determinism=lambda: asked.append(("determinism",)),
        ),
    )


def test_device_cpu_hides_the_gpu(told):
    asked, config = told
    assert runtime._choose(config, "cpu") == ("cpu", True) and asked == [("visible", [], "GPU")]


@pytest.mark.parametrize("wanted", ["auto", "gpu"])
def test_a_gpu_that_is_used_computes_the_same_each_time(told, wanted):
    asked, config = told
    assert runtime._choose(config, wanted) == ("gpu", False) and ("determinism",) in asked
    assert not any(what[0] == "visible" for what in asked)


@pytest.mark.parametrize(("prepared", "wanted"), [("cpu", "auto"), ("cpu", "gpu"), ("gpu", "cpu")])
def test_a_process_cannot_change_its_device(monkeypatch, prepared, wanted):
    monkeypatch.setattr(device, "_prepared", (prepared, 2, prepared == "cpu"))
    with pytest.raises(
        ConfigError, match=rf"DEVICE\] device: got {wanted}, but this process computes on the {prepared}"
    ):
        device.name(wanted, 2)
    assert device.name({"cpu": "cpu", "gpu": "auto"}[prepared], 2) == prepared


def test_a_gpu_that_tensorflow_cannot_use_is_no_gpu(monkeypatch):
    """The plain install: a machine with a card, and a TensorFlow without CUDA."""
    monkeypatch.setattr(device, "has_gpu", lambda: True)
    monkeypatch.setattr(device, "_prepared", None)
    monkeypatch.setattr(device, "_start", lambda *_: ("cpu", False))
    assert device.name("auto", 2) == device.prepare("auto", 2) == device.name("cpu", 2) == "cpu"
    with pytest.raises(Unavailable, match="DEVICE-GPU"):
        device.name("gpu", 2)


def test_what_the_environment_tells_xla_is_known(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_a=1")
    told = device.flags()
    assert told == f"--xla_a=1 {device.XLA_FLAGS}"
    monkeypatch.setenv("XLA_FLAGS", told)
    assert device.flags() == told, "a process that was started with them has no others"


def test_device_cpu_is_told_without_tensorflow_also_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setattr(device, "has_gpu", lambda: True)
    monkeypatch.setattr(device, "_prepared", None)
    monkeypatch.setattr(device, "_start", lambda *_: pytest.fail("TensorFlow was asked"))
    assert device.name("cpu", 2) == "cpu"


@pytest.fixture
def with_gpu(monkeypatch):
    """Keras and we believe that there is a GPU; programs are traced, which needs none."""
    found = tf.config.list_logical_devices
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind=None: ["gpu:0"] if kind == "GPU" else found(kind)
    )


def operations(function, *arguments):
    """The names of all operations of a traced program, those of its inner functions included."""
    graph = function.get_concrete_function(*arguments).graph.as_graph_def()
    nodes = [*graph.node, *(node for inner in graph.library.function for node in inner.node_def)]
    return {node.op for node in nodes}


@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.parametrize("xla", [True, False])
def test_what_xla_compiles_holds_nothing_of_cudnn(name, xla, with_gpu):
    data = series()
    network = fresh(data, name)
    data = network.units.inside(data)
    ours = program(network, data, xla=xla)
    order = tf.constant(data.val.starts[:8])
    traced = operations(
        ours.evaluation._evaluate,
        upload(data.val),
        tf.zeros(evaluation.EVALUATE * evaluation.BATCHES, tf.int32) + order[0],
        tf.constant(8),
    )
    assert any("CudnnRNN" in op for op in traced) == (not xla)


def test_a_stream_is_read_by_xla_unless_its_layers_are_cudnns(with_gpu):
    data = letters()
    for xla in (True, False):
        network = fresh(data, "lstm")
        streams = program(network, data, xla=xla).streams
        assert streams._read._jit_compile == xla
        assert cudnn.may_be_used(network.step_model) == (not xla)


def test_without_a_gpu_nothing_changes():
    network = fresh(letters(), "lstm")
    assert not cudnn.may_be_used(network.step_model)
    assert program(network, letters(), xla=False).streams._read._jit_compile


def test_a_saved_network_says_nothing_of_cudnn(tmp_path):
    network = fresh(series(), "gru")
    program(network, network.units.inside(series()), xla=True)
    network.model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    (layer,) = cudnn._recurrent(loaded)
    assert layer.use_cudnn == "auto", "whoever loads it on a GPU has its kernels"
    x = series().test.inputs()
    np.testing.assert_array_equal(loaded(x), network.model(x))


def test_programs_that_were_not_used_for_long_are_let_go(monkeypatch):
    monkeypatch.setattr(programs, "PROGRAMS", 2)
    programs._programs.clear()
    data = series()

    def made(units):
        network = fresh(data, "dense", units=units)
        return programs.program_for(network, network.units.inside(data).train, graph(), xla=False, backend="tensorflow")

    first, second = made(3), made(4)
    assert made(3) is first, "used again: it is the newer one now"
    third = made(5)
    assert list(programs._programs.values()) == [first, third] and made(4) is not second
    assert len(programs._programs) == 2
