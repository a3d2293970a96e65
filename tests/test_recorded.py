"""The predictions of every model, as version 0.1 made them: what a change of the code must not change.

`recorded.json` holds, of each trial with seed 0 on the data that ships, the mean loss of val and test and 24 rows of
its predictions, evenly spaced. Baselines were recorded once; networks after `training=smoke` (two steps) and, on five
tasks, after their full training.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Silent, load, score, settings, some

from lookback.experiment.model import model_of

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())
ROWS = 24
QUICK = {name for name in RECORDED if name.endswith("/none")} | {
    "weather/dense/smoke",
    "words/bigram/smoke",
}
# Baselines are the same to the last digits that another processor's linear algebra leaves alike; two steps of
# training move by little, hundreds of epochs magnify what little there is.
TOLERANCE = {"none": 1e-6, "smoke": 1e-4, "default": 0.05}
# Its parameters are searched for until little is left to gain; where the search stops, the processor's last digit
# decides: with AVX-512 and without it, losses differ by 4.3e-5.
SEARCHED = {"holt_winters": 1e-4}


@pytest.mark.parametrize("name", some(RECORDED, QUICK))
def test_predictions_are_the_recorded_ones(name):
    task, model, training = name.split("/")
    settled = settings(f"task={task}", f"model={model}", f"training={training.replace('none', 'default')}")
    data, was = load(settled), RECORDED[name]
    fitted = model_of(settled).fit(settled, data, Silent())
    found = score(settled, data, fitted.chosen.predict(data.val), fitted.test(data)).predictions
    assert len(found) == was["rows"]
    tolerance = SEARCHED.get(model, TOLERANCE[training])
    for split, loss in was["loss"].items():
        np.testing.assert_allclose(found.loc[found["split"] == split, "loss"].mean(), loss, rtol=tolerance)
    if training == "default":  # single forecasts of a chaotic course
        return
    rows = np.unique(np.linspace(0, len(found) - 1, ROWS).round().astype(int))
    for column, values in was["values"].items():
        here = found[column].iloc[rows]
        if pd.api.types.is_numeric_dtype(here):
            np.testing.assert_allclose(here.to_numpy(float), values, rtol=tolerance, atol=tolerance * 1e-2)
        else:
            assert here.tolist() == values
