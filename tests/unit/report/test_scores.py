"""Reports of a level whose units have scores: no gold, nothing right or wrong."""

import io
import json
import re
from collections.abc import Iterator
from html import unescape

import pytest
from rich.console import Console

from compat_eval.cli.examples import print_examples
from compat_eval.cli.terminal import print_comparison
from compat_eval.report.export import json_lines
from compat_eval.report.flips import flips
from compat_eval.report.render import render
from compat_eval.report.results import Results, read_results
from compat_eval.report.tally import examples_said, tally
from tests.unit.report.made_run import gate, share
from tests.unit.report.scored_run import scored_run

RIGHT_OR_WRONG = re.compile(r"\b([Bb]roke|[Bb]roken|[Ff]ixed|[Gg]old)\b")


@pytest.fixture
def results() -> Results:
    return read_results(scored_run())


def page(**more: object) -> dict[str, str]:
    found = render(scored_run(**more))  # type: ignore[arg-type]
    return {name: content.decode() for name, content in found.items()}


def sentences(html: str) -> str:
    body = re.sub(r"(?s)<(style|script|head)>.*?</\1>", "", html)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))


def test_documents_get_worse_and_better(results: Results) -> None:
    counted = tally(results, "document")
    level = results.level("document")

    assert (counted.broken, counted.fixed, counted.pairs) == (3, 4, {})
    assert (
        examples_said(counted, level, parts=False) == "3 documents worse and 4 better"
    )


def test_a_flip_knows_both_scores(results: Results) -> None:
    first = next(flip for flip in flips(results, "document") if flip.id == "d00")

    assert (first.cell, first.old.right, first.gold) == ("broken", None, "")
    assert (first.old.worth, first.new.worth) == pytest.approx((2.0, 2.3))


def test_what_changed_most_comes_first(results: Results) -> None:
    found = flips(results, "document")

    assert [flip.id for flip in found] == [
        *("d00", "d01", "d02"),
        *("d03", "d04", "d05", "d06"),
    ]
    moves = [abs(flip.new.worth - flip.old.worth) for flip in found]
    assert moves[:3] == sorted(moves[:3], reverse=True)


def test_the_page_says_worse_and_better() -> None:
    said = sentences(page()["report.html"])

    assert "3 of 12 documents got worse, 4 got better." in said
    assert "Of 12 documents, 3 got worse by more than 0.01 nats per token" in said
    assert "Lower scores are better." in said
    assert "Mean nats per token went from 2.550 to 2.517: a change of −0.033" in said
    assert "nats per token 2.300" in said
    assert "In no slice is the share that got worse shown to be above" in said
    assert "✗ wrong" not in said
    assert "right, new gets" not in said


def test_no_output_speaks_of_what_broke() -> None:
    made = page()

    cards = made["report.html"].partition('<section id="flips"')[2]
    cards = sentences(cards.partition("</section>")[0])
    assert RIGHT_OR_WRONG.search(cards) is None
    assert RIGHT_OR_WRONG.search(made["summary.md"]) is None
    assert "| = same | ▼ worse | ▲ better |" in made["summary.md"]


def test_a_gate_on_scores_says_what_it_found() -> None:
    one = gate(
        quantity="worse_rate", level="document", limit=0.3, estimate=share(3, 12)
    )
    made = page(gates=[one])

    assert "3 of 12 documents got worse, 4 got better." in made["junit.xml"]
    assert 'value="3"' in made["junit.xml"]
    assert "The share that got worse is 25.0\u00a0%" in made["junit.xml"]


def test_where_nothing_changes_the_page_says_so() -> None:
    run = scored_run()
    same = type(run)(
        path=run.path,
        comparison=run.comparison,
        manifest=run.manifest,
        examples=run.examples,
        answers=dict.fromkeys(run.answers, run.answers["old"]),
    )

    said = sentences(render(same)["report.html"].decode())

    assert "No example's score changed by more than counts as the same." in said


def printed(results: Results) -> Iterator[str]:
    out = io.StringIO()
    console = Console(file=out, width=110)
    print_comparison(console, results, "runs/one")
    found = flips(results, "document")
    print_examples(
        console, found, most=2, of=len(found), trees={}, counts="", full=False
    )
    yield from out.getvalue().splitlines()


def test_a_terminal_shows_the_cells_and_scores(results: Results) -> None:
    lines = list(printed(results))

    assert any("▼ worse 3" in line and "▲ better 4" in line for line in lines)
    assert any("Worse" in line and "Better" in line for line in lines)
    assert "▼ worse d00" in "\n".join(lines)
    assert not any("✗" in line or "gold" in line for line in lines)


def test_exported_flips_have_the_scores_and_no_nan(results: Results) -> None:
    first = json.loads(next(iter(json_lines(flips(results, "document")))))

    assert first["cell"] == "worse"
    assert first["old_grade"] == pytest.approx(2.0)
