"""Writing and scoring with trained language models, loaded again from their runs."""

import json
import math
import re
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, examples, load, settings, some
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from lookback.configuration import arguments as typed
from lookback.data import digests
from lookback.data.sampling import SamplingConfig
from lookback.errors import ConfigError, DataError, MissingFile
from lookback.experiment import bundle, trial
from lookback.experiment.model import recipe_of
from lookback.inference import arguments, explaining, loading, scoring, writing
from lookback.inference import language as languages
from lookback.models import baselines
from lookback.tracking import log, runs
from lookback.training import device

device.prepare("cpu", 2)

MADE = []
LINES = "ab a\nba b\naab\n" * 80


@pytest.fixture(scope="session")
def tools():
    """What the pipelines call."""
    return SimpleNamespace(asked=arguments, explain=explaining, generate=writing, score=scoring, trained=languages)


def logged(opened, settled, data, model, val, **tags):
    """A finished run, as a trial leaves it."""
    experiment = opened.experiment(settled.task.name)
    known = trial.tags(settled, "key", data, "cpu", ROOT) | {"diverged": "false"} | tags
    run = log.Run(opened, experiment, "run", known, trial.params(settled))
    run.metrics({f"val/{settled.task.metrics[0]}": val})
    run.flush()
    run.text(settled.model_dump_json(), "config.json")
    with tempfile.TemporaryDirectory() as folder:
        fitted = restored(settled, data, model) if settled.entry.network else model
        origin = {"name": "run", "key": "key", "parts": "train", "rows": len(data.train), "scores": {}}
        bundle.write(Path(folder) / bundle.NAME, settled, data, fitted, np.empty((0, 0)), origin)
        inputs = {"columns": list(settled.problem.inputs(settled.task)), "data": []}
        log.log_model(run.experiment, run.id, bundle.CODE, Path(folder) / bundle.NAME, inputs, "model")
    opened.client.set_terminated(run.id, "FINISHED")
    return run.id


def restored(settled, data, model):
    """The network with the weights of a Keras model, as the engine holds it."""
    from lookback.models.networks.units import NONE
    from lookback.training import fit

    return fit.restored(recipe_of(settled), data, NONE, [model])


@pytest.fixture(scope="session")
def house_of_runs(tmp_path_factory, open_stores):
    """The same for both modules that use it."""
    if not MADE:
        MADE.append(made(tmp_path_factory.mktemp("runs"), open_stores))
    return MADE[0]


def made(folder, open_stores):
    """Networks with the weights of their seed, and baselines that have counted: of characters and of words."""
    import keras

    (folder / "lines.txt").write_text(LINES)
    opened = open_stores(folder)
    found = SimpleNamespace(uri=opened.uri, opened=opened, folder=folder, data={}, models={}, ids={}, loaded={})
    lines = ("task=text", "task.name=lines", f"task.path={folder / 'lines.txt'}", "task.lookback=4",
             "task.embedding=3", "task.unique_passages=false")  # fmt: skip
    for name, overrides in {
        "lines lstm": (*lines, "model=lstm", "model.units=5", "model.layers=2"),
        "lines unigram": (*lines, "model=unigram"),
        "lines ngram": (*lines, "model=ngram", "model.max_order=2"),
        "words gru": ("task=words", "task.embedding=4", "model=gru", "model.units=6"),
        "words dense": ("task=words", "task.embedding=4", "model=dense", "model.units=6", "model.kernel_size=3"),
        "words bigram": ("task=words", "model=bigram", "model.units=6"),
    }.items():
        settled = settings(*overrides)
        data, numbers = load(settled), settled.model.model_dump(exclude={"name", "members"})
        keras.utils.set_random_seed(1)
        if settled.entry.network:
            model = settled.problem.network(settled.task, data, settled.model).model
        else:
            model = baselines.build(data, settled.model.name, **numbers)
            model.fit(data.train, data.val)
        found.data[name], found.models[name] = data, model
        found.ids[name] = logged(opened, settled, data, model, val=len(found.ids) + 1.0)
    return found


def wanted(tools, home, name, **changed):
    numbers = {
        "run": home.ids.get(name, name), "task": "lines", "device": "cpu", "threads": 2,
        "uri": home.uri, "prompt": "a", "length": 150, "samples": 1, "seed": 0, "temperature": 0.8, "top_k": 0,
        "top_p": 1.0, "until": "none",
    }  # fmt: skip
    return tools.asked.Generate(**numbers | changed)


def language(tools, home, name):
    """Loaded once: what is compiled stays."""
    if name not in home.loaded:
        home.loaded[name] = tools.trained.language(wanted(tools, home, name), ROOT)
    return home.loaded[name]


def written(tools, asked, model):
    prompt = tools.generate.begin(model, asked.prompt)
    return ["".join(parts) for parts in zip(*tools.generate.texts(asked, model, prompt), strict=True)]


EVERY = ("lines lstm", "lines unigram", "lines ngram", "words gru", "words dense", "words bigram")


# --- loading -------------------------------------------------------------------------------------------


def stored_model(home, name):
    """The folder in which a run's model lies in the store."""
    run = home.opened.client.get_run(home.ids[name])
    model = home.opened.client.get_logged_model(run.outputs.model_outputs[0].model_id)
    return Path(model.artifact_location.removeprefix("file://"))


@pytest.fixture
def planted(house_of_runs, tmp_path):
    """A run beside whose model somebody else has put code: loaded as MLflow does it, it writes a file."""
    folder = stored_model(house_of_runs, "words gru")
    kept = shutil.copytree(folder, tmp_path / "kept")
    code = folder / bundle.CODE.name
    code.write_text(f"open({str(tmp_path / 'written')!r}, 'w').close()\n" + code.read_text())
    yield tmp_path / "written"
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)


def opened_bundle(home, name):
    return loading.scored(home.opened, runs.find(home.opened, home.ids[name]), "cpu", 2)


@pytest.mark.parametrize("name", ["lines ngram", "lines lstm"])
def test_a_prompt_in_a_frame_is_gone_on_after(house_of_runs, name):
    model = opened_bundle(house_of_runs, name)
    answers = model.predict(pd.DataFrame({"prompt": ["ab", "b"]}), rolling=False)
    assert answers["prompt"].tolist() == ["ab", "b"]
    assert answers["text"].str.len().tolist() == [500, 500] and set("".join(answers["text"])) == set("ab \n")


def test_planted_code_is_never_run(house_of_runs, planted):
    import mlflow.pyfunc

    home = house_of_runs
    mlflow.pyfunc.load_model(f"runs:/{home.ids['words gru']}/model")
    assert planted.exists(), "whoever loads it as MLflow does runs what is planted"
    planted.unlink()
    loaded = opened_bundle(home, "words gru").model.model
    for ours, own in zip(loaded.get_weights(), home.models["words gru"].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, own)
    assert not planted.exists()


def test_a_stored_network_that_was_changed_is_refused_in_a_line(house_of_runs):
    import keras

    home, folder = house_of_runs, stored_model(house_of_runs, "words dense") / "artifacts" / bundle.NAME
    path, manifest = folder / "model.keras", folder / "manifest.json"
    kept, listed = path.read_bytes(), manifest.read_text()
    x = keras.Input((1,))
    keras.Model(x, keras.layers.Lambda(lambda v: v * 2)(x)).save(path)
    try:
        with pytest.raises(DataError, match=r"RUN-MODEL\] run \w+: model.keras is not the file that was written"):
            opened_bundle(home, "words dense")
        manifest.write_text(json.dumps(json.loads(listed) | {path.name: digests.of_bytes(path.read_bytes())}))
        with pytest.raises(DataError, match=r"RUN-MODEL\] model.keras is not read .*Lambda"):
            opened_bundle(home, "words dense").model  # noqa: B018
        path.unlink()
        with pytest.raises(MissingFile, match=r"it holds no model.keras; train it anew"):
            opened_bundle(home, "words dense")
        path.write_bytes(kept)
        manifest.write_text(listed)
        (folder / "more.pkl").write_bytes(b"")
        with pytest.raises(DataError, match=r"RUN-MODEL\] run \w+: more.pkl was put there later"):
            opened_bundle(home, "words dense")
    finally:
        path.write_bytes(kept)
        manifest.write_text(listed)
        (folder / "more.pkl").unlink(missing_ok=True)


@pytest.mark.parametrize("name", EVERY)
def test_a_loaded_model_says_what_the_one_that_was_saved_says(name, tools, house_of_runs):
    data, model = house_of_runs.data[name], house_of_runs.models[name]
    loaded = language(tools, house_of_runs, name)
    assert loaded.tokens == data.tokens
    sequences = [data.test.targets()[:n] for n in (2, 70, 5, 40)]
    nats = loaded.nats(sequences)
    assert [len(n) for n in nats] == [1, 69, 4, 39]
    for sequence, found in zip(sequences, nats, strict=True):
        if hasattr(model, "predict_on_batch"):
            logits = np.asarray(model.predict_on_batch(sequence[None]), float)[0, :-1]
            own = np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(logits)), sequence[1:]]
        else:
            chances = [model.next_chances(sequence[:i]) for i in range(1, len(sequence))]
            own = -np.log([p[c] for p, c in zip(chances, sequence[1:], strict=True)])
        np.testing.assert_allclose(found, own, rtol=1e-4, atol=1e-5)


def test_best_is_the_lowest_on_val_of_what_can_be_compared(tools, house_of_runs, capsys):
    settled = settings("task=words", "task.name=ranked", "model=unigram")
    data = load(settled)
    baseline = baselines.build(data, "unigram")
    baseline.fit(data.train, data.val)
    opened = house_of_runs.opened
    logged(opened, settled, data, baseline, 0.1, smoke="true")
    logged(opened, settled, data, baseline, 0.2, diverged="true")
    unfinished = logged(opened, settled, data, baseline, 0.3)
    opened.client.set_terminated(unfinished, "FAILED")
    logged(opened, settled, data, baseline, float("nan"))
    worse, best = (logged(opened, settled, data, baseline, val) for val in (3.0, 2.0))
    assert [run.id for run in runs.ranked(opened, "ranked")] == [best, worse]
    loaded = tools.trained.language(wanted(tools, house_of_runs, "best", task="ranked"), ROOT)
    assert (
        loaded.run.id == best and f"ranked/unigram, val nats 2, the lowest of 2: run={best}" in capsys.readouterr().err
    )
    with pytest.raises(MissingFile, match="no finished network of task ranked"):
        runs.ranked(opened, "ranked", networks_only=True)
    with pytest.raises(MissingFile, match=r"no finished run of task rankd in .*; did you mean 'ranked'\?"):
        runs.ranked(opened, "rankd")
    with pytest.raises(MissingFile, match=f"{unfinished} is FAILED; set run=best"):
        runs.find(opened, unfinished)
    with pytest.raises(MissingFile, match=r"no run 0123 in .*; set run=best"):
        runs.find(opened, "0123")
    opened.client.log_text(best, '{"task": {}}', "config.json")
    with pytest.raises(DataError, match="of another version of Lookback"):
        runs.settings(opened, runs.find(opened, best))
    assert tools.trained.language(wanted(tools, house_of_runs, "best", task="ranked"), ROOT).run.id == worse
    other = settings("task=words", "task.name=ranked", "model=unigram", "task.metrics=[bits]")
    latest = logged(opened, other, data, baseline, 9.0)
    assert [(run.id, run.metric) for run in runs.ranked(opened, "ranked")] == [(latest, "bits")]
    assert "passed over: error[RUN-OLD]" in capsys.readouterr().err


def test_only_language_models_write(tools, house_of_runs):
    settled = settings("task=sentiment", "model=majority")
    data = load(settled)
    baseline = baselines.build(data, "majority")
    baseline.fit(data.train, data.val)
    run = logged(house_of_runs.opened, settled, data, baseline, 1.0)
    with pytest.raises(ConfigError, match="is no language model; set task=text run=best"):
        language(tools, house_of_runs, run)


# --- writing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lines lstm", "lines ngram", "words gru"])
def test_the_same_seed_writes_the_same_and_blocks_join_to_the_whole(name, tools, house_of_runs):
    model = language(tools, house_of_runs, name)
    prompt = {"lines": "ab ", "words": "Mia had a "}[name.split()[0]]
    asked = wanted(tools, house_of_runs, name, prompt=prompt, samples=3)
    once, again = written(tools, asked, model), written(tools, asked, model)
    assert once == again and len(set(once)) == 3
    assert once != written(tools, asked.model_copy(update={"seed": 1}), model)
    shorter = written(tools, asked.model_copy(update={"length": 70}), model)
    assert all(long.startswith(short) for long, short in zip(once, shorter, strict=True))
    codes = tools.generate.begin(model, prompt)
    blocks = list(model.write(np.tile(codes, (3, 1)), 150, SamplingConfig(0, 0.8)))
    assert len(blocks) > 1
    for row, text in zip(np.concatenate(blocks, axis=1), once, strict=True):
        assert len(row) == 150 and 0 not in row
        head = model.decode(codes)
        assert model.decode(np.concatenate([codes, row])) == head + text


@pytest.mark.parametrize("name", some(["lines lstm", "lines ngram"], ["lines ngram"]))
def test_temperature_0_takes_the_likeliest(name, tools, house_of_runs):
    model = language(tools, house_of_runs, name)
    texts = {written(tools, wanted(tools, house_of_runs, name, temperature=0, seed=s), model)[0] for s in range(3)}
    assert len(texts) == 1
    codes = np.concatenate([model.encode("a"), model.encode(texts.pop())])
    each = [[model.nats([np.append(codes[:i], c)])[0][-1] for c in range(1, len(model.tokens))] for i in (1, 2, 9)]
    assert [1 + int(np.argmin(nats)) for nats in each] == [codes[i] for i in (1, 2, 9)]


def by_hand(text):
    """A text up to the end of its first sentence."""
    begun = False
    for i, letter in enumerate(text):
        begun |= letter.isalnum()
        if begun and letter in ".!?\n":
            return text[: i + 1]
    return text


@given(st.text("ab.!?\n ", max_size=40), st.lists(st.integers(1, 7), min_size=40, max_size=40))
def test_a_sentence_ends_where_a_reader_ends_it(tools, text, sizes):
    tokens = ("", *"ab.!?\n ")
    codes = np.array([tokens.index(letter) for letter in text], np.int32)
    sentence, taken, at = tools.generate.Sentence(tokens), [], 0
    for size in sizes:
        if at < len(codes):
            taken += sentence.take(codes[at : at + size]).tolist()
        at += size
    assert "".join(tokens[c] for c in taken) == by_hand(text)
    assert sentence.over == (bool(by_hand(text)) and by_hand(text)[-1] in ".!?\n" and text.strip(".!?\n ") != "")


def of_tokens(tokens):
    """A model of characters that knows these, and nothing else."""
    known = SimpleNamespace(tokens=tokens)
    return languages.Language(None, SimpleNamespace(known=known, settings=settings("task=text", "model=unigram")))


def test_until_sentence_ends_every_sample(tools, house_of_runs):
    name = "words gru"
    asked = wanted(tools, house_of_runs, name, prompt="Mia", samples=4, until="sentence", length=2000)
    for text in written(tools, asked, language(tools, house_of_runs, name)):
        assert text[-1] in ".!?\n" and text == by_hand(text)


def test_what_the_vocabulary_lacks_is_told_in_a_line_and_an_empty_prompt_begins_a_line(tools, house_of_runs, capsys):
    model = language(tools, house_of_runs, "lines ngram")
    assert tools.generate.begin(model, "").tolist() == [model.tokens.index("\n")]
    assert tools.generate.begin(model, "azq")[1:].tolist() == [0, 0]
    assert capsys.readouterr().err == "warning: prompt: not in the vocabulary, read as unknown: 'z', 'q'\n"
    without = of_tokens(("?", "n", "a"))
    with pytest.raises(ConfigError, match="no line end to begin after; set prompt=a"):
        tools.generate.begin(without, "")


# --- scoring -------------------------------------------------------------------------------------------


def test_scores_under_baselines_equal_counting_by_hand(tools, house_of_runs):
    train = LINES[:892]  # of the 896 characters of train, those that windows can reach
    symbols = sorted(set(train))
    lines = ["ab", "b?a"]
    unigram = tools.score.scores(language(tools, house_of_runs, "lines unigram"), lines)
    chance = {c: (train.count(c) + 1) / (len(train) + len(symbols) + 1) for c in symbols}
    unknown = 1 / (len(train) + len(symbols) + 1)
    by_hand = [
        -math.log(chance["a"]) - math.log(chance["b"]),
        -math.log(chance["a"]) - math.log(chance["b"]) - math.log(unknown),
    ]
    assert np.allclose(unigram["nats"], by_hand)
    assert unigram["unknown"].tolist() == [0, 1] and unigram["tokens"].tolist() == [2, 3]
    assert np.allclose(unigram["nats_per_token"], np.array(by_hand) / [2, 3])
    assert np.allclose(unigram["bits_per_character"], np.array(by_hand) / np.array([2, 3]) / math.log(2))

    def witten_bell(context, c):
        """P of c after a character, method C, over the same of no context."""
        pairs = [train[i + 1] for i in range(len(train) - 1) if train[i] == context]
        below = (train.count(c) + len(symbols) / (len(symbols) + 1)) / (len(train) + len(symbols))
        return (pairs.count(c) + len(set(pairs)) * below) / (len(pairs) + len(set(pairs)))

    ngram = tools.score.scores(language(tools, house_of_runs, "lines ngram"), ["ab"])
    assert house_of_runs.models["lines ngram"].order == 2
    assert math.isclose(ngram["nats"][0], -math.log(witten_bell("\n", "a")) - math.log(witten_bell("a", "b")))


def test_words_count_the_characters_that_they_stand_for(tools, house_of_runs):
    line = "Mia had zzzz, too."
    table = tools.score.scores(language(tools, house_of_runs, "words gru"), [line])
    assert table.loc[0, ["characters", "tokens"]].tolist() == [len(line), 6] and table["unknown"][0] >= 1


class Rhyming(languages.Language):
    """Finds a token likely where it stood before, and the letter e anywhere."""

    def nats(self, sequences):
        def one(sequence):
            seen = [0.1 if c in sequence[:i] else 5.0 for i, c in enumerate(sequence)][1:]
            return np.array(seen)

        return [one(list(s)) for s in sequences]


def test_the_game_of_two_endings_on_a_model_that_likes_what_it_has_read(tools):
    letters = [chr(c) for c in range(0x4E00, 0x4E00 + 60)]
    stories = [f"{a}{b}{c}. {a}{b}." for a, b, c in zip(letters[::3], letters[1::3], letters[2::3], strict=True)]
    tokens = ("?", "\n", " ", ".", *letters)
    model = Rhyming(None, of_tokens(tokens).bundle)
    table = tools.score.endings(model, [*stories, "one sentence"], seed=3)
    assert len(table) == 20 and (table["ending"] != table["other_ending"]).all()
    assert tools.score.won(table["given"], table["other"]) == 20
    assert tools.score.won(table["given_alone"], table["other_alone"]) == 10  # all alike: half of them
    assert np.allclose(table["given"], -0.1) and np.allclose(table["other"], -(5 + 5 + 0.1) / 3)
    assert tools.score.endings(model, stories, seed=3).equals(table)
    assert not tools.score.endings(model, stories, seed=4)["other_ending"].equals(table["other_ending"])
    with pytest.raises(DataError, match="fewer than two stories"):
        tools.score.endings(model, ["a. b.", "c. b."], seed=0)


SPLIT = {
    "He ran. She sat.": ("He ran. ", "She sat."),
    'He said "No!" She sat.': ('He said "No!" ', "She sat."),
    "One. Two? Three": ("One. Two? ", "Three"),
    "It cost 3.50 today.": None,
    "One. ": None,
}


@pytest.mark.parametrize("story", SPLIT)
def test_the_last_sentence_of_a_story(story, tools):
    assert tools.score.split_ending(story) == SPLIT[story]


@pytest.mark.parametrize(("right", "n"), [(0, 5), (51, 100), (7, 7), (12.5, 30)])
def test_the_interval_of_a_share_is_wilsons(right, n, tools):
    from statsmodels.stats.proportion import proportion_confint

    assert np.allclose(tools.score.wilson(right, n), proportion_confint(right, n, method="wilson"), atol=1e-6)


def test_texts_of_lines_and_of_columns(tools, tmp_path):
    (tmp_path / "a.txt").write_text("one  line\n\n  \nanother\r\n")
    (tmp_path / "a.csv").write_text('id,Story\n1,"one\nstory, told"\n2,two\n')
    assert tools.score.read(str(tmp_path / "a.txt"), None, tmp_path) == ["one  line", "another"]
    assert tools.score.read(str(tmp_path / "a.csv"), "Story", tmp_path) == ["one story, told", "two"]
    with pytest.raises(DataError, match=r"a.csv:1: no column 'story'; .* mean 'Story'\? set column=Story"):
        tools.score.read(str(tmp_path / "a.csv"), "story", tmp_path)
    with pytest.raises(MissingFile, match=r"no such file; did you mean a.txt\? set texts="):
        tools.score.read(str(tmp_path / "b.txt"), None, tmp_path)


# --- the command line ----------------------------------------------------------------------------------


@given(st.text("a \\'\"${}[]()=:,\n#é", max_size=12))
@example("${x}")
@example("\\${x}")
@example("it's\\")
@example("null")
@example("5")
@example("")
@hypothesis_settings(max_examples=examples(60))
def test_a_prompt_is_taken_as_it_is_typed(tools, prompt):
    if typed._is_quoted(prompt):
        return
    ready = typed._ready(f"prompt={prompt}", tools.asked.Generate, {"prompt"})
    composed = OmegaConf.create({"prompt": OverridesParser.create().parse_override(ready).value()})
    assert OmegaConf.to_container(composed, resolve=True)["prompt"] == prompt


MISTAKES = {
    "promt=a": (64, "CONFIG-KEY.*unknown key 'promt'; did you mean 'prompt'"),
    "until=word": (64, "until: got 'word', allowed: 'none' or 'sentence'"),
    "task.lookback=5": (64, "task.lookback: a trained run has its own"),
    "-m": (64, "CONFIG-SWEEP.*nothing to sweep over"),
    "temperature=0.5,1": (64, "several values; give one"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(mistake, cli):
    code, pattern = MISTAKES[mistake]
    done = cli(mistake, pipeline="generate")
    assert done.returncode == code and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert re.search(pattern, done.stderr) and not done.stdout


@pytest.mark.slow
def test_from_training_to_writing_scoring_and_looking_inside_as_a_user_does(cli, house):
    assert cli("task=words", "model=lstm", "training.epochs=1").returncode == 0
    once, again = (cli("task=words", "length=30", "prompt=Mia, ", pipeline="generate") for _ in range(2))
    assert once.returncode == 0, once.stderr
    assert once.stdout == again.stdout and once.stdout.startswith("Mia, ")
    several = cli("task=words", "samples=2", "until=sentence", "length=60", pipeline="generate").stdout
    assert several.startswith("--- sample 1 of 2 ---\n") and "\n--- sample 2 of 2 ---\n" in several
    scored = cli("task=words", "texts=data/stories.txt", pipeline="score")
    assert "written: reports/scores.csv" in scored.stdout and "all together" in scored.stdout, scored.stderr
    assert len((house / "reports/scores.csv").read_text().splitlines()) == 31
    played = cli("task=words", "texts=data/stories.txt", "endings=true", pipeline="score")
    assert "after its story" in played.stdout and (house / "reports/endings.csv").exists(), played.stderr
    inside = cli("task=words", "text=Mia had a red boat.", "unit=3", pipeline="explain")
    assert "heat_lstm_3.html" in inside.stdout, inside.stderr
