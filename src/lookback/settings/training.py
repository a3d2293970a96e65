"""How networks are trained, and where runs go."""

from typing import Annotated, Literal

from pydantic import Field

from lookback.settings.base import Count, Positive, Strict


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
    key: str | None  # of the trial, as the sweep has worked it out
