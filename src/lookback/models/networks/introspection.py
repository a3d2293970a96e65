"""A look inside a trained network: how it reads, what its layers say at each step, and its embedding.

Shapes in comments: k sequences side by side, t steps, v tokens, u units, e columns of an embedding.
"""

import keras
import numpy as np
from keras import layers, ops

READ = 64  # steps that are read at once
BATCH = 32  # sequences that are read side by side


class Reader:
    """Reads many sequences side by side, each from no memory: what a step_model says of their tokens."""

    def __init__(self, step_model: keras.Model):
        self._shapes = [state.shape[1:] for state in step_model.inputs[1:]]
        y = keras.Input((None,), dtype="int32")
        out = step_model(step_model.inputs if self._shapes else step_model.inputs[0])
        logits, *states = out if isinstance(out, (list, tuple)) else [out]
        chosen = ops.take_along_axis(logits, y[..., None], axis=-1)[..., 0]  # (k, t)
        self._model = keras.Model([*step_model.inputs, y], [ops.logsumexp(logits, axis=-1) - chosen, *states])

    def nats(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """-log P of every token but the first, given those before it: (n,) -> (n - 1,) each."""
        order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))  # those of like length go together
        nats: list[np.ndarray] = [np.empty(0)] * len(sequences)
        for first in range(0, len(order), BATCH):
            some = order[first : first + BATCH]
            for i, found in zip(some, self._batch([sequences[i] for i in some]), strict=True):
                nats[i] = found[: len(sequences[i]) - 1]
        return nats

    def _batch(self, sequences: list[np.ndarray]) -> np.ndarray:
        steps = -(-max(len(s) - 1 for s in sequences) // READ) * READ
        codes = np.zeros((BATCH, steps + 1), np.int32)
        for row, sequence in zip(codes, sequences, strict=False):
            row[: len(sequence)] = sequence
        states = [np.zeros((BATCH, *shape), np.float32) for shape in self._shapes]
        nats = np.zeros((len(sequences), steps))
        for t in range(0, steps, READ):
            x, y = codes[:, t : t + READ], codes[:, t + 1 : t + READ + 1]
            out = self._model.predict_on_batch([x, *states, y])
            found, *states = out if isinstance(out, list) else [out]
            nats[:, t : t + READ] = found[: len(sequences)]
        return nats


def hidden(model: keras.Model, codes: np.ndarray) -> dict[str, np.ndarray]:
    """What every layer between embedding and head says at each step of a text: layer -> (t, u).

    Args:
        model: of a language.
        codes: (t,) the tokens of the text; it is read from no memory.
    """
    classes = layers.RNN | layers.Conv1D | layers.Dense
    found = [layer for layer in model.layers if isinstance(layer, classes) and layer.name != "head"]
    if not found:
        return {}
    outputs = [layer.output[0] if isinstance(layer.output, (list, tuple)) else layer.output for layer in found]
    out = keras.Model(model.inputs, outputs).predict_on_batch(codes[None])  # (1, t, u) each
    several = out if isinstance(out, list) else [out]
    return {layer.name: states[0] for layer, states in zip(found, several, strict=True)}


def embedding(model: keras.Model) -> np.ndarray:
    """The numbers that stand for each token; of an ensemble, those of its first member: (v, e)."""
    inner = next((layer for layer in model.layers if isinstance(layer, keras.Model)), model)
    return np.asarray(inner.get_layer("embedding").get_weights()[0])
