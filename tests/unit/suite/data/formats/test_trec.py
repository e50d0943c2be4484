from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.trec import read_trec


def rows(tmp_path: Path, text: str) -> list[dict[str, object]]:
    (tmp_path / "x.xml").write_text(text)
    found = read_trec(tmp_path / "x.xml", Reading(), "x.xml")
    return list(found.to_pylist())


def test_documents_have_a_column_a_tag_and_need_no_root(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "<DOC>\n<DOCNO> d1 </DOCNO><TEXT>one <p>two</p> &amp; three</TEXT></DOC>\n"
        "<doc><docno>d2</docno><text></text></doc>",
    )

    assert found == [
        {"docno": "d1", "text": "one  two  & three", "position": "1"},
        {"docno": "d2", "text": "", "position": "2"},
    ]


def test_topics_may_leave_tags_open(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "<top>\n<num> Number: 301\n<title> Crime\n<desc> Description:\nWho?\n</top>",
    )

    assert found == [{"num": "301", "title": "Crime", "desc": "Who?", "position": "1"}]


@pytest.mark.parametrize("text", ["", "<doc><docno>1</docno>", "plain"])
def test_what_has_no_whole_block_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="expected blocks"):
        rows(tmp_path, text)
