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

from lookback.data.dataset import Data, Fold
from lookback.data.samples import Ragged, Samples, Windows

MEASURED_ON = 4096  # windows, evenly spaced over train
ROUNDING = 1e-14  # of a column's size: less than that is no movement, it is how numbers are kept
_inside: dict[str, Any] = {}  # the arrays that were changed last, and what they became

S = TypeVar("S", Windows | Ragged, Samples)


@dataclass(frozen=True, eq=False)
class Units:
    """Level and spread of the columns of a window, (c,) each, of logarithms where `log`; none where samples are texts.

    The first column is the target. A network that compares it with its own window does not mind a level: there every
    series has one of its own, else the smaller ones would drown in the larger ones.

    Attributes:
        own: (series,) the level of the target in each; empty where one level goes for all.
        classes: targets are numbers of classes, and stay.
    """

    level: np.ndarray
    spread: np.ndarray
    own: np.ndarray
    log: bool = False
    classes: bool = False

    def samples(self, samples: S) -> S:
        """The same samples, cut from arrays in these units; float32 holds them."""
        if not len(self.level):
            return samples
        return replace(samples, arrays=self._arrays(samples))  # type: ignore[arg-type]

    def inside(self, data: Data) -> Data:
        """All samples of a task in these units."""
        folds = tuple(Fold(self.samples(fold.train), self.samples(fold.test)) for fold in data.folds)
        train, val, test = self.samples(data.train), self.samples(data.val), self.samples(data.test)
        return replace(data, train=train, val=val, test=test, folds=folds)

    def values(self, answer: np.ndarray, samples: Windows) -> np.ndarray:
        """A core's answers for samples, in the units of the file: (n, o) float64."""
        if self.classes or not len(self.level):
            return answer
        level = answer * self.spread[0] + self._levels(samples, samples.starts)[:, None]
        return np.exp(level) if self.log else level

    def around(self, core: keras.Model) -> keras.Model:
        """The core with its units: values of the file in and, unless they are classes, out, as float64."""
        if not len(self.level):
            return core
        x = keras.Input(core.input_shape[1:], dtype="float64", name="x")  # (b, t, c)
        target, rest = (ops.log(x[:, :, :1]) if self.log else x[:, :, :1]), x[:, :, 1:]
        level = self.level.copy()
        if len(self.own):  # nobody says whose window it is: any level near it will do, such as its last value
            level[0], anchor = 0.0, target[:, -1:]  # (b, 1, 1)
            target = target - anchor
        values = ops.concatenate([target, rest], axis=-1)
        enter = _affine("btc,c->btc", core.input_shape[1:], 1 / self.spread, -level / self.spread)
        answer = core(ops.cast(enter(values), "float32"))  # (b, o)
        if self.classes:
            return keras.Model(x, answer, name="network")
        outputs = core.output_shape[-1]
        leave = _affine("bo,o->bo", (outputs,), np.full(outputs, self.spread[0]), np.full(outputs, level[0]))
        out = leave(ops.cast(answer, "float64"))  # (b, o)
        out = out + anchor[:, 0] if len(self.own) else out
        return keras.Model(x, ops.exp(out) if self.log else out, name="network")

    def _levels(self, samples: Windows, rows: np.ndarray) -> np.ndarray:
        """Of the target in these rows: (n,)."""
        if not len(self.own):
            return np.full(len(rows), self.level[0])
        return self.own[samples.arrays["series"][rows]]

    def _arrays(self, samples: Windows) -> Mapping[str, np.ndarray]:
        """The arrays that a network reads. Those of the last call are kept: folds, members and seeds share them."""
        if not (_inside.get("of") is samples.arrays and self._equals(_inside["units"])):
            changed = {samples.x.array: self._scaled(samples, samples.arrays[samples.x.array])}
            if not self.classes:
                target = samples.arrays[samples.y.array][:, None]
                changed[samples.y.array] = self._scaled(samples, target)[:, 0]
            _inside.update(of=samples.arrays, units=self, arrays={**samples.arrays, **changed})
        return _inside["arrays"]

    def _equals(self, other: "Units") -> bool:
        pairs = zip((self.level, self.spread, self.own), (other.level, other.spread, other.own), strict=True)
        return (self.log, self.classes) == (other.log, other.classes) and all(np.array_equal(a, b) for a, b in pairs)

    def _scaled(self, samples: Windows, rows: np.ndarray) -> np.ndarray:
        """(rows, some of the first c columns) float32."""
        columns = rows.shape[1]
        level = np.tile(self.level[:columns], (len(rows) if len(self.own) else 1, 1))
        if len(self.own):
            level[:, 0] = self._levels(samples, np.arange(len(rows)))
        return ((_logged(rows, self.log) - level) / self.spread[:columns]).astype(np.float32)


NONE = Units(np.empty(0), np.empty(0), np.empty(0))


def measured(data: Data, log: bool, own: bool, classes: bool = False) -> Units:
    """The units of a task on windows: mean and deviation of each column over the windows of train.

    Args:
        log: the target is seen as its logarithm.
        own: each series has a level of its own.
        classes: targets are numbers of classes, and stay.
    """
    train: Any = data.train
    sample = replace(train, starts=train.starts[:: max(len(train) // MEASURED_ON, 1)])
    x = _logged(sample.inputs(), log)  # (n, t, c)
    (level, spread), levels = moments(x), np.empty(0)
    if own:
        series = sample.arrays["series"][sample.starts]  # (n,)
        levels = np.array(
            [x[series == i, :, 0].mean() if (series == i).any() else level[0] for i in range(len(data.names))]
        )
        x[:, :, 0] -= levels[series][:, None]
        spread = moments(x)[1]
    return Units(level, spread, levels, log, classes)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column of (n, t, c): (c,) each.

    A column that stands still has itself as its level and nothing to scale. Its deviation need not be 0: the mean of
    many 20.1 is not quite 20.1, and what is divided by the rest explodes where the column moves one day.
    """
    mean, deviation = x.mean((0, 1)), x.std((0, 1))
    still = (np.ptp(x, axis=(0, 1)) == 0) | (deviation <= ROUNDING * np.abs(x).max((0, 1)))
    return np.where(still, x[0, 0], mean), np.where(still, 1, deviation)


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
