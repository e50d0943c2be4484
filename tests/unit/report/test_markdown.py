import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from compat_eval.report.markdown import MOST_CHARACTERS
from compat_eval.report.render import render
from compat_eval.report.text import code, plain
from tests.unit.report.hostile import ACTS, HOSTILE
from tests.unit.report.made_run import Row, gate, made_run, varied_rows
from tests.unit.report.made_run import summary as counts_of

EXPECTED = {"!", "p", "blockquote", "strong", "em", "code", "br", "h3", "table"}
EXPECTED |= {"thead", "tbody", "tr", "th", "td"}
READER = MarkdownIt("commonmark", {"html": True}).enable("table")
ROWS = varied_rows(1000, broken=13, fixed=26, missed=50)


def summary(rows: Any = ROWS, **more: Any) -> str:
    return render(made_run(rows, **more))["summary.md"].decode()


@pytest.mark.parametrize(
    ("verdict", "alert"),
    [
        ("fail", "CAUTION"),
        ("inconclusive", "WARNING"),
        ("pass", "TIP"),
        ("none", "NOTE"),
    ],
)
def test_the_hidden_mark_first_then_the_alert(verdict: str, alert: str) -> None:
    gates = [] if verdict == "none" else [gate(verdict)]

    lines = summary(gates=gates, verdict=verdict).splitlines()

    assert lines[0] == "<!-- compat-eval:toy-intents -->"
    assert lines[2] == f"> [!{alert}]"


def test_it_has_gates_counts_slices_and_examples() -> None:
    html = READER.render(summary(gates=[gate()], verdict="fail"))

    assert html.count("<table>") == 4
    assert "▼ 13 broken" in html
    assert "3 more in report.html." in html


def test_slices_say_their_level_where_there_are_several() -> None:
    counted = counts_of(ROWS)
    slices = [
        {"name": "length=41+", "level": level, **counted}
        for level in ("example", "ucm")
    ]
    levels = {"example": counted, "ucm": counted}

    text = summary(task={"slices": slices, "levels": levels})

    assert "| Slice | Level | Units | Broken | Fixed |" in text
    assert "| `length=41+` | Examples | 1,000 | 13 | 26 |" in text
    ucm = r"| `length=41+` | ucm | 1,000 | 13 | 26 |"
    assert ucm in text
    assert "| Slice | Examples | Broken | Fixed |" in summary()


def test_it_is_capped() -> None:
    text = summary(notes=["word " * 400] * 200, gates=[gate()] * 400, verdict="fail")

    assert len(text) <= MOST_CHARACTERS


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_stays_text(text: str) -> None:
    field = text.encode("utf-8", "replace").decode()
    row = Row(
        id=field + "id",
        text=field,
        gold=field + "g",
        old=field + "g",
        new=field + "n",
        slices={"s": field},
    )
    made = summary(
        [row, *ROWS],
        gates=[gate(slice=text, reason=text)],
        verdict="fail",
        suite=text,
        notes=[text],
        manifest={"old": {"reference": text}, "new": {"reference": text}},
    )

    html = READER.render(made)

    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z0-9!]+)", html))
    assert tags <= EXPECTED
    outside_code = re.sub(r"<code>.*?</code>|<!--.*?-->", "", html, flags=re.DOTALL)
    assert not re.search(r"[@#]\w|https?://|www\.", outside_code)
    assert not ACTS.search(made.replace("\u200b", ""))


ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)


@given(ANYTHING)
def test_plain_text_has_no_markup(text: str) -> None:
    html = READER.render(f"x {plain(text)} x")

    assert re.fullmatch(r"<p>[^<>]*</p>\n", html)


@given(ANYTHING)
def test_a_code_span_in_a_table_is_one_cell(text: str) -> None:
    html = READER.render(f"| a | b |\n|---|---|\n| {code(text, cell=True)} | end |\n")

    assert html.count("<td>") == 2
    assert "<td>end</td>" in html
