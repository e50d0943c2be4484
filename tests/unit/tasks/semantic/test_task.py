import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import names
from compat_eval.core.predictions import Predictions
from compat_eval.tasks import task
from compat_eval.tasks.semantic.task import INVALID_RATE, SLOT_F1, Semantic, semantic
from compat_eval.tasks.semantic.trees import bracketed, parse_tree

# The worked example of the specification.
GOLD = (
    "[IN:GET_DIRECTION Directions to [SL:DESTINATION [IN:FIND_EVENT "
    "[SL:ORGANIZER David ] 's [SL:CATEGORY party ] ] ] ]"
)
OTHER_INTENT = GOLD.replace("FIND_EVENT", "FIND_TIME")
OTHER_SLOT = GOLD.replace("SL:CATEGORY", "SL:KIND")
TYPED = (
    "[IN:GET_DIRECTION Directions to [SL:DESTINATION [IN:FIND_EVENT "
    "[SL:ORGANIZER David SL:ORGANIZER] 's [SL:CATEGORY party SL:CATEGORY] "
    "IN:FIND_EVENT] SL:DESTINATION] IN:GET_DIRECTION]"
)

INVALID = {
    "open": GOLD.removesuffix(" ]"),
    "closed twice": GOLD + " ]",
    "two trees": "[IN:A a ] [IN:B b ]",
    "word outside": "[IN:A a ] b",
    "words only": "turn it off",
    "wrong closer": "[IN:A a [SL:B b IN:A] SL:B]",
    "no label": "[IN: a ]",
    "nothing": "",
}


def examples(*gold: str) -> Examples:
    ids = [f"u{i}" for i in range(len(gold))]
    return Examples(pa.table({"id": ids, "gold": list(gold)}))


def predictions(*said: str | None) -> Predictions:
    ids = [f"u{i}" for i in range(len(said))]
    return Predictions(pa.table({"id": ids, "prediction": pa.array(said, pa.string())}))


def right(gold: str, said: str | None, level: str, **options: object) -> list[bool]:
    grading = semantic(**options)
    found = grading.grade(examples(gold), predictions(said), [level])[level]
    return list(found.right.tolist())


def test_an_answer_that_is_gold_is_right_at_every_level() -> None:
    assert right(GOLD, GOLD, "span_label") == right(GOLD, GOLD, "span_subtree")
    for level in names(Semantic().levels):
        assert all(right(GOLD, GOLD, level))
        assert all(right(GOLD, TYPED, level))
    assert len(right(GOLD, GOLD, "span_label")) == 4


def test_another_inner_intent_leaves_three_labels_and_two_subtrees_right() -> None:
    assert right(GOLD, OTHER_INTENT, "exact_match") == [False]
    assert right(GOLD, OTHER_INTENT, "span_label") == [True, False, True, True]
    assert right(GOLD, OTHER_INTENT, "span_subtree") == [False, False, True, True]
    assert right(GOLD, OTHER_INTENT, "intent") == [True]


def test_another_slot_label_leaves_three_labels_and_one_subtree_right() -> None:
    assert right(GOLD, OTHER_SLOT, "span_label") == [True, True, True, False]
    assert right(GOLD, OTHER_SLOT, "span_subtree") == [False, False, True, False]


def test_an_intent_and_a_slot_of_the_same_name_are_not_the_same() -> None:
    said = "[IN:A x [IN:B y ] ]"

    assert right("[IN:A x [SL:B y ] ]", said, "span_subtree") == [False, False]


@pytest.mark.parametrize("name", sorted(INVALID))
def test_what_is_no_tree_is_wrong_at_every_level_and_counted(name: str) -> None:
    said = INVALID[name]

    assert parse_tree(said) is None
    for level in names(Semantic().levels):
        assert not any(right(GOLD, said, level))
    rows = INVALID_RATE.rows(examples(GOLD, GOLD), predictions(said, GOLD))
    assert float(INVALID_RATE.value(rows.total())) == 0.5


def test_no_answer_is_wrong_at_every_level() -> None:
    for level in names(Semantic().levels):
        assert not any(right(GOLD, None, level))


def test_units_of_several_utterances_stand_one_after_another() -> None:
    gold = examples("[IN:A a [SL:B b ] ]", "[IN:A a ]", GOLD)

    found = Semantic().grade(gold, predictions("[IN:A a ]", "[IN:A a ]", GOLD))[
        "span_label"
    ]

    assert found.offsets.tolist() == [0, 2, 3, 7]
    assert found.right.tolist() == [False, False, True, True, True, True, True]


def test_slots_are_counted_with_their_label_and_words() -> None:
    said = predictions(OTHER_SLOT, "no tree")

    rows = SLOT_F1.rows(examples(GOLD, "[IN:A [SL:B b ] ]"), said)

    assert rows.dense().tolist() == [[2, 3, 3], [0, 0, 1]]
    assert float(SLOT_F1.value(rows.total())) == 4 / 7


def test_case_order_and_words_outside_slots_may_be_ignored() -> None:
    gold = "[IN:SET Wake me [SL:DAY today ] at [SL:HOUR 7 ] ]"
    lower = "[IN:SET wake me [SL:DAY today ] at [SL:HOUR 7 ] ]"
    turned = "[IN:SET Wake me at [SL:HOUR 7 ] [SL:DAY today ] ]"
    bare = "[IN:SET [SL:DAY today ] [SL:HOUR 7 ] ]"

    assert right(gold, lower, "exact_match") == [False]
    assert right(gold, lower, "exact_match", case="lower") == [True]
    assert right(gold, turned, "exact_match") == [False]
    assert right(gold, turned, "exact_match", order="ignore") == [True]
    assert right(gold, bare, "exact_match", words="slots") == [True]
    assert right(gold, bare, "exact_match", words="all") == [False]


def test_levels_of_places_are_withheld_where_places_do_not_count() -> None:
    for options in ({"words": "slots"}, {"order": "ignore"}):
        found = semantic(**options)

        assert names(found.levels) == ("exact_match", "intent")
        assert found.statistics(examples(GOLD), predictions(GOLD)) == (INVALID_RATE,)
        with pytest.raises(UsageError, match="Spans are places of words"):
            found.grade(examples(GOLD), predictions(GOLD), ["span_label"])
    assert semantic(case="lower").levels == Semantic().levels


def test_the_order_of_like_slots_does_not_depend_on_their_places() -> None:
    one = "[IN:A [SL:X [IN:B w ] [SL:P p ] ] [SL:X [IN:B w ] [SL:Q q ] ] ]"
    other = "[IN:A [SL:X [IN:B w ] [SL:Q q ] ] [SL:X [IN:B w ] [SL:P p ] ] ]"

    assert right(one, other, "exact_match", order="ignore") == [True]


def test_gold_that_is_no_tree_is_refused_by_id() -> None:
    one, several = examples(GOLD, "[IN:A"), examples("]", GOLD, "x")

    for refuse in (
        lambda: Semantic().grade(one, predictions(GOLD, GOLD))["intent"],
        lambda: Semantic().check_gold(one),
    ):
        with pytest.raises(DataError) as told:
            refuse()
        assert str(told.value) == (
            "1 gold answer is no bracketed tree (u1), first '[IN:A'; expected one such "
            "as [IN:STOP stop [SL:WHAT it ] ], nested at most 100 deep"
        )
    with pytest.raises(DataError, match=r"2 gold answers are .* \(u0, u2\), first ']'"):
        Semantic().check_gold(several)
    Semantic().check_gold(examples(GOLD))


def test_trees_are_shown_with_untyped_closers() -> None:
    tree = parse_tree(TYPED)

    assert tree is not None
    assert bracketed(tree) == Semantic().show(TYPED) == GOLD
    assert Semantic().show("turn it off") == "turn it off"
    assert Semantic().show(None) == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cases": "lower"}, "no option 'cases'; there are case, words, order"),
        ({"case": "upper"}, "case must be keep or lower, got 'upper'"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        task("semantic", **options)


def test_unknown_levels_are_refused() -> None:
    with pytest.raises(UsageError, match="no level 'las'"):
        right(GOLD, GOLD, "las")
