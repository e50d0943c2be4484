from typing import Any

import numpy as np
import pytest

from compat_eval.core.errors import ModelError, UsageError
from compat_eval.mitigations.combine.new_class_offset import new_class_offset
from tests.unit.mitigations.toy_classifiers import ToyClassifier

OLD = ToyClassifier({"one": [1.0, 0.0]}, labels=("a", "b"))
NEW = ToyClassifier({"one": [0.0, 1.0, 2.5]}, labels=("b", "a", "c"))


@pytest.mark.parametrize(("bias", "said"), [(0.0, "c"), (1.0, "c"), (2.0, "a")])
def test_labels_that_old_lacks_are_held_back(bias: float, said: str) -> None:
    model: Any = new_class_offset(OLD, NEW, bias=bias)

    items = model.encode(["one"])

    assert model.labels == ("b", "a", "c")
    assert np.allclose(model.logits(items), [[0.0, 1.0, 2.5 - bias]])
    assert model.predict(items)["prediction"].to_pylist() == [said]


def test_an_update_without_added_classes_is_refused() -> None:
    with pytest.raises(ModelError, match="OLD knows all of NEW's 2 labels"):
        new_class_offset(OLD, OLD, bias=1.0)


def test_an_offset_is_not_negative() -> None:
    with pytest.raises(UsageError, match="bias"):
        new_class_offset(OLD, NEW, bias=-1.0)
