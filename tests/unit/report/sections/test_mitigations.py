import io
from typing import Any

import pytest
from rich.console import Console

from compat_eval.cli.terminal import print_comparison
from compat_eval.report.render import render
from compat_eval.report.results import read_results
from compat_eval.report.sections.mitigations import mitigations
from compat_eval.report.sentences import (
    chosen_words,
    cost_words,
    mitigation_sentence,
)
from tests.unit.report.hostile import ACTS, HOSTILE
from tests.unit.report.made_mitigation import Tried, made_mitigation
from tests.unit.report.made_run import Row, estimate, gate, made_run, summary

NEW = [
    Row(id="a", text="a", gold="x", old="x", new="y"),
    Row(id="b", text="b", gold="x", old="y", new="x"),
    Row(id="c", text="c", gold="x", old="x", new="x"),
]
TREATED = [Row(id=row.id, text=row.text, gold="x", old=row.old, new="x") for row in NEW]
CHOSEN: dict[str, Any] = {
    "values": {"weight": 0.3},
    "split": "dev",
    "n_examples": 1200,
    "delta": 0.002,
    "harmless": True,
    "keep_old": {"example": {"accuracy": 0.7, "nfr": 0, "nfi": 0, "pfr": 0}},
    "untreated": {"example": {"accuracy": 0.8, "nfr": 0.1, "nfi": 0.5, "pfr": 0.2}},
    "tried": [
        {
            "values": {"weight": 0.3},
            "levels": {
                "example": {"accuracy": 0.79, "nfr": 0.05, "nfi": None, "pfr": 0.2}
            },
        }
    ],
}
NOTHING = estimate(None, n=0, reason="the metric is undefined on these examples")


GAINING = estimate(0.05, 0.02, 0.08)


def said(gain: Any = GAINING, **changes: Any) -> str:
    return told(made_mitigation(summary(TREATED), **changes), gain=gain)


def told(one: Tried, gain: Any = GAINING) -> str:
    untreated = summary(NEW)
    estimates = {**untreated["statistics"], "accuracy_change": gain}
    levels = {"example": {**untreated, "statistics": estimates}}
    run = made_run(NEW, task={"levels": levels, "mitigations": [one]})
    task = read_results(run).task
    return mitigation_sentence(task.mitigations[0], task.update)


def test_the_sentence_counts_what_breaks_and_what_is_fixed() -> None:
    assert "mix:weight=0.5: broken 1 → 0, fixed 1 → 1." in said()
    assert "leaves 80 % of NEW's gain over OLD" in said().replace("\u00a0", " ")


def test_dragging_back_is_called_that() -> None:
    assert "merely drags NEW back to OLD" in said(effect="drags_back")
    assert "does more than drag NEW back" in said(effect="selective")
    assert "not shown to do more" in said(effect="unclear")
    assert "most of the way back" in said(effect="mostly_old")
    assert "breaks no less" in said(effect="no_cut")


@pytest.mark.parametrize("effect", ["drags_back", "selective", "unclear", "mostly_old"])
def test_without_old_nothing_is_dragged_but_chance_stays_the_comparison(
    effect: str,
) -> None:
    from_old, from_new, errors = made_mitigation(summary(TREATED), effect=effect)
    facts = from_old["mitigation"]

    def costing(**cost: int) -> str:
        priced = {**from_old, "mitigation": {**facts, "cost": cost}}
        return told((priced, from_new, errors))

    text = costing(**{**facts["cost"], "old_passes": 0})

    assert "drag" not in text
    assert "chance" in text or "as OLD did, at random" in text
    assert "drag" in costing()


def test_a_treatment_that_fixes_more_takes_nothing_away() -> None:
    assert "fixes no less." in said(fixed_cut=estimate(-0.2, -0.4, 0.0))


def test_where_new_fixed_nothing_there_is_no_share_of_it() -> None:
    assert "NEW itself fixes nothing" in said(effect="unclear", fixed_cut=NOTHING)


def test_a_gain_that_new_does_not_have_is_not_kept() -> None:
    assert "gain over OLD" not in said(gain_kept=NOTHING)
    assert "gain over OLD" not in said(gain=estimate(0.01, -0.01, 0.03))


def test_errors_of_the_treated_model_are_told() -> None:
    assert "raised an error for 2 examples" in said(errors=2)


def test_a_choice_is_told_with_its_rule() -> None:
    told = chosen_words(CHOSEN).replace("\u00a0", " ")

    assert told.startswith("weight=0.3 was chosen on dev (1,200 examples)")
    assert "shown to lose at most 0.2 points" in told
    assert "may lose least" in chosen_words({**CHOSEN, "harmless": False})


def test_cost_is_told_without_and_with_time() -> None:
    cost = {"old_passes": 1, "new_passes": 10, "candidates": 10}

    assert cost_words(cost, {}) == "NEW asked 10×, OLD 1×, 10 candidates"
    assert cost_words({}, {"times_untreated": 2.31}) == "2.3 times the time of NEW"
    assert cost_words({}, {}) == "–"
    trained = {"parameters": 57_750, "training_seconds": 41.4}
    assert cost_words({}, trained) == "57.8 k parameters, trained in 41 s"


def test_the_table_begins_with_untreated_new() -> None:
    one = made_mitigation(summary(TREATED), chosen=CHOSEN)
    roles = {"new+mix-weight-0.5-abc123": {"times_untreated": 2.0}}
    run = made_run(NEW, task={"mitigations": [one]}, manifest={"roles": roles})

    found = mitigations(read_results(run))

    assert found is not None
    rows = found.levels[0].rows
    assert [(row.mark, row.name, row.lost) for row in rows] == [
        ("OLD", "keep OLD", "0"),
        ("NEW", "no mitigation", "1"),
        ("1", "mix:weight=0.5", "0"),
    ]
    kept, untreated, treated = rows
    assert kept.numbers["accuracy_new"].text.startswith("66.7")
    assert {kept.numbers[name].text[0] for name in ("nfr", "pfr", "nfi")} == {"0"}
    assert untreated.changes == {}
    assert (untreated.effect, treated.effect) == ("", "selective")
    assert treated.numbers["accuracy_change"].text.startswith("+33.3")
    assert treated.cost.endswith("2.0 times the time of NEW")
    assert [(row.value, row.chosen) for row in found.choices[0].rows] == [
        ("keep OLD", False),
        ("no mitigation", False),
        ("0.3", True),
    ]


def test_what_a_training_must_tell_is_told() -> None:
    from_old, from_new, errors = made_mitigation(summary(TREATED))
    noted = {**from_old["mitigation"], "notes": ["3 examples are compared on, too."]}

    text = told(({**from_old, "mitigation": noted}, from_new, errors))

    assert text.endswith("3 examples are compared on, too.")


def test_no_mitigation_says_nothing() -> None:
    assert mitigations(read_results(made_run(NEW))) is None


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    named = made_mitigation(summary(TREATED), name=f"bcr:generator={'x' * 50}")
    run = made_run(NEW, task={"mitigations": [named]}, gates=[gate()])
    out = io.StringIO()

    print_comparison(Console(file=out, width=width), read_results(run), "r")

    assert max(map(len, out.getvalue().splitlines())) <= width


def test_words_are_whole_on_a_narrow_terminal() -> None:
    named = made_mitigation(summary(TREATED), name="warm-start:start=old,share=0.1")
    run = made_run(NEW, task={"mitigations": [named]}, gates=[gate()])
    out = io.StringIO()

    print_comparison(Console(file=out, width=80), read_results(run), "r")

    table = out.getvalue()[out.getvalue().index("Mitigations") :]
    for word in ("Accuracy", "mitigation", "warm-start:start=old,share=0.1"):
        assert word in table.partition("Report")[0]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_acts_nowhere(hostile: str) -> None:
    one = made_mitigation(summary(TREATED), name=hostile, chosen=CHOSEN)
    run = made_run(NEW, task={"mitigations": [one]})

    made = render(run)
    out = io.StringIO()
    print_comparison(Console(file=out, width=100), read_results(run), "runs/toy-1")

    for text in (
        made["report.html"].decode(),
        made["summary.md"].decode(),
        out.getvalue(),
    ):
        section = text[text.index("Mitigations") :]
        assert not ACTS.search(section.replace("\u200b", ""))
    assert "<script>alert" not in made["report.html"].decode()
    assert "<img src=x" not in made["report.html"].decode()
