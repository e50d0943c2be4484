from typing import Any

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.combine.route import Flips, flips_by_kind, router
from compat_eval.mitigations.mitigation import Cost
from tests.fakes import FakeModel


def test_flips_are_counted_by_kind_and_tested_with_one_side() -> None:
    found = flips_by_kind(
        ["x"] * 4 + ["y", None],
        gold=list("aaaaaa"),
        old=list("aaabba"),
        new=list("bbaaab"),
    )

    assert found == {"x": Flips(broken=2, fixed=1), "y": Flips(broken=0, fixed=1)}
    assert found["x"].p_value == pytest.approx(4 / 8)  # 2 or 3 of 3
    assert found["y"].p_value == 1.0


def test_old_is_asked_only_where_new_gave_such_an_answer() -> None:
    old = FakeModel({"one": "o", "two": "o", "three": "o"})
    new = FakeModel({"one": "a", "two": "b", "three": "a"})

    model: Any = router(old, new, kept=["b"], old_share=0.25)
    found = model.predict(model.encode(["one", "two", "three"]))

    assert found["prediction"].to_pylist() == ["a", "o", "a"]
    assert router.cost is not None
    told = router.settings(kept=["b"], old_share=0.25)
    assert router.cost(told, 0) == Cost(old_passes=0.25, new_passes=1.0)


def test_by_a_slice_of_inputs_one_model_is_asked_and_never_both() -> None:
    old = FakeModel({"a b c": "o"})
    new = FakeModel({"a": "n"})

    model: Any = router(
        old, new, by="length", kept=["3+"], rule={"words": [2]}, old_share=0.5
    )
    found = model.predict(model.encode(["a b c", "a"]))

    assert found["prediction"].to_pylist() == ["o", "n"]
    told = router.settings(by="length", kept=["3+"], rule={"words": [2]}, old_share=0.2)
    assert router.cost is not None
    assert router.cost(told, 0) == Cost(old_passes=0.2, new_passes=0.8)


def test_nothing_kept_is_new() -> None:
    new = FakeModel({"one": "a"})
    model: Any = router(FakeModel({}), new, kept=[])

    assert model.predict(model.encode(["one"]))["prediction"].to_pylist() == ["a"]


def test_without_dev_it_says_what_is_needed() -> None:
    with pytest.raises(UsageError, match="dev says what stays with OLD"):
        router(FakeModel({}), FakeModel({}))
