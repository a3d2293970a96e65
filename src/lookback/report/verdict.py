"""Who wins, and how sure that is: the decision, the mark and the sentence of a comparison. Tables in, words out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lookback.report.formatting import fixed, signed, significant
from lookback.report.table import TaskFacts, candidates, model_of, primary_label
from lookback.report.text import filled

QUESTION = "Does a network beat the best baseline?"
ANSWERS = {"better": "YES", "worse": "NO", "same": "NOT SHOWN", "": "NOT SHOWN"}  # outcome of the test -> answer
WORDS = {"YES": "Yes", "NO": "No", "NOT SHOWN": "Cannot be told here"}  # answer -> as the page says it
ALPHA = 0.05  # of the tests whose outcome is put into words


@dataclass(frozen=True)
class Decision:
    """The answer to `QUESTION`, and who was asked.

    Attributes:
        answer: YES, NO or NOT SHOWN; "no network" or "no baseline" where there is none.
        network: the one that val chose; None where none has a score.
        baseline: the best one; None where none has a score.
    """

    answer: str
    network: str | None
    baseline: str | None


@dataclass(frozen=True)
class Lead:
    """The numbers that an answer rests on: the network that val chose against the best baseline.

    Attributes:
        change: how far its score is from the baseline's, as "MAE 10.6 % higher".
        difference: mean difference of the losses; below 0 the network is better. NaN where it was not tested.
        low: of its interval.
        high: of its interval.
    """

    network: str
    baseline: str
    change: str
    difference: float
    low: float
    high: float


def best_baseline(table: pd.DataFrame, facts: TaskFacts) -> str | None:
    """The baseline that the others are compared with: the best on test, the hardest to beat; None without baselines.

    Of the variants of a baseline only the one that val chose is asked.
    """
    baselines = candidates(table[~table["network"]], facts)
    return None if baselines.empty else str(baselines.iloc[0]["model"])


def chosen(table: pd.DataFrame, facts: TaskFacts) -> str | None:
    """The network that val chose, so that nobody is picked by the test part; None without networks."""
    networks = table[table["network"]].dropna(subset=[facts.primary, "val"])
    return None if networks.empty else str(networks.nsmallest(1, "val").iloc[0]["model"])


def best(table: pd.DataFrame, facts: TaskFacts) -> str | None:
    """Who has the lowest loss on test; of the variants of a model only the one that val chose is asked."""
    names = candidates(table, facts)["model"]
    return None if names.empty else str(names.iloc[0])


def outcome(difference: float, low: float, high: float, p: float) -> str:
    """better, worse or same, as p and the interval together say; "" where nothing was tested."""
    if p != p:
        return ""
    if p >= ALPHA or low <= 0 <= high:
        return "same"
    return "better" if difference < 0 else "worse"


def outcomes(table: pd.DataFrame) -> list[str]:
    """The outcome of each model against the reference, of the corrected `p`."""
    columns = ("difference", "difference_low", "difference_high", "p")
    return [outcome(*line) for line in zip(*(table[name] for name in columns), strict=True)]


def decide(table: pd.DataFrame, facts: TaskFacts) -> Decision:
    """Whether the network that val chose beats the best baseline, of the uncorrected p: one pair is asked about.

    Args:
        table: from `summarise`, with difference, difference_low, difference_high and raw_p of each
            model against `reference` (missing where it was not tested).
    """
    network, baseline = chosen(table, facts), best_baseline(table, facts)
    if not table["network"].any():
        return Decision("no network", network, baseline)
    if table["network"].all():
        return Decision("no baseline", network, baseline)
    if network is None or baseline is None:  # every one of them diverged
        return Decision(ANSWERS[""], network, baseline)
    line = table.set_index("model").loc[network]
    columns = ("difference", "difference_low", "difference_high", "raw_p")
    return Decision(ANSWERS[outcome(*(float(line[name]) for name in columns))], network, baseline)


def lead(table: pd.DataFrame, facts: TaskFacts) -> Lead | None:
    """The numbers behind the answer; None where there is no pair to compare.

    Args:
        table: as `decide` takes it.
    """
    decision = decide(table, facts)
    if decision.network is None or decision.baseline is None:
        return None
    lines = table.set_index("model")
    network, baseline = lines.loc[decision.network], lines.loc[decision.baseline]
    change = f"{primary_label(facts)} {_change(float(network[facts.primary]), float(baseline[facts.primary]))}"
    ends = (float(network[name]) for name in ("difference", "difference_low", "difference_high"))
    return Lead(decision.network, decision.baseline, change, *ends)


def _change(score: float, bar: float) -> str:
    """How far a score is from that of the baseline, which may be 0."""
    if score == bar:
        return "the same"
    side = "lower" if score < bar else "higher"
    return f"{_percent(score, bar)} {side}" if bar else f"{significant(score)} against 0"


def _percent(score: float, bar: float) -> str:
    return f"{fixed(abs(score - bar) / abs(bar) * 100, 1)} %"


def headline(answers: Mapping[str, str], width: int) -> str:
    """Question and answers in a line, or in as many as a terminal of this width needs. answers: task -> answer."""
    first, *others = [f"{task} {answer}" for task, answer in answers.items()]
    return filled([f"{QUESTION}  {first}", *others], width, " · ")


def verdict(table: pd.DataFrame, facts: TaskFacts) -> str:
    """Who has the lowest loss, and whether a network earns its keep, hedged as the evidence asks.

    Args:
        table: as `decide` takes it.
    """
    if candidates(table, facts).empty:
        return f"{facts.name}: no model has a score."
    decision = decide(table, facts)
    about = f"{facts.name}: {_lowest(table, facts)}.{_variants(table, facts, decision)}"
    if decision.network is None or decision.baseline is None:
        return about
    return f"{about} {_pair(table, facts, decision)}"


def _lowest(table: pd.DataFrame, facts: TaskFacts) -> str:
    """Test picks no variant: the lowest loss of all is not named where val chose another."""
    line = candidates(table, facts).iloc[0]
    among = "" if line["model"] == table.iloc[0]["model"] else "of the variants that val chose, "
    return f"{among}{line['model']} has the lowest loss, {_score(line, facts)}{_against_naive(line, facts)}"


def _variants(table: pd.DataFrame, facts: TaskFacts, decision: Decision) -> str:
    """What val chose among the variants of those that the verdict names."""
    counts = table["model"].map(model_of).value_counts()
    chosen = [
        (counts[model_of(name)], model_of(name), name.removeprefix(f"{model_of(name)} "))
        for name in dict.fromkeys(filter(None, (best(table, facts), decision.network, decision.baseline)))
        if counts[model_of(name)] > 1
    ]
    if not chosen:
        return ""
    (n, model, numbers), *others = chosen
    more = "".join(f"; of {n} of {model}, {numbers}" for n, model, numbers in others)
    return f" Of {n} variants of {model}, val chose {numbers}{more}."


def _pair(table: pd.DataFrame, facts: TaskFacts, decision: Decision) -> str:
    lines, tested = table.set_index("model"), facts.tested
    network, baseline = lines.loc[decision.network], lines.loc[decision.baseline]
    name = f"The network that val chose, {decision.network} ({_score(network, facts)}{_seeds(network)}),"
    against = f"the best baseline, {decision.baseline} ({_score(baseline, facts)})"
    if network["raw_p"] != network["raw_p"]:
        origins = f"{int(network['n'])} {tested}" if network["n"] == network["n"] else tested
        return f"{name} stands beside {against}; the difference cannot be tested on these {origins}."
    found = _found(network, facts)
    if decision.answer == ANSWERS["same"]:
        return f"{name} cannot be told apart from {against} on these {int(network['n'])} {tested} ({found})."
    verb, side = ("beats", "lower") if decision.answer == ANSWERS["better"] else ("does not beat", "higher")
    if (bar := baseline[facts.primary]) != 0:
        side = f"{_percent(network[facts.primary], bar)} {side}"
    return f"{name} {verb} {against}: its loss is {side} ({found})."


def _found(network: Any, facts: TaskFacts) -> str:
    of = f" of {facts.loss_noun.removeprefix('scaled ')}" if facts.loss_noun else ""
    ends = ("difference", "difference_low", "difference_high")
    value, low, high = (signed(network[name], 3) for name in ends)
    return f"difference{of} {value} [{low}, {high}], unadjusted p = {network['raw_p']:.2g}"


@dataclass(frozen=True)
class Disagreement:
    """How often each of two models alone was right on n targets, and p of McNemar's test."""

    n: int
    first: int
    second: int
    p: float


def disagreements(pair: tuple[str, str], whole: Disagreement, new: Disagreement, facts: TaskFacts) -> str:
    """McNemar's test in a sentence.

    Args:
        pair: the two models.
        new: without the targets that are held, word for word, by what came before.
    """
    what, known = facts.answered, whole.n - new.n
    test = f"McNemar's test on {whole.n:,} {what}, {pair[0]} : {pair[1]}"
    less = f"; without the {known:,} {what} that stood before, word for word, {_wins(new)}" if known else ""
    return f"{test}: right where the other is wrong {_wins(whole)}{less}."


def _wins(found: Disagreement) -> str:
    return f"{found.first:,} : {found.second:,} times, p = {found.p:.2g}"


def _score(line: Any, facts: TaskFacts) -> str:
    half = line[f"{facts.primary}_half"]
    spread = f" ± {half:.2g}" if half == half else ""
    name = "" if primary_label(facts) == facts.primary else primary_label(facts)
    return f"{name} {significant(line[facts.primary])}{spread} {facts.unit}".strip()


def _against_naive(line: Any, facts: TaskFacts) -> str:
    skill = line["skill"]
    if facts.is_reference(line["model"]) or skill != skill:
        return ""
    return f", {fixed(abs(skill) * 100, 0)} % {'below' if skill >= 0 else 'above'} {facts.reference}"


def _seeds(line: Any) -> str:
    return ", one seed" if line["seeds"] == 1 else f", {line['seeds']} seeds"
