import numpy as np
import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.tasks.semantic.task import Semantic

# The worked example of the specification, and one without a slot.
GOLD = [
    (
        "[IN:GET_DIRECTION Directions to [SL:DESTINATION [IN:FIND_EVENT "
        "[SL:ORGANIZER David ] 's [SL:CATEGORY party ] ] ] ]"
    ),
    "[IN:STOP stop ]",
]
EXAMPLES = Examples(pa.table({"id": ["a", "b"], "gold": GOLD}))


def test_spans_have_label_length_depth_and_intent() -> None:
    found = Semantic().facets(EXAMPLES, "span_subtree").to_pydict()

    assert found == {
        "label": [
            "IN:GET_DIRECTION",
            "SL:DESTINATION",
            "SL:ORGANIZER",
            "SL:CATEGORY",
            "IN:STOP",
        ],
        "intent": ["IN:GET_DIRECTION"] * 4 + ["IN:STOP"],
        "span_length": ["5", "3", "1", "1", "1"],
        "depth": ["root", "1", "3", "3", "root"],
    }
    assert Semantic().facets(EXAMPLES, "span_label").to_pydict() == found


def test_utterances_have_intent_length_and_nesting() -> None:
    expected = {
        "intent": ["IN:GET_DIRECTION", "IN:STOP"],
        "utterance_length": ["5", "1"],
        "nesting": ["3", "none"],
    }

    assert Semantic().facets(EXAMPLES, "exact_match").to_pydict() == expected
    assert Semantic().facets(EXAMPLES, "intent").to_pydict() == expected


def test_spans_stand_in_the_utterance_and_in_the_tree() -> None:
    places = Semantic().places(EXAMPLES, "span_subtree")

    assert places is not None
    # Nodes: direction, destination, event, organizer, category; stop.
    assert places.parent.tolist() == [-1, 0, 1, 2, 2, -1]
    assert places.node.tolist() == [0, 1, 3, 4, 5]
    one, other = np.array([0, 2, 1, 0]), np.array([1, 3, 3, 4])
    assert places.words_apart(one, other)[:3].tolist() == [0, 2, 0]
    assert places.edges_apart(one, other).tolist() == [1, 2, 2, -1]


def test_utterances_have_no_place() -> None:
    assert Semantic().places(EXAMPLES, "exact_match") is None
