"""Laws of which words and sentences two parses treat differently."""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.comparison.update import Update
from compat_eval.core.examples import Examples
from compat_eval.core.grades import BROKEN, FIXED
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.dependency.task import Dependency
from compat_eval.tasks.dependency.trees import TREE_TYPE
from tests.fakes import update

Tree: TypeAlias = dict[str, list[int] | list[str]] | None
LEVELS = ("las", "uas", "lcm", "ucm")
TASKS = st.builds(
    Dependency,
    punctuation=st.sampled_from(["exclude", "include"]),
    tree_punctuation=st.sampled_from(["exclude", "include"]),
    relations=st.sampled_from(["full", "universal"]),
    root_relation=st.sampled_from(["compare", "ignore"]),
)


@st.composite
def pairings(draw: st.DrawFn, *, odd: bool = False) -> Update:
    """Return parses; `odd` ones need not be trees."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    words = [
        {
            "words": ["w"] * size,
            "upos": draw(
                st.lists(
                    st.sampled_from(["NOUN", "PUNCT"]), min_size=size, max_size=size
                )
            ),
        }
        for size in sizes
    ]

    def tree(size: int) -> Tree:
        # Each word hangs on one that stands before it in some order of the words.
        order = draw(st.permutations(range(1, size + 1)))
        above = {
            word: draw(st.sampled_from(order[:at])) if at else 0
            for at, word in enumerate(order)
        }
        heads = [above[word] for word in range(1, size + 1)]
        names = st.sampled_from(["obj", "nsubj", "nsubj:pass"])
        deprels = st.lists(names, min_size=size, max_size=size)
        return {"heads": heads, "deprels": draw(deprels)}

    def answer(size: int) -> Tree:
        heads = draw(st.lists(st.integers(0, size), min_size=size, max_size=size))
        return {**(tree(size) or {}), "heads": heads} if odd else tree(size)

    gold = [tree(size) for size in sizes]
    sides = [
        [draw(st.sampled_from([right, answer(size), None])) for right, size in rows]
        for rows in [list(zip(gold, sizes, strict=True))] * 2
    ]
    ids = [f"s{at}" for at in range(len(sizes))]
    old, new = (
        Predictions(pa.table({"id": ids, "prediction": pa.array(side, TREE_TYPE)}))
        for side in sides
    )
    return update(
        Examples(
            pa.table({"id": ids, "input": words, "gold": pa.array(gold, TREE_TYPE)})
        ),
        old,
        new,
        task="dependency",
    )


def graded_by(task: Dependency, pairing: Update) -> Update:
    """Return the same answers, graded by another task."""
    asked, old, new = pairing.examples, pairing.old, pairing.new
    return update(asked, old, new, task=task)


@given(pairing=pairings(odd=True), task=TASKS, level=st.sampled_from(LEVELS))
@settings(max_examples=60, deadline=None)
def test_what_broke_or_was_fixed_changed(
    pairing: Update, task: Dependency, level: str
) -> None:
    cells = graded_by(task, pairing).cells[level]

    assert cells.changed is not None
    flipped = (cells.codes == BROKEN) | (cells.codes == FIXED)
    assert not (flipped & ~cells.changed).any()


@given(pairing=pairings(), task=TASKS)
@settings(max_examples=40, deadline=None)
def test_relations_change_no_fewer_words_or_trees_than_heads_do(
    pairing: Update, task: Dependency
) -> None:
    for labelled, bare in (("las", "uas"), ("lcm", "ucm")):
        more = graded_by(task, pairing).cells[labelled].changed
        fewer = graded_by(task, pairing).cells[bare].changed

        assert more is not None
        assert fewer is not None
        assert not (fewer & ~more).any()


@given(pairing=pairings(), task=TASKS, level=st.sampled_from(LEVELS))
@settings(max_examples=20, deadline=None)
def test_nothing_changes_against_oneself_and_sides_may_be_swapped(
    pairing: Update, task: Dependency, level: str
) -> None:
    asked, old, new = pairing.examples, pairing.old, pairing.new
    there, back = (task.changed(asked, *p, level) for p in ((old, new), (new, old)))
    itself = task.changed(asked, old, old, level)

    assert there is not None
    assert back is not None
    assert itself is not None
    assert np.array_equal(there, back)
    assert not itself.any()


@given(pairing=pairings())
@settings(max_examples=40, deadline=None)
def test_words_are_those_that_a_count_by_hand_finds(pairing: Update) -> None:
    task = Dependency()
    inputs = pairing.examples.column("input").to_pylist()
    sides = (
        side.column("prediction").to_pylist() for side in (pairing.old, pairing.new)
    )
    heads, arcs, trees = [], [], []
    for asked, one, other in zip(inputs, *sides, strict=True):
        counted = [at for at, tag in enumerate(asked["upos"]) if tag != "PUNCT"]
        moved = [
            (one is None) != (other is None)
            if one is None or other is None
            else one["heads"][at] != other["heads"][at]
            for at in counted
        ]
        other_arc = [
            was
            or (
                one is not None
                and other is not None
                and one["deprels"][at] != other["deprels"][at]
            )
            for at, was in zip(counted, moved, strict=True)
        ]
        heads += moved
        arcs += other_arc
        trees.append(any(moved) or (one is None) != (other is None))

    for level, expected in (("uas", heads), ("las", arcs), ("ucm", trees)):
        found = task.changed(pairing.examples, pairing.old, pairing.new, level)
        assert found is not None
        assert found.tolist() == expected
