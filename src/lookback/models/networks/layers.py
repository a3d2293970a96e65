"""What backbones are made of, in plain Keras.

Shapes in comments: b samples, t steps, c columns, u units.
"""

from collections.abc import Callable, Sequence
from typing import Any

from keras import KerasTensor, layers, ops

from lookback.models.networks.spec import SequenceSpec

States = list[KerasTensor]
# (h (b, t, c), the states before it or None, mask (b, t) of the steps that are there or None) -> (h, states after)
Backbone = Callable[[KerasTensor, States | None, KerasTensor | None], tuple[KerasTensor, States]]


def perceptron(units: int, depth: int, dropout: float, enter: Callable[..., KerasTensor]) -> Backbone:
    """Dense layers on one row that `enter` makes of each sample."""
    stack = [(layers.Dense(units, activation="relu"), dropped(dropout)) for _ in range(depth)]

    def backbone(h: KerasTensor, states: States | None, mask: KerasTensor | None) -> tuple[KerasTensor, States]:
        h = enter(h, mask)  # (b, t * c) or (b, c)
        for layer, drop in stack:
            h = drop(layer(h))  # (b, u)
        return h, []

    return backbone


def flat(h: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    """The whole window as one row: (b, t * c)."""
    return layers.Flatten()(h)


def sliding(units: int, depth: int, dropout: float, kernel_size: int) -> Backbone:
    """A causal convolution over the last `kernel_size` steps; its state is what stood before: (b, reach, c)."""
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


def centred(units: int, depth: int, dropout: float, kernel_size: int) -> Backbone:
    """A convolution over as many steps around each."""
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


def recurrent(
    spec: SequenceSpec, depth: int, dropout: float, bidirectional: bool, pooling: str, make: Callable[..., Any]
) -> Backbone:
    """A stack of recurrent layers, read forwards or both ways; `make` gives one layer."""

    def directions(i: int) -> list[Any]:
        # Where only the last step is asked for, and all windows are as long, the layer itself gives no other.
        sequences = spec.every_step or i < depth - 1 or pooling != "last" or spec.ragged
        return [make(return_sequences=sequences, return_state=spec.carries_state) for _ in range(1 + bidirectional)]

    stack = [(directions(i), dropped(dropout)) for i in range(depth)]

    def backbone(h: KerasTensor, states: States | None, mask: KerasTensor | None) -> tuple[KerasTensor, States]:
        after: States = []
        each = len(states) // depth if states else 0
        for i, (ways, drop) in enumerate(stack):
            if spec.carries_state:
                h, *new = ways[0](h, initial_state=states[i * each : (i + 1) * each] if states else None)
                after += new
            else:
                whole = i == depth - 1 and not spec.every_step
                h = _read(h, ways, mask, pooling if whole else "")
            h = drop(h)  # (b, t, u), or (b, u) after the last
        return h, after

    return backbone


def _read(h: KerasTensor, ways: Sequence[Any], mask: KerasTensor | None, pooling: str) -> KerasTensor:
    """Read forwards, and backwards where there is a second layer: (b, t, u), or (b, u) with `pooling`.

    Padding stands at the end, where reading forwards comes to it last; backwards each example is turned round by
    itself. So padding never reaches a state that counts, and no layer needs a mask.
    """
    outputs = []
    for backwards, layer in enumerate(ways):
        out = layer(_turned(h, mask) if backwards else h)  # (b, t, u) or (b, u)
        if pooling:
            outputs.append(_pooled(out, mask, pooling))
        else:
            outputs.append(_turned(out, mask) if backwards else out)
    return layers.Concatenate()(outputs) if len(outputs) > 1 else outputs[0]


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
        return mean(h, mask)
    if how == "max":
        return ops.max(h if mask is None else h - 1e9 * (1 - mask[:, :, None]), axis=1)
    if mask is None:
        return h[:, -1]
    last = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True) - 1  # (b, 1)
    return _taken(h, last)[:, 0]


def mean(h: KerasTensor, mask: KerasTensor | None) -> KerasTensor:
    """Mean of the steps that are there: (b, c)."""
    if mask is None:
        return ops.mean(h, axis=1)
    return ops.einsum("btc,bt->bc", h, mask) / ops.sum(mask, axis=1, keepdims=True)


def dropped(rate: float, noise_shape: tuple[int | None, ...] | None = None) -> Callable[[KerasTensor], KerasTensor]:
    """Made once, so that all views of a network share it; nothing where the rate is 0."""
    return layers.Dropout(rate, noise_shape=noise_shape) if rate else lambda h: h
