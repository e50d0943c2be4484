from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.tasks.dependency.conllu import parse_conllu, read_conllu

FRENCH = """\
# newdoc
# sent_id = fr-1
# text = Va au lit
1\tVa\taller\tVERB\t_\tMood=Imp\t0\troot\t_\t_
2-3\tau\t_\t_\t_\t_\t_\t_\t_\t_
2\tà\tà\tADP\t_\t_\t4\tcase\t_\t_
3\tle\tle\tDET\t_\t_\t4\tdet\t_\t_
4\tlit\tlit\tNOUN\t_\t_\t1\tobl:arg\t_\tSpaceAfter=No
4.1\tvite\tvite\tADV\t_\t_\t_\t_\t1:advmod\t_

1\tOui\toui\tINTJ\t_\t_\t0\troot\t_\t_

"""


def word(number: int, head: object, form: str = "w") -> str:
    return f"{number}\t{form}\t_\tX\t_\t_\t{head}\tdep\t_\t_\n"


def test_one_row_a_sentence_with_its_columns() -> None:
    table = parse_conllu(FRENCH.encode())

    first, second = table.to_pylist()
    assert first["id"] == "fr-1"
    assert first["text"] == "Va au lit"
    assert first["line"] == 4
    assert first["words"] == ["Va", "à", "le", "lit"]
    assert first["upos"] == ["VERB", "ADP", "DET", "NOUN"]
    assert first["feats"] == ["Mood=Imp", "_", "_", "_"]
    assert first["heads"] == [0, 4, 4, 1]
    assert first["deprels"] == ["root", "case", "det", "obl:arg"]
    assert first["mwt_first"] == [2]
    assert first["mwt_last"] == [3]
    assert first["mwt_form"] == ["au"]
    assert first["mwt_misc"] == ["_"]
    assert (second["id"], second["text"], second["line"]) == ("2", None, 11)


def test_quotation_marks_and_windows_line_ends_are_only_characters() -> None:
    text = word(1, 0, '"') + word(2, 1, '"a') + "\n"

    table = parse_conllu(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    assert table["words"].to_pylist() == [['"', '"a']]


MALFORMED = {
    "cycle": (word(1, 2) + word(2, 1) + "\n", "sentence 1, line 1:.*cycle"),
    "second root": (word(1, 0) + word(2, 0) + "\n", "sentence 1, line 2:.*second root"),
    "head outside": (word(1, 0) + word(2, 7) + "\n", "line 2:.*HEAD 7 lies outside"),
    "head no number": (word(1, "_") + "\n", "line 1: HEAD '_' is no word number"),
    "truncated line": (
        word(1, 0) + "\n" + word(1, 0) + "2\tw\t",
        "sentence 2, line 4: expected 10 columns separated by tabs, got 3",
    ),
    "truncated sentence": (word(1, 0), "sentence 1, line 1, without the blank line"),
    "columns": ("1\tw\t0\n\n", "line 1: expected 10 columns separated by tabs, got 3"),
    "two blank lines": (word(1, 0) + "\n\n", "sentence 2, line 3: no words"),
    "word order": (word(1, 0) + word(3, 1) + "\n", "line 2: word ID 3 is out of order"),
    "odd id": (word(1, 0).replace("1\t", "1a\t", 1) + "\n", "line 1: ID '1a'"),
    "no form": (word(1, 0, "") + "\n", "line 1: FORM is empty"),
    "range": (
        "2-3" + word(1, 0)[1:] + word(1, 0) + "\n",
        "line 1: multiword token 2-3 does not cover",
    ),
    "overlapping ranges": (
        "1-1"
        + word(1, 0)[1:]
        + "1-2"
        + word(1, 0)[1:]
        + word(1, 0)
        + word(2, 1)
        + "\n",
        "line 2: multiword token 1-2 does not cover",
    ),
    "only a range": ("1-1" + word(1, 0)[1:] + "\n", "does not cover|has no words"),
    "carriage return": (word(1, 0, "a\rb") + "\n", "line 1: a carriage return"),
    "empty": ("", "got an empty file"),
}


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_a_malformed_file_is_refused_by_sentence_and_line(name: str) -> None:
    text, message = MALFORMED[name]

    with pytest.raises(DataError, match=message):
        parse_conllu(text.encode())


def test_the_sentence_is_named_by_its_id() -> None:
    text = "# sent_id = weblog-7\n" + word(1, 0) + word(2, 0) + "\n"

    with pytest.raises(DataError, match=r"p\.conllu: sentence weblog-7, line 3:"):
        parse_conllu(text.encode(), shown="p.conllu")


def test_latin_1_is_refused_with_its_line() -> None:
    raw = (word(1, 0) + "\n" + word(1, 0, "é") + "\n").encode("latin-1")

    with pytest.raises(DataError, match="sentence 2, line 3: expected UTF-8"):
        parse_conllu(raw)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        read_conllu(tmp_path / "gone.conllu")


def test_a_word_may_hang_below_a_cycle_far_away() -> None:
    heads = [*range(2, 60), 1]
    text = "".join(word(i, head) for i, head in enumerate(heads, start=1)) + "\n"

    with pytest.raises(DataError, match="cycle"):
        parse_conllu(text.encode())
