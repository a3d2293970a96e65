"""The MLflow UI as `make ui` opens it: a real server on loopback, a real browser where there is one."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from conftest import clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture
def served(cli, house):
    done = cli("-m", "task=airline", "model=naive,linear,dense", "seed=0", "training.epochs=3")
    assert done.returncode == 0, done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "pipelines/ui.py", str(port)]
    server = subprocess.Popen(
        command, cwd=house, env=clean_environment(house), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout and server.stdout.readline().startswith(f"MLflow: http://127.0.0.1:{port}/#/experiments ")
        address = server.stdout.readline().removeprefix("  airline: ").strip()
        for _ in range(120):
            try:
                if get(port, "/health").status == 200:
                    break
            except OSError:
                time.sleep(0.5)
        yield port, address
    finally:
        server.terminate()
        server.wait(timeout=30)


def get(port, path, **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    return urllib.request.urlopen(request, timeout=10)


def test_the_ui_answers_here_and_to_no_other_name(served):
    served, _ = served
    assert b"MLflow" in get(served, "/").read()
    assert get(served, "/", Host=f"localhost:{served}").status == 200
    for stranger in ("evil.example.com", "10.evil.com", f"192.168.evil.com:{served}"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(served, "/", Host=stranger)
        assert refused.value.code == 403


@pytest.fixture
def browser(tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("no chromium, or no chromedriver, on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    flags = ["headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1600,1000"]
    for flag in [*flags, "no-proxy-server", f"user-data-dir={tmp_path}"]:
        options.add_argument(f"--{flag}")
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    found.implicitly_wait(30)
    yield found
    found.quit()


def test_what_the_browser_shows_first_is_the_comparison(served, browser):
    _port, address = served
    browser.get(address)
    for model in ("naive", "linear", "dense", "comparison"):
        assert browser.find_element("xpath", f"//*[contains(text(), 'Group: {model}')]")
    shown = [cell.text for cell in browser.find_elements("css selector", ".ag-header-cell") if cell.text]
    assert {"Run Name", "val/mae", "test/mae", "seconds", "parameters"} <= set(shown) and "test/bias" not in shown
    assert "orderByKey=metrics.%60val%2Fmae%60&orderByAsc=true" in browser.current_url
    groups = [e.text for e in browser.find_elements("xpath", "//*[starts-with(text(), 'Group: ')]") if ":" in e.text]
    assert [name for name in groups if name.startswith("Group: ")][-2:] == ["Group: naive", "Group: comparison"]
    assert "The models of task airline, in thousand passengers" in browser.find_element("tag name", "body").text

    header = "//*[contains(@class, 'ag-header-cell')]//*[text()='test/mae']"
    browser.execute_script("arguments[0].click()", browser.find_element("xpath", header))
    waited(lambda: "orderByKey=metrics.%60test%2Fmae%60" in browser.current_url)

    charts = browser.find_element("css selector", "input[type=radio][value=CHART]")
    browser.execute_script("arguments[0].click()", charts)
    for text in ("Scores", "Learning curves", "dense (val_loss)"):
        assert browser.find_element("xpath", f"//*[contains(text(), '{text}')]"), text


def test_three_models_are_compared_and_a_figure_is_seen(served, browser):
    port, _ = served
    runs, experiment = found_runs(port)
    chosen = [runs[name] for name in ("naive", "linear", "dense seed=0")]
    query = f"runs={json.dumps(chosen)}&experiments={json.dumps([experiment])}".replace(" ", "").replace('"', "%22")
    browser.get(f"http://127.0.0.1:{port}/#/compare-runs?{query}")
    for text in ("Comparing 3 Runs", "dense seed=0", "test/mae"):
        assert browser.find_element("xpath", f"//*[contains(text(), '{text}')]"), text
    browser.get(f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs/{runs['linear']}/artifacts/prediction.png")
    waited(lambda: browser.find_elements("css selector", "img[src^='blob:'], img[src^='data:image/png']"))


def waited(ask):
    for _ in range(120):
        if found := ask():
            return found
        time.sleep(0.25)
    raise AssertionError("it did not come")


def found_runs(port):
    """Name -> id of the runs of the airline, and its experiment."""
    found = json.loads(get(port, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=airline").read())
    experiment = found["experiment"]["experiment_id"]
    body = json.dumps({"experiment_ids": [experiment]}).encode()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/2.0/mlflow/runs/search", body, {"Content-Type": "application/json"}
    )
    runs = json.loads(urllib.request.urlopen(asked, timeout=30).read())["runs"]
    return {run["info"]["run_name"]: run["info"]["run_id"] for run in runs}, experiment


def test_a_wrong_port_is_refused_in_one_line(house):
    done = subprocess.run(
        [sys.executable, "pipelines/ui.py", "70000"],
        cwd=house,
        env=clean_environment(house),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 64 and done.stderr.strip() == "error[CONFIG-VALUE] PORT: got '70000', allowed: 1 to 65535"
