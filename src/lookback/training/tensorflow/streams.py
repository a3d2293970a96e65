"""Reading and writing with a language model: compiled programs that carry its state along.

Shapes in comments: k samples side by side, t steps, v tokens, n tokens in all.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from lookback.data.samples import Stream
from lookback.data.sampling import SamplingConfig
from lookback.evaluation.predictions import Tokens
from lookback.training.tensorflow import cudnn
from lookback.training.tensorflow.gather import Arrays

READ = 256  # steps of a stream that a recurrent layer reads at once
READS = 16  # how often one program does so
WRITE = 64  # tokens that one program writes


class Streams:
    """Compiled loops over a step_model: [x, *states] -> [logits, *states]."""

    def __init__(self, step_model: Any):
        self.step_model, self.traces = step_model, 0
        # One sequence at a time leaves TensorFlow's kernels nothing to share out: XLA, whatever the size.
        xla = not cudnn.may_be_used(step_model)
        self._read = tf.function(self._read_loop, jit_compile=xla)
        self._write = tf.function(self._write_loop, jit_compile=xla)
        # Prompts have any length: a graph that does not ask for it.
        shape = [tf.TensorSpec((None, None), tf.int32)]
        self._prompt = tf.function(self._begin, input_signature=shape)

    def initial_state(self, sequences: Any) -> list[Any]:
        """The states of a model that has read nothing, (k, u) each."""
        states = self.step_model.inputs[1:]
        return [tf.zeros(tf.concat([[sequences], state.shape[1:]], 0)) for state in states]

    # --- reading ---

    def read(self, arrays: Arrays, stream: Stream) -> Tokens:
        """Read a stream once, state carried from zero: nats of every target and the likeliest guess, (n,) each."""
        codes, states = arrays[stream.array], self.initial_state(1)
        nats, guesses = [], []
        for first in range(stream.start, stream.stop, READ * READS):
            lost, guess, states = self._read(codes, tf.constant(first), tf.constant(stream.stop), states)
            nats.append(lost.numpy().ravel())
            guesses.append(guess.numpy().ravel())
        n = len(stream)
        return Tokens(np.concatenate(nats)[:n].astype(np.float64), np.concatenate(guesses)[:n])

    def _read_loop(self, codes: Any, first: Any, stop: Any, states: Any) -> Any:
        self.traces += 1

        def step(i: Any, lost: Any, guess: Any, states: Any) -> Any:
            places = tf.minimum(first + i * READ + tf.range(READ), stop - 1)  # (t,)
            logits, *states = self._forward(tf.gather(codes, places - 1)[None], states)
            lost_here = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(codes, places), logits[0])  # (t,)
            return i + 1, lost.write(i, lost_here), guess.write(i, tf.argmax(logits[0], -1, tf.int32)), states

        lost = tf.TensorArray(tf.float32, READS, element_shape=(READ,))
        guess = tf.TensorArray(tf.int32, READS, element_shape=(READ,))
        _, lost, guess, states = tf.while_loop(lambda i, *_: i < READS, step, (tf.constant(0), lost, guess, states))
        return lost.stack(), guess.stack(), states

    def _forward(self, x: Any, states: list[Any]) -> list[Any]:
        """[logits (k, t, v), *states]; a model without memory answers with the logits alone."""
        out = self.step_model([x, *states] if states else x, training=False)
        return list(out) if isinstance(out, (list, tuple)) else [out]

    # --- writing ---

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Go on after `prompt`, (k, t): blocks of tokens, (k, up to `WRITE`), `length` in all.

        Token 0, the unknown one, is never drawn.
        """
        logits, *states = self._prompt(tf.constant(prompt, tf.int32))
        uniforms = np.random.default_rng(sampling.seed)
        greedy = sampling.temperature == 0
        limited = sampling.top_k > 0 or sampling.top_p < 1
        numbers = tf.constant(
            [sampling.temperature or 1.0, sampling.top_k or logits.shape[-1], sampling.top_p], tf.float32
        )
        for first in range(0, length, WRITE):
            draws = uniforms.random((WRITE, len(prompt)), np.float32)
            tokens, logits, states = self._write(logits, states, tf.constant(draws), numbers, greedy, limited)
            yield tokens.numpy().T[:, : length - first]  # (k, t)

    def _begin(self, prompt: Any) -> Any:
        self.traces += 1
        logits, *states = self._forward(prompt, self.initial_state(tf.shape(prompt)[0]))
        return [logits[:, -1], *states]

    def _write_loop(self, logits: Any, states: Any, uniforms: Any, numbers: Any, greedy: bool, limited: bool) -> Any:
        self.traces += 1

        def step(i: Any, written: Any, logits: Any, states: Any) -> Any:
            token = 1 + _sample(logits[:, 1:], tf.gather(uniforms, i), numbers, greedy, limited)  # (k,)
            after, *states = self._forward(token[:, None], states)
            return i + 1, written.write(i, token), after[:, -1], states

        written = tf.TensorArray(tf.int32, WRITE, element_shape=(uniforms.shape[1],))
        begin = (tf.constant(0), written, logits, list(states))
        _, written, logits, states = tf.while_loop(lambda i, *_: i < WRITE, step, begin)
        return written.stack(), logits, states


def _sample(logits: Any, uniforms: Any, numbers: Any, greedy: bool, limited: bool) -> Any:
    """One token for each of (k, v) logits: (k,)."""
    if greedy:
        return tf.argmax(logits, -1, tf.int32)
    temperature, top_k, top_p = tf.unstack(numbers)
    chances = tf.nn.softmax(logits / temperature)  # (k, v)
    if limited:
        falling = tf.sort(chances, direction="DESCENDING")
        before = tf.cumsum(falling, axis=1, exclusive=True)
        rank = tf.range(falling.shape[1], dtype=tf.float32)[None]
        stays = (before < top_p) & (rank < top_k)  # (k, v); the first always does
        least = tf.reduce_min(tf.where(stays, falling, 1.0), axis=1, keepdims=True)
        chances = tf.where(chances >= least, chances, 0.0)
    reached = tf.cumsum(chances, axis=1)  # (k, v)
    uniforms = tf.minimum(uniforms, 1 - 1e-6)  # nearer to 1 it would be rounded up, to a token that nobody may draw
    below = tf.cast(reached <= uniforms[:, None] * reached[:, -1:], tf.int32)
    return tf.minimum(tf.reduce_sum(below, axis=1), logits.shape[1] - 1)
