"""Options, names and files that together would buy a PASS, or crash."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.workflows.run import compare as in_python
from tests.trust.conftest import CASES, Command
from tests.trust.test_sides import Rows, notes, one, other, rows, without, write

GATES = CASES / "trust" / "g.yaml"


def half(name: str) -> Callable[[int], str]:
    """Return an OLD that is always right, but has a name of its own for `b`."""
    return lambda i: "a" if i % 2 else name


OTHER_NAMES = {
    "a look-alike letter": ("b", "\u0412"),
    "a zero-width joiner inside": ("bad", "b\u200dad"),
    "a word joiner behind": ("bad", "bad\u2060"),
    "a soft hyphen": ("bad", "b\u00adad"),
    "a mark of direction": ("bad", "bad\u200e"),
    "a NUL": ("bad", "bad\0"),
    "another word": ("bad", "negative"),
}


@pytest.mark.parametrize(("gold", "said"), OTHER_NAMES.values(), ids=OTHER_NAMES)
def test_a_gold_label_that_old_has_another_name_for_is_refused(
    compare: Command, gold: str, said: str
) -> None:
    """Counted as written OLD is never right about it, and NEW breaks none of it."""
    old = rows(gold=half(gold), prediction=half(said))
    new = rows(gold=half(gold), prediction=half("a"))

    ended = compare(write("o.jsonl", old), write("n.jsonl", new), "--gates", GATES)

    assert ended.code == 2
    assert "--label-map" in ended.said


def test_wrong_answers_that_are_no_label_are_no_other_name(compare: Command) -> None:
    """A side that is wrong in many ways, or right often enough, is compared."""
    said = rows(gold=one, prediction=lambda i: one(i) if i % 3 else f"none {i % 5}")

    ended = compare(write("o.jsonl", said), write("n.jsonl", said), "--gates", GATES)

    assert ended.passed


MAPS = {
    "a gold label is renamed to another": ({"b": "a"}, one, other),
    "all answers get one name": (
        {"0": "a", "1": "a"},
        lambda i: str(i % 2),
        lambda i: str(1 - i % 2),
    ),
}


@pytest.mark.parametrize("case", MAPS)
def test_a_label_map_does_not_make_all_answers_alike(
    compare: Command, case: str
) -> None:
    names, said, wrong = MAPS[case]
    Path("map.yaml").write_text("".join(f"'{a}': '{b}'\n" for a, b in names.items()))
    sides = [
        write(f"{at}.jsonl", rows(gold=one, prediction=answer))
        for at, answer in enumerate((said, wrong))
    ]

    ended = compare(*sides, "--gates", GATES, "--label-map", "map.yaml")

    assert ended.code == 2
    assert "label map" in ended.said


def test_a_label_map_does_not_take_relations_of_gold_away(compare: Command) -> None:
    """Gold keeps its name, so what OLD had right would be wrong on both sides."""
    gold = CASES / "conllu" / "gold.conllu"
    Path("map.yaml").write_text("advmod: obj\n")

    ended = compare(
        *(gold, gold, "--task", "dependency", "--gold", gold),
        *("--label-map", "map.yaml"),
    )

    assert ended.code == 2
    assert "renames 'advmod', which gold has" in ended.said


def test_a_label_map_may_exchange_names_and_join_those_of_a_model(
    compare: Command,
) -> None:
    swapped = write("s.jsonl", rows(gold=one, prediction=other))
    fine = rows(gold=one, prediction=lambda i: "a" if i % 2 else f"b{i % 3}")
    Path("swap.yaml").write_text("a: b\nb: a\n")
    Path("join.yaml").write_text("b0: b\nb1: b\nb2: b\n")

    for side, names in ((swapped, "swap"), (write("f.jsonl", fine), "join")):
        ended = compare(side, side, "--gates", GATES, "--label-map", f"{names}.yaml")
        assert ended.passed
        assert ended.counts() == [600, 0, 0, 0]


def test_a_gold_file_that_is_news_own_is_only_to_look(compare: Command) -> None:
    """Gold that only NEW's file has does not become known by naming the file twice."""
    old = write("o.jsonl", without(rows(gold=one, prediction=one), "gold"))
    bought = lambda i: one(i) if i % 4 else other(i)  # noqa: E731
    new = write("n.jsonl", rows(gold=bought, prediction=bought))
    Path("half.yaml").write_text("gates: [{quantity: nfr, at_most: 0.5}]\n")

    ended = compare(old, new, "--gold", new, "--gates", "half.yaml")

    assert ended.code == 3
    assert "new's own file" in ended.comparison()["doubts"][0]


def test_gold_that_news_file_leaves_empty_takes_no_example_out(
    compare: Command,
) -> None:
    """With `own` what only NEW has decided which examples count, untold."""
    graded = [{"id": str(i), "correct": True} for i in range(600)]
    new = rows(prediction=one, gold=lambda i: "a" if i % 2 else None)
    new = [{**row, "correct": bool(i % 2)} for i, row in enumerate(new)]

    ended = compare(
        *(write("o.jsonl", graded), write("n.jsonl", new)),
        *("--gates", GATES, "--on-mismatch", "own"),
    )

    assert ended.code in (1, 3)


@pytest.mark.parametrize("metric", ["macro_f1", "ece"])
@pytest.mark.parametrize("limit", [1, 5])
def test_a_loss_that_no_metric_can_have_is_no_demand(
    compare: Command, metric: str, limit: int
) -> None:
    Path("g.yaml").write_text(f"gates: [{{loss: {{of: {metric}, at_most: {limit}}}}}]")
    side = write("o.jsonl", rows(score=lambda _: 0.9))

    ended = compare(side, side, "--gates", "g.yaml")

    assert ended.code == 2


def test_answers_that_a_side_leaves_empty_are_told(compare: Command) -> None:
    old = rows(prediction=lambda i: "yes" if i % 2 else "")

    ended = compare(write("o.jsonl", old), write("n.jsonl", rows()))

    told = "OLD gave no answer to 300 of 600"
    assert any(note.startswith(told) for note in notes(ended))


def test_answers_that_are_no_tree_are_told(compare: Command) -> None:
    tree = "[IN:STOP stop ]"
    new = rows(gold=lambda _: tree, prediction=lambda _: tree)
    old = rows(gold=lambda _: tree, prediction=lambda i: tree if i % 2 else "[IN:STOP")
    sides = (write("o.jsonl", old), write("n.jsonl", new))

    ended = compare(*sides, "--task", "semantic")

    told = "OLD: 300 of 600 answers are no bracketed tree"
    assert any(note.startswith(told) for note in notes(ended))


@pytest.mark.parametrize("kind", ["classification", "semantic"])
def test_trees_for_a_task_that_has_none_are_no_crash(
    compare: Command, kind: str
) -> None:
    gold = CASES / "conllu" / "gold.conllu"

    ended = compare(gold, gold, "--gold", gold, "--task", kind)

    assert ended.code == 2
    assert "add --task dependency" in ended.said


CHOICES: list[dict[str, Any]] = [
    {"on_missing": "bounds"},
    {"on_missing": None},
    {"on_mismatch": "Own"},
    {"on_mismatch": None},
]


@pytest.mark.parametrize("wrong", CHOICES, ids=str)
def test_a_choice_that_does_not_exist_is_not_taken_for_another(
    wrong: dict[str, Any],
) -> None:
    """From Python; anything but `fail` used to mean `bound`."""
    sides = [str(write(f"{n}.jsonl", rows()[:n])) for n in (600, 599)]
    sides = sides if "on_missing" in wrong else [sides[0]] * 2

    with pytest.raises(UsageError, match="must be one of"):
        in_python(*sides, gates=GATES, **wrong)


FURTHER: dict[str, tuple[Rows, tuple[str, ...]]] = {
    "ids in another Unicode form": (rows(id=lambda i: f"e\u0301{i}"), ()),
    "ids in another case": (rows(id=lambda i: f"\u00c9{i}"), ()),
    "ids with a blank": (rows(id=lambda i: f" \u00e9{i}"), ()),
    "ids in another form, bound": (
        rows(id=lambda i: f"e\u0301{i}"),
        ("--on-missing", "bound"),
    ),
}


@pytest.mark.parametrize(("new", "options"), FURTHER.values(), ids=FURTHER)
def test_ids_that_look_alike_are_not_the_same(
    compare: Command, new: Rows, options: tuple[str, ...]
) -> None:
    old = rows(id=lambda i: f"\u00e9{i}")

    ended = compare(
        *(write("o.jsonl", old), write("n.jsonl", new)), "--gates", GATES, *options
    )

    assert ended.code == (1 if options else 4)


def test_the_list_of_attacks_is_whole(request: pytest.FixtureRequest) -> None:
    """README.md names every file; run together they are at least sixty rows."""
    folder = Path(__file__).parent
    files = {path.name for path in folder.glob("test_*.py")}
    listed = (folder / "README.md").read_text("utf-8")
    collected = [i.path.name for i in request.session.items if i.path.parent == folder]

    assert all(f"| `{name}` |" in listed for name in files)
    if set(collected) == files:
        assert len(collected) >= 60
