import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.examples import load_examples
from compat_eval.suite.suite import Suite

SUITE = """\
name: tiny
task: dependency
data: {test: {file: test.conllu}}
fields: {id: id, input: input, gold: gold, cluster: document}
slices:
  genre: {of: id, before: "-"}
  length: {of: words, words: [2, 9]}
"""


def word(number: int, form: str, head: int, deprel: str) -> str:
    row = (number, form, form, "X", "_", "_", head, deprel, "_", "_")
    return "\t".join(map(str, row)) + "\n"


BYE = word(1, "Good", 2, "amod") + word(2, "bye", 0, "root") + "\n"
SENTENCES = (
    "# sent_id = mail-1\n" + word(1, "Hi", 0, "root") + "\n"
    "# newdoc id = d1\n# sent_id = mail-2\n" + BYE + "# sent_id = plain\n"
    "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
    + word(1, "do", 3, "aux")
    + word(2, "n't", 3, "advmod")
    + word(3, "go", 0, "root")
    + "\n# newdoc id = d2\n# sent_id = web-1\n"
    + BYE
)

SuiteOf = Callable[[str], Suite]


def test_sentences_are_examples_with_tree_words_and_document(
    folder: Path, suite_of: SuiteOf
) -> None:
    (folder / "test.conllu").write_text(SENTENCES)

    found = load_examples(suite_of(SUITE))

    assert found.ids.to_pylist() == ["mail-1", "mail-2", "plain", "web-1"]
    assert found.column("input")[2].as_py()["words"] == ["do", "n't", "go"]
    assert found.column("input")[2].as_py()["mwt_form"] == ["don't"]
    assert found.column("gold")[1].as_py() == {
        "heads": [2, 0],
        "deprels": ["amod", "root"],
    }
    assert found.column("cluster").to_pylist() == [None, "d1", "d1", "d2"]


def test_slices_read_the_name_and_the_number_of_words(
    folder: Path, suite_of: SuiteOf
) -> None:
    (folder / "test.conllu").write_text(SENTENCES)

    found = load_examples(suite_of(SUITE))

    assert found.column("slice.genre").to_pylist() == ["mail", "mail", None, "web"]
    assert found.column("slice.length").to_pylist() == ["0-2", "0-2", "3-9", "0-2"]


def test_files_are_joined_and_may_be_packed_or_of_another_encoding(
    folder: Path, suite_of: SuiteOf
) -> None:
    (folder / "a.conllu.gz").write_bytes(gzip.compress(SENTENCES.encode()))
    (folder / "b.conllu").write_bytes(
        ("# sent_id = l1\n" + word(1, "Café", 0, "root") + "\n").encode("latin-1")
    )
    two = "[{file: a.conllu.gz}, {file: b.conllu, encoding: latin-1}]"

    found = load_examples(suite_of(SUITE.replace("{file: test.conllu}", two)))

    assert len(found) == 5
    assert found.column("input")[4].as_py()["words"] == ["Café"]


CYCLE = word(1, "a", 2, "x") + word(2, "b", 1, "x") + word(3, "c", 0, "root")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BYE + CYCLE + "\n", r"sentence 2, line 4: word 1 .*cycle"),
        (word(1, "a", 0, "root") + word(2, "b", 0, "root") + "\n", "a second root"),
        (word(1, "a", 7, "x") + "\n", "HEAD 7 lies outside"),
        (BYE + word(1, "a", 0, "root"), "ends inside sentence 2, line 4.*cut off"),
        ("# sent_id = s\n1\ta\t_\n\n", "sentence s, line 2: expected 10 columns"),
        ("# sent_id = s\n\n", "sentence s, line 2: no words"),
        ("", "empty file"),
    ],
)
def test_a_malformed_sentence_is_named_with_its_line(
    folder: Path, suite_of: SuiteOf, content: str, message: str
) -> None:
    (folder / "test.conllu").write_text(content)

    with pytest.raises(DataError, match=f"test.conllu: .*{message}"):
        load_examples(suite_of(SUITE))


def test_bytes_that_are_no_utf8_are_named_with_sentence_and_line(
    folder: Path, suite_of: SuiteOf
) -> None:
    raw = (BYE + word(1, "Café", 0, "root") + "\n").encode("latin-1")
    (folder / "test.conllu").write_bytes(raw)

    with pytest.raises(DataError, match=r"sentence 2, line 4: expected UTF-8, .*0xe9"):
        load_examples(suite_of(SUITE))


def test_a_sentence_name_used_twice_is_told(folder: Path, suite_of: SuiteOf) -> None:
    (folder / "test.conllu").write_text(2 * ("# sent_id = s\n" + BYE))

    with pytest.raises(DataError) as told:
        load_examples(suite_of(SUITE))

    assert str(told.value).endswith(
        "split test (test.conllu): 1 id occurs more than once (s); every example needs "
        "an id of its own. Correct the data."
    )
