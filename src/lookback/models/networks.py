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
NO_SPREAD = 1e-6  # below it a window stands still, and is divided by 1
STATISTICS_FROM = 4096  # windows, evenly spaced over train, that the scales are measured on

States = list[KerasTensor]
Body = Callable[[KerasTensor, States | None], tuple[KerasTensor, States]]


@dataclass(frozen=True)
class Network:
    """Views of one set of weights.

    Attributes:
        model: x -> prediction, in the units of the file; probabilities where it tells kinds apart, logits
            where it speaks at every step of a text. What is saved.
        trainer: [x, y] -> [target, prediction] as the loss sees them (scaled), and the model's prediction.
        carrier: [x, *states] -> [prediction, *new states], for streams and for writing; None elsewhere.
    """

    model: keras.Model
    trainer: keras.Model
    carrier: keras.Model | None

    def rescale(self, data: Data) -> None:
        """Measure the scales anew, on `data.train`; every other weight stays."""
        if not data.per_step:
            for name, weights in _scales(data).items():
                self.trainer.get_layer(name).set_weights(weights)


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


def build(data: Data, name: str, linear_path: bool, **numbers: Any) -> Network:
    """Make a network for the data, with fresh weights.

    Args:
        name: a key of `BODIES`.
        linear_path: whether a linear map of the window is added to the answer.
        numbers: that body's arguments.
    """
    keras.utils.clear_session(free_memory=False)  # layer names begin at 1 again: one architecture, one description
    body = BODIES[name](data, **numbers)
    if data.per_step:
        return _language_network(data, body)
    body = _with_linear_path(body) if linear_path else body
    network = _classifying_network(data, body) if data.kinds else _forecasting_network(data, body)
    network.rescale(data)
    return network


def together(models: list[keras.Model]) -> keras.Model:
    """One model whose answer is the mean of theirs."""
    x = keras.Input(models[0].input_shape[1:], name="x")
    for i, model in enumerate(models):
        model.name = f"member_{i}"
    return keras.Model(x, layers.Average()([model(x) for model in models]), name="ensemble")


def _with_linear_path(body: Body) -> Body:
    """The body, and beside it the window itself: what the head makes of that is a linear autoregression.

    Lai et al., SIGIR (2018) 95: the autoregressive highway of LSTNet.
    """

    def both(x: KerasTensor, states: States | None) -> tuple[KerasTensor, States]:
        h, states = body(x, states)
        return layers.Concatenate()([h, layers.Flatten()(x)]), states  # (b, u + t * c)

    return both


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


def _classifying_network(data: Data, body: Body) -> Network:
    """Values of the file in, the probability of each kind out."""
    x = keras.Input((data.train.x.length, len(data.columns)), name="x")  # (b, t, c)
    y = keras.Input((1,), dtype="int32", name="y")  # (b, 1)
    h, _ = body(_inside(*x.shape[1:])(x), None)
    logits = layers.Dense(data.outputs, name="head")(h)  # (b, k)
    chances = ops.softmax(logits)  # (b, k)
    return Network(
        model=keras.Model(x, chances, name="network"),
        trainer=keras.Model([x, y], [ops.cast(y[:, 0], "int32"), logits, chances]),
        carrier=None,
    )


def _forecasting_network(data: Data, body: Body) -> Network:
    """Values of the file in, values of the file out; the body sees scaled, perhaps differenced ones."""
    x = keras.Input((data.train.x.length, len(data.columns)), name="x")  # (b, t, c)
    y = keras.Input((data.outputs,), name="y")  # (b, o)
    past, anchor, spread = _encode(x, data)  # (b, t', c), (b, o), (b, 1)
    inside, outside = _inside(*past.shape[1:]), _outside(data)
    h, _ = body(inside(past), None)
    z = layers.Dense(data.outputs, name="head")(h)  # (b, o)
    level = outside(z) * spread + anchor  # (b, o) in units of the (log) target
    out = ops.exp(level) if data.ends.log else level  # (b, o) in units of the file
    target = ((ops.log(y) if data.ends.log else y) - anchor) / spread
    # Scaling the target with the layer that unscales the output keeps one home for the two numbers.
    scaled = (target - outside.bias) / outside.kernel
    return Network(
        model=keras.Model(x, out, name="network"),
        trainer=keras.Model([x, y], [scaled, z, out]),
        carrier=None,
    )


def _encode(x: Any, data: Data) -> tuple[Any, Any, Any]:
    """Window in CSV units -> (what the body sees before scaling, what is added to its answer, what multiplies it).

    Column 0 is the target; it alone is logged, differenced and divided. The same code runs on NumPy
    arrays (to measure the scales) and on Keras tensors (inside the model).
    """
    target, rest = x[:, :, :1], x[:, :, 1:]  # (b, t, 1), (b, t, c - 1)
    if data.ends.log:
        target = ops.log(target)
    if data.ends.difference == "season":
        m, first = data.season, data.train.y.offset - data.train.x.length  # rows to the first output
        steps = [target[:, -m + (first + h) % m, 0] for h in range(data.outputs)]  # the same season, last time round
        anchor = ops.stack(steps, axis=1)  # (b, o)
        target, rest = target[:, m:] - target[:, :-m], rest[:, m:]
    else:
        level = {
            "last": target[:, -1],  # (b, 1)
            "none": ops.mean(target, axis=1) if data.ends.scale == "window" else ops.zeros_like(target[:, -1]),
        }[data.ends.difference]
        anchor = ops.repeat(level, data.outputs, axis=1)  # (b, o)
        target = target - level[:, None]
    spread = ops.ones_like(target[:, 0])  # (b, 1)
    if data.ends.scale == "window":
        spread = ops.std(target, axis=1)  # (b, 1)
        spread = ops.where(spread > NO_SPREAD, spread, ops.ones_like(spread))
        target = target / spread[:, None]
    return ops.concatenate([target, rest], axis=-1), anchor, spread


def _inside(steps: int, columns: int) -> layers.Layer:
    """A frozen layer that standardises what the body sees."""
    layer = layers.EinsumDense("btc,c->btc", (steps, columns), bias_axes="c", trainable=False, name="scale")
    layer.build((None, steps, columns))
    return layer


def _outside(data: Data) -> layers.Layer:
    """A frozen layer that gives the output its level and spread back."""
    layer = layers.EinsumDense("bo,o->bo", data.outputs, bias_axes="o", trainable=False, name="unscale")
    layer.build((None, data.outputs))
    return layer


def _scales(data: Data) -> dict[str, list[np.ndarray]]:
    """Weights of the two layers, measured on train."""
    train = data.train
    step = max(len(train) // STATISTICS_FROM, 1)
    sample = Windows(train.arrays, train.starts[::step], train.x, train.y)
    x = sample.inputs().astype(np.float32)
    if data.kinds:
        return {"scale": _standard(x)}
    past, anchor, spread = (np.asarray(a) for a in _encode(x, data))
    target = sample.targets()
    target = ((np.log(target) if data.ends.log else target) - anchor) / spread  # (n, o)
    unscale = [np.full(data.outputs, _spread(target.std())), np.full(data.outputs, target.mean())]
    return {"scale": _standard(past), "unscale": unscale}


def _standard(values: np.ndarray) -> list[np.ndarray]:
    """Kernel and bias that give each column of (n, t, c) mean 0 and spread 1."""
    mean, spread = values.mean((0, 1)), _spread(values.std((0, 1)))
    return [1 / spread, -mean / spread]


def _spread(deviation: np.ndarray) -> np.ndarray:
    """A column that never changes has nothing to scale."""
    return np.where(deviation > 0, deviation, 1)
