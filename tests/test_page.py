"""The HTML page: what it says, what it leaves out, and that nothing in it fetches, or runs but its own script."""

import re
import shutil
import subprocess
import sys
from base64 import b64encode
from dataclasses import fields, replace
from hashlib import sha256
from html import escape
from html.parser import HTMLParser
from xml.etree import ElementTree

import comparisons
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from lookback.report import axes, cells, charts, dots, labels, plots, svg
from lookback.report.page import Page, TaskReport, colours_of, render
from lookback.report.verdict import ANSWERS, QUESTION, WORDS, Lead

HOSTILE = "<img src=x onerror=alert(1)>\"'&</style></title></svg><script>alert(2)</script>"
POLICY = "default-src 'none'; script-src 'sha256-{}'; style-src 'unsafe-inline'; img-src data:"
SCRIPT = (ROOT / "src/lookback/report/page.js").read_text(encoding="utf-8")
SECTIONS = ("Forecasts", "Where the error is", "Seeds and cost", "Confusion", "Learning curves", "Data")


@pytest.fixture(scope="module")
def sample() -> Page:
    return comparisons.page()


@pytest.fixture(scope="module")
def html(sample) -> str:
    return render(sample)


def bare(**parts) -> TaskReport:
    """A task of which nothing is known but two scores."""
    table = pd.DataFrame({"model": ["naive", "gru"], "network": [False, True], "mean": [2.0, 3.0]})
    known = {"name": "bare", "unit": "m", "metric": "MAE", "verdict": "A verdict.", "table": table}
    return TaskReport(**(known | parts))


def page_of(*tasks: TaskReport, **parts) -> str:
    return render(Page(**({"title": "T", "sweep": "s", "date": "d", "commit": "c", "tasks": tasks} | parts)))


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, attributes))

    def handle_data(self, data):
        self.text += data

    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}


def text_of(html: str) -> str:
    """The page without its style and its script."""
    return re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)


def headings(html: str) -> list[str]:
    return re.findall(r"<h3>(.*?)</h3>", html)


def hostile(page: Page) -> Page:
    """The page with hostile text for every name and sentence."""

    def renamed(value):
        if isinstance(value, str):
            return f"{value} {HOSTILE}" if value else ""
        if isinstance(value, tuple):
            return tuple(renamed(v) for v in value)
        if isinstance(value, dict):
            return {renamed(k): renamed(v) for k, v in value.items()}
        if isinstance(value, Lead):
            return replace(value, **{name: renamed(getattr(value, name)) for name in ("network", "baseline", "change")})
        if isinstance(value, pd.DataFrame):
            words = {c: value[c].map(renamed) for c in value if value[c].map(type).eq(str).all() and c != "mark"}
            named = value.assign(**words).rename(index=renamed)
            return named if "model" in value else named.rename(columns=renamed)
        return value

    tasks = []
    for task in page.tasks:
        extra = task.table.rename(columns={metric: renamed(metric) for metric in task.metrics})
        tasks.append(
            replace(task, **{f.name: renamed(getattr(replace(task, table=extra), f.name)) for f in fields(task)})
        )
    others = {f.name: renamed(getattr(page, f.name)) for f in fields(page) if f.name != "tasks"}
    return Page(tasks=tuple(tasks), **others)


def test_the_page_says_who_won_with_which_numbers(html, sample):
    text = Tags(html).text
    for task in sample.tasks:
        assert task.verdict in text
    assert {"45.82", "41.43"} <= set(re.findall(r"[\d.]+", text))  # airline's naive and seasonal naive, known figures
    assert "2 trials have no result" in text
    assert "the last 400 of 730 times" in text
    assert "No interval for seasonal_naive: fewer than 20 val errors." in text


def test_it_is_one_small_file_that_fetches_nothing_and_runs_one_script(html):
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    assert f'<meta http-equiv="Content-Security-Policy" content="{POLICY.format(digest)}">' in html
    assert re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL) == [SCRIPT]
    assert len(html.encode()) < 600_000
    # The name of a namespace is the only address, and nobody asks for it.
    assert not re.search(r"https?:|url\(|@import|javascript:", html.replace("http://www.w3.org/2000/svg", ""))
    assert not re.search(r"\b(fetch|XMLHttpRequest|import|eval|innerHTML|insertAdjacentHTML|localStorage)\b", SCRIPT)
    page = Tags(html)
    assert not page.names() & {"img", "iframe", "object", "embed", "form", "base"}
    links = [value for _, attributes in page.tags for key, value in attributes if key in ("src", "href", "xlink:href")]
    assert links == ["data:,", "#task-1", "#task-2", "#task-3"]


def test_hostile_names_stay_text_wherever_they_stand(html, sample):
    shown = render(hostile(sample))
    tie = r'<svg [^>]*class="open"[^>]*><line [^>]*class="tie"></line></svg>'
    attacked, tame = (Tags(re.sub(tie, "", page)) for page in (shown, html))
    assert re.findall(r"<script[^>]*>(.*?)</script>", shown, re.DOTALL) == [SCRIPT]
    # Of longer labels fewer fit along an axis, and some stand further off their points; nothing else may differ.
    assert [tag for tag, _ in attacked.tags if tag != "text"] == [tag for tag, _ in tame.tags if tag != "text"]
    assert not [key for _, attributes in attacked.tags for key, _ in attributes if key.startswith("on") or key == "src"]
    assert attacked.text.count(HOSTILE) > 100


@settings(max_examples=examples(25), deadline=None)
@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_no_name_changes_the_structure(name, note):
    tame, wild = (page_of(bare(name=n, notes=(t,)), title=n) for n, t in (("a", "b"), (name, note)))
    assert [tag for tag, _ in Tags(wild).tags] == [tag for tag, _ in Tags(tame).tags]


def test_every_drawing_is_an_image_with_a_title_and_well_formed(html):
    drawings = re.findall(r"<svg[^>]*role=\"img\".*?</svg>(?=</div>|</td>|</th>|</span>)", html, re.DOTALL)
    assert len(drawings) == html.count('role="img"') > 50
    for drawing in drawings:
        assert ElementTree.fromstring(drawing)[0].tag == "title"
    assert html.count('class="plot"') == html.count("<desc>") > 20


def test_what_is_not_given_is_not_there(html):
    assert [h for h in SECTIONS if h in headings(html)] == list(SECTIONS)
    assert headings(page_of(bare())) == ["Scores on the test part"]
    assert "<figure" not in page_of(bare()) and "trial" not in page_of(bare())


@pytest.mark.parametrize("whole", [comparisons.airline(), comparisons.weather()], ids=lambda task: task.name)
def test_a_frame_without_rows_or_numbers_is_the_same_as_none(whole):
    frames = {f.name: getattr(whole, f.name) for f in fields(whole) if isinstance(getattr(whole, f.name), pd.DataFrame)}
    del frames["table"]
    none = page_of(replace(whole, **dict.fromkeys(frames)))
    blank = {name: f.assign(**dict.fromkeys(f.select_dtypes("float"), np.nan)) for name, f in frames.items()}
    assert page_of(replace(whole, **{name: frame[:0] for name, frame in frames.items()})) == none
    assert page_of(replace(whole, **blank)) == none
    assert len(frames) >= 5 and not re.search(r'class="(line|truth|band)|data-values', text_of(none))


def test_missing_numbers_are_dashes_or_left_out():
    numbers = ["low", "high", "skill", "val", "difference", "difference_low", "difference_high", "p", "coverage"]
    numbers += ["width", "cpu_seconds", "parameters"]
    table = bare().table.assign(**dict.fromkeys(numbers, np.nan), mark="", warm=None)
    assert page_of(bare(table=table)) == page_of(bare())
    table.loc[1, "mean"] = np.nan
    row = re.search(r"gru</th>(.*?)</tr>", page_of(bare(table=table)))
    assert row and ">–<" in row[1]
    assert not re.search(r"\b(nan|inf|None|NaT)\b", Tags(page_of(bare(table=table))).text)


def test_gaps_in_every_chart_are_drawn_as_gaps(sample):
    for task in sample.tasks:
        holes = {}
        for field in fields(TaskReport):
            frame = getattr(task, field.name)
            if isinstance(frame, pd.DataFrame):
                numeric = [c for c in frame.select_dtypes("float") if c not in ("time", "epoch", "step")]
                holes[field.name] = frame.assign(**{c: frame[c].where(np.arange(len(frame)) % 3 > 0) for c in numeric})
        html = page_of(replace(task, **holes))
        assert not re.search(r"\b(nan|inf)\b", text_of(html), re.IGNORECASE)


def test_no_chart_by_step_for_one_step():
    one = pd.DataFrame({"model": ["naive"], "step": [1], "value": [2.0]})
    assert "Error by step" not in page_of(bare(by_step=one))
    assert "Error by step" in page_of(bare(by_step=pd.concat([one, one.assign(step=2)])))


@pytest.mark.parametrize(("times", "drawn"), [(30, 30), (1000, 400)])
def test_no_more_points_are_drawn_than_can_be_seen(times, drawn):
    frame = pd.DataFrame({"time": np.arange(times), "model": "gru", "truth": np.arange(times) % 7.0})
    frame = frame.assign(forecast=1.0, lower=0.0, upper=2.0)
    html = page_of(bare(forecasts=frame))
    assert len(re.findall(r"M\d+ \d+h0", html)) == drawn
    assert ("the last 400 of 1,000 times" in html) is (times > drawn)
    assert set(charts.shown(frame, first=False)["time"]) == set(range(times - drawn, times))


def test_a_model_has_one_colour_and_baselines_are_told_from_networks(sample):
    colours = colours_of(sample.tasks)
    assert {name for name, colour in colours.items() if "baseline" not in colour} == {
        "random_8",
        "random_32",
        "random_96",
    }
    references = [colours[name] for name in ("naive", "majority")]  # they stay in the background
    assert sorted(references) == ["cx baseline", "cx baseline m1"]
    level = bare(table=bare().table.assign(skill=[0.0, 0.0]))  # a network as good as the reference is none
    assert colours_of((level,)) == {"gru": "c0", "naive": "cx baseline"}
    bright = [colour for colour in colours.values() if "cx" not in colour]
    assert len(set(bright)) == len(bright) == 7


def test_marks_are_classes_of_the_style_and_nothing_else():
    table = bare().table.assign(mark=["", '"><b>'], difference=[np.nan, 1.0])
    html = page_of(bare(table=table))
    assert '<td class="mark best baseline">best baseline</td>' in html and "><b>" not in html.replace(
        "<figcaption><b>", ""
    )


def test_the_best_of_a_task_stands_out():
    skill = pd.DataFrame({"a": [0.1, -0.5], "b": [0.3, 0.2]}, index=["naive", "gru"])
    html = page_of(bare(name="a", best="naive"), bare(name="b", best="gru"), matrix=skill)
    assert re.findall(r'best" data-sort="[^"]*"><div><span>([^<]*)', html) == [
        "0.100",
        "0.200",
    ]  # also where test likes another one more
    assert "−0.500" in html and html.count("<rect") == 4


@given(st.lists(st.floats(0, 200), min_size=1, max_size=12))
def test_labels_are_pushed_apart_and_keep_their_order(places):
    moved = svg.apart(places, 13, 200)
    order = np.argsort(places, kind="stable")
    assert np.diff(np.array(moved)[order]).min(initial=13) >= 13 - 1e-9
    assert max(moved) <= 200
    if np.diff(np.sort(places)).min(initial=13) >= 13:
        assert moved == places


def test_a_line_breaks_where_a_value_is_missing_and_ends_where_it_should():
    x, y = np.array([0, 0.25, 0.5, 0.75, 1]), np.array([0, 10, np.nan, 10, 0.0])
    assert svg.line(x, y, "line") == '<path d="M0 0l0 0 1000 100M3000 100l0 0 1000-100" class="line"></path>'
    assert svg.band(x, y, y + 1, "band").count("M") == 2


def test_a_short_label_keeps_what_tells_the_variants_of_a_model_apart():
    names = [f"simple_rnn_ensemble units=8 learning_rate={rate}" for rate in (0.01, 0.02)]
    short = [axes.short(name) for name in names]
    assert len(set(short)) == 2 and all(len(name) == 18 and name.startswith("simple_") for name in short)
    assert axes.short("climatology") == "climatology"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1234.5, 1, "1,234.5"), (-0.5, 2, "−0.50"), (-0.001, 2, "0.00"), (np.nan, 3, "–"), (np.inf, 0, "∞")],
)
def test_numbers(value, decimals, text):
    assert axes.number(value, decimals) == text


def test_axes_have_round_ticks_and_keep_what_is_far_off_the_scale():
    assert [label for _, label in axes.linear([0.0, 1.0]).ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [label for _, label in axes.logarithmic([0.01, 100.0]).ticks] == ["0.01", "0.1", "1", "10", "100"]
    axis = axes.within([0.0, 1.0], pd.Series([3.0, 50.0]))
    assert axis.outside(3.0) == 0 and axis.outside(50.0) == 1
    dates, _ = axes.time(pd.Series(pd.date_range("2015-01-01", "2015-12-31")))
    assert {"2015", "Jul"} <= {label for _, label in dates.ticks}


def test_importing_the_page_imports_no_heavy_library():
    code = "import sys, lookback.report.page; print([m for m in ('matplotlib', 'scipy', 'keras') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_who_wins_stands_above_every_verdict(html):
    assert html.count(QUESTION) == 1  # over the list of tasks
    for kind, answer in (("no", "No"), ("not-shown", "Cannot be told here"), ("no-network", "No network")):
        assert html.count(f'<b class="answer {kind}">{answer}</b>') == 2
    assert QUESTION not in page_of(bare())
    assert page_of(bare(answer="NO"), bare(answer="YES"), title=QUESTION).count(QUESTION) == 2  # <title> and <h1>


def test_no_table_has_two_columns_of_one_name(sample):
    for task in sample.tasks:
        scores = cells.scores(task.table, task.metric, task.confidence)
        for grid in (scores, cells.details(task.table, task.metrics, task.metric, task.level)):
            heads = [str(column.head) for column in grid.columns]
            assert len(set(heads)) == len(heads) >= 2, heads
    heads = [column.head for column in cells.scores(sample.tasks[0].table, "MAE", 0.95).columns]
    assert "95 % interval of the mean over seeds" in heads and "95 % interval of the difference" in heads


def test_no_number_of_the_page_is_a_negative_zero():
    small = {"skill": -0.0001, "difference": -1e-9, "difference_low": -1e-9, "difference_high": -1e-9, "bias": -1e-9}
    table = bare().table.assign(**small, val=2.0, cpu_seconds=[-0.0, 1.0])
    skill = pd.DataFrame({"bare": [-0.0001, -0.0]}, index=["naive", "gru"])
    html = page_of(bare(table=table, metrics=("bias",)), matrix=skill)
    assert "0.000" in html and not re.search(r"[−-]0[.,]?0*(?![\d.])", Tags(html).text)


def test_the_answer_of_the_page_is_the_one_that_was_decided():
    assert set(WORDS) == set(ANSWERS.values()) == {"YES", "NO", "NOT SHOWN"}  # one rule, other words
    for answer, words in WORDS.items():
        first = re.search(r'<p class="first">(.*?)</p>', page_of(bare(answer=answer)))
        assert Tags(first[1]).text == words


def test_the_first_line_of_a_task_is_the_answer_then_its_figure_then_the_sentence(html):
    for section in html.split('<section class="task"')[1:]:
        after = section.split("</h2>")[1].lstrip()
        assert after.startswith('<p class="first"><b class="answer')
        assert after.index('<p class="first">') < after.index('<p class="verdict">') < after.index("<table")
    airline = html.split('<section class="task"')[1].split('<p class="verdict">')[0]
    assert '<span class="change">MAE 31.0 % higher</span>' in airline
    assert "random_96 against linear: difference +3.9 [+1.2, +6.6]" in airline
    assert 'class="dot worse"' in airline and 'class="whisker worse"' in airline


@pytest.mark.parametrize(("answer", "kind"), [("YES", "better"), ("NO", "worse"), ("NOT SHOWN", "same")])
def test_the_figure_is_drawn_as_the_answer_says(answer, kind):
    html = page_of(bare(answer=answer, lead=Lead("gru", "naive", "MAE 1.0 % lower", -0.1, -0.2, 0.1)))
    assert f'class="dot {kind}"' in html and "difference −0.1 [−0.2, +0.1]" in html
    bound = page_of(bare(answer=answer, lead=Lead("gru", "naive", "MAE 1.0 % lower", *[np.nan] * 3)))
    first = re.search(r'<p class="first">(.*?)</p>', bound, re.DOTALL)[1]
    assert "gru against naive" in first and "difference" not in first and "<svg" not in first  # not tested


def test_what_can_be_switched_off_is_marked_with_its_model_in_every_chart(sample):
    task = sample.tasks[1]
    html = page_of(task)
    names = list(task.table["model"])
    assert re.findall(r'aria-pressed="true" data-toggles="([^"]*)"', html) == names
    for name in names:
        owned = re.findall(rf'<(\w+)[^>]* data-model="{name}"', html)
        assert {"tr", "text"} <= set(owned) and {"circle", "svg"} & set(owned), name
    assert html.count('<figure class="c0 baseline" data-model="linear">') == 1
    assert '<details class="models" hidden' in html  # without the script nobody could press them
    assert "<button" not in page_of(bare(table=bare().table[:1]))


def test_values_and_places_go_together_line_for_line(html):
    for plot in re.findall(r'<div class="plot"[^>]*data-places.*?</svg></div>', html, re.DOTALL):
        places = re.search(r'data-places="([^"]*)"', plot)[1].split(" ")
        labels = re.search(r'data-labels="([^"]*)"', plot)[1].split("\n")
        lines = [values.split("\n") for values in re.findall(r'data-values="([^"]*)"', plot)]
        assert lines and {len(places)} == {len(labels)} == {len(values) for values in lines}
    assert html.count("data-zoom") == 3 and "1958-09\n1958-10" in html  # only weather's forecasts are many


def test_a_value_can_be_read_to_a_thousandth_of_its_axis_at_any_level():
    assert axes.readable([1e9 + 1.25, np.nan], 1e9, 1e9 + 10) == ["1,000,000,001.25", "–"]
    assert axes.readable([0.00012345], 0, 0.001) == ["0.000123"]
    assert axes.moments(pd.Series(pd.to_datetime(["2015-01-31 13:00"]))) == ["2015-01-31 13:00"]
    assert axes.moments(pd.Series([17, 1_000_001])) == ["17", "1000001"]


# --- pictures ---------------------------------------------------------------------------------------


def learned(**losses: float) -> pd.DataFrame:
    """Two seeds of five epochs for each network, around a loss of its own."""
    falling = np.array([3.0, 1.6, 1.2, 1.1, 1.0])
    parts = [
        pd.DataFrame(
            {"model": name, "seed": seed, "epoch": range(1, 6), "loss": loss * falling, "val_loss": loss * falling}
        )
        for name, loss in losses.items()
        for seed in (0, 1)
    ]
    return pd.concat(parts)


def circles(chart: charts.Chart) -> list[float]:
    return [float(down) for down in re.findall(r'cy="([-\d.]+)"', chart.plots[0][1])]


def ticks(chart: charts.Chart) -> list[str]:
    return re.findall(r'x="-8"[^>]*>([^<]+)<', chart.plots[0][1])


def test_each_network_has_its_own_scale_of_losses_and_every_dot_is_in_its_panel():
    near, far = charts.curves(learned(lstm=0.3, dense=40.0), {})
    assert ticks(near) != ticks(far) and len(circles(near)) == len(circles(far)) == 2
    assert all(0 <= down <= 120 for chart in (near, far) for down in circles(chart))
    assert axes.OWN_SCALE in Tags(page_of(bare(curves=learned(lstm=0.3)))).text


def test_losses_of_one_unit_share_a_scale_and_what_is_beyond_it_is_marked_at_the_edge():
    several = learned(a=1.0, b=1.1, c=1.2, d=1.3, far=40.0)
    *others, far = charts.curves(several, {}, "nats")
    assert all(ticks(chart) == ticks(far) for chart in others) and not circles(far)
    assert far.plots[0][1].count("▴") == 2 and "least val loss 40.00 in epoch 5" in far.plots[0][1]
    html = page_of(bare(curves=several, loss_unit="nats"))
    assert axes.OWN_SCALE not in Tags(html).text and "in nats, one scale" in html


MANY = [f"baseline_{i}" for i in range(11)]


def by_month(names: list[str]) -> pd.DataFrame:
    lines = [(name, month, 1.0 + i + month / 9) for i, name in enumerate(names) for month in range(12)]
    return pd.DataFrame(lines, columns=["model", "season", "value"])


def test_of_many_lines_those_that_matter_are_drawn_no_two_alike_and_the_others_named():
    first = ["baseline_10", "baseline_8"]
    chart = charts.lines(by_month(MANY), "season", "Error by season", "MAE", dict.fromkeys(MANY, "cx baseline"), first)
    drawn = ["baseline_0", "baseline_1", "baseline_2", "baseline_3", "baseline_8", "baseline_10"]
    plot = chart.plots[0][1]
    assert [name for name in MANY if f">{name}<" in plot or f">{name} ▴<" in plot] == drawn
    classes = re.findall(r'class="(line [^"]*)"', plot)
    assert len(set(classes)) == len(classes) == 6
    assert (
        chart.caption == "MAE. Not drawn, but in the table: baseline_4, baseline_5, baseline_6, baseline_7, baseline_9."
    )
    assert charts.left_out(MANY).endswith("baseline_7 and 3 more.")
    few = charts.lines(by_month(MANY[:3]), "season", "Error by season", "MAE", {})
    assert few.caption == "MAE"
    style = (ROOT / "src/lookback/report/page.css").read_text()
    assert all(f".line.{dash} {{ stroke-dasharray" in style for dash in re.findall(r"dash\d", " ".join(classes)))


def test_lines_that_lie_on_each_other_are_moved_apart_and_the_caption_says_so():
    same = by_month(["a"])
    frame = pd.concat([same.assign(model=name) for name in ("a", "b", "c")] + [by_month(["x", "y", "far"])[12:]])
    chart = charts.lines(frame, "season", "Error by season", "MAE", {})
    assert chart.caption == "MAE. Drawn beside the line that it lies on: b, c."
    assert len(set(re.findall(r'<path d="([^"]*)" class="line', chart.plots[0][1]))) == 5
    down = np.array([[50.0, 60, 70, np.nan], [50, 60, 70, 80], [51, 61, 30, 10], [90, 90, 90, 90]])
    assert charts.nudged(down) == [0, 3, -3, 0]
    assert charts.lines(by_month(["a", "b"]), "season", "S", "MAE", {}).caption == "MAE"


def test_points_that_lie_on_each_other_stand_apart_and_are_tied_to_their_place():
    table = crowded().assign(mean=2.0, cpu_seconds=0.0001, parameters=np.nan)[:9]
    chart = dots.cost(table, "MAE", "m", {name: f"c{i} baseline" for i, name in enumerate(table["model"])})
    shifts = labels.spread(np.full(9, 0.3), np.full(9, 120.0), 240)
    assert shifts[0] == (0, 0) and len(set(shifts)) == 9
    gaps = [np.hypot(*np.subtract(a, b)) for i, a in enumerate(shifts) for b in shifts[:i]]
    assert min(gaps) >= 2 * labels.POINT - 1e-9
    assert chart.plots[0][1].count('class="tie"') >= 8 and "tied to its place" in chart.caption
    assert labels.spread(np.array([0.1, 0.9]), np.array([9.0, 9.0]), 240) == [(0, 0), (0, 0)]
    assert "tied" not in dots.cost(crowded().iloc[[0, 10, 13]], "MAE", "m", {}).caption


def test_marks_of_neighbouring_colours_have_different_shapes_and_well_formed_titles():
    drawn = [str(svg.sign(f"c{i}")) for i in range(6)]
    shapes = [re.sub(r' class="dot[^"]*"', "", one) for one in drawn]
    assert len(set(shapes)) == 6 and svg.sign("cx") != svg.sign("cx m1")
    for i in range(6):
        mark = ElementTree.fromstring(svg.mark(0.5, 10, HOSTILE, f"c{i} baseline", shift=(3, 4), data_model=HOSTILE))
        assert next(mark.iter("title")).text == HOSTILE and mark.get("data-model") == HOSTILE


def test_dots_by_series_are_those_of_the_few_as_well():
    frame = by_month(MANY).rename(columns={"season": "series"})
    chart = dots.series(frame, "MAE", {}, ["baseline_10"])
    assert [name for _, name in chart.keys] == [
        "baseline_0",
        "baseline_1",
        "baseline_2",
        "baseline_3",
        "baseline_4",
        "baseline_10",
    ]
    assert "baseline_9." in chart.caption and chart.plots[0][1].count("<circle") == 6 * 12  # grey: all are circles


def crowded(n: int = 14) -> pd.DataFrame:
    """Many that are fast and alike, and a few that are neither."""
    seconds = [0.0004] * (n - 6) + [0.002, 0.0021, 2.0, 2.1, 2.2, 30.0]
    means = [2.0 + 0.001 * i for i in range(n - 6)] + [2.0, 2.001, 1.9, 1.901, 1.902, 1.85]
    names = [f"model_{i}" for i in range(n)]
    network = [False] * (n - 4) + [True] * 4
    return pd.DataFrame({"model": names, "network": network, "mean": means, "cpu_seconds": seconds, "parameters": 1e5})


def covered(placed: list[labels.Label], width: int) -> list[tuple[str, str]]:
    """Pairs of labels, and labels and points, that cover each other in a plot of this width."""
    boxes = [(o.text, o.across * width + o.dx, o.down + o.dy, o.box.half_width, o.box.half_height) for o in placed]
    points = [("point", o.across * width, o.down, labels.POINT, labels.POINT) for o in placed]
    return [
        (a[0], b[0])
        for i, a in enumerate(boxes)
        for b in [*boxes[:i], *points]
        if abs(a[1] - b[1]) < a[3] + b[3] - 1e-6 and abs(a[2] - b[2]) < a[4] + b[4] - 1e-6
    ]


SHARES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 240)), min_size=2, max_size=14)


@settings(max_examples=examples(60), deadline=None)
@given(SHARES)
@example([(5, 117), (6, 105), (7, 137)])  # apart where the plot is narrow, and one on the other where it is wide
def test_no_label_covers_another_or_a_point_at_any_width(points):
    across, down = np.array(points, float).T
    for texts, far in (([f"model_{i} · {i}k" for i in range(len(points))], False), ([str(i) for i in range(14)], True)):
        placed = labels.placed(0.02 + across / 44, down, texts[: len(points)], 240, far)
        assert placed or not far
        assert not [pair for width in (230, 260, 400, 900) for pair in covered(placed, width)]


def test_a_label_that_is_not_beside_its_point_is_tied_to_it():
    beside, above, off = (labels.Label("12", 0.5, 100, dx, dy) for dx, dy in ((15.4, 0), (0, -13), (40, -30)))
    assert beside.tie() == above.tie() == ""
    end = re.search(r'x2="([\d.-]+)" y2="([\d.-]+)"', off.tie())
    assert 0 < float(end[1]) < 40 and -30 < float(end[2]) < 0 and 'x="50%" y="100.0"' in off.tie()


def test_of_a_crowd_every_model_is_told_at_its_number():
    table = crowded()
    chart = dots.cost(table, "MAE", "m", {})
    numbers = re.findall(r'class="note mid"[^>]*>([^<]+)<', chart.plots[0][1])
    assert numbers == [str(i) for i in range(1, 15)] and len(chart.below) == 14
    assert chart.below[0] == ("model_0", "model_0 · <0.001 s · 100,000 parameters")
    html = page_of(bare(table=table))
    assert all(f'<li data-model="{name}">{escape(line)}</li>' in html for name, line in chart.below)
    many = dots.cost(crowded(60), "MAE", "m", {}).plots[0][1].count("note mid")
    assert 14 < many <= 60  # what finds no room is in the list alone
    three = dots.cost(table.iloc[[0, 10, 13]], "MAE", "m", {})
    assert not three.below and "model_13 · 100k" in three.plots[0][1]


def test_cost_is_cpu_time():
    table = crowded().assign(seconds=1e6)
    chart = dots.cost(table, "MAE", "m", {})
    assert "over CPU seconds" in chart.caption and "30.0 s" in chart.below[-1][1] and "1000000" not in chart.plots[0][1]
    assert dots.cost(table.assign(cpu_seconds=np.nan), "MAE", "m", {}) is None
    details = cells.details(table, (), "MAE", None)
    assert [column.head for column in details.columns] == ["CPU s", "parameters"]


BARS = pd.DataFrame({"model": ["lstm", "dense"], "network": True, "mean": [1.0, -0.0], "scores": [[1.0], [-0.0]]})


def test_every_baseline_is_drawn_into_the_learning_curves_and_none_looks_like_another():
    levels = {f"baseline_{i}": 2.0 + i for i in range(8)}
    figure = plots.learning({"lstm": [3.0, 1.0], "dense": [3.0, 2.0]}, levels, BARS, "toy", "nats", "nats")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines) == ["lstm", "dense", *levels]
    looks = {(str(line._unscaled_dash_pattern), line.get_color()) for line in lines.values()}
    assert len(looks) == 10 and {lines[name].get_ydata()[0] for name in levels} == set(levels.values())
    assert "-0" not in " ".join(text.get_text() for text in figure.axes[1].texts)


def test_losses_of_different_scales_stand_in_panels_of_their_own():
    figure = plots.learning({"lstm": [0.3, 0.1], "dense": [90.0, 40.0]}, {}, BARS, "toy", "points²", "")
    lstm, dense, _ = figure.axes
    assert [axes.get_title(loc="left") for axes in (lstm, dense)] == ["lstm", "dense"]
    assert lstm.get_ylim()[1] < 1 and dense.get_ylim()[0] > 30
    assert plots.learning({}, {}, BARS, "toy", "points²", "").axes


PHONE = 380  # px
MEASURE = """
<script>onload = () => {
  const page = document.querySelector("iframe").contentDocument;
  const texts = [...page.querySelectorAll(".plot text")].filter(t => t.getClientRects().length);
  const sides = texts.map(t => t.getBoundingClientRect());
  document.querySelector("output").textContent = [
    page.documentElement.scrollWidth, texts.length,
    Math.floor(Math.min(...sides.map(r => r.left))), Math.ceil(Math.max(...sides.map(r => r.right))),
    page.querySelectorAll("script, img").length - 1, covered(page)].join(" ");
}
const covered = page => [...page.querySelectorAll(".plot > svg")].flatMap(plot => {
  const sides = [...plot.querySelectorAll("text.note")].map(t => t.getBoundingClientRect());
  return sides.flatMap((a, i) => sides.slice(0, i).filter(b =>
    a.left < b.right && b.left < a.right && a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3));
}).length;
</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium on this machine")
def test_in_a_browser_it_reads_and_fits_a_phone(sample, html, tmp_path):
    (tmp_path / "index.html").write_text(html)
    assert all(escape(task.verdict, quote=False) in dumped(tmp_path, "index.html") for task in sample.tasks)
    crowd = replace(sample, tasks=(*sample.tasks, bare(name="crowd", table=crowded())))
    for name, page in (("tame", html), ("hostile", render(hostile(sample))), ("crowd", render(crowd))):
        frame = f'<iframe srcdoc="{escape(page)}" width="{PHONE}" height="900" style="border:0"></iframe>'
        (tmp_path / "phone.html").write_text(f"<!doctype html><meta charset=utf-8>{frame}<output></output>{MEASURE}")
        width, texts, left, right, foreign, covered = map(int, measured(dumped(tmp_path, "phone.html")))
        assert width == PHONE and texts > 200 and foreign == 0 and covered == 0, name
        assert left >= 0 and right <= PHONE, name


def measured(dom: str) -> list[str]:
    return re.search(r"<output>([^<]*)</output>", dom)[1].split()


def dumped(folder, file: str) -> str:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=5000"]
    command = ["chromium", *flags, f"--user-data-dir={folder}/chromium", "--dump-dom", f"file://{folder}/{file}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


def test_the_number_of_a_short_bar_stands_beside_it():
    bars = pd.DataFrame(
        {
            "model": ["lstm", "majority"],
            "network": [True, True],
            "mean": [0.046, 0.836],
            "scores": [[0.046], [0.836]],
        }
    )
    drawn = Figure().subplots()
    plots._bars(drawn, bars, "test")
    short, long = drawn.texts
    assert short.get_text() == "0.04600" and short.get_color() == plots.TRUTH
    assert short.get_position()[0] > 0.046 / drawn.get_xlim()[1]
    assert long.get_color() == "white" and long.get_position()[0] < 0.1
