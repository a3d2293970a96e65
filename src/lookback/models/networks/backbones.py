"""The backbones: what a network does between its ends. Any backbone meets any task.

To add one: a function here, its numbers in `settings/models.py`, a YAML in conf/model.

Shapes in comments: b samples, t steps, c columns, u units.
"""

from collections.abc import Callable, Sequence
from typing import Any

from keras import KerasTensor, layers, ops

from lookback.data.dataset import Data
from lookback.data.samples import Ragged

UNROLL_UP_TO = 32  # steps; an unrolled SimpleRNN trains 1.4 times as fast, but takes longer to compile

States = list[KerasTensor]
# (h (b, t, c), the states before it or None, mask (b, t) of the steps that are there or None) -> (h, states after)
Backbone = Callable[[KerasTensor, States | None, KerasTensor | None], tuple[KerasTensor, States]]


def dense(data: Data, units: int, layers: int, dropout: float, kernel_size: int) -> Backbone:
    """Perceptron: on the whole window, on the mean of the words of a text, or slid along the steps.

    A language model sees the last `kernel_size` steps (a causal convolution), a tagger as many around the word.
    """
    if data.language:
        return _sliding(units, layers, dropout, kernel_size)
    if data.per_step:
        return _centred(units, layers, dropout, kernel_size)
    return _perceptron(units, layers, dropout, _mean if isinstance(data.train, Ragged) else _flat)


def bag_of_words(data: Data, units: int, layers: int, dropout: float) -> Backbone:
    """Perceptron on the counts of words, as shares of the text.

    The first layer is the embedding itself: its rows, of `units` numbers, are added up, which is the product of the
    counts with a matrix.
    """
    bias = _layers().EinsumDense("bu,u->bu", units, bias_axes="u", kernel_initializer="ones", activation="relu")
    drop = dropped(dropout)
    return _perceptron(units, layers - 1, dropout, lambda h, mask: drop(bias(_mean(h, mask))))


def simple_rnn(data: Data, units: int, layers: int, dropout: float, bidirectional: bool, pooling: str) -> Backbone:
    """Elman network: h(t) = tanh(W x(t) + U h(t-1) + b)."""
    short = not data.per_step and not isinstance(data.train, Ragged) and data.train.x.length <= UNROLL_UP_TO
    make = _layers().SimpleRNN
    return _recurrent(data, layers, dropout, bidirectional, pooling, lambda **kw: make(units, unroll=short, **kw))


def lstm(data: Data, units: int, layers: int, dropout: float, bidirectional: bool, pooling: str) -> Backbone:
    """Long short-term memory (Hochreiter & Schmidhuber 1997)."""
    return _recurrent(data, layers, dropout, bidirectional, pooling, lambda **kw: _layers().LSTM(units, **kw))


def gru(data: Data, units: int, layers: int, dropout: float, bidirectional: bool, pooling: str) -> Backbone:
    """Gated recurrent unit (Cho et al. 2014), in the form that cuDNN computes."""
    return _recurrent(data, layers, dropout, bidirectional, pooling, lambda **kw: _layers().GRU(units, **kw))


def bigram(data: Data, units: int) -> Backbone:
    """Nothing between the ends: what follows is told by the token before alone."""
    return lambda h, states, mask: (h, [])


BACKBONES: dict[str, Callable[..., Backbone]] = {
    "dense": dense,
    "bag_of_words": bag_of_words,
    "simple_rnn": simple_rnn,
    "lstm": lstm,
    "gru": gru,
    "bigram": bigram,
}


def _layers() -> Any:
    """`keras.layers`, where a number of layers has the same name."""
    return layers


def _perceptron(units: int, depth: int, dropout: float, enter: Callable[..., KerasTensor]) -> Backbone:
    stack = [(layers.Dense(units, activation="relu"), dropped(dropout)) for _ in range(depth)]

    def backbone(h: KerasTensor, states: States | None, mask: KerasTensor | None) -> tuple[KerasTensor, States]:
        h = enter(h, mask)  # (b, t * c) or (b, c)
        for layer, drop in stack:
            h = drop(layer(h))  # (b, u)
        return h, []

    return backbone


def _sliding(units: int, depth: int, dropout: float, kernel_size: int) -> Backbone:
    kernels = [layers.Conv1D(units, kernel_size, activation="relu")]
    stack = _stacked(kernels, units, depth, dropout)

    def backbone(h: KerasTensor, states: States | None, mask: KerasTensor | None) -> tuple[KerasTensor, States]:
        reach, columns, after = kernel_size - 1, h.shape[-1], []
        if reach:
            # What stood before the first step; nothing did at the start of a window.
            past = states[0] if states else ops.repeat(ops.zeros_like(h[:, :1]), reach, axis=1)  # (b, reach, c)
            h = ops.concatenate([past, h], axis=1)  # (b, reach + t, c)
            after = [ops.reshape(h[:, -reach:], (-1, reach, columns))]  # (b, reach, c)
        for layer, drop in stack:
            h = drop(layer(h))  # (b, t, u)
        return h, after

    return backbone


def _centred(units: int, depth: int, dropout: float, kernel_size: int) -> Backbone:
    stack = _stacked([layers.Conv1D(units, kernel_size, padding="same", activation="relu")], units, depth, dropout)

    def backbone(h: KerasTensor, states: States | None, mask: KerasTensor | None) -> tuple[KerasTensor, States]:
        assert mask is not None, "sentences have their own length"
        h = h * mask[:, :, None]  # what stands after the last word is nothing, as before the first
        for layer, drop in stack:
            h = drop(layer(h))  # (b, t, u)
        return h, []

    return backbone


def _stacked(kernels: list[Any], units: int, depth: int, dropout: float) -> list[tuple[Any, Any]]:
    rest = [layers.Dense(units, activation="relu") for _ in range(depth - 1)]
    return [(layer, dropped(dropout)) for layer in kernels + rest]


def _recurrent(
    data: Data, depth: int, dropout: float, bidirectional: bool, pooling: str, make: Callable[..., Any]
) -> Backbone:
    texts = isinstance(data.train, Ragged)

    def directions(i: int) -> list[Any]:
        # Where only the last step is asked for, and all windows are as long, the layer itself gives no other.
        sequences = data.per_step or i < depth - 1 or pooling != "last" or texts
        return [make(return_sequences=sequences, return_state=data.language) for _ in range(1 + bidirectional)]

    stack = [(directions(i), dropped(dropout)) for i in range(depth)]

    def backbone(h: KerasTensor, states: States | None, mask: KerasTensor | None) -> tuple[KerasTensor, States]:
        after: States = []
        each = len(states) // depth if states else 0
        for i, (ways, drop) in enumerate(stack):
            if data.language:
                h, *new = ways[0](h, initial_state=states[i * each : (i + 1) * each] if states else None)
                after += new
            else:
                whole = i == depth - 1 and not data.per_step
                h = _read(h, ways, mask, pooling if whole else "")
            h = drop(h)  # (b, t, u), or (b, u) after the last
        return h, after

    return backbone


def _read(h: KerasTensor, ways: Sequence[Any], mask: KerasTensor | None, pooling: str) -> KerasTensor:
    """Read forwards, and backwards where there is a second layer: (b, t, u), or (b, u) with `pooling`.

    Padding stands at the end, where reading forwards comes to it last; backwards each example is turned round by
    itself. So padding never reaches a state that counts, and no layer needs a mask.
    """
    said = []
    for backwards, layer in enumerate(ways):
        out = layer(_turned(h, mask) if backwards else h)  # (b, t, u) or (b, u)
        if pooling:
            said.append(_pooled(out, mask, pooling))
        else:
            said.append(_turned(out, mask) if backwards else out)
    return layers.Concatenate()(said) if len(said) > 1 else said[0]


def _turned(h: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    """Each example read backwards; its padding stays at the end: (b, t, c)."""
    if mask is None:
        return ops.flip(h, axis=1)
    steps = ops.cast(ops.cumsum(ops.ones_like(mask), axis=1), "int32") - 1  # (b, t): 0, 1, 2, ...
    last = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True) - 1  # (b, 1)
    return _taken(h, ops.where(steps <= last, last - steps, steps))


def _taken(h: KerasTensor, steps: KerasTensor) -> KerasTensor:
    """h[b, steps[b, k]]: (b, t, c) and (b, k) -> (b, k, c). One gather of whole rows, which is quick."""
    rows = ops.sum(ops.ones_like(h[:1, :, 0], dtype="int32"))  # t, which has no name before there is a batch
    example = ops.cumsum(ops.ones_like(steps), axis=0) - 1  # (b, k): 0, 1, 2, ... downwards
    return ops.take(ops.reshape(h, (-1, h.shape[-1])), example * rows + steps, axis=0)


def _pooled(h: KerasTensor, mask: KerasTensor | None, how: str) -> KerasTensor:
    """One row of the steps that are there: (b, u)."""
    if len(h.shape) == 2:  # the layer gave its last step only
        return h
    if how == "mean":
        return _mean(h, mask)
    if how == "max":
        return ops.max(h if mask is None else h - 1e9 * (1 - mask[:, :, None]), axis=1)
    if mask is None:
        return h[:, -1]
    last = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True) - 1  # (b, 1)
    return _taken(h, last)[:, 0]


def _mean(h: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    """Mean of the steps that are there: (b, c)."""
    if mask is None:
        return ops.mean(h, axis=1)
    return ops.einsum("btc,bt->bc", h, mask) / ops.sum(mask, axis=1, keepdims=True)


def _flat(h: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    return layers.Flatten()(h)


def dropped(rate: float, noise_shape: tuple[int | None, ...] | None = None) -> Callable[[KerasTensor], KerasTensor]:
    """Made once, so that all views of a network share it; nothing where the rate is 0."""
    return layers.Dropout(rate, noise_shape=noise_shape) if rate else lambda h: h
