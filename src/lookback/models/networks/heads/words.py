"""What the heads for texts and sentences share.

Shapes in comments: b samples, t steps.
"""

from keras import KerasTensor, ops

WORDS = (None, None, 1)  # dropout leaves out a word with all that stands for it


def mask_of(words: KerasTensor) -> KerasTensor:
    """1 where a word stands, 0 where padding does: (b, t)."""
    return ops.cast(ops.not_equal(words, 0), "float32")
