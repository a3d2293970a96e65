"""Heads for texts: tokens in; logits of the next, one answer for the whole text, or a tag for each word out.

Shapes in comments: b samples, t steps, w letters of a word, e columns of an embedding, u units, v tokens, k classes.
"""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from lookback.data.dataset import Data
from lookback.data.samples import Ragged
from lookback.models.networks.backbones import Backbone, dropped
from lookback.models.networks.numbers import unscale

WORDS = (None, None, 1)  # dropout leaves out a word with all that stands for it


def language(data: Data, backbone: Backbone, width: int) -> tuple[Any, Any, Any]:
    """Model, loss_model and step_model: tokens in, logits of the next token at every step out."""
    embed, head = layers.Embedding(len(data.tokens), width, name="embedding"), layers.Dense(data.outputs, name="head")

    x = keras.Input((None,), dtype="int32", name="x")  # (b, t)
    y = keras.Input((None,), dtype="int32", name="y")  # (b, t)
    h, states = backbone(embed(x), None, None)
    logits = head(h)  # (b, t, v)
    before = [keras.Input(state.shape[1:], name=f"state_{i}") for i, state in enumerate(states)]
    h, after = backbone(embed(x), before, None)
    return (
        keras.Model(x, logits, name="network"),
        keras.Model([x, y], [ops.cast(y, "int32"), logits, logits]),
        keras.Model([x, *before], [head(h), *after]),
    )


def document(data: Data, backbone: Backbone, width: int, dropout: float, skip_connection: bool) -> tuple[Any, Any]:
    """Model and loss_model: words in; the probability of each class, or a rating in the unit of the file, out."""
    x = keras.Input((None,), dtype="int32", name="words")  # (b, t)
    mask = _mask(x)  # (b, t)
    # Whole words are left out: single numbers of a word would tell the network which it was.
    h = dropped(dropout, WORDS)(layers.Embedding(len(data.words), width, name="embedding")(x))  # (b, t, e)
    h, _ = backbone(h, None, mask)  # (b, u)
    z = layers.Dense(data.outputs, name="head")(h)  # (b, k) or (b, 1)
    if skip_connection:
        z = z + _linear(data, x, mask, dropout)
    if data.classes:
        y = keras.Input((), dtype="int32", name="y")  # (b,)
        chances = ops.softmax(z)  # (b, k)
        return keras.Model(x, chances, name="network"), keras.Model([x, y], [ops.cast(y, "int32"), z, chances])
    y = keras.Input((), name="y")  # (b,)
    outside = unscale(1)
    said = outside(z)  # (b, 1) in the unit of the file
    out = ops.clip(said, *data.bounds) if data.bounds else said
    target = (y[:, None] - outside.bias) / outside.kernel  # (b, 1)
    return keras.Model(x, out, name="network"), keras.Model([x, y], [target, z, out])


def tagging(data: Data, backbone: Backbone, width: int, dropout: float, letters: tuple[int, int]) -> tuple[Any, Any]:
    """Model and loss_model: words and their letters in, the probability of each tag of each word out.

    Args:
        letters: columns of the embedding of a letter, and filters that look for patterns in them.
    """
    words = keras.Input((None,), dtype="int32", name="words")  # (b, t)
    spelt = keras.Input((None, data.train.arrays["letters"].shape[1]), dtype="int32", name="letters")  # (b, t, w)
    y = keras.Input((None,), dtype="int32", name="y")  # (b, t)
    # Whole words are left out, so that their letters learn to stand in for them, as they must for an unknown word.
    h = dropped(dropout, WORDS)(layers.Embedding(len(data.words), width, name="embedding")(words))  # (b, t, e)
    spelling = dropped(dropout)(_spelling(spelt, len(data.letters), *letters))  # (b, t, filters)
    h, _ = backbone(ops.concatenate([h, spelling], axis=-1), None, _mask(words))  # (b, t, u)
    logits = layers.Dense(data.outputs, name="head")(h)  # (b, t, k)
    chances = ops.softmax(logits)
    x = [words, spelt]
    return keras.Model(x, chances, name="network"), keras.Model([*x, y], [ops.cast(y, "int32"), logits, chances])


def rating_scale(data: Data) -> list[np.ndarray]:
    """Spread and mean of the ratings of train: weights of the layer "unscale"."""
    targets = data.train.targets()
    return [np.full(1, targets.std() or 1.0), np.full(1, targets.mean())]


def is_rating(data: Data) -> bool:
    """Whether a number is said of each text."""
    return isinstance(data.train, Ragged) and not data.classes


def _mask(words: KerasTensor) -> KerasTensor:
    return ops.cast(ops.not_equal(words, 0), "float32")


def _linear(data: Data, x: KerasTensor, mask: KerasTensor, dropout: float) -> KerasTensor:
    """A linear map of the counts of words, over the root of their number: (b, k)."""
    weights = layers.Embedding(len(data.words), data.outputs, embeddings_initializer="zeros", name="skip_connection")(x)
    weights = dropped(dropout, WORDS)(weights)  # (b, t, k)
    return ops.einsum("btk,bt->bk", weights, mask) / ops.sqrt(ops.sum(mask, axis=1, keepdims=True))


def _spelling(spelt: KerasTensor, alphabet: int, width: int, filters: int) -> KerasTensor:
    """What five letters in a row say, wherever in a word they stand: (b, t, w) -> (b, t, filters)."""
    h = layers.Embedding(alphabet, width, name="letters_embedding")(spelt)  # (b, t, w, e)
    there = ops.cast(ops.not_equal(spelt, 0), "float32")[..., None]  # (b, t, w, 1)
    h = ops.pad(h * there, [(0, 0), (0, 0), (2, 2), (0, 0)])  # nothing stands before and after a word
    five = ops.concatenate([h[:, :, i : i + spelt.shape[2]] for i in range(5)], axis=-1)  # (b, t, w, 5 e)
    said = layers.Dense(filters, activation="tanh", name="letters_filters")(five)  # (b, t, w, filters)
    return ops.max(said - 2 * (1 - there), axis=2)
