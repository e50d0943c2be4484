"""Semantic trees side by side."""

from compat_eval.core.picture import SYMBOLS, WrittenTree
from compat_eval.tasks.semantic.picture import picture, tree_lines
from compat_eval.tasks.semantic.trees import DEEPEST, parse_tree
from tests.unit.report.parsed_run import UTTERANCES

GOLD = UTTERANCES[1]


def shown(gold: str, old: str | None, new: str | None) -> tuple[WrittenTree, ...]:
    trees = picture(gold, old, new).draw()
    assert isinstance(trees, tuple)
    return trees


def lines(tree: WrittenTree) -> list[str]:
    return [
        " ".join(
            filter(None, (str(one.depth), SYMBOLS[one.mark], one.label, one.words))
        )
        for one in tree.lines
    ]


def test_broken_nodes_are_marked_in_gold_and_wrong_ones_in_the_answer() -> None:
    gold, old, new = shown(GOLD[0], GOLD[0], GOLD[0].replace("CATEGORY", "NAME"))

    assert lines(gold) == [
        "0 IN:GET_DIRECTION Directions to",
        "1 SL:DESTINATION",
        "2 IN:FIND_EVENT",
        "3 SL:ORGANIZER David",
        "3 's",
        "3 ▼ SL:CATEGORY party",
    ]
    assert lines(new)[-1] == "3 ✗ SL:NAME party"
    assert not any(line.mark for line in old.lines)


def test_fixed_nodes_are_marked_too() -> None:
    gold, old, new = shown(GOLD[2], "[IN:STOP stop it ]", GOLD[2])

    assert lines(gold) == ["0 IN:STOP stop", "1 ▲ SL:WHAT it"]
    assert lines(old) == ["0 IN:STOP stop it"]
    assert lines(new) == ["0 IN:STOP stop", "1 SL:WHAT it"]


def test_what_is_no_tree_is_kept_as_it_is() -> None:
    *_, new = shown(GOLD[1], GOLD[1], "[IN:X")

    assert (new.lines, new.instead) == ((), "[IN:X")


def test_without_a_gold_tree_nothing_is_drawn() -> None:
    assert picture("no tree", GOLD[1], None).draw() is None


def test_deep_trees_are_walked_without_recursion() -> None:
    text = "[IN:A " * DEEPEST + "x " + "] " * DEEPEST
    tree = parse_tree(text)
    assert tree is not None

    found = list(tree_lines(tree))

    assert [line.depth for line in found] == list(range(DEEPEST))
    assert found[-1].words == "x"
    assert len(shown(text, text, None)[0].lines) == DEEPEST
