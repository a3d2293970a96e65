"""A look inside a trained text network: tables and pictures of its embedding and of its states along a text."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from lookback.configuration.settings import Settings
from lookback.errors import ConfigError
from lookback.inference import loading, scoring
from lookback.inference.arguments import Explain
from lookback.inference.language import Language, warn_of_unknown
from lookback.tracking import runs, store
from lookback.wording import count

MOST = 300  # tokens of an embedding that are shown
STEPS = 120  # of a text that the picture of the path shows
LISTED = 10  # units


def explain(wanted: Explain, root: Path) -> None:
    """Write tables and pictures of one network to reports/explain/<run>/.

    Raises:
        LookbackError: there is no such run, or nothing of it can be shown.
    """
    opened = store.open_store(wanted.uri, root)
    run, settings = loading.chosen(opened, wanted, networks_only=True)
    _check(run, settings, wanted.text)
    bundle = loading.scored(opened, run, wanted.device, wanted.threads)
    held = getattr(bundle.known, settings.problem.vocabulary)
    model = bundle.model.model
    folder = root / "reports/explain" / run.id
    folder.mkdir(parents=True, exist_ok=True)
    written = show_embedding(folder, run, model, shown_tokens(opened, run, held), held)
    if wanted.text:
        written += show_states(folder, wanted, Language(run, bundle), model)
    print(f"written: {', '.join(written)} in {folder.relative_to(root)}/")


def _check(run: runs.Found, settings: Settings, text: str) -> None:
    """Refuse runs of which nothing can be shown."""
    problem = settings.problem
    if not run.network:
        raise ConfigError(
            "RUN-KIND", f"run: {run.name} ({run.id}) is a baseline and has no layers; set run={runs.BEST}"
        )
    if not problem.vocabulary:
        raise ConfigError("RUN-KIND", f"run: {run.name} ({run.id}) reads numbers and no text; set task=text")
    if text and not problem.carries_state:
        raise ConfigError("RUN-KIND", f"text: {run.name} ({run.id}) is no language model; leave text out")


# --- the embedding -------------------------------------------------------------------------------------


def shown_tokens(opened: store.Store, run: runs.Found, held: tuple[str, ...]) -> list[int]:
    """Rows of the embedding, the most frequent tokens first where there are more than can be shown."""
    if len(held) <= MOST:
        return list(range(len(held)))
    if held[0] == "":  # padding: words of examples stand in the order of their frequency
        return list(range(1, MOST + 1))
    rows = {token: row for row, token in enumerate(held)}
    return [rows[token] for token in runs.frequent(opened, run, MOST)]


def show_embedding(folder: Path, run: runs.Found, model: Any, rows: list[int], held: tuple[str, ...]) -> list[str]:
    """The numbers of each token as a table, and a map of them."""
    from lookback.models.networks import introspection
    from lookback.report import explained as pictures

    numbers = introspection.embedding(model)[rows]  # (n, e)
    tokens = [held[row] for row in rows]
    points, _ = pictures.flat(numbers)
    columns = {"token": tokens, "component_1": points[:, 0], "component_2": points[:, 1]}
    table = pd.DataFrame(columns | {str(i): column for i, column in enumerate(numbers.T)})
    table.to_csv(folder / "embedding.csv", index=False)
    what = f"{count(len(tokens), 'token')} of {len(held):,}" if len(tokens) < len(held) else f"all {len(held)} tokens"
    figure = pictures.embedding(numbers, tokens, f"{run.name}: embedding, {what}, {numbers.shape[1]} numbers each")
    figure.savefig(folder / "embedding.png", dpi=130)
    return ["embedding.csv", "embedding.png"]


# --- the states ----------------------------------------------------------------------------------------


def show_states(folder: Path, wanted: Explain, language: Language, model: Any) -> list[str]:
    """What every layer says at each step of the text, as tables and paths; and the heat of one unit.

    Raises:
        ConfigError: there is no such layer or unit, or no token to read.
    """
    from lookback.models.networks import introspection
    from lookback.report import explained as pictures

    tokens = language.split(wanted.text)
    codes = language.encode(wanted.text)
    if not len(codes):
        raise ConfigError("TEXT-EMPTY", f"text: {wanted.text!r} holds no token; set text")
    warn_of_unknown([token for token, code in zip(tokens, codes, strict=True) if code == 0], "text")
    states = introspection.hidden(model, codes)
    if not states:
        why = f"{language.run.name} has no layer between embedding and head"
        raise ConfigError("RUN-KIND", f"text: {why}; leave text out")
    layer, unit = _chosen(wanted, states)
    written = []
    for name, values in states.items():
        table = pd.DataFrame(values).add_prefix("unit_")
        table.insert(0, "token", tokens)
        table.to_csv(folder / f"states_{name}.csv", index_label="step")
        title = f"{language.run.name}: state of {name} along the text, {count(min(len(tokens), STEPS), 'step')}"
        pictures.path(values[:STEPS], tokens[:STEPS], title).savefig(folder / f"path_{name}.png", dpi=130)
        written += [f"states_{name}.csv", f"path_{name}.png"]
    list_units(layer, states[layer], tokens)
    return written + show_heat(folder, language, f"{layer}, unit {unit}", tokens, states[layer][:, unit])


def _chosen(wanted: Explain, states: dict[str, np.ndarray]) -> tuple[str, int]:
    """The layer, and the unit of it: the one that varies most where none is named."""
    number = wanted.layer or len(states)
    if number > len(states):
        raise ConfigError("CONFIG-VALUE", f"layer: got {number}, allowed: 1 to {len(states)}")
    layer = list(states)[number - 1]
    units = states[layer].shape[1]
    unit = int(states[layer].std(axis=0).argmax()) if wanted.unit is None else wanted.unit
    if unit >= units:
        raise ConfigError("CONFIG-VALUE", f"unit: got {unit}, allowed: 0 to {units - 1}")
    return layer, unit


def list_units(layer: str, states: np.ndarray, tokens: list[str]) -> None:
    """The units that vary most over the text, and where they are lowest and highest."""
    shown = Table("unit", "sd", "lowest", "after", "highest", "after", box=SIMPLE_HEAD, title_justify="left")
    shown.title = f"units of {layer} that vary most over the text"
    for column in shown.columns:
        column.justify = "left" if column.header == "after" else "right"
    for unit in np.argsort(-states.std(axis=0), kind="stable")[:LISTED]:
        values = states[:, unit]
        low, high = int(values.argmin()), int(values.argmax())
        ends = f"{values[low]:+.3f}", _upto(tokens, low), f"{values[high]:+.3f}", _upto(tokens, high)
        shown.add_row(str(unit), f"{values.std():.3f}", *ends)
    scoring.console().print(shown)


def _upto(tokens: list[str], step: int) -> str:
    """The tokens up to a step, so that one knows where it is."""
    characters = all(len(token) == 1 for token in tokens)
    last = tokens[max(0, step - (11 if characters else 3)) : step + 1]
    return escape(repr(("" if characters else " ").join(last))[1:-1])


def show_heat(folder: Path, language: Language, what: str, tokens: list[str], values: np.ndarray) -> list[str]:
    """The text on the colours of one unit, as a page and as a picture."""
    from lookback.report import explained as pictures

    between = "" if language.level == "characters" else " "
    title, name = f"{language.run.name}: {what}", f"heat_{what.replace(', unit ', '_')}"
    note = f"State after each token, from {values.min():+.3f} to {values.max():+.3f}; the text is read from no memory."
    (folder / f"{name}.html").write_text(pictures.heat_page(tokens, values, title, note, between), encoding="utf-8")
    pictures.heat(tokens, values, title, between).savefig(folder / f"{name}.png", dpi=130)
    return [f"{name}.html", f"{name}.png"]
