"""A look inside: states that the head would read, maps, and heat that is read and escaped."""

import re

import numpy as np
import pandas as pd
import pytest
from test_generate import house_of_runs, language, tools, wanted  # noqa: F401  (fixtures)

from lookback.errors import ConfigError
from lookback.models.networks import introspection as inside
from lookback.models.networks.network import average_models
from lookback.report import explained as pictures


def asked(tools, **changed):  # noqa: F811
    numbers = {"run": "best", "task": "lines", "device": "cpu", "threads": 2, "uri": None,
               "text": "ab a\nba", "layer": None, "unit": None}  # fmt: skip
    return tools.asked.Explain(**numbers | changed)


# --- the network ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lines lstm", "words gru", "words dense"])
def test_the_head_says_of_the_last_layer_what_the_model_says(name, house_of_runs):  # noqa: F811
    model, codes = house_of_runs.models[name], house_of_runs.data[name].test.targets()[:30]
    states = inside.hidden(model, codes)
    assert [s.shape for s in states.values()] == {
        "lines lstm": [(30, 5), (30, 5)], "words gru": [(30, 6)], "words dense": [(30, 6)]
    }[name]  # fmt: skip
    kernel, bias = model.get_layer("head").get_weights()
    last = list(states.values())[-1]
    np.testing.assert_allclose(last @ kernel + bias, model.predict_on_batch(codes[None])[0], atol=1e-5)
    assert inside.hidden(house_of_runs.models["words bigram"], codes) == {}


def test_the_embedding_has_a_row_a_token_and_an_ensemble_shows_its_first_member():
    import keras

    def member():
        x = keras.Input((None,), dtype="int32", name="words")
        return keras.Model(x, keras.layers.Embedding(7, 3, name="embedding")(x))

    members = [member(), member()]
    for model in (members[0], average_models(members)):
        assert np.array_equal(inside.embedding(model), members[0].get_layer("embedding").get_weights()[0])
    assert inside.embedding(members[0]).shape == (7, 3)


# --- what is written -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_tables_and_pictures_of_a_text(tools, house_of_runs, tmp_path, capsys):  # noqa: F811
    model, loaded = house_of_runs.models["lines lstm"], language(tools, house_of_runs, "lines lstm")
    written = tools.explain.show_states(tmp_path, asked(tools, layer=1, unit=4), loaded, model)
    assert sorted(written) == sorted(p.name for p in tmp_path.iterdir()) and len(written) == 6
    codes = loaded.encode("ab a\nba")
    for name, states in inside.hidden(model, codes).items():
        table = pd.read_csv(tmp_path / f"states_{name}.csv", keep_default_na=False)
        assert table["token"].tolist() == list("ab a\nba") and table["step"].tolist() == list(range(7))
        np.testing.assert_allclose(table.filter(like="unit_"), states, atol=1e-6)
    first = next(iter(inside.hidden(model, codes)))
    page = (tmp_path / f"heat_{first}_4.html").read_text()
    assert re.findall(r'<span title="([+-]\d.\d{3})"', page) == [f"{v:+.3f}" for v in states_of(model, codes)[:, 4]]
    listed = capsys.readouterr().out
    order = np.argsort(-states_of(model, codes).std(axis=0))
    assert [int(n) for n in re.findall(r"^ +(\d) ", listed, re.M)] == order.tolist()
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in written if name.endswith("png"))


def states_of(model, codes):
    return next(iter(inside.hidden(model, codes).values()))


def test_an_embedding_as_a_table(tools, house_of_runs, tmp_path):  # noqa: F811
    model, data = house_of_runs.models["words gru"], house_of_runs.data["words gru"]
    run = language(tools, house_of_runs, "words gru").run
    tools.explain.show_embedding(tmp_path, run, model, [3, 1, 2], data.tokens)
    table = pd.read_csv(tmp_path / "embedding.csv", keep_default_na=False)
    assert table["token"].tolist() == [data.tokens[i] for i in (3, 1, 2)]
    np.testing.assert_allclose(table[list("0123")], inside.embedding(model)[[3, 1, 2]], atol=1e-6)


def test_of_a_large_vocabulary_the_most_frequent_tokens_are_shown(tools):  # noqa: F811
    assert tools.explain.shown_tokens(None, None, tuple("abc")) == [0, 1, 2]
    words = ("", "<unk>", *(f"w{i}" for i in range(400)))  # of examples: in the order of their frequency
    assert tools.explain.shown_tokens(None, None, words) == list(range(1, 301))


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"layer": 3}, "layer: got 3, allowed: 1 to 2"), ({"unit": 5}, "unit: got 5, allowed: 0 to 4")],
)
def test_a_layer_or_unit_that_is_not_there(changed, message, tools, house_of_runs, tmp_path):  # noqa: F811
    loaded = language(tools, house_of_runs, "lines lstm")
    with pytest.raises(ConfigError, match=message):
        tools.explain.show_states(tmp_path, asked(tools, **changed), loaded, house_of_runs.models["lines lstm"])


def test_what_cannot_be_shown_is_told(tools, house_of_runs, tmp_path):  # noqa: F811
    from lookback.tracking import runs

    opened = house_of_runs.opened
    baseline = runs.find(opened, house_of_runs.ids["lines ngram"])
    with pytest.raises(ConfigError, match="is a baseline and has no layers"):
        tools.explain._check(baseline, runs.settings(opened, baseline), "")
    bigram = language(tools, house_of_runs, "words bigram")
    with pytest.raises(ConfigError, match="no layer between embedding and head; leave text out"):
        tools.explain.show_states(tmp_path, asked(tools, text="Mia"), bigram, house_of_runs.models["words bigram"])


# --- pictures ------------------------------------------------------------------------------------------


def test_the_map_is_that_of_the_principal_components():
    from sklearn.decomposition import PCA

    rows = np.random.default_rng(0).normal(size=(40, 6)) * np.arange(1, 7)
    known = PCA(2).fit(rows)
    points, shares = pictures.flat(rows)
    np.testing.assert_allclose(np.abs(points), np.abs(known.transform(rows)), atol=1e-10)
    np.testing.assert_allclose(shares, known.explained_variance_ratio_)
    assert pictures.flat(rows[:1])[0].tolist() == [[0, 0]] and pictures.flat(rows[:, :1])[0].shape == (40, 2)


def test_heat_escapes_what_it_shows_and_keeps_the_text():
    tokens = list("if a<b & c>d:\n\t\"'")
    page = pictures.heat_page(tokens, np.linspace(-1, 1, len(tokens)), "<i>&", "a & b", "")
    body = page.split('<div class="text">')[1]
    assert "<i>" not in page and "&lt;i&gt;&amp;" in page and "a &amp; b" in page
    assert ">&lt;</span>" in body and ">&amp;</span>" in body and "<b" not in body
    text = re.sub(r"<[^>]+>", "", body.split("</div>")[0])
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    assert text.strip("\n") == "".join(tokens).replace("\n", "⏎\n")


def test_colours_diverge_from_white_and_are_readable():
    grounds = {share: pictures.shade(share) for share in np.linspace(-1, 1, 41).round(3)}
    assert grounds[0][0] == "#ffffff" and grounds[-1][0] == "#0072b2" and grounds[1][0] == "#d55e00"
    for share, (ground, ink) in grounds.items():
        a, b = (tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (ground, ink))
        assert pictures.contrast(a, b) >= 3.9, share
    assert pictures.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    opposite = pictures.cells(["a", "b", "c"], np.array([-0.5, 0, 0.5]))
    assert [cell.ground for cell in opposite] == ["#0072b2", "#ffffff", "#d55e00"]


@pytest.mark.slow
def test_pictures_of_awkward_texts_are_drawn(recwarn):
    tokens = ["$x$", "$", "\n", "", " ", "w" * 200, "_^"]
    values = np.zeros(len(tokens))
    for figure in (
        pictures.heat(tokens, values, "$a$", " "),
        pictures.heat(list("abc" * 3000), np.sin(np.arange(9000)), "long", ""),
        pictures.path(np.eye(7), tokens, "path"),
        pictures.path(np.ones((1, 3)), ["a"], "one step"),
        pictures.embedding(np.eye(7), tokens, "map"),
    ):
        figure.savefig("/dev/null", format="png")
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
