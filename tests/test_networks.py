"""The ends of the forecasting networks: scaling, differencing and logarithms are inside, and undone."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import some
from test_engine import ON_TEXTS, fresh, series

from lookback.data.dataset import TargetTransform
from lookback.models import catalogue

ENDS = [TargetTransform(log, difference, "train") for log in (False, True) for difference in ("none", "last", "season")]
SEASON = 3


def compared_with(data, samples):
    """What a target is compared with, computed the long way: (n, outputs)."""
    values = samples.arrays["target"]
    values = np.log(values) if data.ends.log else values
    last = samples.starts + samples.x.length - 1
    if data.ends.difference == "last":
        return np.stack([values[last]] * data.outputs, axis=1)
    if data.ends.difference == "season":
        return np.stack([values[last + 1 + h % SEASON - SEASON] for h in range(data.outputs)], axis=1)
    return np.zeros((len(samples), data.outputs))


@pytest.mark.parametrize("ends", some(ENDS, (ENDS[1], ENDS[5])), ids=str)
def test_a_head_that_says_nothing_forecasts_the_mean_change(ends):
    data = series(ends=ends, season=SEASON)
    network = fresh(data, "gru")
    head = network.core.get_layer("head")
    head.set_weights([np.zeros_like(w) for w in head.get_weights()])
    targets = np.log(data.train.targets()) if ends.log else data.train.targets()
    change = (targets - compared_with(data, data.train)).mean()
    expected = compared_with(data, data.test) + change
    expected = np.exp(expected) if ends.log else expected
    said = network.model.predict(data.test.inputs(), verbose=0)
    np.testing.assert_allclose(said, expected, rtol=1e-4)


@pytest.mark.parametrize("ends", some(ENDS, (ENDS[0], ENDS[4])), ids=str)
def test_what_the_loss_sees_is_standardised_and_undone_exactly(ends):
    data = series(ends=ends, season=SEASON)
    network = fresh(data, "dense")
    train = network.units.samples(data.train)
    target, said, answer = (np.asarray(a) for a in network.loss_model([train.inputs(), train.targets()]))
    answer = network.units.values(answer, data.train)
    assert abs(target.mean()) < 1e-3 and target.std() == pytest.approx(1, abs=1e-2)
    np.testing.assert_allclose(answer, network.model.predict(data.train.inputs(), verbose=0), rtol=1e-5)
    values = np.log(answer) if ends.log else answer  # the same map, target and answer alike
    slope = (values - compared_with(data, data.train)).std() / said.std()
    wanted = np.log(data.train.targets()) if ends.log else data.train.targets()
    assert slope == pytest.approx((wanted - compared_with(data, data.train)).std(), rel=1e-2)


def test_inputs_are_standardised_column_by_column_on_train_alone():
    data = series(ends=TargetTransform(False, "none", "train"))
    far = replace(data, val=replace(data.val), test=replace(data.test))
    network = fresh(far, "dense")
    scaled = np.asarray(network.core.get_layer("scale")(network.units.samples(data.train).inputs()))
    np.testing.assert_allclose(scaled.mean((0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std((0, 1)), 1, atol=1e-3)


def test_a_column_that_never_changes_is_no_division_by_zero():
    data = series()
    data.train.arrays["rows"][:, 1] = 4.0
    said = fresh(data, "lstm").model.predict(data.test.inputs(), verbose=0)
    assert np.isfinite(said).all()


def test_every_backbone_is_under_test():
    assert set(ON_TEXTS) == set(catalogue.networks())
