"""The networks: one skeleton, `ends -> body -> ends`, in plain Keras.

The task brings the ends (how numbers or tokens enter, what the output means), the model brings the
body, so any body meets any task. Everything is built from stock layers and `keras.ops`: a saved
model loads in any Keras 3, without Lookback, takes the values of the file and answers in its unit.

Shapes in comments: b samples, t steps, c columns, u units, o outputs, v tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from lookback.data.contract import Data, Windows

UNROLL_UP_TO = 32  # steps; an unrolled SimpleRNN trains 1.4 times as fast, but takes longer to compile
STATISTICS_FROM = 4096  # windows, evenly spaced over train, that the scales are measured on

States = list[KerasTensor]
Body = Callable[[KerasTensor, States | None], tuple[KerasTensor, States]]


@dataclass(frozen=True)
class Network:
    """Views of one set of weights.

    Attributes:
        model: x -> prediction, in the units of the file; logits where the outputs are tokens. What is saved.
        trainer: [x, y] -> [target, prediction] as the loss sees them (scaled), and the model's prediction.
        carrier: [x, *states] -> [prediction, *new states], for streams and for writing; None elsewhere.
    """

    model: keras.Model
    trainer: keras.Model
    carrier: keras.Model | None


# --- bodies: to add one, a function here, its numbers in config.py, a YAML in conf/model -----------


def dense(data: Data, units: int, layers: int, dropout: float, kernel_size: int) -> Body:
    """Perceptron on the whole window; on every step, one on the last `kernel_size` steps (a causal convolution)."""
    return _sliding(units, layers, dropout, kernel_size) if data.per_step else _perceptron(units, layers, dropout)


def simple_rnn(data: Data, units: int, layers: int, dropout: float) -> Body:
    """Elman network: h(t) = tanh(W x(t) + U h(t-1) + b)."""
    short = not data.per_step and data.train.x.length <= UNROLL_UP_TO
    return _recurrent(data, layers, dropout, lambda **kw: keras.layers.SimpleRNN(units, unroll=short, **kw))


def lstm(data: Data, units: int, layers: int, dropout: float) -> Body:
    """Long short-term memory (Hochreiter & Schmidhuber 1997)."""
    return _recurrent(data, layers, dropout, lambda **kw: keras.layers.LSTM(units, **kw))


def gru(data: Data, units: int, layers: int, dropout: float) -> Body:
    """Gated recurrent unit (Cho et al. 2014), in the form that cuDNN computes."""
    return _recurrent(data, layers, dropout, lambda **kw: keras.layers.GRU(units, **kw))


BODIES: dict[str, Callable[..., Body]] = {"dense": dense, "simple_rnn": simple_rnn, "lstm": lstm, "gru": gru}


def _perceptron(units: int, depth: int, dropout: float) -> Body:
    stack = [layers.Dense(units, activation="relu") for _ in range(depth)]

    def body(h: KerasTensor, states: States | None) -> tuple[KerasTensor, States]:
        h = layers.Flatten()(h)  # (b, t * c)
        for layer in stack:
            h = _dropped(layer(h), dropout)  # (b, u)
        return h, []

    return body


def _sliding(units: int, depth: int, dropout: float, kernel_size: int) -> Body:
    first = layers.Conv1D(units, kernel_size, activation="relu")
    stack = [layers.Dense(units, activation="relu") for _ in range(depth - 1)]

    def body(h: KerasTensor, states: States | None) -> tuple[KerasTensor, States]:
        reach, columns = kernel_size - 1, h.shape[-1]
        # What stood before the first step; nothing did at the start of a window.
        past = states[0] if states else ops.repeat(ops.zeros_like(h[:, :1]), reach, axis=1)  # (b, reach, c)
        seen = ops.concatenate([past, h], axis=1)  # (b, reach + t, c)
        after = ops.reshape(seen[:, -reach:] if reach else seen[:, :0], (-1, reach, columns))  # (b, reach, c)
        h = _dropped(first(seen), dropout)  # (b, t, u)
        for layer in stack:
            h = _dropped(layer(h), dropout)  # (b, t, u)
        return h, [after]

    return body


def _recurrent(data: Data, depth: int, dropout: float, make: Callable[..., layers.Layer]) -> Body:
    stack = [make(return_sequences=data.per_step or i < depth - 1, return_state=data.per_step) for i in range(depth)]

    def body(h: KerasTensor, states: States | None) -> tuple[KerasTensor, States]:
        after: States = []
        each = len(states) // depth if states else 0
        for i, layer in enumerate(stack):
            h = layer(h, initial_state=states[i * each : (i + 1) * each] if states else None)
            if data.per_step:
                h, *new = h
                after += new
            h = _dropped(h, dropout)  # (b, t, u), or (b, u) after the last
        return h, after

    return body


def _dropped(h: KerasTensor, rate: float) -> KerasTensor:
    return layers.Dropout(rate)(h) if rate else h


# --- ends ------------------------------------------------------------------------------------------


def build(data: Data, name: str, **numbers: Any) -> Network:
    """Make a network for the data, with fresh weights.

    Args:
        name: a key of `BODIES`.
        numbers: that body's arguments.
    """
    keras.utils.clear_session(free_memory=False)  # layer names begin at 1 again: one architecture, one description
    body = BODIES[name](data, **numbers)
    return _language_network(data, body) if data.per_step else _forecasting_network(data, body)


def _language_network(data: Data, body: Body) -> Network:
    """Tokens in, logits of the next token at every step out."""
    embed = layers.Embedding(len(data.tokens), data.embedding, name="embedding")
    head = layers.Dense(data.outputs, name="head")

    x = keras.Input((None,), dtype="int32", name="x")  # (b, t)
    y = keras.Input((None,), dtype="int32", name="y")  # (b, t)
    h, states = body(embed(x), None)
    logits = head(h)  # (b, t, v)
    before = [keras.Input(state.shape[1:], name=f"state_{i}") for i, state in enumerate(states)]
    h, after = body(embed(x), before)
    return Network(
        model=keras.Model(x, logits, name="network"),
        trainer=keras.Model([x, y], [ops.cast(y, "int32"), logits, logits]),
        carrier=keras.Model([x, *before], [head(h), *after]),
    )


def _forecasting_network(data: Data, body: Body) -> Network:
    """Values of the file in, values of the file out; the body sees scaled, perhaps differenced ones."""
    lookback, columns = data.train.x.length, data.train.arrays[data.train.x.array].shape[1]
    x = keras.Input((lookback, columns), name="x")  # (b, t, c)
    y = keras.Input((data.outputs,), name="y")  # (b, o)
    past, anchor = _encode(x, data)  # (b, t', c), (b, o)
    inside, outside = _scales(data)
    h, _ = body(inside(past), None)
    z = layers.Dense(data.outputs, name="head")(h)  # (b, o)
    level = outside(z)  # (b, o) in units of the (log) target
    out = ops.exp(level + anchor) if data.ends.log else level + anchor  # (b, o) in units of the file
    target = (ops.log(y) if data.ends.log else y) - anchor
    # Scaling the target with the layer that unscales the output keeps one home for the two numbers.
    scaled = (target - outside.bias) / outside.kernel
    return Network(
        model=keras.Model(x, out, name="network"),
        trainer=keras.Model([x, y], [scaled, z, out]),
        carrier=None,
    )


def _encode(x: Any, data: Data) -> tuple[Any, Any]:
    """Window in CSV units -> (what the body sees before scaling, what is added to its answer).

    Column 0 is the target; it alone is logged and differenced. The same code runs on NumPy arrays
    (to measure the scales) and on Keras tensors (inside the model).
    """
    target, rest = x[:, :, :1], x[:, :, 1:]  # (b, t, 1), (b, t, c - 1)
    if data.ends.log:
        target = ops.log(target)
    if data.ends.difference == "season":
        m = data.season
        steps = [target[:, -m + h % m, 0] for h in range(data.outputs)]  # the same season, last time round
        anchor = ops.stack(steps, axis=1)  # (b, o)
        target, rest = target[:, m:] - target[:, :-m], rest[:, m:]
    elif data.ends.difference == "last":
        anchor = ops.repeat(target[:, -1], data.outputs, axis=1)  # (b, o)
        target = target - target[:, -1:]
    else:
        anchor = (
            ops.zeros_like(target[:, -1])
            if data.outputs == 1
            else ops.zeros_like(ops.repeat(target[:, -1], data.outputs, axis=1))
        )
    return ops.concatenate([target, rest], axis=-1), anchor


def _scales(data: Data) -> tuple[layers.Layer, layers.Layer]:
    """Frozen layers that standardise the inputs, and that give the output its level and spread back."""
    train = data.train
    step = max(len(train) // STATISTICS_FROM, 1)
    sample = Windows(train.arrays, train.starts[::step], train.x, train.y)
    past, anchor = (np.asarray(a) for a in _encode(sample.inputs().astype(np.float32), data))
    target = sample.targets()
    target = (np.log(target) if data.ends.log else target) - anchor  # (n, o)

    _, steps, columns = past.shape
    mean, spread = past.mean((0, 1)), _spread(past.std((0, 1)))
    inside = layers.EinsumDense("btc,c->btc", (steps, columns), bias_axes="c", trainable=False, name="scale")
    inside.build((None, steps, columns))
    inside.set_weights([1 / spread, -mean / spread])
    outside = layers.EinsumDense("bo,o->bo", data.outputs, bias_axes="o", trainable=False, name="unscale")
    outside.build((None, data.outputs))
    outside.set_weights([np.full(data.outputs, _spread(target.std())), np.full(data.outputs, target.mean())])
    return inside, outside


def _spread(deviation: np.ndarray) -> np.ndarray:
    """A column that never changes has nothing to scale."""
    return np.where(deviation > 0, deviation, 1)
