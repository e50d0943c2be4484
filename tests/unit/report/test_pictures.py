"""Which flips are drawn, and what stands in place of a drawing."""

import pytest

from compat_eval.report import pictures as pictures_module
from compat_eval.report.flips import Flip, flips
from compat_eval.report.pictures import Pictures, ShownTree, pictures, plain_pictures
from compat_eval.report.results import Results, read_results
from tests.unit.report.made_run import made_run, varied_rows
from tests.unit.report.parsed_run import UTTERANCES, parsed_run, semantic_run

RIGHT: list[str | None] = list(UTTERANCES[1])


def listed(results: Results) -> tuple[Flip, ...]:
    return flips(results, results.task.update.main.level.name)


def drawn(results: Results) -> Pictures:
    return pictures(results, listed(results))


def trees(example: str, new: list[str | None]) -> tuple[ShownTree, ...]:
    return drawn(read_results(semantic_run(RIGHT, new))).of[example].trees


def test_runs_of_other_tasks_have_no_pictures() -> None:
    results = read_results(made_run(varied_rows(20, broken=2, fixed=1, missed=1)))

    assert drawn(results) == Pictures(of={})
    assert pictures(read_results(parsed_run()), []) == Pictures(of={})


def test_parses_show_a_drawing_and_what_flipped() -> None:
    found = drawn(read_results(parsed_run("las")))

    assert found.legend.startswith("Above the words stands the tree of old")
    assert all(one.drawing for one in found.of.values())
    assert [one.part for one in found.of["s1"].changes] == ["the", "old", "dog"]
    assert found.left_out == ""
    assert 0 < found.of["s1"].weight < 3000


def test_what_there_is_no_room_for_lists_what_flipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures_module, "MOST_DRAWN", 1)

    found = drawn(read_results(parsed_run("las")))

    assert [one.drawing is None for one in found.of.values()] == [False, True]
    assert found.left_out == (
        "1 flipped example is not drawn, so that this page stays small; what flipped "
        "is listed."
    )


def test_no_answer_is_said() -> None:
    *_, new = trees("b", [RIGHT[0], None, *RIGHT[2:]])

    assert (new.verdict, new.instead) == ("wrong", "no answer")


def test_long_trees_are_cut_and_say_so() -> None:
    long = f"[IN:A {' '.join('[SL:B b ]' for _ in range(99))} ]"
    gold, _, new = trees("b", [RIGHT[0], long, *RIGHT[2:]])

    assert gold.verdict == ""
    assert (len(new.lines), new.more) == (60, "… 40 more lines")


def test_a_terminal_gets_what_flipped_as_plain_lines() -> None:
    parses, semantic = (
        read_results(run) for run in (parsed_run("las"), semantic_run())
    )

    assert plain_pictures(parses, listed(parses))["s1"][0] == (
        "▼ the: det ← dog, now det ← saw"
    )
    found = plain_pictures(semantic, listed(semantic))["a"]
    assert found[0] == "gold"
    assert "        ▼ SL:CATEGORY party" in found
    assert "new ✗" in found
