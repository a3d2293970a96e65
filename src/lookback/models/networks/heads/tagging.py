"""Tagging: words and their letters in, the probability of each tag of each word out.

Shapes in comments: b samples, t steps, w letters of a word, e columns of an embedding, u units, k tags.
"""

import keras
from keras import KerasTensor, layers, ops

from lookback.data.dataset import Data
from lookback.models.networks.heads.words import WORDS, mask_of
from lookback.models.networks.layers import dropped
from lookback.models.networks.network import Network, fresh_backbone
from lookback.models.networks.spec import SequenceSpec
from lookback.settings.base import Numbers


def tagging(data: Data, model: Numbers, embedding: int, letters: tuple[int, int]) -> Network:
    """A network that says a tag of every word, with fresh weights.

    Args:
        embedding: numbers that stand for a word.
        letters: columns of the embedding of a letter, and filters that look for patterns in them.
    """
    backbone, options = fresh_backbone(SequenceSpec(None, every_step=True), model)
    width, dropout = embedding, options["dropout"]
    words = keras.Input((None,), dtype="int32", name="words")  # (b, t)
    spelt = keras.Input((None, data.train.arrays["letters"].shape[1]), dtype="int32", name="letters")  # (b, t, w)
    y = keras.Input((None,), dtype="int32", name="y")  # (b, t)
    # Whole words are left out, so that their letters learn to stand in for them, as they must for an unknown word.
    h = dropped(dropout, WORDS)(layers.Embedding(len(data.words), width, name="embedding")(words))  # (b, t, e)
    spelling = dropped(dropout)(_spelling(spelt, len(data.letters), *letters))  # (b, t, filters)
    h, _ = backbone(ops.concatenate([h, spelling], axis=-1), None, mask_of(words))  # (b, t, u)
    logits = layers.Dense(data.outputs, name="head")(h)  # (b, t, k)
    chances = ops.softmax(logits)
    x = [words, spelt]
    core = keras.Model(x, chances, name="network")
    return Network(core, keras.Model([*x, y], [ops.cast(y, "int32"), logits, chances]), "crossentropy")


def _spelling(spelt: KerasTensor, alphabet: int, width: int, filters: int) -> KerasTensor:
    """What five letters in a row say, wherever in a word they stand: (b, t, w) -> (b, t, filters)."""
    h = layers.Embedding(alphabet, width, name="letters_embedding")(spelt)  # (b, t, w, e)
    there = ops.cast(ops.not_equal(spelt, 0), "float32")[..., None]  # (b, t, w, 1)
    h = ops.pad(h * there, [(0, 0), (0, 0), (2, 2), (0, 0)])  # nothing stands before and after a word
    five = ops.concatenate([h[:, :, i : i + spelt.shape[2]] for i in range(5)], axis=-1)  # (b, t, w, 5 e)
    h = layers.Dense(filters, activation="tanh", name="letters_filters")(five)  # (b, t, w, filters)
    return ops.max(h - 2 * (1 - there), axis=2)
