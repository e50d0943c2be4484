import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks import task
from compat_eval.tasks.dependency.task import Dependency, dependency
from compat_eval.tasks.dependency.trees import TREE_TYPE

# The worked example of the specification: token 5 of the first sentence is PUNCT.
GOLD = [[2, 0, 4, 2, 2], [2, 0, 2]]
OLD = [[2, 0, 4, 2, 2], [2, 0, 1]]
NEW = [[2, 0, 2, 2, 4], [2, 0, 2]]
ONLY_PUNCT = [[2, 0, 4, 2, 4], [2, 0, 2]]
UPOS = [["PRON", "VERB", "DET", "NOUN", "PUNCT"], ["PRON", "VERB", "SYM"]]

Heads = list[list[int]]


def relations_of(heads: Heads) -> list[list[str]]:
    return [["root" if h == 0 else "dep:x" for h in one] for one in heads]


def trees(heads: Heads, deprels: list[list[str]] | None = None) -> pa.Array:
    deprels = deprels or relations_of(heads)
    rows = [{"heads": h, "deprels": d} for h, d in zip(heads, deprels, strict=True)]
    return pa.array(rows, TREE_TYPE)


def examples() -> Examples:
    words = [
        {"words": list("abcde"), "upos": UPOS[0]},
        {"words": list("fgh"), "upos": UPOS[1]},
    ]
    return Examples(pa.table({"id": ["s1", "s2"], "input": words, "gold": trees(GOLD)}))


def predictions(heads: Heads, deprels: list[list[str]] | None = None) -> Predictions:
    return Predictions(
        pa.table({"id": ["s1", "s2"], "prediction": trees(heads, deprels)})
    )


def right(heads: Heads, level: str, grading: Dependency | None = None) -> list[bool]:
    grading = grading or Dependency()
    return list(
        grading.grade(examples(), predictions(heads), [level])[level].right.tolist()
    )


def test_words_without_punctuation_are_the_units_and_sentences_their_clusters() -> None:
    found = Dependency().grade(examples(), predictions(OLD))["uas"]

    assert found.right.tolist() == [True] * 4 + [True, True, False]
    assert found.offsets.tolist() == [0, 4, 7]
    assert right(NEW, "uas") == [True, True, False, True, True, True, True]


def test_a_tree_is_right_when_all_its_counted_words_are() -> None:
    included = Dependency(tree_punctuation="include")

    assert right(OLD, "ucm") == right(OLD, "ucm", included) == [True, False]
    assert right(NEW, "ucm") == right(NEW, "ucm", included) == [False, True]


def test_a_wrong_head_of_punctuation_breaks_a_tree_only_where_it_counts() -> None:
    assert all(right(ONLY_PUNCT, "uas"))
    assert right(ONLY_PUNCT, "ucm") == [True, True]
    assert right(ONLY_PUNCT, "ucm", dependency(preset="bcr-paper")) == [False, True]


def test_the_papers_preset_skips_symbols_among_words_and_counts_them_in_trees() -> None:
    graded = dependency(preset="bcr-paper")

    assert right(OLD, "uas", graded) == [True] * 6
    assert right(OLD, "ucm", graded) == [True, False]


def test_relations_count_whole_or_without_subtype() -> None:
    said = [["dep:y" if r == "dep:x" else r for r in s] for s in relations_of(GOLD)]
    model = predictions(GOLD, said)

    full = Dependency().grade(examples(), model)["las"]
    universal = Dependency(relations="universal").grade(examples(), model)["las"]

    assert full.right.tolist() == [False, True, False, False, False, True, False]
    assert universal.right.all()
    assert not Dependency().grade(examples(), model)["lcm"].right.any()
    assert Dependency().grade(examples(), model)["ucm"].right.all()


def test_the_papers_preset_does_not_compare_the_roots_own_relation() -> None:
    said = [["top" if r == "root" else r for r in s] for s in relations_of(GOLD)]
    model = predictions(GOLD, said)

    paper = dependency(preset="bcr-paper")

    assert paper.grade(examples(), model)["lcm"].right.all()
    assert not Dependency().grade(examples(), model)["lcm"].right.any()


def test_no_answer_is_wrong_at_every_level() -> None:
    answers = pa.concat_arrays([pa.nulls(1, TREE_TYPE), trees(GOLD)[1:]])
    model = Predictions(pa.table({"id": ["s1", "s2"], "prediction": answers}))
    grading = Dependency()

    assert (
        grading.grade(examples(), model)["las"].right.tolist()
        == [False] * 4 + [True] * 3
    )
    assert grading.grade(examples(), model)["lcm"].right.tolist() == [
        False,
        True,
    ]


def test_another_number_of_heads_is_refused_by_id() -> None:
    short = predictions([GOLD[0], [2, 0]])

    with pytest.raises(DataError, match=r"s2 has 3 words, got 2 heads"):
        Dependency().grade(examples(), short)["uas"]


def test_metrics_of_trees_of_the_gold_words_are_plain_shares() -> None:
    metrics = {m.name: m for m in Dependency().statistics(examples(), predictions(OLD))}

    assert list(metrics) == ["official_uas_f1", "official_las_f1", "official_clas_f1"]
    uas = metrics["official_uas_f1"]
    rows = uas.rows(examples(), predictions(OLD))
    assert rows.dense().tolist() == [[5, 5, 5], [2, 3, 3]]
    assert float(uas.value(rows.total())) == 7 / 8


def test_clas_counts_content_words_of_either_side() -> None:
    gold = [["nsubj", "root", "det", "obj", "punct"], ["nsubj", "root", "obj"]]
    said = [["nsubj", "root", "det", "case", "punct"], ["nsubj", "root", "obj"]]
    table = examples().table.set_column(2, "gold", trees(GOLD, gold))
    model = predictions(OLD, said)

    (clas,) = [
        m
        for m in Dependency().statistics(examples(), model)
        if m.name == "official_clas_f1"
    ]

    rows = clas.rows(Examples(table), model)
    assert rows.dense().tolist() == [[2, 2, 3], [2, 3, 3]]


def test_trees_and_sentences_are_shown_as_text() -> None:
    shown = Dependency().show

    assert shown({"heads": [2, 0], "deprels": ["det", "root"]}) == "1:det←2 2:root←0"
    assert shown({"heads": [-1], "deprels": [None]}) == "1:?←?"
    assert shown({"words": ["a", "b"], "upos": ["X", "X"]}) == "a b"
    assert shown(None) == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "paper"}, "no preset 'paper'; there are bcr-paper, official"),
        (
            {"punct": "exclude"},
            "no option 'punct'; there are preset, not_trees, punctuation",
        ),
        ({"punctuation": "skip"}, "must be exclude or include, got 'skip'"),
        ({"punctuation_tags": "PUNCT"}, "must be a list of tags"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        task("dependency", **options)


def test_unknown_levels_are_refused() -> None:
    with pytest.raises(UsageError, match="no level 'example'"):
        right(GOLD, "example")


def test_a_sentence_of_punctuation_alone_has_no_words_and_a_right_tree() -> None:
    gold = trees([[0]])
    only = Examples(
        pa.table(
            {"id": ["s"], "input": [{"words": ["!"], "upos": ["PUNCT"]}], "gold": gold}
        )
    )
    model = Predictions(pa.table({"id": ["s"], "prediction": gold}))

    words = Dependency().grade(only, model)["uas"]

    assert np.array_equal(words.offsets, [0, 0])
    assert Dependency().grade(only, model)["ucm"].right.tolist() == [True]


@pytest.mark.parametrize("fault", [[2, 1, 4, 2, 2], [0, 0, 4, 2, 2], [2, 0, 4, 2, 9]])
def test_nothing_is_right_in_an_answer_that_is_no_tree(fault: list[int]) -> None:
    answers = predictions([fault, GOLD[1]])

    for level in ("uas", "las"):
        found = Dependency().grade(examples(), answers)[level]
        assert found.right.tolist() == [False] * 4 + [True] * 3
    for level in ("ucm", "lcm"):
        found = Dependency().grade(examples(), answers)[level]
        assert found.right.tolist() == [False, True]


def test_remarks_are_for_what_differs_and_for_nothing_else() -> None:
    gold = predictions(GOLD)
    cut = predictions(GOLD, [["root" if h == 0 else "dep" for h in s] for s in GOLD])
    cycle = predictions([[2, 1, 4, 2, 2], GOLD[1]])

    assert list(Dependency().remarks(examples(), gold, gold)) == []
    [subtypes] = Dependency().remarks(examples(), gold, cut)
    assert "gold does for 6 of 8 words ('dep:x' first)" in subtypes
    assert list(dependency(preset="official").remarks(examples(), gold, cut)) == []
    [no_tree] = Dependency().remarks(examples(), cycle, gold)
    assert no_tree.startswith("OLD: 1 answer is no tree with one root (s1)")
    with pytest.raises(DataError, match="OLD: 1 answers are no tree"):
        list(dependency(not_trees="refuse").remarks(examples(), cycle, gold))
