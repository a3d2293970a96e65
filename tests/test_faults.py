"""The catalogue of bad input, row by row: refused in one line that says where, what and what to do, or accepted.

Each row writes the bad file and runs the real check on it. Where the line names a hint to type, it is
typed, and the file then loads: equal to the clean one, where it holds the same numbers.
"""

import re
import subprocess
import sys

import numpy as np
import pytest
from catalogue import ACCEPTED, BAD, BASE, GOOD, ROWS, composed, of, typed, with_row
from conftest import examples, new_files
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lookback import problems
from lookback.data.csv import reader
from lookback.errors import DataError, LookbackError, MissingFile


def write(folder, content, name="x.csv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def read(folder, *overrides):
    return reader.read(composed(*overrides).task, folder)


def refused(folder, *overrides):
    with pytest.raises(LookbackError) as caught:
        read(folder, *overrides)
    return caught.value


@pytest.mark.parametrize("row", BAD)
def test_refused_in_one_line_that_says_where_what_and_what_to_do(row, tmp_path):
    bad = BAD[row]
    write(tmp_path, bad.content, bad.name)
    error = refused(tmp_path, *bad.overrides)
    line = str(error)
    assert (error.code, error.exit_code) == (bad.code, 65), line
    assert "\n" not in line and f"] {bad.name}:" in line
    for pattern in bad.says:
        assert re.search(pattern, line), line


@pytest.mark.parametrize("row", [row for row in BAD if BAD[row].hint])
def test_the_hint_works_when_typed(row, tmp_path):
    bad = BAD[row]
    write(tmp_path, bad.content, bad.name)
    assert bad.hint in str(refused(tmp_path, *bad.overrides))
    fixed = read(tmp_path, *bad.overrides, bad.hint, *bad.then)
    if bad.same:
        write(tmp_path, GOOD, "good.csv")
        assert np.array_equal(fixed.values, read(tmp_path, "task.path=good.csv").values)
        assert fixed.times.equals(read(tmp_path, "task.path=good.csv").times)


def test_42_a_file_beyond_the_limit_or_the_memory_is_refused_before_a_byte_is_read(tmp_path):
    with (tmp_path / "x.csv").open("wb") as file:
        file.truncate(2**42)  # holes take no room
    error = refused(tmp_path)
    assert error.code == "CSV-SIZE" and "x.csv: 4,194,304 MB, allowed are 4,096; set task.max_megabytes=4194304" in str(
        error
    )
    error = refused(tmp_path, "task.max_megabytes=4194304")
    assert error.code == "CSV-MEMORY" and re.search(
        r"4398\.0 GB take about 21990\.2 GB of memory, [\d.]+ are free", str(error)
    )


def test_42_the_limit_of_the_process_counts_too(tmp_path):
    write(tmp_path, GOOD * 200_000)  # 100 MB
    code = (
        "import resource, sys; from pathlib import Path; from lookback.data import files\n"
        "taken = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 * 10**8 + taken,) * 2)\n"
        "files.read_body(Path(sys.argv[1]), 'x.csv', 'utf-8', 4096, ',')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.csv")], capture_output=True, text=True, check=False
    )
    assert "error[CSV-MEMORY] x.csv: 0.1 GB take about 0.6 GB" in done.stderr.splitlines()[-1]


# --- accepted --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted_and_equal_to_the_clean_file(name, tmp_path):
    path = "x.csv.gz" if "gzip" in name else "x.csv"
    write(tmp_path, ACCEPTED[name], path)
    write(tmp_path, GOOD, "good.csv")
    found, good = read(tmp_path, f"task.path={path}"), read(tmp_path, "task.path=good.csv")
    assert np.array_equal(found.values, good.values) and found.times.equals(good.times)
    assert [("25" in name, "without a name"), ("24" in name, "of one name"), ("26" in name, "without the blanks")] == [
        (any(words in note for note in found.notes), words)
        for words in ("without a name", "of one name", "without the blanks")
    ]


def test_28_lines_are_counted_as_an_editor_counts_them(tmp_path):
    quoted = [f'{r},"a\nb"' for r in ROWS]
    quoted[4] = '2020-01-05,x,5,"a\nb"'
    write(tmp_path, of(quoted, "day,temp,wind,remark\n"))
    assert "x.csv:10: column 'temp': 'x'" in str(refused(tmp_path))
    quoted[4] = quoted[3]
    write(tmp_path, of(quoted, "day,temp,wind,remark\n"))
    assert "x.csv:10: column 'day': 2020-01-04 stands there before" in str(refused(tmp_path))


def test_18_a_number_that_stands_far_off_again_and_again_is_told(tmp_path):
    lines = [r.replace(f",{d + 0.5},", ",-999,") if d % 10 == 1 else r for d, r in enumerate(ROWS, 1)]
    write(tmp_path, of(lines))
    note = read(tmp_path).notes[0]
    assert "column 'temp': -999 stands 3 times" in note
    hint = re.search(r"set (task\.sentinels=\S+ task\.missing=\w+)", note)[1]
    found = read(tmp_path, hint, "task.gaps=fill", "task.missing=drop")
    assert found.values.min() > 0 and "-999 counts as not measured: 'temp' 3" in found.notes
    write(tmp_path, of([r.replace(",11.5,", ",-999,") for r in ROWS]))
    assert read(tmp_path).notes == ()  # once is weather


def test_31_a_file_without_a_last_line_end_is_told(tmp_path):
    write(tmp_path, GOOD[:-2])
    assert "the last line has no line end" in read(tmp_path).notes[0]


def test_13_and_14_what_was_taken_away_is_told(tmp_path):
    write(tmp_path, with_row(20, "2020-01-20,?20.5?,20").replace(",3.5,", ",?3.5,"))
    assert read(tmp_path, "task.strip='?'").notes == ("2 cells cleaned of '?': line 4, 21",)


# --- files that are not there ------------------------------------------------------------------------


def test_1_a_file_that_is_not_there(tmp_path):
    write(tmp_path, GOOD, "weather.csv")
    for path, says, hint in (
        ("wether.csv", "no such file; did you mean weather.csv?", "task.path=weather.csv"),
        (".", "is a folder; name a file in it", "task.path=weather.csv"),
        ("https://example.com/x.csv", "only local files are read", ""),
    ):
        error = refused(tmp_path, f"task.path={path}")
        assert isinstance(error, MissingFile) and error.exit_code == 66
        assert says in str(error) and hint in str(error) and "\n" not in str(error)
        if hint:
            read(tmp_path, hint)


# --- rows that the task refuses, because what they mean depends on the split -------------------------


def load(folder, *overrides):
    settled = composed(*overrides)
    return problems.load(settled.task, settled.evaluation, folder)


TASK = {
    "58": (of([f"2020-01-{d:02d},5,{d}" for d in range(1, 31)]), (), "SERIES-CONSTANT", "'temp' is 5 in every"),
    "logarithm": (
        GOOD.replace(",1.5,", ",-1.5,"),
        ("task.transform=log",),
        "SERIES-LOG",
        "'temp' is -1.5 on 2020-01-01; .*set task.transform=none",
    ),
    "ratio": (GOOD.replace(",1.5,", ",0,"), ("task.metrics=[mae,mape]",), "SERIES-RATIO", "mape divides by it"),
    "season": (GOOD, ("task.season=200",), "SERIES-SEASON", "set task.season"),
    "60": (of(ROWS[:5]), ("task.split.val=1", "task.split.test=1", "task.lookback=10"), "SPLIT-EMPTY", "lookback 10"),
    "61": (GOOD, ("task.lookback=28",), "SPLIT-EMPTY", "windows: train 0, val 0, test 2"),
}


@pytest.mark.parametrize("row", TASK)
def test_refused_by_the_task(row, tmp_path):
    content, overrides, code, says = TASK[row]
    write(tmp_path, content)
    with pytest.raises(DataError, match=rf"{code}\] x\.csv: .*{says}"):
        load(tmp_path, *overrides)


@hypothesis_settings(max_examples=examples(40), deadline=None)
@given(
    n=st.integers(20, 60), lookback=st.integers(2, 8), horizon=st.integers(1, 2), lead=st.integers(1, 3),
    val=st.integers(3, 8), test=st.integers(3, 8), hole=st.integers(0, 60),
)  # fmt: skip
def test_62_63_no_target_in_two_splits_and_nothing_from_the_future_in_a_window(
    tmp_path_factory, n, lookback, horizon, lead, val, test, hole
):
    """Every cell holds its own row: what a window shows says where it comes from."""
    folder = tmp_path_factory.getbasetemp()
    lines = [
        f"{d},{t},{t},{t}" for t, d in enumerate(np.arange("2020-01-01", n, dtype="M8[D]").astype(str)) if t != hole
    ]
    write(folder, of(lines, "day,temp,wind,plan\n"))
    overrides = [
        f"task.lookback={max(lookback, lead - 1 + horizon)}",
        f"task.horizon={horizon}",
        f"task.lead={lead}",
        "task.season=1",
    ]
    overrides += [
        f"task.split.val={val}",
        f"task.split.test={test}",
        "task.future_covariates=[plan]",
        "task.gaps=segment",
    ]
    try:
        data = load(folder, *overrides)
    except DataError as e:
        assert e.code == "SPLIT-EMPTY"
        return
    targets = [set(part.targets().ravel().tolist()) for part in (data.train, data.val, data.test)]
    assert not targets[0] & targets[1] and not targets[1] & targets[2] and not targets[0] & targets[2]
    for part in (data.train, data.val, data.test):
        window, wanted = part.inputs(), part.targets()
        origin = window[:, -1, 0]
        past, plan = window[:, :, : len(data.columns) - data.ahead], window[:, :, -data.ahead]
        assert (past.max(axis=(1, 2)) == origin).all()  # the target and `past` end with the window
        assert (wanted[:, 0] == origin + lead).all()
        seen = min(data.reach, window.shape[1])
        assert (plan[:, -seen:] == (origin + data.reach)[:, None] + np.arange(1 - seen, 1)).all()


# --- as real processes -------------------------------------------------------------------------------

PROCESSES = {
    "1": (
        None,
        ("task.path=data/wether.csv",),
        66,
        "FILE-MISSING] data/wether.csv: no such file; did you mean weather.csv?",
    ),
    "11": (GOOD.replace(".", '","').replace(",", ";"), (), 65, "CSV-DELIM] x.csv:1: "),
    "13": (with_row(20, "2020-01-20,?20.5,20"), (), 65, "CSV-NUMBER] x.csv:21: column 'temp': '?20.5' is not a number"),
    "56": (of(ROWS[:9] + ROWS[11:]), (), 65, "TIME-GAP] x.csv:11: column 'day': 2 times are missing"),
}


@pytest.mark.parametrize("row", PROCESSES)
def test_one_line_on_stderr_the_exit_code_and_nothing_made(row, cli, house):
    content, overrides, code, says = PROCESSES[row]
    if content is not None:
        write(house, content)
    done = cli(*typed(*BASE, *overrides), "model=naive")
    assert done.returncode == code and done.stdout == "", done
    assert done.stderr.count("\n") == 1 and f"error[{says}" in done.stderr
    assert new_files(house) == ({"x.csv"} if content is not None else set())


def test_check_tells_every_finding_in_a_line_of_its_own(cli, house):
    write(house, of([r.replace(",1", ",x") for r in ROWS]))
    done = cli(*typed(*BASE), pipeline="check")
    lines = done.stderr.splitlines()
    assert done.returncode == 65 and len(lines) == 21 and done.stdout == ""
    assert lines[0] == "error[CSV-NUMBER] x.csv:2: column 'temp': 'x.5' is not a number; correct the cell"
    assert lines[-2].startswith("error[CSV-NUMBER] x.csv:19: column 'wind': 'x8'")
    assert lines[-1] == "... and 2 more of CSV-NUMBER"
    assert new_files(house) == {"x.csv"}


def test_check_prints_a_card_without_tensorflow(house):
    command = [sys.executable, "-X", "importtime", "pipelines/check.py", "task=airline", "evaluation=backtest"]
    done = subprocess.run(command, cwd=house, capture_output=True, text=True, check=True)
    assert "pyarrow" in done.stderr and "tensorflow" not in done.stderr and "keras" not in done.stderr
    card = {line.split("  ")[1].strip(): line for line in done.stdout.splitlines()}
    assert "144, 1949-01-01 .. 1960-12-01, one per MS" in card["rows"]
    assert "targets 1960-12-01 .. 1960-12-01; fitted on 118" in card["fold 12"]


@pytest.mark.parametrize(
    ("task", "test"),
    [
        ("sentiment", r"test +40 texts, [\d,]+ words, reviews.csv:\d+ .. reviews.csv:\d+"),
        ("tagging", r"test +31 sentences, \d+ words, tagged.conllu lookback-\d+ .. "),
        ("words", r"test +313 words, targets row 1772 .. row 2084"),
        ("text", r"test +[\d,]+ characters, targets row "),
    ],
)
def test_check_counts_texts_sentences_words_and_characters(task, test, cli):
    done = cli(f"task={task}", pipeline="check")
    assert done.returncode == 0 and re.search(test, done.stdout), done


def test_check_looks_at_one_task(cli):
    done = cli("-m", "task=airline,weather", pipeline="check")
    assert done.returncode == 64 and "CONFIG-SWEEP" in done.stderr
