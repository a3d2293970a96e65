"""The models that a network must beat: small objects with `fit` and `predict`.

`fit(train, val)` learns from train and chooses on val; with val None it keeps what was chosen. What a
baseline has learnt is `vars(baseline)`: numbers, words and arrays, so that it is saved without pickle.
"""

from typing import Any

from lookback.data.dataset import Data


def build(data: Data, name: str, **numbers: Any) -> Any:
    """Make a baseline that has learnt nothing yet.

    Raises:
        UnsuitedError: it makes no sense on these data.
    """
    from lookback.models.catalogue import entry  # which imports the modules of this package

    return entry(name).build(data, **numbers)


def load(data: Data, name: str, numbers: dict[str, Any], state: dict[str, Any]) -> Any:
    """A baseline that knows what another one, `vars(baseline)`, had learnt."""
    baseline = build(data, name, **numbers)
    vars(baseline).update(state)
    return baseline
