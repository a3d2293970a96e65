"""All settings of a trial, and what of them makes no sense together."""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from lookback.evaluation import metrics
from lookback.models import catalogue
from lookback.models.catalogue import Entry
from lookback.problems import PROBLEMS
from lookback.problems.base import Problem
from lookback.settings.base import Numbers, Strict
from lookback.settings.evaluation import Evaluation
from lookback.settings.hints import check_known, listed
from lookback.settings.task import Task
from lookback.settings.training import Tracking, Training


class Settings(Strict):
    """One trial: one model with one seed on one task."""

    task: SerializeAsAny[Task]
    model: SerializeAsAny[Numbers]
    training: Training
    evaluation: Evaluation
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    device: Literal["auto", "cpu", "gpu", "tpu"]
    threads: Annotated[int, Field(ge=1, le=1024)]
    plugins: Annotated[tuple[str, ...], Field(strict=False)]  # files that hold models of one's own
    force: bool
    tracking: Tracking

    @field_validator("task", "model", mode="before")
    @classmethod
    def _is_made(cls, value: Any) -> Any:
        assert not isinstance(value, dict), "`validate` makes the two, whose classes depend on kind and name"
        return value

    @property
    def problem(self) -> Problem:
        """The kind of problem that the task is."""
        return PROBLEMS[self.task.kind]

    @property
    def entry(self) -> Entry:
        """The model in the catalogue."""
        return catalogue.entry(self.model.name)

    @property
    def smoke(self) -> bool:
        """Whether training is cut short. Such runs are never compared."""
        return self.training.limit_epochs is not None or self.training.limit_steps is not None

    @property
    def members(self) -> int:
        """Networks whose mean is the answer; 1 for a baseline."""
        return getattr(self.model, "members", 1)

    @property
    def label(self) -> str:
        """The model, and how many networks it is the mean of where it is more than one."""
        return self.model.name if self.members == 1 else f"{self.model.name} members={self.members}"

    @model_validator(mode="after")
    def _sensible(self) -> "Settings":
        kind, task = self.task.kind, self.task
        known = catalogue.fitting(kind)
        deciding = [name for name in self.problem.metric_names() if metrics.METRICS[name].decides]
        try:
            check_known("metrics", task.metrics, self.problem.metric_names())
            check_known("models", task.models, known)
            if task.metrics[0] not in deciding:
                raise ValueError(
                    f"metrics: the first decides and must be a loss ({listed(deciding)}); got {task.metrics[0]}"
                )
            if task.reference not in task.models:
                raise ValueError(f"reference must be one of the models, got {task.reference}")
        except ValueError as e:
            raise ValueError(f"task: {e}") from None
        if self.model.name not in known:
            raise ValueError(
                f"model {self.model.name} makes no sense on task {task.name}: choose one of {listed(known)}"
            )
        self.problem.check(task, self.model, self.training, self.evaluation)
        rolling: Any = self.evaluation
        if rolling.name == "backtest" and rolling.refit and not task.refit:
            raise ValueError("evaluation.refit=true fits anew at every origin, but task.refit=false; set them alike")
        if rolling.name == "backtest" and rolling.warm_start and not rolling.refit:
            raise ValueError("evaluation.warm_start=true goes on from origin to origin, but evaluation.refit=false")
        return self
