"""The bar moves through refits and members, and knows about how much is left."""

from dataclasses import replace

import numpy as np
import pytest
from factories import build
from test_baselines import data_of
from test_engine import Silent, folds, graph, series

from lookback.models import baselines
from lookback.models.networks.network import average_models
from lookback.training import fit as fitting
from lookback.training.callbacks import Fit
from lookback.training.progress import Progress, Work

DENSE = {"units": 5, "layers": 1, "dropout": 0.0, "kernel_size": 4, "skip_connection": False}


def test_work_counts_the_refits_and_members_that_are_to_come():
    work = Work(Fit(0, folds=3, epochs=100, member=1, members=2))
    assert (work.done, work.total, work.text) == (0, 800, "member 1/2  ")
    work.here = 40  # stopped early; val chose 20
    work.begin(Fit(1, 3, 20, 1, 2))
    assert (work.done, work.total, work.text) == (40, 2 * (40 + 60), "member 1/2  fold 1/3  ")
    for fold in (2, 3):
        work.here = 20
        work.begin(Fit(fold, 3, 20, 1, 2))
    assert (work.done, work.total) == (80, 200)
    work.here = 20
    work.begin(Fit(0, 3, 100, 2, 2))
    assert (work.done, work.total) == (100, 500)
    work.here = 30
    work.begin(Fit(1, 3, 10, 2, 2))
    assert (work.done, work.total, work.text) == (130, 160, "member 2/2  fold 1/3  ")


def test_one_refit_is_called_so_and_one_fit_has_no_name():
    assert Work(Fit(1, 1, 5)).text == "refit  " and Work(Fit(0, 1, 5)).text == ""


class Bar:
    """In the place of rich's."""

    def __init__(self):
        self.shown = []

    def update(self, task, **told):
        self.shown.append(told)


@pytest.fixture
def callback():
    progress = Progress("airline/gru", 50, Silent())
    progress._bar, progress._task = Bar(), 0
    return progress


def fitted(data, callback, members, training):
    def fresh_of(part):
        return build(part, "dense", **DENSE)

    recipe = fitting.Recipe(fresh_of, 5, members, average_models, training, refit=True, warm_start=False)
    return fitting.fit_network(recipe, data, 0, callback)


def test_the_bar_moves_through_every_fold_of_every_member_to_its_end(callback):
    data = series(rows=70)
    data = replace(data, folds=folds(data, 4))
    fitted(data, callback, 2, graph("training.epochs=6", "training.batch_size=8", "training.patience=null"))
    shown = callback._bar.shown
    done = [told["completed"] for told in shown]
    assert done == sorted(done) and done[-1] == shown[-1]["total"] == 2 * 5 * 6
    for member in (1, 2):
        for fold in range(1, 5):
            # A slow machine is also told of the steps within an epoch.
            begun = [s["text"].split("  loss")[0] for s in shown]
            epochs = {text for text in begun if text.startswith(f"member {member}/2  fold {fold}/4  epoch")}
            assert len(epochs) == 6, "every epoch of every refit is told"


def test_the_refits_of_a_baseline_are_told(callback):
    data = data_of()
    data = replace(data, folds=data.folds * 3)
    fitting.fit_baseline(baselines.build(data, "linear", alphas=(1,)), data, True, callback)
    told = [(s["text"].strip(), s["completed"], s["total"]) for s in callback._bar.shown]
    assert told[-1] == ("fold 3/3", 4, 4) and [t[1] for t in told] == [0, 1, 1, 2, 2, 3, 3, 4]
    assert {t[0] for t in told} >= {"fold 1/3", "fold 2/3", "fold 3/3"}


def test_nothing_of_a_refit_becomes_a_curve():
    class Told(Silent):
        epochs: list = []  # noqa: RUF012

        def on_epoch_end(self, epoch, loss, val_loss):
            self.epochs.append((epoch, np.isfinite(val_loss)))

    fitted(series(), Told(), 1, graph("training.epochs=3", "training.patience=null"))
    assert Told.epochs == [(1, True), (2, True), (3, True), (1, False), (2, False), (3, False)]
