import pytest

from compat_eval.adapters.labels import (
    refuse_unknown_labels,
    suite_labels,
    suite_relations,
)
from compat_eval.core.errors import ModelError


def test_labels_without_a_map_keep_their_names_and_order() -> None:
    assert suite_labels(["b", "a"], {}, reference="m") == ("b", "a")


def test_a_map_key_that_the_model_lacks_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"m: .*'plya' \(nearest: 'play'\)"):
        suite_labels(["play", "book"], {"plya": "PlayMusic"}, reference="m")


def test_one_map_serves_a_model_of_numbers_and_one_of_names() -> None:
    label_map = {"LABEL_0": "play", "LABEL_1": "book"}

    old = suite_labels(["LABEL_0", "LABEL_1"], label_map, reference="old")
    new = suite_labels(["book", "play", "weather"], label_map, reference="new")

    assert old == ("play", "book")
    assert new == ("book", "play", "weather")


def test_two_labels_with_one_name_are_refused() -> None:
    with pytest.raises(ModelError, match=r"called 'x' \(from a, b\)"):
        suite_labels(["a", "b", "c"], {"a": "x", "b": "x"}, reference="m")


def test_a_label_may_not_take_the_name_of_another() -> None:
    with pytest.raises(ModelError, match=r"called 'b' \(from a, b\)"):
        suite_labels(["a", "b"], {"a": "b"}, reference="m")


def test_two_labels_may_swap_names() -> None:
    swap = {"a": "b", "b": "a"}

    assert suite_labels(["a", "b"], swap, reference="m") == ("b", "a")


def test_numbers_for_names_need_a_map_for_each() -> None:
    with pytest.raises(ModelError, match=r"\(LABEL_1\).*--label-map"):
        suite_labels(["LABEL_0", "LABEL_1"], {"LABEL_0": "a"}, reference="m")


def test_a_suite_may_really_use_such_names_if_the_map_says_so() -> None:
    same = {"LABEL_0": "LABEL_0", "LABEL_1": "LABEL_1"}

    assert suite_labels(list(same), same, reference="m") == tuple(same)


def test_a_label_unknown_to_the_suite_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        ModelError,
        match=r"1 of the model's 2 labels: 'Play' \(nearest: 'play'\).*`labels:`",
    ):
        refuse_unknown_labels(["Play", "book"], ["play", "book"], reference="m")


def test_a_suite_label_unknown_to_the_model_is_no_mistake() -> None:
    refuse_unknown_labels(["a"], ["c", "a", "b"], reference="m")


def test_one_map_may_serve_two_parsers() -> None:
    named = {"dobj": "obj", "pobj": "obl"}

    assert suite_relations(["obj", "pobj"], named, reference="m") == {
        "obj": "obj",
        "pobj": "obl",
    }
    with pytest.raises(ModelError, match=r"m: the label map names 'pobj'.*it has dobj"):
        suite_relations(["dobj"], named, reference="m")


def test_the_map_goes_before_what_is_known() -> None:
    given = {"ROOT": "sentence"}

    found = suite_relations(["ROOT"], given, reference="m", known={"ROOT": "root"})

    assert found == given
