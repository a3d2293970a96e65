"""Numbers of the file as networks compute with them: without their level, in units of their spread.

A float32 has 7 digits. On a level of 1e9 that leaves steps of 64, and nothing that a network does afterwards brings
back what the cast took away. So the level leaves while numbers are float64, and comes back in float64.

Shapes in comments: n or b samples, t steps, c columns, o outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import keras
import numpy as np
from keras import layers, ops

from lookback.data.contract import Data, Fold, Rows, Samples, Windows

MEASURED_ON = 4096  # windows, evenly spaced over train
_inside: dict[str, Any] = {}  # the arrays that were changed last, and what they became

S = TypeVar("S", Windows | Rows, Samples)


@dataclass(frozen=True, eq=False)
class Units:
    """Level and spread of the columns of a window, (c,) each, of logarithms where `log`; none where samples are texts.

    The first column is the target. `classes`: targets are numbers of classes, and stay.
    """

    level: np.ndarray
    spread: np.ndarray
    log: bool = False
    classes: bool = False

    def samples(self, samples: S) -> S:
        """The same samples, cut from arrays in these units; float32 holds them."""
        if not isinstance(samples, Windows) or not len(self.level):
            return samples
        return replace(samples, arrays=self._arrays(samples))

    def inside(self, data: Data) -> Data:
        """All samples of a task in these units."""
        folds = tuple(Fold(self.samples(fold.train), self.samples(fold.test)) for fold in data.folds)
        train, val, test = self.samples(data.train), self.samples(data.val), self.samples(data.test)
        return replace(data, train=train, val=val, test=test, folds=folds)

    def values(self, said: np.ndarray) -> np.ndarray:
        """What a core said, in the units of the file: (n, o) float64."""
        if self.classes or not len(self.level):
            return said
        level = said * self.spread[0] + self.level[0]
        return np.exp(level) if self.log else level

    def around(self, core: keras.Model) -> keras.Model:
        """The core with its units: values of the file in and, unless they are classes, out, as float64."""
        if not len(self.level):
            return core
        x = keras.Input(core.input_shape[1:], dtype="float64", name="x")  # (b, t, c)
        values = x
        if self.log:
            values = ops.concatenate([ops.log(x[:, :, :1]), x[:, :, 1:]], axis=-1)
        enter = _affine("btc,c->btc", core.input_shape[1:], 1 / self.spread, -self.level / self.spread)
        said = core(ops.cast(enter(values), "float32"))  # (b, o)
        if self.classes:
            return keras.Model(x, said, name="network")
        outputs = core.output_shape[-1]
        leave = _affine("bo,o->bo", (outputs,), *(np.full(outputs, v[0]) for v in (self.spread, self.level)))
        level = leave(ops.cast(said, "float64"))  # (b, o)
        return keras.Model(x, ops.exp(level) if self.log else level, name="network")

    def _arrays(self, samples: Windows) -> Mapping[str, np.ndarray]:
        """The arrays that a network reads. Those of the last call are kept: folds, members and seeds share them."""
        same = _inside.get("of") is samples.arrays and self._equals(_inside["units"])
        if not same:
            rows, target = samples.arrays[samples.x.array], samples.arrays[samples.y.array]
            changed = {samples.x.array: self._scaled(rows), samples.y.array: target}
            if not self.classes:
                changed[samples.y.array] = self._scaled(target[:, None])[:, 0]
            _inside.update(of=samples.arrays, units=self, arrays={**samples.arrays, **changed})
        return _inside["arrays"]

    def _equals(self, other: "Units") -> bool:
        alike = (self.log, self.classes) == (other.log, other.classes)
        return alike and np.array_equal(self.level, other.level) and np.array_equal(self.spread, other.spread)

    def _scaled(self, rows: np.ndarray) -> np.ndarray:
        """(rows, some of the first c columns) float32."""
        columns = rows.shape[1]
        return ((_logged(rows, self.log) - self.level[:columns]) / self.spread[:columns]).astype(np.float32)


NONE = Units(np.empty(0), np.empty(0))


def measured(data: Data) -> Units:
    """The units of a task: mean and deviation of each column over the windows of train."""
    if not isinstance(data.train, Windows) or data.language:
        return NONE
    step = max(len(data.train) // MEASURED_ON, 1)
    x = _logged(replace(data.train, starts=data.train.starts[::step]).inputs(), data.ends.log)  # (n, t, c)
    spread = x.std((0, 1))
    return Units(x.mean((0, 1)), np.where(spread > 0, spread, 1), data.ends.log, bool(data.kinds))


def _logged(rows: np.ndarray, log: bool) -> np.ndarray:
    """The target, which is the first column, as its logarithm: (..., c)."""
    if not log:
        return rows
    return np.concatenate([np.log(rows[..., :1]), rows[..., 1:]], axis=-1)


def _affine(equation: str, shape: tuple[int, ...], kernel: np.ndarray, bias: np.ndarray) -> layers.Layer:
    """A frozen layer that multiplies and adds in float64, column by column."""
    output = shape if len(shape) > 1 else shape[-1]
    axis = equation[-1]
    layer = layers.EinsumDense(equation, output, bias_axes=axis, trainable=False, dtype="float64")
    layer.build((None, *shape))
    layer.set_weights([kernel, bias])
    return layer
