"""The site of docs/: every page is in the menu, every error code has an entry, nothing is loaded from elsewhere."""

import ast
import importlib.util
import re
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT

DOCS = ROOT / "docs"
FAQ = (DOCS / "faq.md").read_text()
ERRORS = {"ConfigError", "DataError", "FileFaults", "LookbackError", "MissingFile", "Unavailable"}
CODE = re.compile(r"[A-Z]+(-[A-Z]+)+")  # of two words or more: such a string is nothing else in the sources


def raised(node):
    """The strings of a node that are error codes."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS and node.args:
        first = getattr(node.args[0], "value", None)  # a code of one word is known by its place alone
        return [first] if isinstance(first, str) else []
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return [value] if isinstance(value, str) and CODE.fullmatch(value) else []


def codes():
    """Every error code of the sources, with a place where it stands."""
    found = {}
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            found |= {code: f"{path.relative_to(ROOT)}:{node.lineno}" for code in raised(node)}
    return found


def test_every_error_code_has_an_entry_and_every_entry_a_code():
    found, entries = codes(), re.findall(r"^### (.+)$", FAQ, re.M)
    assert {"CONFIG", "PLATFORM", "CONFIG-KEY", "TIME-GAP", "SOURCE-HASH"} <= set(found)
    missing = {code: place for code, place in found.items() if code not in entries}
    assert not missing, f"write an entry in docs/faq.md: {missing}"
    assert not set(entries) - set(found), "docs/faq.md has entries for codes that nothing raises"
    assert len(entries) == len(set(entries))


def test_examples_stand_under_their_code_and_every_entry_says_something():
    entries = re.split(r"^### (.+)\n", re.sub(r"^## .+\n", "", FAQ.split("\n## ", 1)[1], flags=re.M), flags=re.M)[1:]
    for code, entry in zip(entries[::2], entries[1::2], strict=True):
        assert set(re.findall(r"error\[(.+?)\]", entry)) <= {code}
        assert len(re.sub(r"```.*?```", "", entry, flags=re.S).strip()) > 40, code


def test_codes_that_the_docs_name_exist():
    known = codes()
    for path in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        for code in re.findall(r"error\[([A-Z-]+)\]", path.read_text()):
            assert code in known, (path.name, code)


def pages(menu):
    for entry in menu:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from pages(value) if isinstance(value, list) else [value]


def test_every_page_is_in_the_menu_and_there():
    menu = list(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert sorted(menu) == sorted(path.name for path in DOCS.glob("*.md"))


def test_what_contributing_and_the_site_name_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    for page in [text, *(path.read_text() for path in DOCS.glob("*.md"))]:
        assert set(re.findall(r"^make ([a-z-]+)", page, re.M)) <= targets
    made = {"src/lookback/models/baselines/window_mean.py", "conf/model/window_mean.yaml"}  # by who follows it
    for place in set(re.findall(r"`((?:src|conf|docs|tests)/[\w/.]+)`", text)) - made:
        assert (ROOT / place).exists(), place


def test_the_citation_has_the_version_of_the_package():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert f'version = "{cited["version"]}"' in (ROOT / "pyproject.toml").read_text()
    assert cited["cff-version"] == "1.2.0" and cited["authors"] and cited["license"] == "Apache-2.0"


def test_issue_forms_are_read():
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"):
        form = yaml.safe_load(path.read_text())
        assert form["name"] and form["description"]
        ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
        assert len(ids) == len(set(ids)) and all(field["attributes"] for field in form["body"])


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed")
def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=\"?([^\" >]+)", page.read_text())
        loaded += re.findall(r"<link\b[^>]*\bhref=\"?([^\" >]+)", page.read_text())
        assert loaded and not [address for address in loaded if re.match(r"(https?:)?//", address)], page.name
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"(url\(|@import )[\"']?(https?:)?//", sheet.read_text()), sheet.name
    api = (tmp_path / "api.html").read_text()
    for name in ("compare", "train", "load", "Model", "Comparison", "Trained", "network", "baseline", "metric"):
        assert f"lookback.{name}" in api
