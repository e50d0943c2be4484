import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.examples import Examples
from compat_eval.tasks.dependency.task import Dependency, dependency
from compat_eval.tasks.dependency.trees import TREE_TYPE

# she saw the old dog .   /   go
EXAMPLES = Examples(
    pa.table(
        {
            "id": ["s1", "s2"],
            "input": [
                {
                    "words": ["she", "saw", "the", "old", "dog", "."],
                    "upos": ["PRON", "VERB", "DET", "ADJ", "NOUN", "PUNCT"],
                },
                {"words": ["go"], "upos": ["VERB"]},
            ],
            "gold": pa.array(
                [
                    {
                        "heads": [2, 0, 5, 5, 2, 2],
                        "deprels": [
                            "nsubj:pass",
                            "root",
                            "det",
                            "amod",
                            "obj",
                            "punct",
                        ],
                    },
                    {"heads": [0], "deprels": ["root"]},
                ],
                TREE_TYPE,
            ),
        }
    )
)


def facet(name: str, task: Dependency | None = None) -> list[str | None]:
    return list((task or Dependency()).facets(EXAMPLES, "las")[name].to_pylist())


def test_counted_words_have_what_gold_says_of_them() -> None:
    relations = ["nsubj:pass", "root", "det", "amod", "obj", "root"]
    assert facet("relation") == relations
    assert facet("universal_relation") == ["nsubj", *relations[1:]]
    assert facet("part_of_speech") == ["PRON", "VERB", "DET", "ADJ", "NOUN", "VERB"]
    heads = ["VERB", "root", "NOUN", "NOUN", "VERB", "root"]
    assert facet("part_of_speech_of_head") == heads
    assert facet("head_distance") == ["1", "root", "2", "1", "3", "root"]
    assert facet("sentence_length") == ["6–10"] * 5 + ["1–5"]


def test_punctuation_is_a_unit_where_it_counts() -> None:
    included = Dependency(punctuation="include")

    assert facet("head_distance", included) == ["1", "root", "2", "1", "3", "4", "root"]


def test_relations_without_subtype_stand_there_once() -> None:
    official = dependency(preset="official")

    assert facet("relation", official)[0] == "nsubj"
    assert "universal_relation" not in official.facets(EXAMPLES, "las").column_names


def test_trees_are_grouped_by_length() -> None:
    found = Dependency().facets(EXAMPLES, "ucm")

    assert found.to_pydict() == {"sentence_length": ["6–10", "1–5"]}


def test_words_whose_part_of_speech_nobody_knows_have_none() -> None:
    words = [{"words": list("abcdef")}, {"words": ["g"]}]
    bare = EXAMPLES.with_column("input", pa.chunked_array([pa.array(words)]))

    found = Dependency(punctuation="include").facets(bare, "uas")

    assert "part_of_speech" not in found.column_names
    assert found["relation"].to_pylist()[-1] == "root"


@pytest.mark.parametrize("level", ["las", "uas"])
def test_places_are_those_of_the_counted_words(level: str) -> None:
    places = Dependency().places(EXAMPLES, level)

    assert places is not None
    assert places.begin.tolist() == [0, 1, 2, 3, 4, 0]
    assert places.parent.tolist() == [1, -1, 4, 4, 1, 1, -1]
    one, other = np.array([0, 0, 0]), np.array([1, 2, 5])
    assert places.edges_apart(one, other).tolist() == [1, 3, -1]
    assert places.words_apart(one[:2], other[:2]).tolist() == [1, 2]


def test_whole_trees_have_no_place() -> None:
    assert Dependency().places(EXAMPLES, "lcm") is None
