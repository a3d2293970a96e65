"""The page in a real browser: a table is sorted, a model switched off, a value read, a part of the times looked at."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import comparisons
import numpy as np
import pandas as pd
import pytest
from test_page import HOSTILE, bare, crowded, hostile

from lookback.report.page import Page, render

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER or not DRIVER, reason="no chromium, or no chromedriver, on this machine"),
]
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
NUMBERS = [1234.5, -2.0, 0.5, np.nan, 30.0, 4.0]
KEYS = {"right": "\ue014", "left": "\ue012", "home": "\ue011", "end": "\ue010", "escape": "\ue00c"}


def numbers() -> Page:
    """A table whose numbers are in no order, and whose words would be in another one."""
    names = ["naive", "gru 10", "gru 9", "lost", "lstm", "drift"]
    table = pd.DataFrame({"model": names, "network": [False, True, True, True, True, False], "mean": NUMBERS})
    table = table.assign(
        skill=[0.0, 0.5, -1.5, np.nan, 0.25, 0.125],
        seeds=[1, 10, 9, 2, 3, 1],
        diverged=[0, 1, 0, 2, 0, 0],
        coverage=[0.09, 0.1, 0.8, np.nan, 0.95, 0.5],
        p=[np.nan, 0.0001, 0.001, np.nan, 0.5, 0.04],
        cpu_seconds=[0.001, 12.0, 1234.0, np.nan, 5.0, 0.01],
        warm=[False, True, True, True, True, False],
    )
    task = bare(name="numbers", table=table, level=0.9)
    skill = table.set_index("model")[["skill"]].rename(columns={"skill": "numbers"})
    return Page("T", "s", "d", "c", (task,), matrix=skill)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    flags = ["headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1280,1000"]
    for flag in [*flags, f"user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield found
    found.quit()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page from a file; afterwards the browser has had nothing to complain of, and has asked for nothing."""

    def load(page: Page | str) -> None:
        html = render(page) if isinstance(page, Page) else page
        (tmp_path / "index.html").write_text(html, encoding="utf-8")
        browser.get(f"file://{tmp_path}/index.html")

    browser.get("about:blank")  # and not what the browser itself shows at first
    for log in ("browser", "performance"):
        browser.get_log(log)
    yield load
    assert browser.get_log("browser") == []
    page = f"file://{tmp_path}/index.html"
    assert {page} <= requested(browser) <= {page, "data:,"}
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def requested(browser) -> set[str]:
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}


def css(browser, selector: str) -> list:
    return browser.find_elements("css selector", selector)


def head(browser, table: str, label: str):
    return next(one for one in css(browser, f"{table} thead th") if one.text.strip().startswith(label))


def column(browser, table: str, label: str) -> list[str]:
    """The cells below a head, as they stand now."""
    script = """const [table, label] = arguments, t = document.querySelector(table);
        const i = [...t.tHead.rows[0].cells].findIndex(h => h.textContent.trim().startsWith(label));
        return [...t.tBodies[0].rows].map(r => (r.cells[i].querySelector("span") ?? r.cells[i]).textContent.trim());"""
    return browser.execute_script(script, table, label)


def sort(browser, table: str, label: str) -> tuple[str, list[str]]:
    """Press the button in a head: what it then says of itself, and its column."""
    found = head(browser, table, label)
    found.find_element("tag name", "button").click()
    return found.get_attribute("aria-sort"), column(browser, table, label)


def test_tables_sort_numbers_as_numbers_and_what_is_missing_stays_at_the_end(browser, opened):
    opened(numbers())
    scores, details = (f"[aria-label='{label} of numbers'] table" for label in ("Scores", "Every measure"))
    assert css(browser, "th[aria-sort]:not([aria-sort=none])") == []
    given = column(browser, scores, "MAE")
    assert sort(browser, scores, "MAE") == ("ascending", ["−2.000", "0.500", "4.000", "30.000", "1,234.500", "–"])
    assert sort(browser, scores, "MAE") == ("descending", ["1,234.500", "30.000", "4.000", "0.500", "−2.000", "–"])
    assert sort(browser, scores, "MAE") == ("none", given)
    assert sort(browser, scores, "p") == ("ascending", ["<0.001", "0.001", "0.040", "0.500", "–", "–"])
    assert sort(browser, scores, "model")[1] == ["drift", "gru 9", "gru 10", "lost", "lstm", "naive"]
    assert len(css(browser, "th[aria-sort=ascending]")) == 1  # the others of the table are none again
    assert sort(browser, details, "seeds")[1] == ["1", "1", "2 (2 diverged)", "3", "9", "10 (1 diverged)"]
    assert sort(browser, details, "coverage")[1] == ["9.0 %", "10.0 %", "50.0 %", "80.0 %", "95.0 %", "–"]
    assert sort(browser, details, "CPU s")[1] == ["<0.01", "0.01", "5.00*", "12.00*", "1,234*", "–"]
    assert sort(browser, ".matrix", "numbers")[1] == ["−1.500", "0.000", "0.125", "0.250", "0.500", "–"]


def test_numbers_are_read_with_their_sign_their_spread_and_their_unit(browser, opened):
    opened(numbers())
    texts = ["1,234.5 ± 0.2", "−3 s", "+4.50", "<0.001", "12 %", "∞", "2e−05", "1.5 to 2.5", "3*", "better", "", "–"]
    script = (
        "return arguments[0].map((text) => { const n = number(text); return Number.isFinite(n) ? n : String(n); });"
    )
    found = browser.execute_script(script, texts)
    assert found[:3] == [1234.5, -3, 4.5] and 0.000999 < found[3] < 0.001
    assert found[4:] == [12, "Infinity", 2e-05, 1.5, 3, "NaN", "NaN", "NaN"]


def shown(browser, model: str) -> list:
    """What is seen of a model in the charts of the first task, and in its tables: the tag and how opaque."""
    script = """return [...document.querySelectorAll("#task-1 [data-model]")]
        .filter(e => e.dataset.model === arguments[0]).map(e => [e.tagName.toLowerCase(), getComputedStyle(e)])
        .map(([name, style]) => [name, style.display === "none" ? 0 : +style.opacity]);"""
    return browser.execute_script(script, model)


def test_a_model_that_is_switched_off_leaves_the_charts_and_fades_in_the_tables(browser, opened):
    opened(comparisons.page())
    button = next(one for one in css(browser, "#task-1 [data-toggles]") if one.text == "linear")
    before = shown(browser, "linear")
    assert {opacity for _, opacity in before} == {1} and len(before) > 6
    button.send_keys("\n")  # by keyboard
    assert button.get_attribute("aria-pressed") == "false"
    after = shown(browser, "linear")
    assert {0 < opacity < 1 for tag, opacity in after if tag in ("tr", "li")} == {True}
    assert {opacity for tag, opacity in after if tag in ("path", "figure", "svg", "circle")} == {0}
    assert {opacity for _, opacity in shown(browser, "naive")} == {1}
    assert css(browser, "#task-1 summary")[0].text == "Models shown: 5 of 6"
    css(browser, "#task-1 .all")[0].click()
    assert shown(browser, "linear") == before and button.get_attribute("aria-pressed") == "true"


def reader(browser, title: str):
    return next(one for one in css(browser, ".reader") if one.get_attribute("aria-label").startswith(title))


def scrolled(browser, element):
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    return element


def tip(browser) -> str:
    return " | ".join(one.text for one in css(browser, ".tip > div"))


def test_values_are_read_by_keyboard_and_by_pointer(browser, opened):
    opened(comparisons.page())
    season = scrolled(browser, reader(browser, "Error by season"))
    assert season.get_attribute("role") == "slider" and season.get_attribute("tabindex") == "0"
    browser.execute_script("arguments[0].focus()", season)
    first = tip(browser)
    assert first.startswith("Jan | ") and re.search(r"linear \d+\.\d+", first)
    season.send_keys(KEYS["right"] * 2)
    assert tip(browser).startswith("Mar | ") and season.get_attribute("aria-valuenow") == "3"
    assert season.get_attribute("aria-valuetext") == tip(browser).replace(" | ", ", ")
    season.send_keys(KEYS["end"])
    assert tip(browser).startswith("Dec | ")
    season.send_keys(KEYS["escape"])
    assert tip(browser) == ""
    cost = scrolled(browser, reader(browser, "Cost and accuracy"))
    mark = css(browser, "#task-1 .plot .dot title")
    texts = [one.get_attribute("textContent") for one in mark]
    webdriver.ActionChains(browser).move_to_element_with_offset(cost, 0, 0).perform()
    assert tip(browser) in texts and "MAE" in tip(browser) and "parameters" in tip(browser)


def test_what_is_read_of_a_forecast_is_what_was_forecast(browser, opened):
    page = comparisons.page()
    opened(page)
    plot = reader(browser, "Forecast of linear")
    browser.execute_script("arguments[0].focus()", plot)
    plot.send_keys(KEYS["home"], KEYS["right"])
    line = page.tasks[0].forecasts.query("model == 'linear'").iloc[1]
    expected = [f"{line['truth']:.1f}", f"{line['forecast']:.1f}", f"{line['lower']:.1f} to {line['upper']:.1f}"]
    assert tip(browser) == f"1958-10 | truth {expected[0]} | forecast {expected[1]} | interval {expected[2]}"


def test_a_model_that_is_off_is_not_read_either(browser, opened):
    opened(comparisons.page())
    season = reader(browser, "Error by season")
    next(one for one in css(browser, "#task-1 [data-toggles]") if one.text == "linear").click()
    browser.execute_script("arguments[0].focus()", season)
    assert "linear" not in tip(browser) and "naive" in tip(browser)


def axis(browser, plot: int = 0) -> list[str]:
    """The labels below a forecast of the task with many times, as far as they are seen."""
    script = """const plots = document.querySelectorAll("[data-zoom] > svg");
        return [...plots[arguments[0]].querySelectorAll(":scope > text.tick.mid")]
            .filter(t => getComputedStyle(t).display !== "none").map(t => [t.textContent, t.getAttribute("x")]);"""
    return browser.execute_script(script, plot)


def view(browser) -> list[str]:
    script = (
        "return [...document.querySelectorAll('[data-zoom] > svg > svg[viewBox]')].map(s => s.getAttribute('viewBox'))"
    )
    return browser.execute_script(script)


def test_a_part_of_many_times_is_looked_at_with_an_axis_that_stays_right(browser, opened):
    page = comparisons.page()
    opened(page)
    whole, labels = view(browser), axis(browser)
    assert len(whole) == 3 and len(set(whole)) == 1 and len(css(browser, ".zoom")) == 1
    first, last = css(browser, ".zoom input")
    reset = css(browser, ".zoom button")[0]
    assert not reset.is_enabled()
    for end, value in ((first, 100), (last, 140)):
        browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", end, value
        )
    times = sorted(page.tasks[1].forecasts["time"].unique())[-400:]
    dates = [str(time)[:10] for time in times]
    assert [one.text for one in css(browser, ".zoom output")] == [dates[100], dates[140]]
    assert first.get_attribute("aria-valuetext") == dates[100]
    narrow = view(browser)
    assert len(set(narrow)) == 1 and float(narrow[0].split()[2]) == pytest.approx(4000 * 40 / 399 / 1.012, rel=0.01)
    for label, place in axis(browser):  # each stands where its time is
        share = (dates.index(label) - 100) / 40
        assert float(place.rstrip("%")) == pytest.approx(100 * share, abs=0.2)
    zoomed = css(browser, "[data-zoom] .reader")[0]
    browser.execute_script("arguments[0].focus()", zoomed)
    assert tip(browser).startswith(dates[100])
    zoomed.send_keys(KEYS["end"])
    assert tip(browser).startswith(dates[140])
    reset.click()
    assert view(browser) == whole and axis(browser) == labels


def test_a_drag_of_the_mouse_chooses_the_part(browser, opened):
    opened(comparisons.page())
    whole = view(browser)
    plot = scrolled(browser, css(browser, "[data-zoom] .reader")[0])
    steps = webdriver.ActionChains(browser).move_to_element_with_offset(plot, -100, 0).click_and_hold()
    steps.move_by_offset(60, 0).move_by_offset(60, 5).release().perform()
    width = float(view(browser)[0].split()[2])
    assert width == pytest.approx(4000 * 120 / plot.size["width"], rel=0.05) and view(browser) != whole
    assert axis(browser, 0) == axis(browser, 2)
    plot.click()  # no drag: nothing changes
    assert float(view(browser)[0].split()[2]) == width


@pytest.mark.parametrize("width", [390, 1280])
def test_the_sign_of_network_or_baseline_is_seen_beside_its_name(browser, opened, width):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE | {"width": width, "mobile": width == 390})
    opened(comparisons.page())
    script = """return [...document.querySelectorAll("table:not(.matrix) tbody th > i")].map(sign => {
        const [own, head] = [sign.getBoundingClientRect(), sign.parentElement.getBoundingClientRect()];
        return [own.left >= head.left, own.right <= head.right, head.height < 36]; });"""
    found = browser.execute_script(script)
    assert len(found) > 20 and set(map(tuple, found)) == {(True, True, True)}


@pytest.mark.parametrize("kind", ["tame", "hostile", "crowd", "zoomed"])
def test_on_a_phone_nothing_is_wider_than_the_screen(browser, opened, kind):
    page = comparisons.page()
    if kind == "hostile":
        page = hostile(page)
    elif kind == "crowd":
        page = replace(page, tasks=(*page.tasks, bare(name="crowd", table=crowded(60))))
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    opened(page)
    if kind == "zoomed":
        css(browser, ".zoom input")[0].send_keys(KEYS["right"] * 20)
    for plot in css(browser, ".reader")[::5]:
        browser.execute_script("arguments[0].focus()", plot)
        plot.send_keys(KEYS["end"])
        assert browser.execute_script("return document.documentElement.scrollWidth") == PHONE["width"]
        left, right = browser.execute_script(
            "const r = document.querySelector('.tip').getBoundingClientRect(); return [r.left, r.right]"
        )
        assert left >= 0 and right <= PHONE["width"]
    assert browser.execute_script("return innerWidth") == PHONE["width"]


def test_hostile_names_run_nothing_wherever_the_script_writes_them(browser, opened):
    opened(hostile(comparisons.page()))
    for button in css(browser, "[data-toggles]"):
        assert HOSTILE in button.get_attribute("data-toggles")
    for plot in css(browser, ".reader"):
        browser.execute_script("arguments[0].focus()", plot)
        assert css(browser, ".tip img, .tip script") == []
    browser.execute_script("arguments[0].click()", css(browser, "#task-1 [data-toggles]")[0])
    assert len(css(browser, "#task-1 tr.off")) >= 1 and css(browser, "img") == []


def test_the_policy_runs_no_script_but_the_page_s_own(browser, tmp_path):
    html = render(comparisons.page()).replace("</main>", "<script>document.title = 'taken'</script></main>")
    (tmp_path / "index.html").write_text(html, encoding="utf-8")
    browser.get(f"file://{tmp_path}/index.html")
    assert browser.title != "taken" and css(browser, "th[aria-sort]")
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))


def test_without_its_script_the_page_shows_everything_and_offers_nothing_that_does_nothing(browser, opened):
    opened(re.sub(r"<script>.*?</script>", "", render(comparisons.page()), flags=re.DOTALL))
    assert not [one for one in css(browser, "button, input, summary") if one.is_displayed()]
    assert [one for one in css(browser, "table, .plot") if not one.is_displayed()] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, opened, scheme):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    opened(comparisons.page())
    browser.execute_script("arguments[0].focus()", css(browser, ".reader")[0])
    script = """const seen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
        const rgb = c => {
            seen.fillStyle = c; seen.fillRect(0, 0, 1, 1);
            return [...seen.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => v / 255); };
        const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
        const light = c => rgb(c).map(linear).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const page = getComputedStyle(document.body).backgroundColor;
        return arguments[0].map(selector => {
            const style = getComputedStyle(document.querySelector(selector));
            const ground = selector === ".tip" ? style.backgroundColor : page;
            const [low, high] = [light(style.color), light(ground)].sort((a, b) => a - b);
            return [selector, (high + .05) / (low + .05)]; });"""
    wanted = [
        ".answer.no",
        ".answer.not-shown",
        ".change",
        ".against",
        ".tip",
        "[data-toggles]",
        ".zoom label",
        "th button",
    ]
    assert [pair for pair in browser.execute_script(script, wanted) if pair[1] < 4.5] == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_on_paper_there_is_no_control(browser, opened):
    opened(comparisons.page())
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not [one for one in css(browser, ".models, .zoom, .reader") if one.is_displayed()]
    assert all(one.is_displayed() for one in css(browser, "table, .plot"))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_script_is_one_short_file():
    text = (Path(__file__).parents[1] / "src/lookback/report/page.js").read_text()
    assert len(text.splitlines()) <= 400 and "</script" not in text and "<!--" not in text
