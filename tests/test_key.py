"""What decides a trial's result is in its key and nothing else; a table has one way of measuring."""

import shutil

import pytest
from conftest import ROOT, settings

from lookback.experiment import key
from lookback.experiment.key import deciding, digest_of, measured
from lookback.models import catalogue


def trial(*overrides):
    return key.trial_key(settings(*overrides), "digest", "cpu", "flags")


# Settings that are no part of this trial's key: (trial, overrides).
NOTHING = [
    ("task=airline model=naive", "task.loss=mse"),
    ("task=airline model=linear", "task.transform=none"),
    ("task=airline model=linear", "task.difference=last"),
    ("task=airline model=linear", "task.scale=window"),
    ("task=airline model=linear", "task.max_megabytes=7"),
    ("task=airline model=lstm", "task.max_megabytes=7"),
    ("task=airline model=lstm", "task.max_columns=7"),
    ("task=airline model=lstm", "task.harmonics=3"),
    ("task=airline model=lstm", "task.max_fill=3"),
    ("task=airline model=dense", "model.kernel_size=3"),
    ("task=sentiment model=dense", "model.kernel_size=3"),
    ("task=tagging model=gru", "model.pooling=mean"),
    ("task=words model=gru", "model.pooling=mean"),
    ("task=words model=ngram", "task.embedding=3"),
    ("task=words model=ngram", "task.sample_every=3"),
    ("task=words model=gru", "evaluation.intervals.level=0.5"),
    ("task=words model=gru task.sample_length=0", "task.sample_every=3"),
    ("task=tagging model=gru", "task.words=other"),
    ("task=sentiment model=bag_of_words", "task.embedding=3"),
    ("task=text model=bigram", "task.embedding=3"),
    ("task=text model=lstm", "training.compiler=graph"),
    ("task=airline model=lstm", "training.compiler=xla"),
    ("task=sentiment model=naive_bayes", "task.embedding=3"),
    ("task=sentiment model=naive_bayes", "task.buckets=5"),
    ("task=tagging model=most_frequent_tag", "task.letters=3"),
    ("task=tagging model=most_frequent_tag", "task.letter_filters=3"),
]
# ... and where the same settings are: what they stand for is read there.
SOMETHING = [
    ("task=airline model=lstm", "task.loss=mse"),
    ("task=airline model=lstm", "task.transform=none"),
    ("task=airline model=lstm", "task.difference=last"),
    ("task=airline model=lstm", "task.scale=window"),
    ("task=airline model=lstm", "model.pooling=mean"),
    ("task=airline model=lstm", "model.members=3"),
    ("task=airline model=lstm", "evaluation.intervals.level=0.5"),
    ("task=airline model=naive", "evaluation.intervals.level=0.5"),
    ("task=airline model=naive", "task.refit=false"),
    ("task=melbourne model=lstm", "task.harmonics=3"),
    ("task=airline model=lstm task.gaps=fill", "task.max_fill=3"),
    ("task=words model=dense", "model.kernel_size=3"),
    ("task=tagging model=dense", "model.kernel_size=3"),
    ("task=sentiment model=gru", "model.pooling=mean"),
    ("task=words model=gru", "task.embedding=3"),
    ("task=sentiment model=gru", "task.buckets=5"),
    ("task=tagging model=gru", "task.letters=3"),
    ("task=words model=ngram", "task.sample_length=7"),
    ("task=words model=gru", "task.sample_every=3"),
    ("task=tagging model=gru task.format=csv", "task.words=other"),
    ("task=airline model=lstm", "training.compiler=graph"),
    ("task=airline model=lstm model.units=128", "training.compiler=xla"),
    ("task=sentiment model=naive_bayes", "task.min_count=3"),
]


@pytest.mark.parametrize(("chosen", "changed"), NOTHING, ids=str)
def test_what_a_model_does_not_read_leaves_its_key_alone(chosen, changed):
    assert trial(*chosen.split(), changed) == trial(*chosen.split())


@pytest.mark.parametrize(("chosen", "changed"), SOMETHING, ids=str)
def test_what_it_does_read_changes_it(chosen, changed):
    assert trial(*chosen.split(), changed) != trial(*chosen.split())


@pytest.mark.parametrize(
    ("room", "decides"),
    [
        ("data/csv/reader.py", True),
        ("problems/series_windows.py", True),
        ("models/networks/units.py", True),
        ("models/baselines/linear.py", True),
        ("training/fit.py", True),
        ("evaluation/metrics.py", True),
        ("experiment/model.py", True),
        ("problems/forecast.py", True),
        ("settings/series.py", True),
        ("report/charts.py", False),
        ("tracking/store.py", False),
        ("locks.py", False),
    ],
)
def test_the_code_that_computes_is_part_of_the_key_and_the_code_that_draws_is_not(room, decides, tmp_path):
    package = shutil.copytree(ROOT / "src/lookback", tmp_path / "lookback")
    before = digest_of(package)
    (package / room).write_text((package / room).read_text() + "\n# another line\n")
    assert (digest_of(package) != before) == decides


def test_no_recipe_is_made_outside_of_the_rooms_that_the_key_covers():
    """Whatever calls the fitting loop or builds a model is hashed."""
    covered = {ROOT / "src/lookback" / room for room in key._COMPUTES}
    for path in [*(ROOT / "src/lookback").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]:
        if not covered & {path, *path.parents}:
            assert "Recipe(" not in path.read_text(), path


ALIKE = {  # settings that all models of a table must share
    "airline": ["refit=false", "gaps=fill", "missing=fill", "horizon=2", "season=6", "metrics=[mae]", "unit=x",
                "reference=linear", "path=other.csv", "target=other", "split.test=20"],
    "words": ["level=characters", "min_count=7", "unique_passages=true", "path=other.txt", "refit=true"],
    "sentiment": ["min_count=7", "max_length=7", "max_words=7", "lowercase=false", "truncate=start", "refit=true"],
    "tagging": ["max_length=7", "tags=xpos", "min_count=7"],
}  # fmt: skip
FREE = {  # and those that may differ between them
    "airline": ["lookback=30", "transform=none", "difference=last", "scale=window", "loss=mse", "models=[naive]",
                "seeds=1", "max_megabytes=3", "harmonics=3"],
    "words": ["lookback=30", "embedding=3", "sample_length=3"],
    "sentiment": ["embedding=3", "buckets=5"],
    "tagging": ["letters=3", "embedding=3"],
}  # fmt: skip


def rows(table):
    return [(task, f"task.{setting}") for task, some in table.items() for setting in some]


@pytest.mark.parametrize(("task", "changed"), rows(ALIKE))
def test_what_changes_targets_samples_or_refit_is_another_way_of_measuring(task, changed):
    more = ["task.models=[naive,linear]"] if "reference" in changed else []
    assert measured(settings(f"task={task}", *more, changed)) != measured(settings(f"task={task}", *more))


@pytest.mark.parametrize(("task", "changed"), rows(FREE))
def test_what_models_do_with_the_samples_is_not(task, changed):
    more = ["task.reference=naive"] if "models" in changed else []
    assert measured(settings(f"task={task}", *more, changed)) == measured(settings(f"task={task}", *more))


def test_folds_are_a_way_of_measuring_and_a_warm_start_is_said_of_the_whole_table():
    rolling = ["evaluation=backtest", "evaluation.origins=5"]
    for changed in ("evaluation.origins=6", "evaluation.warm_start=true", "evaluation.intervals.level=0.5"):
        assert measured(settings(*rolling, changed)) != measured(settings(*rolling))
    naive = [*rolling, "model=naive"]
    assert trial(*naive, "evaluation.warm_start=true") == trial(*naive)
    assert trial(*rolling, "evaluation.warm_start=true") != trial(*rolling)


@pytest.mark.parametrize("model", catalogue.networks("sentiment"))
def test_members_are_a_setting_of_every_network_that_keeps_what_was_tuned_for_it(model):
    for task in ("imdb", "melbourne") if model != "bag_of_words" else ("imdb",):
        one, ten = (settings(f"task={task}", f"model={model}", f"model.members={n}") for n in (1, 10))
        assert ten.label == f"{model} members=10" and one.label == model
        assert (
            ten.training
            == one.training
            != settings(f"task={task}", "model=majority" if task == "imdb" else "model=naive").training
        )
        assert deciding(ten) != deciding(one)
