import re
from typing import Any

import pytest

from compat_eval.core.errors import DataError
from compat_eval.report.annotations import (
    annotations,
    comment_body,
    unfinished,
    workflow_commands,
)
from compat_eval.report.junit import render_junit
from compat_eval.report.render import render
from compat_eval.report.results import read_results
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.made_run import Row, gate, made_run, varied_rows

MOST_COMMENT = 65_536
"""GitHub refuses comments with more characters."""

ROWS = varied_rows(1000, broken=13, fixed=26, missed=50)


def commands(*gates: dict[str, Any], **top: Any) -> list[str]:
    run = made_run(ROWS, gates=gates, verdict="fail", **top)
    return workflow_commands(annotations(render_junit(read_results(run))))


def test_a_failed_gate_is_an_error_and_an_inconclusive_one_a_warning() -> None:
    warning, error = sorted(commands(gate("inconclusive"), gate()))[::-1]

    assert error.startswith("::error title=toy-intents%3A nfr")
    assert "13 of 1,000 examples broke" in error
    assert warning.startswith("::warning title=toy-intents%3A nfr")


def test_a_pass_is_no_annotation() -> None:
    assert commands(gate("pass", limit=0.05)) == []


def test_nothing_judged_is_told() -> None:
    (said,) = commands()

    assert said.startswith("::notice ")
    assert "nothing was judged" in said


def test_no_more_than_ten_of_a_kind_and_the_last_counts_the_rest() -> None:
    said = commands(*[gate()] * 14, *[gate("inconclusive")] * 3)

    errors = [one for one in said if one.startswith("::error")]
    assert len(errors) == 10
    assert "5 more; the summary has them all" in errors[-1]
    assert len(said) - len(errors) == 3


def test_what_a_suite_is_called_begins_no_command() -> None:
    said = commands(gate(), suite="x\n::add-mask::y, file=a::b%0A")

    assert len(said) == 1
    title = said[0].removeprefix("::error title=").partition("::")[0]
    assert not re.search(r"[\n\r:,]|%(?!25|0A|0D|3A|2C)", title)


def test_what_is_no_junit_file_is_an_error() -> None:
    with pytest.raises(DataError, match=r"junit\.xml"):
        annotations(b"<testsuite")


def test_a_comment_begins_with_its_mark_and_ends_with_its_origin() -> None:
    said = comment_body("<!-- compat-eval:toy -->\n\nText\n", footer="*job*")

    assert said == "<!-- compat-eval:toy -->\n\nText\n\n*job*\n"


def test_a_key_takes_the_place_of_the_suite() -> None:
    said = comment_body("<!-- compat-eval:toy -->\n\nText\n", key="night --> <b>")

    assert said == "<!-- compat-eval:night-b -->\n\nText\n"


def test_a_text_without_a_mark_gets_one() -> None:
    assert comment_body("Text").startswith("<!-- compat-eval:suite -->\n\nText")


def test_even_the_longest_is_short_enough_for_a_comment_and_a_job_summary() -> None:
    rows = [
        Row(id=str(i), text="🦉" * 5000, gold="a", old="a", new="b") for i in range(80)
    ]
    run = made_run(rows, gates=[gate() for _ in range(400)], verdict="fail")
    body = comment_body(render(run)["summary.md"].decode(), footer="x" * 500)

    assert len(body) < MOST_COMMENT
    assert len(body.encode()) < 2**20
    assert len(comment_body("🦉" * 10**6)) < MOST_COMMENT


def test_no_foreign_text_acts_in_a_comment() -> None:
    storable = [text for text in HOSTILE if not re.search("[\ud800-\udfff]", text)]
    rows = [
        Row(id=f"{at}{text}", text=text, gold="a", old="a", new=text)
        for at, text in enumerate(("/close", "/approve\n/merge", *storable))
    ]
    run = made_run(rows, gates=[gate()], verdict="fail", suite="/close\n/merge @all")
    body = comment_body(render(run)["summary.md"].decode())
    bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", body.partition("\n")[2])

    assert not re.search(r"^\s*/\w", body, re.MULTILINE)
    assert not re.search(r"(?<!\\)<|(?<!\\)!\[|(?<!\\)\]\(|@\w|https?:", bare)


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (4, "exit code 4: old and new did not answer the same examples"),
        (70, "exit code 70: a crash"),
        (0, "exit code 0: no run directory was written"),
        (None, "did not run"),
    ],
)
def test_a_command_without_a_verdict_says_so(exit_code: int | None, said: str) -> None:
    text = unfinished(exit_code).replace("\\", "")

    assert "NO VERDICT" in text
    assert said in text
