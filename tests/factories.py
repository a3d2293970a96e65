"""Networks on small data that a test makes up, without settings of a task."""

from dataclasses import dataclass, fields
from typing import Any

from lookback.data import dataset
from lookback.data.dataset import TargetTransform
from lookback.models import catalogue

NO_TRANSFORM = TargetTransform(log=False, difference="none", scale="train")


@dataclass(frozen=True)
class Data(dataset.Data):
    """The data of a task, and what the task's settings say of the heads of its networks."""

    ends: TargetTransform = NO_TRANSFORM
    loss: str = "mae"
    embedding: int = 3
    spelling: tuple[int, int] = (3, 4)


def of(data: dataset.Data, **facts: Any) -> Data:
    """The same data with such facts."""
    return Data(**{f.name: getattr(data, f.name) for f in fields(dataset.Data)} | facts)


def build(data: Any, name: str, **numbers: Any) -> Any:
    """A network with fresh weights, its heads chosen by what the samples are."""
    from lookback.models.networks import heads

    entry = catalogue.entry(name)
    known = {"name": name, "members": 1, "skip_connection": False} | numbers
    model = entry.settings.model_validate({k: v for k, v in known.items() if k in entry.settings.model_fields})
    train = data.train
    if hasattr(data.test, "stop"):
        return heads.language(data, model, data.embedding)
    if hasattr(train, "per_token"):
        if train.per_token:
            return heads.tagging(data, model, data.embedding, data.spelling)
        return heads.document(data, model, data.embedding, rates=not data.tokens)
    if data.tokens:
        return heads.classify(data, model)
    return heads.forecast(data, model, data.ends, data.loss)
