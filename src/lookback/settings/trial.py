"""All settings of a trial, and what of them makes no sense together."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lookback.settings.base import Count, Positive, Strict
from lookback.settings.evaluation import Backtest, Evaluation
from lookback.settings.hints import listed
from lookback.settings.models import Model
from lookback.settings.names import NETWORKS, models_for
from lookback.settings.series import ClassifyTask, ForecastTask, SeriesTask
from lookback.settings.texts import ExampleTask, LanguageTask, RatingTask, SentimentTask, TaggingTask

AnyTask = Annotated[
    ForecastTask | ClassifyTask | LanguageTask | SentimentTask | RatingTask | TaggingTask, Field(discriminator="kind")
]


class Training(Strict):
    """How a network is trained. Baselines read none of it."""

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    decay: Literal["none", "cosine"]  # of the learning rate, epoch by epoch, to 0 after the last of `epochs`
    patience: Count | None  # epochs without a better val loss before it stops; null: all `epochs` are run
    stateful: bool  # language models: each window goes on from the state that the one before it left
    weight_decay: Annotated[float, Field(ge=0, lt=1)]  # of AdamW, for kernels and biases alike
    clip_norm: Positive  # global norm of the gradient
    compiler: Literal["auto", "xla", "graph"]
    limit_epochs: Count | None  # smoke: no more epochs than this, and the run is marked smoke
    limit_steps: Count | None  # smoke: no more steps an epoch than this


class Tracking(Strict):
    """Where runs go. No part of the trial key."""

    uri: str | None
    sweep: str | None


class Settings(Strict):
    """One trial: one model with one seed on one task."""

    task: AnyTask
    model: Model
    training: Training
    evaluation: Evaluation
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    device: Literal["auto", "cpu", "gpu", "tpu"]
    threads: Annotated[int, Field(ge=1, le=1024)]
    force: bool
    tracking: Tracking

    @property
    def smoke(self) -> bool:
        """Whether training is cut short. Such runs are never compared."""
        return self.training.limit_epochs is not None or self.training.limit_steps is not None

    @property
    def network(self) -> bool:
        """Whether the model is a network: trained by the engine, different with each seed."""
        return self.model.name in NETWORKS

    @property
    def members(self) -> int:
        """Networks whose mean is the answer; 1 for a baseline."""
        return getattr(self.model, "members", 1)

    @property
    def label(self) -> str:
        """The model, and how many networks it is the mean of where it is more than one."""
        return self.model.name if self.members == 1 else f"{self.model.name} members={self.members}"

    @model_validator(mode="after")
    def _sensible_pair(self) -> "Settings":
        if self.model.name not in models_for(self.task.kind):
            raise ValueError(
                f"model {self.model.name} makes no sense on task {self.task.name}: "
                f"choose one of {listed(models_for(self.task.kind))}"
            )
        if isinstance(self.evaluation, Backtest) and not isinstance(self.task, SeriesTask):
            raise ValueError(f"evaluation=backtest needs rows in time; task {self.task.name} is made of texts")
        language = isinstance(self.task, LanguageTask)
        if language and self.members > 1:
            raise ValueError(
                f"model.members={self.members}: the mean of several language models "
                "would have to carry the state of each along; set model.members=1"
            )
        if language and getattr(self.model, "bidirectional", False):
            raise ValueError(
                "model.bidirectional=true reads the tokens that are asked for; set model.bidirectional=false"
            )
        if self.training.stateful and not language:
            raise ValueError(
                f"training.stateful=true goes with a language model, and task {self.task.name} is none; "
                "set training.stateful=false"
            )
        if isinstance(self.task, ExampleTask) and self.training.compiler == "xla":
            raise ValueError(
                "training.compiler=xla would compile each length of the examples anew; set training.compiler=auto"
            )
        if isinstance(self.task, LanguageTask | TaggingTask) and getattr(self.model, "skip_connection", False):
            raise ValueError(
                f"model.skip_connection=true adds one answer for the whole, and task {self.task.name} asks at every "
                "step; set model.skip_connection=false"
            )
        if isinstance(self.evaluation, Backtest) and self.evaluation.refit and not self.task.refit:
            raise ValueError("evaluation.refit=true fits anew at every origin, but task.refit=false; set them alike")
        if isinstance(self.evaluation, Backtest) and self.evaluation.warm_start and not self.evaluation.refit:
            raise ValueError("evaluation.warm_start=true goes on from origin to origin, but evaluation.refit=false")
        return self
