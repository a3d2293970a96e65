"""Wrong settings: one line, the key, what was received, what is allowed."""

import re

import pytest
from conftest import settings

from lookback.configuration.validation import validate
from lookback.errors import ConfigError
from lookback.models import catalogue

TASK_AIRLINE = "task=airline"

WRONG = {  # rows 65 to 74 and 80 of the catalogue of bad input; what Hydra itself refuses is in test_pipelines
    "65 unknown key": (["+task.windw=5"], r"CONFIG-KEY.*unknown key 'task.windw'; there is: .*lookback"),
    "65 unknown key with a neighbour": (["+training.epoch=5"], "unknown key 'training.epoch'; did you mean 'epochs'"),
    "65 unknown key at the top": (["+sede=5"], "unknown key 'sede'; did you mean 'seed'"),
    "65 a group misspelt": (["+modle.units=5"], "unknown key 'modle'; did you mean 'model'"),
    "65 unknown key of a split": (["+task.split.tests=5"], "unknown key 'task.split.tests'; did you mean 'test'"),
    "65 unknown key of a model": (["+model.unitz=5"], "unknown key 'model.unitz'; did you mean 'units'"),
    "66 word": (["task.lookback=abc"], "CONFIG-VALUE.*task.lookback: got 'abc', allowed: valid integer"),
    "66 fraction": (["task.lookback=3.7"], "task.lookback: got 3.7, allowed: valid integer"),
    "66 empty": (["task.lookback="], "task.lookback: got '', allowed: valid integer"),
    "66 null": (["task.lookback=null"], "task.lookback: got None, allowed: valid integer"),
    "66 bool": (["task.lookback=true"], "task.lookback: got True, allowed: valid integer"),
    "67 zero": (["task.lookback=0"], "task.lookback: got 0, allowed: greater than or equal to 1"),
    "67 negative": (["task.lookback=-3"], "task.lookback: got -3, allowed: greater than or equal to 1"),
    "68 horizon": (["task.horizon=0"], "task.horizon: got 0, allowed: greater than or equal to 1"),
    "69 sum": (
        ["+task.split.train=0.5", "task.split.by=fraction", "task.split.val=0.2", "task.split.test=0.2"],
        r"task.split: train \+ val \+ test must add up to 1, got 0.9",
    ),
    "69 above 1": (
        ["+task.split.train=1.5", "task.split.by=fraction", "task.split.val=0.2", "task.split.test=0.2"],
        "task.split.train: got 1.5, allowed: less than 1",
    ),
    "69 negative": (
        ["+task.split.train=-0.5", "task.split.by=fraction", "task.split.val=0.2", "task.split.test=0.2"],
        "task.split.train: got -0.5, allowed: greater than 0",
    ),
    "69 dates": (
        ["task.split.by=date", "task.split.val=2015-01-01", "task.split.test=2014-01-01"],
        "task.split: val must begin before test",
    ),
    "70 no epochs": (["training.epochs=0"], "training.epochs: got 0, allowed: greater than or equal to 1"),
    "70 negative epochs": (["training.epochs=-1"], "training.epochs: got -1"),
    "71 batch": (["training.batch_size=0"], "training.batch_size: got 0, allowed: greater than or equal to 1"),
    "72 learning rate": (["training.learning_rate=0"], "training.learning_rate: got 0, allowed: greater than 0"),
    "72 nan": (["training.learning_rate=nan"], "training.learning_rate: got nan"),
    "73 dropout": (["model.dropout=1.5"], "model.dropout: got 1.5, allowed: less than 1"),
    "73 units": (["model.units=-1"], "model.units: got -1, allowed: greater than or equal to 1"),
    "74 metric": (["task.metrics=[mae,maee]"], "metrics: unknown name 'maee'; did you mean 'mae'"),
    "74 deciding metric": (["task.metrics=[bias]"], "metrics: the first decides and must be a loss"),
    "74 model": (["task.models=[naive,lstmm]"], "models: unknown name 'lstmm'; did you mean 'lstm'"),
    "74 model name": (["model.name=lstn"], "model.name: got 'lstn'; did you mean 'lstm'"),
    "74 device": (["device=gpus"], "device: got 'gpus', allowed: 'auto', 'cpu', 'gpu' or 'tpu'"),
    "80 target": (["+model._target_=os.system"], "CONFIG-CODE.*model._target_: a configuration is data, not code"),
    "80 deep": (["+task.split._partial_=true"], "CONFIG-CODE.*task.split._partial_"),
    "pair": (["model=ngram"], "model ngram makes no sense on task airline: choose one of .*naive"),
    "season": (["task.lookback=12"], "difference=season needs lookback > season, got lookback=12 and season=12"),
    "separators": (["task.decimal=comma"], "decimal and delimiter are both comma"),
    "reference": (["task.reference=ngram"], "reference must be one of the models"),
    "seed": (["seed=-1"], "seed: got -1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_are_refused_in_one_line(name):
    overrides, pattern = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        settings(TASK_AIRLINE, *overrides)
    text = str(caught.value)
    assert re.search(pattern, text), text
    assert "\n" not in text and caught.value.exit_code == 64


# What is wrong on texts alone, and the hint that the line names.
WRONG_ON_TEXTS = {
    "a language model that reads backwards": (
        ["task=words", "model=gru", "model.bidirectional=true"], "reads the tokens that are asked for",
        "model.bidirectional=false",
    ),
    "state in a series": (
        ["task=airline", "training.stateful=true"], "goes with a language model, and task airline is none",
        "training.stateful=false",
    ),
    "state in a tagger": (
        ["task=tagging", "training.stateful=true"], "goes with a language model, and task tagging is none",
        "training.stateful=false",
    ),
    **{
        f"xla on {task}": (
            [f"task={task}", "training.compiler=xla"], "would compile each length of the examples anew",
            "training.compiler=auto",
        )
        for task in ("sentiment", "rating", "tagging")
    },
    **{
        f"linear path on {task}": (
            [f"task={task}", "model.skip_connection=true"], f"and task {task} asks at every step",
            "model.skip_connection=false"
        )
        for task in ("words", "text", "tagging")
    },
    "an ensemble of language models": (
        ["task=text", "model=gru", "model.members=3"], "would have to carry the state of each along", "model.members=1"
    ),
    "a bag of words that tags": (["task=tagging", "model=bag_of_words"], "choose one of .*majority", "model=dense"),
    "a bigram of reviews": (["task=sentiment", "model=bigram"], "choose one of .*majority", "model=bag_of_words"),
    "members of a bigram": (["task=words", "model=bigram", "model.members=2"], "members: got 2", "model.members=1"),
    "bounds": (["task=rating", "task.low=10"], "low must be below high, got 10 and 10", "task.low=1"),
    "a metric of others": (["task=sentiment", "task.metrics=[mse]"], "unknown name 'mse'", "task.metrics=[error_rate]"),
    "rows in time": (
        ["task=sentiment", "evaluation=backtest"], "needs rows in time; task sentiment is made of texts",
        "evaluation=holdout",
    ),
    "a level": (["task=words", "task.level=letters"], "allowed: 'characters' or 'words'", "task.level=words"),
    "a pooling": (["task=rating", "model=gru", "model.pooling=first"], "pooling: got 'first'", "model.pooling=last"),
    "a share": (["task=rating", "task.split.train=0.9"], r"task.split: train \+ val \+ test must add up to 1",
        "task.split.train=0.6"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_ON_TEXTS)
def test_wrong_settings_on_texts_are_refused_in_one_line_whose_hint_works(name):
    overrides, pattern, hint = WRONG_ON_TEXTS[name]
    with pytest.raises(ConfigError, match=pattern) as caught:
        settings(*overrides)
    text = str(caught.value)
    assert "\n" not in text and (f"set {hint}" in text or "set " not in text), text
    kept = [override for override in overrides if override.split("=")[0] != hint.split("=")[0]]
    assert settings(*kept, hint)


def test_what_is_refused_on_some_texts_goes_on_others():
    assert settings("task=words", "model=lstm", "training.stateful=true", "training.compiler=xla").training.stateful
    for task in ("sentiment", "rating"):
        assert settings(
            f"task={task}", "model=lstm", "model.members=3", "model.skip_connection=true", "model.bidirectional=true"
        )
    assert settings("task=tagging", "model=gru", "model.members=3", "model.bidirectional=true")


def test_settings_cannot_be_changed():
    with pytest.raises(Exception, match="frozen"):
        settings().seed = 3


def test_the_shipped_settings_are_valid_for_every_pair():
    for task in ("airline", "text", "sentiment", "rating", "tagging"):
        for model in settings(f"task={task}").task.models:
            found = settings(f"task={task}", f"model={model}")
            assert found.model.name == model


def test_a_list_of_targets_in_a_list_is_found():
    with pytest.raises(ConfigError, match="_target_"):
        validate({"task": {"past": [{"_target_": "os.system"}]}})


def test_networks_and_baselines_are_told_apart():
    assert settings("model=lstm").entry.network and not settings("model=naive").entry.network
    assert not set(catalogue.networks()) & set(catalogue.baselines())


def test_smoke_is_a_configuration():
    assert settings("training=smoke").smoke and not settings().smoke


RENAMED = [
    ("+task.contestants=[naive]", "unknown key 'task.contestants'; it is called 'models' now"),
    ("+task.yardstick=naive", "it is called 'reference' now"),
    ("+task.past=[a]", "it is called 'past_covariates' now"),
    ("+task.known=[a]", "it is called 'future_covariates' now"),
    ("+model.linear_path=true", "it is called 'skip_connection' now"),
    ("+model.strengths=[1]", "it is called 'alphas' or 'Cs' now"),
    ("model.name=last_kind", "got 'last_kind'; it is called 'persistence' now"),
    ("task.models=[naive,last_kind]", "unknown name 'last_kind'"),
]


@pytest.mark.parametrize(("override", "says"), RENAMED, ids=[override for override, _ in RENAMED])
def test_what_was_renamed_is_refused_with_its_new_name(override, says):
    with pytest.raises(ConfigError, match=re.escape(says)):
        settings(TASK_AIRLINE, override)
