"""Bad input, row by row as the catalogue numbers it, and what must be said of it."""

import gzip
import io
import shlex
import tarfile
import zipfile
from dataclasses import dataclass

from conftest import settings

from lookback.configuration.settings import Settings

HEADER = "day,temp,wind\n"
ROWS = [f"2020-01-{d:02d},{d + 0.5},{d}" for d in range(1, 31)]
GOOD = HEADER + "\n".join(ROWS) + "\n"


# A task on those files.
BASE = (
    "task=weather", "task.path=x.csv", "task.time=day", "task.target=temp", "task.past_covariates=[wind]",
    "task.lookback=3",
    "task.season=2", "task.split.by=rows", "task.split.val=5", "task.split.test=5",
)  # fmt: skip


def typed(*overrides):
    """As a shell would hand them over."""
    return [word for text in overrides for word in shlex.split(text)]


def composed(*overrides) -> Settings:
    """The settings of `BASE` and these."""
    return settings(*BASE, *typed(*overrides))


def with_row(number, row):
    """The good file with data row `number` (from 1, on line number + 1) replaced."""
    changed = [*ROWS]
    changed[number - 1] = row
    return HEADER + "\n".join(changed) + "\n"


def of(lines, header=HEADER):
    return header + "\n".join(lines) + "\n"


def column(cells, header=HEADER, rest="{i},{i}"):
    """A file of these cells in the time column."""
    return of([f"{cell},{rest.format(i=i)}" for i, cell in enumerate(cells, 1)], header)


@dataclass(frozen=True)
class Bad:
    """A row of the catalogue.

    `says` are patterns that its line matches, `hint` what the line tells to type; `then` is what else
    must be typed once that is done, and `same` whether the file then holds what the good one holds.
    """

    content: str | bytes
    code: str
    says: tuple[str, ...]
    hint: str = ""
    then: tuple[str, ...] = ()
    same: bool = False
    overrides: tuple[str, ...] = ()
    name: str = "x.csv"


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("b.csv", GOOD)
    return buffer.getvalue()


def tarred():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(GOOD)
        archive.addfile(member, io.BytesIO(GOOD.encode()))
    return buffer.getvalue()


HOURS = [f"2020-03-29 {h:02d}:00" for h in range(24)]  # in Berlin, 02:00 does not come
AUTUMN = [f"2020-10-25 {h:02d}:00" for h in range(24)]  # and here it comes twice
HOURLY = ("task.freq=h", "\"task.time_format='%Y-%m-%d %H:%M'\"")
MONTHS = [(y, m) for y in (49, 50, 51) for m in range(1, 13)]
DAYS = range(1, 13)

BAD = {
    "2": Bad(b"", "CSV-EMPTY", ("the file is empty",)),
    "2 blank": Bad(b"\n \n", "CSV-EMPTY", ("the file is empty",)),
    "3": Bad(HEADER, "CSV-ROWS", (r"x\.csv:1: 0 data rows", "a window needs 4")),
    "4": Bad(
        GOOD.replace("temp", "Temp", 1),
        "CSV-COLUMN",
        (r"x\.csv:1: no column 'temp'; the columns are day, Temp, wind", "did you mean 'Temp'"),
        "task.target=Temp",
        same=True,
    ),
    "4 past": Bad(
        GOOD.replace("wind", "wind (m/s)", 1),
        "CSV-COLUMN",
        ("no column 'wind'",),
        "\"task.past_covariates=['wind (m/s)']\"",
        same=True,
    ),
    "6": Bad(GOOD.encode("utf-16"), "CSV-ENCODING", ("UTF-16", "FF FE"), "task.encoding=utf-16", same=True),
    "6 no mark": Bad(GOOD.encode("utf-16-le"), "CSV-NUL", ("UTF-16",), "task.encoding=utf-16-le", same=True),
    "7": Bad(
        GOOD.replace("wind", "wind °", 1).encode("latin-1"),
        "CSV-ENCODING",
        (r"x\.csv:1: byte 0xB0 at offset 14 in field 3 is not utf-8",),
        "task.encoding=latin-1",
        ("\"task.past_covariates=['wind °']\"",),
        same=True,
    ),
    "8": Bad(
        GOOD.replace(",", ";"),
        "CSV-DELIM",
        (r"x\.csv:1: no column 'day'", "semicolon"),
        "task.delimiter=semicolon",
        same=True,
    ),
    "9": Bad(GOOD.replace(",", "\t"), "CSV-DELIM", (r"x\.csv:1: ", "tab"), "task.delimiter=tab", same=True),
    "10": Bad(
        GOOD.replace(",", ";").replace(".", ","),
        "CSV-DELIM",
        (r"x\.csv:1: ",),
        "task.delimiter=semicolon task.decimal=comma",
        same=True,
    ),
    "10 fields": Bad(
        with_row(3, "2020-01-03,3,5,3"), "CSV-FIELDS", (r"x\.csv:4: 4 fields, expected 3 \(a decimal comma\?\)",)
    ),
    "11": Bad(
        GOOD.replace(",", ";").replace(".", ","),
        "CSV-DECIMAL",
        (r"x\.csv:2: column 'temp': '1,5'", "and 25 more"),
        "task.decimal=comma",
        same=True,
        overrides=("task.delimiter=semicolon",),
    ),
    "11 point": Bad(  # 3.500 may be 3500: nobody guesses
        with_row(3, "2020-01-03,x,3").replace(",", ";").replace(".", ",").replace("x", "3.500"),
        "CSV-THOUSANDS",
        (r"x\.csv:4: column 'temp': '3\.500'",),
        overrides=("task.delimiter=semicolon", "task.decimal=comma"),
    ),
    "12": Bad(
        with_row(3, '2020-01-03,"1,020",3'),
        "CSV-THOUSANDS",
        (r"x\.csv:4: column 'temp': '1,020' is not a number",),
        "task.thousands=comma",
    ),
    "12 grouped wrongly": Bad(
        with_row(3, '2020-01-03,"1,02",3'),
        "CSV-DECIMAL",
        (r"x\.csv:4: column 'temp': '1,02'",),
        overrides=("task.thousands=comma",),
    ),
    "13": Bad(
        with_row(20, "2020-01-20,?20.5,20"),
        "CSV-NUMBER",
        (r"x\.csv:21: column 'temp': '\?20\.5' is not a number",),
        "\"task.strip='?'\"",
        same=True,
    ),
    "14": Bad(
        GOOD + "\nSource: BoM\n",
        "CSV-FIELDS",
        (r"x\.csv:33: 1 field, expected 3", "footer"),
        "task.skip_footer=2",
        same=True,
    ),
    "15": Bad(
        GOOD + "Total,480,465\n",
        "TIME-FORMAT",
        (r"x\.csv:32: column 'day': 'Total' is not a time of the form %Y-%m-%d",),
        "task.skip_footer=1",
        same=True,
    ),
    "16": Bad(with_row(9, HEADER.strip()), "CSV-HEADER-AGAIN", (r"x\.csv:10: repeats the header", "remove the line")),
    "17": Bad(
        with_row(2, "2020-01-02,abc,3"),
        "CSV-NUMBER",
        (r"x\.csv:3: column 'temp': 'abc' is not a number; correct the cell$",),
    ),
    "17 many": Bad(
        of([r.replace(",1", ",n.a.") for r in ROWS]), "CSV-NUMBER", ("line 11: column 'temp': 'n.a.0.5'", "and 17 more")
    ),
    "18": Bad(with_row(2, "2020-01-02,-,3"), "CSV-NUMBER", (r"x\.csv:3: column 'temp': '-' is not a number",)),
    "18 null": Bad(
        with_row(2, "2020-01-02,null,3"), "CSV-NUMBER", (r"x\.csv:3: column 'temp': 'null' is not a number",)
    ),
    "19": Bad(
        with_row(2, "2020-01-02,,3"),
        "CSV-MISSING",
        (r"x\.csv:3: column 'temp': the cell is empty",),
        "task.missing=fill",
    ),
    "19 drop": Bad(
        with_row(2, "2020-01-02,NaN,3"),
        "CSV-MISSING",
        (r"x\.csv:3: column 'temp': the cell is empty \('NaN'\)",),
        "task.missing=drop",
        ("task.gaps=segment",),
    ),
    "20": Bad(
        with_row(2, "2020-01-02,inf,3"), "CSV-INFINITE", (r"x\.csv:3: column 'temp': 'inf' is not a finite number",)
    ),
    "20 minus": Bad(with_row(2, "2020-01-02,-Infinity,3"), "CSV-INFINITE", (r"x\.csv:3: column 'temp': '-Infinity'",)),
    "20 1e400": Bad(
        with_row(2, "2020-01-02,1e400,3"), "CSV-INFINITE", (r"x\.csv:3: column 'temp': '1e400' is too large",)
    ),
    "21": Bad(with_row(5, "2020-01-05,5.5"), "CSV-FIELDS", (r"x\.csv:6: 2 fields, expected 3",)),
    "22": Bad(with_row(5, "2020-01-05,5.5,5,5"), "CSV-FIELDS", (r"x\.csv:6: 4 fields, expected 3",)),
    "23": Bad(of([r + ",9" for r in ROWS]), "CSV-FIELDS", (r"x\.csv:2: 4 fields, expected 3", "and 25 more")),
    "24": Bad(
        GOOD.replace("wind", "temp", 1), "CSV-HEADER", (r"x\.csv:1: column 'temp' stands 2 times \(fields \[2, 3\]\)",)
    ),
    "25 used": Bad(
        GOOD.replace("wind", "", 1),
        "CSV-HEADER",
        (r"x\.csv:1: .*blank \(fields \[3\]\)",),
        overrides=("\"task.past_covariates=['']\"",),
    ),
    "27": Bad(with_row(5, '2020-01-05,"5.5,5'), "CSV-QUOTE", (r"x\.csv:6: a quote is opened here and never closed",)),
    "27 behind": Bad(with_row(5, '2020-01-05,"5"5,5'), "CSV-QUOTE", (r"x\.csv:6: text stands behind a closing quote",)),
    "29": Bad(with_row(2, "2020-01-02,2\0,3"), "CSV-NUL", (r"x\.csv:3: NUL byte at offset 43",)),
    "32": Bad(gzip.compress(GOOD.encode()), "CSV-GZIP", (r"x\.csv: is gzip data; rename it to end in \.gz",)),
    "33": Bad(
        gzip.compress(GOOD.encode())[:-30],
        "CSV-GZIP",
        ("cut short",),
        name="x.csv.gz",
        overrides=("task.path=x.csv.gz",),
    ),
    "34": Bad(zipped(), "CSV-ZIP", (r"is a zip archive of a\.csv, b\.csv; unpack it first",)),
    "34 cut": Bad(zipped()[:-40], "CSV-ZIP", ("a broken one",)),
    "34 tar": Bad(tarred(), "CSV-TAR", ("is a tar archive",)),
    "35": Bad("<!DOCTYPE html><html>", "CSV-HTML", ("starts with <!DOCTYPE: a web page, not data",)),
    "36": Bad("version https://git-lfs.github.com/spec/v1\n", "CSV-LFS", ("git lfs pull",)),
    "37": Bad(
        with_row(2, "2020-01-02,9223372036854775808,3"),
        "CSV-INTEGER",
        (r"x\.csv:3: column 'temp': '9223372036854775808' is a whole number beyond 2\^63",),
    ),
    "38": Bad(with_row(2, "2020-01-02,True,3"), "CSV-NUMBER", (r"x\.csv:3: column 'temp': 'True'",)),
    "39": Bad(
        with_row(2, "2020-01-02,1_000,3"),
        "CSV-THOUSANDS",
        (r"x\.csv:3: column 'temp': '1_000'",),
        "task.thousands=underscore",
    ),
    "39 hex": Bad(with_row(2, "2020-01-02,0x1F,3"), "CSV-NUMBER", (r"x\.csv:3: column 'temp': '0x1F'",)),
    "40": Bad(with_row(2, "2020-01-02,−2,3"), "CSV-NUMBER", (r"x\.csv:3: .*U\+2212 MINUS SIGN",)),
    "40 no-break": Bad(with_row(2, "2020-01-02,2\u00a0,3"), "CSV-NUMBER", (r"x\.csv:3: .*U\+00A0 NO-BREAK SPACE",)),
    "40 full width": Bad(with_row(2, "2020-01-02,２,3"), "CSV-NUMBER", (r"x\.csv:3: .*U\+FF12 FULLWIDTH DIGIT TWO",)),
    "41": Bad(
        "# made by hand\n" + GOOD,
        "CSV-COMMENT",
        (r"x\.csv:1: the first line is a comment",),
        "task.comment=hash",
        same=True,
    ),
    "43": Bad(
        "day,temp,wind," + ",".join(f"c{i}" for i in range(1000)) + "\n",
        "CSV-COLUMNS",
        (r"x\.csv:1: 1,003 columns, allowed are 1,000", r"task\.max_columns=1003"),
    ),
    "43 cell": Bad(
        with_row(2, f'2020-01-02,"{"1" * 1_100_000}",3'), "CSV-CELL", (r"x\.csv:3: a cell is longer than 131,072",)
    ),
    "44": Bad(
        column([f"{d:02d}/{m:02d}/2020" for d, m in zip(DAYS, DAYS, strict=True)]),
        "TIME-FORMAT",
        (
            r"x\.csv:2: column 'day': '01/01/2020' .* \(ambiguous: day or month first\?\)",
            r"task\.time_format=%d/%m/%Y or task\.time_format=%m/%d/%Y",
        ),
    ),
    "45": Bad(
        column([f"{d:02d}/01/2020" for d in range(1, 31)]),
        "TIME-FORMAT",
        (r"x\.csv:2: column 'day': '01/01/2020'",),
        "task.time_format=%d/%m/%Y",
    ),
    "46": Bad(
        column([f"{y}-{m:02d}" for y, m in MONTHS]),
        "TIME-FORMAT",
        (r"x\.csv:2: column 'day': '49-01' .*century",),
        "task.time=null task.freq=step",
        overrides=("task.time_format=%Y-%m", "task.freq=MS"),
    ),
    "46 two digits": Bad(
        column([f"{y}-{m:02d}" for y, m in MONTHS]),
        "TIME-CENTURY",
        (r"x\.csv:37: column 'day'.* 2051",),
        overrides=("task.time_format=%y-%m", "task.freq=MS"),
    ),
    "47": Bad(
        column([f"{y}-{m:02d}" for y in (1, 2, 3) for m in range(1, 13)]),
        "TIME-FORMAT",
        (r"x\.csv:2: column 'day': '1-01' .*century",),
        "task.time=null task.freq=step",
        overrides=("task.time_format=%Y-%m", "task.freq=MS"),
    ),
    "48": Bad(
        column([str(1_577_836_800 + 86_400 * d) for d in range(30)]),
        "TIME-FORMAT",
        (r"x\.csv:2: column 'day': '1577836800'",),
        "task.time_format=unix",
    ),
    "48 milliseconds": Bad(
        column([str(1_577_836_800_000 + 86_400_000 * d) for d in range(30)]),
        "TIME-FORMAT",
        ("parts of a second since 1970",),
        "task.time=null task.freq=step",
    ),
    "49": Bad(
        column([f"{h}+0{1 + (i > 10)}:00" for i, h in enumerate(HOURS) if i != 11]),
        "TIME-OFFSET",
        (r"x\.csv:13: column 'day': 2020-03-29 12:00:00 is \+2 h from UTC, the row before \+1 h",),
        "task.timezone=UTC",
        overrides=("task.freq=h", "\"task.time_format='%Y-%m-%d %H:%M%z'\""),
    ),
    "50": Bad(
        column([h + "+01:00" * (i != 5) for i, h in enumerate(HOURS)]),
        "TIME-FORMAT",
        (r"x\.csv:7: column 'day': '2020-03-29 05:00'",),
        overrides=("task.freq=h", "task.timezone=UTC", "\"task.time_format='%Y-%m-%d %H:%M%z'\""),
    ),
    "50 no offset said": Bad(
        column([f"{h}+01:00" for h in HOURS]),
        "TIME-FORMAT",
        (r"x\.csv:2: ",),
        "\"task.time_format='%Y-%m-%d %H:%M%z'\"",
        overrides=HOURLY,
    ),
    "51 gap": Bad(
        column(HOURS),
        "TIME-CLOCK",
        (r"x\.csv:4: column 'day': 2020-03-29 02:00:00 does not come on the clock of Europe/Berlin",),
        "task.timezone=null",
        overrides=(*HOURLY, "task.timezone=Europe/Berlin"),
    ),
    "51 fold": Bad(
        column(AUTUMN),
        "TIME-CLOCK",
        (r"x\.csv:4: column 'day': 2020-10-25 02:00:00 comes twice on the clock of Europe/Berlin",),
        "task.timezone=null",
        overrides=(*HOURLY, "task.timezone=Europe/Berlin"),
    ),
    "52": Bad(with_row(2, "2020-02-30,2.5,3"), "TIME-FORMAT", (r"x\.csv:3: column 'day': '2020-02-30'",)),
    "52 24:00": Bad(
        column([*HOURS, "2020-03-29 24:00"]), "TIME-FORMAT", (r"x\.csv:26: .*'2020-03-29 24:00'",), overrides=HOURLY
    ),
    "53": Bad(with_row(2, ",2.5,3"), "TIME-FORMAT", (r"x\.csv:3: column 'day' is empty",)),
    "54": Bad(
        of([*ROWS[:6], "2020-01-06,2.5,3", *ROWS[6:]]),
        "TIME-DUPLICATE",
        (r"x\.csv:8: column 'day': 2020-01-06",),
        "task.duplicates=first",
        same=True,
    ),
    "54 mean": Bad(
        of([*ROWS[:6], ROWS[5], *ROWS[6:]]), "TIME-DUPLICATE", (r"x\.csv:8: ",), "task.duplicates=mean", same=True
    ),
    "55": Bad(
        of([*ROWS[10:], *ROWS[:10]]),
        "TIME-ORDER",
        (r"x\.csv:22: column 'day': 2020-01-01 follows 2020-01-30",),
        "task.sort=true",
        same=True,
    ),
    "56": Bad(
        of(ROWS[:9] + ROWS[11:]),
        "TIME-GAP",
        (r"x\.csv:11: column 'day': 2 times are missing: 2020-01-10, 2020-01-11",),
        "task.gaps=segment",
    ),
    "56 fill": Bad(of(ROWS[:9] + ROWS[11:]), "TIME-GAP", (r"x\.csv:11: ",), "task.gaps=fill"),
    "56 join": Bad(of(ROWS[:9] + ROWS[11:]), "TIME-GAP", (r"x\.csv:11: ",), "task.gaps=join"),
    "56 step": Bad(
        GOOD,
        "TIME-STEP",
        (r"x\.csv:3: column 'day': 2020-01-02 is not on the W steps from 2020-01-01",),
        "task.freq=D",
        same=True,
        overrides=("task.freq=W",),
    ),
    "56 wrong step": Bad(
        of(ROWS[::7]),
        "TIME-GAP",
        (r"x\.csv:3: ",),
        "task.freq=W",
        ("task.split.val=1", "task.split.test=1", "task.lookback=1", "task.season=1"),
    ),
    "57": Bad(
        of(ROWS[::-1]),
        "TIME-ORDER",
        (r"x\.csv:3: .*2020-01-29 follows 2020-01-30 \(the newest row comes first\)",),
        "task.sort=true",
        same=True,
    ),
}


# What is accepted, and must hold what the good file holds.
ACCEPTED = {
    "5 byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "26 blanks in the header": GOOD.replace("day,temp,wind", " day , temp,wind "),
    "28 a line break in quotes": of([f'{r},"a\nb,c"' for r in ROWS], "day,temp,wind,remark\n"),
    "30 CR": GOOD.replace("\n", "\r"),
    "30 CR LF": GOOD.replace("\n", "\r\n"),
    "32 gzip that says so": gzip.compress(GOOD.encode()),
    "text in a column without a role": of([f"{r},what,True" for r in ROWS], "day,temp,wind,a,b\n"),
    "25 columns without a name": of([f"{r},,x" for r in ROWS], "day,temp,wind,,\n"),
    "24 columns of one name without a role": of([f"{r},1,2" for r in ROWS], "day,temp,wind,a,a\n"),
    "blank lines": GOOD.replace("\n", "\n\n"),
    "signs and blanks": GOOD.replace(",1.5,1\n", ", +1.5 ,\t1\n"),
    "dates and numbers in quotes": of([",".join(f'"{c}"' for c in r.split(",")) for r in ROWS]),
}
