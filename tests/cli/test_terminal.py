import io
from typing import Any

import pytest
from rich.console import Console

from compat_eval.cli.terminal import print_comparison
from compat_eval.report.results import read_results
from tests.unit.report.hostile import ACTS, HOSTILE
from tests.unit.report.made_run import Row, gate, made_run, summary, varied_rows

ROWS = varied_rows(1000, broken=13, fixed=26, missed=50)


def printed(rows: Any = ROWS, *, width: int = 80, **more: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False)
    print_comparison(console, read_results(made_run(rows, **more)), "runs/toy-1")
    return out.getvalue().replace("\xa0", " ")


def test_verdict_gates_counts_slices_notes_and_the_path() -> None:
    text = printed(gates=[gate()], verdict="fail", notes=["Mind this."])

    assert "✗ FAIL – 13 of 1,000 examples broke, 26 were fixed" in text
    assert "nfr ≤ 0.5 % (example, certify)" in text
    assert "▼ broken 13  1.3 %" in text
    assert "domain=banking" in text
    assert "Note: Mind this." in text
    assert "Report: runs/toy-1/report.html" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = printed(gates=[gate()], verdict="fail", width=width)

    assert max(map(len, text.splitlines())) <= width


def test_without_a_terminal_there_are_no_escape_sequences() -> None:
    assert "\x1b" not in printed(gates=[gate()], verdict="fail")


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)

    print_comparison(console, read_results(made_run(ROWS, gates=[gate()])), "run")

    assert "\x1b[31m" not in out.getvalue()
    assert "\x1b[1;31m" not in out.getvalue()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_is_harmless(text: str) -> None:
    field = text.encode("utf-8", "replace").decode()
    row = Row(id="a", text="t", gold="g", old="g", new="n", slices={"s": field})

    shown = printed(
        [row],
        gates=[gate(slice=text, reason=text)],
        verdict="fail",
        suite=text,
        notes=[text],
        width=400,
    )

    assert not ACTS.search(shown)
    if text.startswith("[bold"):
        assert "[bold red]markup[/]" in shown


def test_slices_say_their_level_where_there_are_several() -> None:
    counted = summary(ROWS)
    slices = [{"name": "length=41+", "level": lv, **counted} for lv in ("las", "uas")]
    levels = {"las": counted, "uas": counted}

    text = printed(task={"slices": slices, "levels": levels})

    table = text.partition("Slices by negative flip rate")[2]
    assert [line.split()[:2] for line in table.splitlines() if "length" in line] == [
        ["length=41+", "las"],
        ["length=41+", "uas"],
    ]
    assert "Level" not in printed().partition("Slices by")[2]


def test_identifiers_and_numbers_are_whole_on_a_narrow_terminal() -> None:
    long = "a_statistic_with_a_name_of_some_length_new"
    text = printed(gates=[gate(quantity=long)], verdict="fail", width=60)

    assert long in text
    assert "…" not in text
    assert "domain=banking" in text
    assert "0.8–2.2 %" in text


def test_without_gates_a_line_to_paste_would_add_one() -> None:
    text = printed(width=60)

    assert "echo 'gates: [{quantity: nfr, at_most: 0.005}]' > gates.yaml\n" in text
    assert "gates.yaml" not in printed(gates=[gate()], verdict="fail")
