"""Facets and places are of the same units that are graded."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.dependency.task import PRESETS, Dependency, dependency
from compat_eval.tasks.dependency.trees import TREE_TYPE
from compat_eval.tasks.semantic.task import Semantic

TAGS = st.sampled_from(["NOUN", "VERB", "PUNCT", "SYM"])
RELATIONS = st.sampled_from(["root", "obj", "nmod:poss", "punct"])


@st.composite
def parsed(draw: st.DrawFn) -> tuple[Examples, Predictions]:
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    ids = [f"s{at}" for at in range(len(sizes))]
    gold = [
        {
            "heads": [0, *(draw(st.integers(1, at)) for at in range(1, size))],
            "deprels": [draw(RELATIONS) for _ in range(size)],
        }
        for size in sizes
    ]
    words = [
        {"words": ["w"] * size, "upos": [draw(TAGS) for _ in range(size)]}
        for size in sizes
    ]
    said = [draw(st.sampled_from([one, None])) for one in gold]
    examples = {"id": ids, "input": words, "gold": pa.array(gold, TREE_TYPE)}
    return (
        Examples(pa.table(examples)),
        Predictions(pa.table({"id": ids, "prediction": pa.array(said, TREE_TYPE)})),
    )


@pytest.mark.parametrize("preset", [None, *PRESETS])
@given(run=parsed())
def test_words_and_sentences_line_up(
    run: tuple[Examples, Predictions], preset: str | None
) -> None:
    examples, predictions = run
    task: Dependency = dependency(preset=preset)
    for level, units in task.grade(examples, predictions).items():
        places = task.places(examples, level)

        assert task.facets(examples, level).num_rows == units.n_units
        assert places is None or len(places.node) == units.n_units


@st.composite
def brackets(draw: st.DrawFn, depth: int = 3, kind: str = "IN") -> str:
    below = st.one_of(
        st.sampled_from(["a", "b"]),
        *([brackets(depth - 1, "SL" if kind == "IN" else "IN")] if depth else []),
    )
    parts = draw(st.lists(below, max_size=3))
    label = draw(st.sampled_from(["X", "Y"]))
    return " ".join([f"[{kind}:{label}", *parts, "]"])


@given(gold=st.lists(brackets(), min_size=1, max_size=4))
def test_utterances_and_spans_line_up(gold: list[str]) -> None:
    ids = [str(at) for at in range(len(gold))]
    examples = Examples(pa.table({"id": ids, "gold": gold}))
    right = Predictions(pa.table({"id": ids, "prediction": gold}))
    task = Semantic()
    for level, units in task.grade(examples, right).items():
        places = task.places(examples, level)

        assert units.right.all()
        assert task.facets(examples, level).num_rows == units.n_units
        assert places is None or len(places.node) == units.n_units
