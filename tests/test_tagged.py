"""Reading tagged sentences, and making examples of them."""

import gzip
import os
import re
import shlex
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, settings
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from lookback.data import tagged
from lookback.data.findings import FileFaults, each
from lookback.data.words import PADDING, UNKNOWN
from lookback.errors import ConfigError, DataError, MissingFile
from lookback.problems import tagging
from lookback.settings import TaggingTask

TASK = {
    "name": "tags", "unit": "share", "metrics": ["error_rate"], "models": ["majority"], "reference": "majority",
    "seeds": 1, "refit": False, "source": None, "embedding": 8, "lowercase": True, "min_count": 1, "max_words": 100,
    "split": {"by": "fraction", "train": 0.5, "val": 0.25, "test": 0.25}, "max_length": 50, "truncate": "end",
    "buckets": 1, "kind": "tagging", "path": "x", "format": "conllu", "words": "words", "tags": "upos", "letters": 6,
    "letter_embedding": 4, "letter_filters": 4,
}  # fmt: skip


def task(**changes) -> TaggingTask:
    return TaggingTask.model_validate(TASK | changes)


CONLLU = task()
CSV = task(format="csv", tags="tags")


def line(number, form, upos="NOUN", xpos="NN"):
    return "\t".join([str(number), form, "_", upos, xpos, *["_"] * 5])


def sentence(*words, name=None):
    """Lines of words, a word is (form, upos) or (form, upos, xpos)."""
    return "\n".join(([f"# sent_id = {name}"] if name else []) + [line(i, *w) for i, w in enumerate(words, 1)]) + "\n"


DOGS = sentence(("The", "DET", "DT"), ("dogs", "NOUN", "NNS"), ("bark", "VERB", "VBP"), name="dogs-1")
CATS = sentence(("Cats", "NOUN", "NNS"), ("sleep", "VERB", "VBP"), name="cats-1")
GOOD = DOGS + "\n" + CATS + "\n"
ROWS = 'words,tags\nThe\tdogs\tbark,DET\tNOUN\tVERB\n"Well\t,\tcats\tsleep",INTJ\tPUNCT\tNOUN\tVERB\n'


def read(folder, content, settled=CONLLU, name="x.conllu"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return tagged.read(path, name, "task.path", settled).sentences


# --- what is read ------------------------------------------------------------------------------------


def test_words_and_tags_of_conllu(tmp_path):
    assert read(tmp_path, GOOD) == [
        (("The", "dogs", "bark"), ("DET", "NOUN", "VERB"), 2, "dogs-1"),
        (("Cats", "sleep"), ("NOUN", "VERB"), 7, "cats-1"),
    ]
    assert [s.tags for s in read(tmp_path, GOOD, task(tags="xpos"))] == [("DT", "NNS", "VBP"), ("NNS", "VBP")]


def test_words_and_tags_of_a_csv(tmp_path):
    assert read(tmp_path, ROWS, CSV, "x.csv") == [
        (("The", "dogs", "bark"), ("DET", "NOUN", "VERB"), 2, "1"),
        (("Well", ",", "cats", "sleep"), ("INTJ", "PUNCT", "NOUN", "VERB"), 3, "2"),
    ]
    blanks = (
        ROWS.replace("\t", " ").replace("words,", "number,words,").replace("\nThe", "\n1,The").replace('\n"', '\n2,"')
    )
    assert [s[:2] for s in read(tmp_path, blanks, CSV, "y.csv")] == [s[:2] for s in read(tmp_path, ROWS, CSV, "x.csv")]


RANGE = "3-4\t" + "\t".join(["dont", *["_"] * 8])
EMPTY_NODE = "2.1\t" + "\t".join(["gone", "gone", "VERB", "VBN", *["_"] * 5])


@pytest.mark.parametrize(
    "content",
    [
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        "\n\n" + GOOD.replace("\n\n", "\n\n\n") + "# a comment that belongs to nothing\n\n",
        GOOD.replace("\n\n", "\n \t\n"),
        GOOD.replace(line(3, "bark", "VERB", "VBP"), RANGE + "\n" + line(3, "bark", "VERB", "VBP")),
        GOOD.replace(line(3, "bark", "VERB", "VBP"), EMPTY_NODE + "\n" + line(3, "bark", "VERB", "VBP")),
        GOOD.replace("\tdogs\t", "\tdogs \t"),
    ],
    ids=["no last line end", "crlf", "cr", "bom", "more blank lines", "blanks on them", "range", "empty node", "blank"],
)
def test_files_that_say_the_same(tmp_path, content):
    assert [s[:2] for s in read(tmp_path, content)] == [s[:2] for s in read(tmp_path, GOOD)]


def test_gzip_is_unpacked(tmp_path):
    assert read(tmp_path, gzip.compress(GOOD.encode()), name="x.conllu.gz") == read(tmp_path, GOOD)


def test_forms_are_composed_and_nothing_else_happens_to_them(tmp_path):
    written = "cafe\u0301", "\u200f\u05e9\u05dc\u05d5\u05dd", "_", "New York", "\U0001f600"
    (read_back,) = read(tmp_path, sentence(*[(form,) for form in written]))
    assert read_back.forms == ("caf\u00e9", *written[1:])


def test_tags_that_are_not_universal_are_tags(tmp_path):
    assert read(tmp_path, sentence(("a", "X-7"), ("b", "Größe")))[0].tags == ("X-7", "Größe")


WORD = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
TAG = st.sampled_from(["NOUN", "VERB", "ADJ", ".", "''", "X,Y"])
SENTENCES = st.lists(st.lists(st.tuples(WORD, TAG), min_size=1, max_size=6), min_size=1, max_size=6)


def composed(sentences):
    return [[(unicodedata.normalize("NFC", form), tag) for form, tag in words] for words in sentences]


def pairs(sentences):
    return [list(zip(s.forms, s.tags, strict=True)) for s in sentences]


@given(SENTENCES.filter(lambda s: any(form != "_" for words in s for form, _ in words)))
def test_sentences_come_back_from_both_formats(tmp_path_factory, sentences):
    folder = tmp_path_factory.getbasetemp()
    conllu = "\n".join(sentence(*words) for words in sentences)
    assert pairs(read(folder, conllu)) == composed(sentences)
    cells = ["\t".join(part) for words in sentences for part in zip(*words, strict=True)]
    quoted = ['"{}"'.format(cell.replace('"', '""')) for cell in cells]
    rows = "".join(f"{words},{tags}\n" for words, tags in zip(quoted[::2], quoted[1::2], strict=True))
    assert pairs(read(folder, "words,tags\n" + rows, CSV, "x.csv")) == composed(sentences)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(["", "\t", "\n", " ", "1", "_", "#", "\n\n", ".1", "-2"]))
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path_factory, place, damage):
    damaged = GOOD[:place] + damage + GOOD[place + 1 :]
    try:
        found = read(tmp_path_factory.getbasetemp(), damaged)
    except DataError as e:
        assert re.match(r"error\[[A-Z-]+\] x\.conllu:\d+: ", str(e))
        assert "\n" not in str(e)
    else:
        assert all(len(s.forms) == len(s.tags) > 0 and all(s.forms) and all(s.tags) for s in found)


# --- what is refused: rows of the catalogue of bad input ---------------------------------------------


def without(content, part):
    assert part in content
    return content.replace(part, "", 1)


NOUN = line(2, "dogs", "NOUN", "NNS")
BAD = {
    "89 count": (
        ROWS.replace("DET\tNOUN", "DET"), CSV, "TAG-COUNT",
        r"x:2: sentence 1, 'The dogs bark': 3 words, 2 tags; give every word one tag",
    ),
    "89 count, second": (
        ROWS.replace('sleep"', 'sleep\t."'), CSV, "TAG-COUNT", r"x:3: sentence 2, 'Well , cats': 5 words, 4 tags;",
    ),
    "90 blanks": (
        GOOD.replace(NOUN, NOUN.replace("\t", "  ")), CONLLU, "TAG-COLUMNS",
        r"x:3: sentence dogs-1: 1 column, CoNLL-U has 10 parted by tabs; blanks stand between them, .* part the col",
    ),
    "90 columns": (
        GOOD.replace(NOUN, "2\tdogs\tNOUN"), CONLLU, "TAG-COLUMNS",
        r"x:3: sentence dogs-1: 3 columns, CoNLL-U has 10 parted by tabs: '2\\tdogs\\tNOUN'; complete the line",
    ),
    "90 blank line": (
        GOOD.replace("\n\n", "\n", 1), CONLLU, "TAG-BLANK",
        r"x:5: sentence cats-1: word 1 follows word 3, .* put a blank line before this line",
    ),
    "90 blank line, comments": (
        DOGS + "# text = Cats sleep" + "\n" + CATS, CONLLU, "TAG-BLANK", r"x:5: sentence cats-1: word 1 follows word 3",
    ),
    "90 blank line, no comments": (
        sentence(("a",), ("b",)) + sentence(("c",)), CONLLU, "TAG-BLANK", r"x:3: sentence 1: word 1 follows word 2,",
    ),
    "90 order": (
        without(GOOD, NOUN + "\n"), CONLLU, "TAG-ID",
        r"x:3: sentence dogs-1: ID '3', expected 2; number the words",
    ),
    "90 one blank line too many": (
        GOOD.replace(NOUN, "\n" + NOUN), CONLLU, "TAG-ID",
        r"x:4: sentence 2: ID '2', expected 1; .* remove the blank line before it$",
    ),
    "90 no number": (GOOD.replace("2\tdogs", "b\tdogs"), CONLLU, "TAG-ID", r"x:3: sentence dogs-1: ID 'b', expected 2"),
    "90 only a range": (RANGE + "\n\n" + GOOD, CONLLU, "TAG-WORD", r"x:1: sentence 1 has no words;"),
    "89 empty form": (GOOD.replace("\tdogs\t", "\t\t"), CONLLU, "TAG-WORD", r"x:3: sentence dogs-1: word 2 is empty"),
    "89 no tag": (
        GOOD.replace("NOUN\tNNS", "_\t_", 1), CONLLU, "TAG-MISSING",
        r"x:3: sentence dogs-1: word 2, 'dogs', has no UPOS tag \('_'\); write the tag",
    ),
    "89 no upos": (
        re.sub("\t(DET|NOUN|VERB)\t", "\t_\t", GOOD), CONLLU, "TAG-MISSING",
        r"x:2: .*; line 7: .*; set task.tags=xpos$",
    ),
    "89 empty row": (ROWS + ",\n", CSV, "TAG-WORD", r"x:4: sentence 3 has no words;"),
    "93 fields": (
        ROWS.replace('"Well', "Well").replace('sleep"', "sleep"), CSV, "CSV-FIELDS",
        r"x:3: sentence 2: 3 fields, expected 2; quote the cells that hold commas",
    ),
    "quote": (ROWS + '"a,X\n', CSV, "CSV-QUOTE", r"x:4: a quote is opened here and never closed; close it"),
    "column": (ROWS.replace("tags", "tag", 1), CSV, "CSV-COLUMN", r"x:1: no column 'tags'; .*tag; set task.tags=tag$"),
    "columns twice": ("words,tags,tags\na,X,X\n", CSV, "CSV-HEADER", r"x:1: column 'tags' stands 2 times; rename"),
    "91 nul": (GOOD.replace("dogs\t", "do\0gs\t"), CONLLU, "CSV-NUL", r"x:3: NUL byte at offset \d+; remove it"),
    "91 surrogate": (
        GOOD.replace("dogs\t", "do\ud83dgs\t"), CONLLU, "CSV-ENCODING",
        r"x:3: byte 0xED .* is not utf-8; save the file as UTF-8$",
    ),
    "91 latin-1": (
        GOOD.replace("dogs\t", "d\xf6gs\t").encode("latin-1"), CONLLU, "CSV-ENCODING",
        r"x:3: byte 0xF6 at offset \d+ is not utf-8; save the file as UTF-8$",
    ),
    "91 utf-16": (GOOD.encode("utf-16"), CONLLU, "CSV-ENCODING", r"x: looks like UTF-16 .*; save the file as UTF-8$"),
    "empty": (b"", CONLLU, "CSV-EMPTY", r"x: the file is empty"),
    "mark alone": ("\ufeff\n", CSV, "CSV-COLUMN", r"x:1: no column 'words';"),
    "mark alone, conllu": ("\ufeff\n", CONLLU, "TAG-EMPTY", r"x: no sentence stands in it;"),
    "comments": ("# newdoc\n\n# end\n", CONLLU, "TAG-EMPTY", r"x: no sentence stands in it;"),
    "header": ("words,tags\n", CSV, "TAG-EMPTY", r"x: no sentence stands in it;"),
    "text taken out": (sentence(("_",), ("_",)), CONLLU, "TAG-TEXT", r"x: every word is _"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "settled", "code", "says"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused_in_one_line(tmp_path, content, settled, code, says):
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, settled, "x")
    assert caught.value.code == code
    assert caught.value.exit_code == 65
    assert re.search(says, str(caught.value).removeprefix(f"error[{code}] ")), str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_fault_is_found_and_the_first_five_are_told(tmp_path):
    with pytest.raises(FileFaults) as caught:
        read(tmp_path, GOOD.replace("\tdogs", "").replace("\tVERB\t", "\t_\t") + "\n" + "1 a\n" * 7, name="x")
    codes = [f.code for f in caught.value.findings]
    assert codes == ["TAG-COLUMNS", "TAG-MISSING", "TAG-MISSING"] + ["TAG-COLUMNS"] * 7
    assert "and 5 more" in str(caught.value)
    assert len(each(caught.value)) == 10


def test_what_the_line_says_to_set_fixes_it(tmp_path):
    no_upos = re.sub("\t(DET|NOUN|VERB)\t", "\t_\t", GOOD)
    assert [s.tags for s in read(tmp_path, no_upos, task(tags="xpos"))] == [("DT", "NNS", "VBP"), ("NNS", "VBP")]
    renamed = ROWS.replace("words", "Words here", 1)
    with pytest.raises(DataError, match=re.escape("set \"task.words='Words here'\"")):
        read(tmp_path, renamed, CSV, "x.csv")
    assert len(read(tmp_path, renamed, task(format="csv", words="Words here", tags="tags"), "x.csv")) == 2


def test_a_file_of_the_other_format_is_recognised_by_its_name(tmp_path):
    with pytest.raises(DataError, match=r"set task\.format=csv"):
        read(tmp_path, ROWS, CONLLU, "x.csv")
    with pytest.raises(DataError, match=r"set task\.format=conllu task\.tags=upos$"):
        read(tmp_path, GOOD, CSV, "x.conllu")


def test_a_missing_file_and_a_column_that_holds_no_tags(tmp_path):
    with pytest.raises(MissingFile):
        tagged.read(tmp_path / "y.conllu", "y.conllu", "task.path", CONLLU)
    with pytest.raises(ConfigError, match=r"task\.tags: got 'deprel'; set task\.tags=upos or"):
        read(tmp_path, GOOD, task(tags="deprel"))


# --- examples ----------------------------------------------------------------------------------------


FILES = {"by": "files", "val": "val.conllu", "test": "test.conllu", "seed": 0, "group_size": 1}
TRAIN = "\n".join(
    [
        sentence(("The", "DET"), ("dogs", "NOUN"), ("bark", "VERB")),
        sentence(("the", "DET"), ("cats", "NOUN"), ("sleep", "VERB")),
        sentence(("dogs", "NOUN")),
    ]
)
VAL = sentence(("THE", "DET"), ("Dogs", "NOUN"))
TEST = sentence(("The", "DET"), ("uncharacteristically", "NOUN"), ("dogs", "VERB"), ("sleep", "VERB"))


def loaded(folder, parts=(TRAIN, VAL, TEST), **changes):
    for name, content in zip(("train", "val", "test"), parts, strict=True):
        (folder / f"{name}.conllu").write_text(content, encoding="utf-8")
    return tagging.load(task(**{"path": "train.conllu", "split": FILES, "min_count": 2} | changes), folder)


def test_examples_of_three_files(tmp_path):
    data = loaded(tmp_path)
    assert data.tokens == ("DET", "NOUN", "VERB")
    assert data.outputs == 3
    assert data.words == (PADDING, UNKNOWN, "dogs", "the")
    assert data.letters == (PADDING, UNKNOWN, *"Tabcdeghkloprst")
    assert [list(part.examples) for part in (data.train, data.val, data.test)] == [[0, 1, 2], [3], [4]]
    assert (data.train.x, data.train.y, data.train.per_token) == (("words", "letters"), "tag", True)
    assert list(data.index) == ["train.conllu 1", "train.conllu 2", "train.conllu 3", "val.conllu 1", "test.conllu 1"]
    arrays = data.test.arrays
    rows = data.test.target_rows()
    assert list(arrays["form"][rows]) == ["The", "uncharacteristically", "dogs", "sleep"]
    assert list(arrays["words"][rows]) == [3, 1, 2, 1]
    assert list(arrays["known"][rows]) == [True, False, True, True]
    assert list(data.test.targets()) == [0, 1, 2, 2]
    assert list(data.train.targets()) == [0, 1, 2, 0, 1, 2, 1]
    assert [arrays[name].dtype for name in ("words", "letters", "tag", "known")] == [*[np.int32] * 3, bool]
    spelled = ["".join(data.letters[c] if c != 1 else "?" for c in row) for row in arrays["letters"][rows]]
    assert spelled == ["The", "??cll?", "dogs", "sleep"]
    assert not arrays["known"][data.val.target_rows()].any()
    assert "25.0% of the words of test do not occur in train as they are written" in data.notes


def test_what_a_model_sees_does_not_depend_on_the_tags_that_it_is_asked_for(tmp_path):
    data, other = loaded(tmp_path), loaded(tmp_path, (TRAIN, VAL, TEST.replace("VERB", "DET")))
    assert list(data.test.targets()) != list(other.test.targets())
    assert data.digest != other.digest
    assert all(np.array_equal(data.test.arrays[name], other.test.arrays[name]) for name in data.test.x)


def test_train_alone_decides_what_is_known(tmp_path):
    data = loaded(tmp_path)
    more = loaded(tmp_path, (TRAIN, VAL.replace("Dogs", "Zebras"), TEST.replace("dogs", "zebras")))
    assert (data.words, data.letters, data.tokens) == (more.words, more.letters, more.tokens)


def test_case_is_kept_where_it_is_asked_for(tmp_path):
    assert loaded(tmp_path, lowercase=False).words == (PADDING, UNKNOWN, "dogs")
    assert loaded(tmp_path, lowercase=False, min_count=1).words[2:] == ("dogs", "The", "bark", "cats", "sleep", "the")


@pytest.mark.parametrize(("cut", "forms"), [("end", ["The", "uncharacteristically"]), ("start", ["dogs", "sleep"])])
def test_long_sentences_are_cut_with_their_tags_and_it_is_said(tmp_path, cut, forms):
    parts = TRAIN, sentence(("Dogs", "NOUN")), TEST
    data = loaded(tmp_path, parts, max_length=2, truncate=cut)
    rows = data.test.target_rows()
    assert list(data.test.arrays["form"][rows]) == forms
    assert [data.tokens[t] for t in data.test.targets()] == {"end": ["DET", "NOUN"], "start": ["VERB", "VERB"]}[cut]
    assert any(note.startswith("3 of 5 sentences (60.0%) were longer than 2 words") for note in data.notes)


def test_letters_of_long_words():
    letters = (PADDING, UNKNOWN, *"abcdefgh")
    assert tagging.spelling(["abcdefgh", "abc", "", "axb"], letters, 4).tolist() == [
        [2, 3, 8, 9], [2, 3, 4, 0], [0, 0, 0, 0], [2, 1, 3, 0],
    ]  # fmt: skip
    assert tagging.spelling(["abcdefgh"], letters, 5).tolist() == [[2, 3, 7, 8, 9]]
    assert tagging.spelling(["abcdefgh"], letters, 1).tolist() == [[9]]


@given(st.lists(WORD, min_size=1), st.integers(1, 10))
def test_spelling_keeps_both_ends_of_a_word(forms, size):
    letters = (PADDING, UNKNOWN, *sorted(set("".join(forms))))
    for form, row in zip(forms, tagging.spelling(forms, letters, size), strict=True):
        shown = "".join(letters[c] for c in row)
        head = size // 2
        assert shown == (form if len(form) <= size else form[:head] + form[len(form) - (size - head) :])


def test_sentences_that_stood_before_are_left_out_where_they_are_dealt(tmp_path):
    content = "\n".join([sentence(("a", "X"), (str(i), "Y")) for i in range(10)] * 2)
    shuffled = {"by": "shuffled", "train": 0.6, "val": 0.2, "test": 0.2, "seed": 3, "group_size": 1}
    data = loaded(tmp_path, (content, VAL, TEST), split=shuffled)
    assert [len(part) for part in (data.train, data.val, data.test)] == [6, 2, 2]
    assert data.notes[0] == "10 sentences that stood before, word for word, left out"


def test_composed_characters_are_told(tmp_path):
    data = loaded(tmp_path, (TRAIN.replace("cats", "cafe\u0301s"), VAL, TEST))
    assert data.notes[0] == "1 line put into composed characters (Unicode's NFC)"


# --- tags that train does not teach ------------------------------------------------------------------


def test_tags_that_train_never_has_are_listed(tmp_path):
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, (TRAIN, VAL.replace("DET", "PRON"), TEST.replace("VERB", "AUX").replace("DET", "ADV")))
    assert str(caught.value) == (
        "error[TAG-UNSEEN] val.conllu:1: sentence 1: tag 'PRON' stands in val and nowhere in train, nor do 'ADV', "
        "'AUX'; correct the tag, leave the sentence out, or add sentences with this tag to train"
    )


def with_overrides(settled, typed):
    """The task as it is once this is typed."""
    raw = settled.model_dump()
    for override in OverridesParser.create().parse_overrides(shlex.split(typed)):
        *nodes, key = override.key_or_group.removeprefix("task.").split(".")
        node = raw
        for name in nodes:
            node = node[name]
        node[key] = override.value()
    return TaggingTask.model_validate(raw)


RARE = "\n".join([sentence((f"w{i}", "ABCDEF"[i % 2]), ("x", "E")) for i in range(9)] + [sentence(("rare", "Z"))])


@pytest.mark.parametrize("by", ["shuffled", "fraction"])
def test_the_sentences_are_dealt_out_anew_where_that_fixes_it(tmp_path, by):
    (tmp_path / "train.conllu").write_text(RARE, encoding="utf-8")
    split = {"by": by, "train": 0.6, "val": 0.2, "test": 0.2} | (
        {"seed": 0, "group_size": 1} if by == "shuffled" else {}
    )
    settled = task(path="train.conllu", split=split)
    with pytest.raises(DataError, match=r"train\.conllu:28: sentence 10: tag 'Z' stands in \w+ and") as caught:
        tagging.load(settled, tmp_path)
    fixed = with_overrides(settled, str(caught.value).rsplit("; set ", 1)[1])
    assert "Z" in tagging.load(fixed, tmp_path).tokens


def test_one_tag_is_nothing_to_tell_apart(tmp_path):
    parts = [re.sub("\t(DET|VERB)\t", "\tNOUN\t", part) for part in (TRAIN, VAL, TEST)]
    with pytest.raises(DataError, match=r"error\[TAG-ONE\] train\.conllu: every tag is 'NOUN': nothing to tell apart"):
        loaded(tmp_path, parts)


def test_a_missing_part_names_the_setting_of_its_file(tmp_path):
    with pytest.raises(MissingFile, match=r"did you mean test\.conllu\? set task\.split\.test=test\.conllu"):
        loaded(tmp_path, split=FILES | {"test": "tests.conllu"})


# --- the tasks of the house --------------------------------------------------------------------------


def of_house(name):
    settled = settings(f"task={name}", "model=gru")
    return tagging.load(settled.task, ROOT)


def test_the_sentences_that_ship_can_be_learnt():
    data = of_house("tagging")
    assert min(len(data.train), len(data.val), len(data.test)) >= 20
    assert data.outputs >= 10


def held(source):
    folder = Path(os.environ.get("LOOKBACK_DATA", "")) / source
    if "LOOKBACK_DATA" not in os.environ or not folder.is_dir():
        pytest.skip(f"LOOKBACK_DATA names no folder that holds {source}")
    return folder


@pytest.mark.slow
def test_every_word_of_english_from_the_web_is_read():
    folder = held("ud_ewt")
    data = of_house("ewt")
    counts = {"train": (12544, 204577), "dev": (2001, 25147), "test": (2077, 25094)}
    for (name, expected), part in zip(counts.items(), (data.train, data.val, data.test), strict=True):
        raw = (folder / f"en_ewt-ud-{name}.conllu").read_bytes()
        words = re.findall(rb"^[0-9]+\t([^\t\n]*)\t[^\t\n]*\t([A-Z]+)\t", raw, re.MULTILINE)
        assert (raw.count(b"\n# sent_id = "), len(words)) == expected
        assert (len(part), len(part.targets())) == expected
        assert [form.encode() for form in part.arrays["form"][part.target_rows()]] == [form for form, _ in words]
        assert [data.tokens[tag].encode() for tag in part.targets()] == [tag for _, tag in words]
    assert data.outputs == 17
    assert "9.1% of the words of test do not occur in train as they are written" in data.notes
    assert not any("longer than" in note for note in data.notes)


def test_the_sentences_of_the_notebooks_are_read():
    held("keras_rnn_notebooks")
    data = of_house("brown")
    assert [len(part) for part in (data.train, data.val, data.test)] == [90, 10, 100]
    assert len(data.train.targets()) + len(data.val.targets()) == 2268
    assert len(data.test.targets()) == 1860
    assert data.outputs == 11
