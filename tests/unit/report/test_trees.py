"""Semantic trees side by side."""

from compat_eval.report.flips import Flip, flips
from compat_eval.report.results import read_results
from compat_eval.report.tree_lines import keys, tree_lines
from compat_eval.report.view.trees import ShownTree, tree_picture
from compat_eval.tasks.semantic.trees import DEEPEST, parse_tree
from tests.unit.report.parsed_run import UTTERANCES, semantic_run


def shown(flip: Flip) -> tuple[ShownTree, ...]:
    picture = tree_picture(flip)
    assert picture is not None
    return picture.trees


def flip_of(example: str, **sides: list[str | None]) -> Flip:
    run = semantic_run(sides.get("old"), sides.get("new"))
    return next(f for f in flips(read_results(run), "exact_match") if f.id == example)


def lines(tree: ShownTree) -> list[str]:
    return [
        " ".join(filter(None, (line.depth, line.symbol, line.label, line.words)))
        for line in tree.lines
    ]


def test_broken_nodes_are_marked_in_gold_and_wrong_ones_in_the_answer() -> None:
    gold, old, new = shown(flip_of("a"))

    assert lines(gold) == [
        "0 IN:GET_DIRECTION Directions to",
        "1 SL:DESTINATION",
        "2 IN:FIND_EVENT",
        "3 SL:ORGANIZER David",
        "3 's",
        "3 ▼ SL:CATEGORY party",
    ]
    assert (old.verdict, new.verdict) == ("right", "wrong")
    assert lines(new)[-1] == "3 ✗ SL:NAME party"
    assert not any(line.mark for line in old.lines)


def test_fixed_nodes_are_marked_too() -> None:
    gold, old, new = shown(flip_of("c"))

    assert lines(gold) == ["0 IN:STOP stop", "1 ▲ SL:WHAT it"]
    assert lines(old) == ["0 IN:STOP stop it"]
    assert lines(new) == ["0 IN:STOP stop", "1 SL:WHAT it"]


def test_what_is_no_tree_is_shown_as_it_is() -> None:
    right: list[str | None] = list(UTTERANCES[1])
    *_, new = shown(flip_of("b", old=right, new=[right[0], "[IN:X", *right[2:]]))

    assert (new.lines, new.instead) == ((), "[IN:X")


def test_no_answer_is_said() -> None:
    right: list[str | None] = list(UTTERANCES[1])
    *_, new = shown(flip_of("b", old=right, new=[right[0], None, *right[2:]]))

    assert new.instead == "no answer"


def test_long_trees_are_cut_and_say_so() -> None:
    long = f"[IN:A {' '.join('[SL:B b ]' for _ in range(99))} ]"
    right: list[str | None] = list(UTTERANCES[1])
    *_, new = shown(flip_of("b", old=right, new=[right[0], long, *right[2:]]))

    assert (len(new.lines), new.more) == (60, "… 40 more lines")


def test_deep_trees_are_walked_without_recursion() -> None:
    depth = DEEPEST
    text = "[IN:A " * depth + "x " + "] " * depth
    tree = parse_tree(text)
    assert tree is not None

    found = list(tree_lines(tree))

    assert [line.depth for line in found] == list(range(depth))
    assert found[-1].words == "x"
    assert keys(None) == frozenset()
