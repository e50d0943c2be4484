import json
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.examples import Examples
from compat_eval.mitigations.train.earlier import (
    content_of,
    earlier_training,
    trained_on,
)
from compat_eval.models.training.train import contents_of
from compat_eval.suite.judged import judged_by_label
from tests.fakes import FakeModel, FakeSource, examples


@pytest.mark.parametrize("scheme", ["", "compat:", "hf:"])
def test_a_model_tells_what_it_was_trained_on_however_it_is_named(
    tmp_path: Path, scheme: str
) -> None:
    data = {"name": "desk 1 test, dev none", "train_sha256": "5eed"}
    record = {"model": "encoder", "config": {}, "seed": 3, "data": data}
    (tmp_path / "training.json").write_text(json.dumps(record), "utf-8")
    made = {"trained_on": {"desk 1 dev, dev none": "c0de"}}
    (tmp_path / "mitigation.json").write_text(json.dumps(made), "utf-8")

    source = FakeSource(FakeModel({}), reference=f"{scheme}{tmp_path}")

    earlier = earlier_training(source)
    assert earlier is not None
    assert (earlier.split, earlier.dev, earlier.seed) == ("test", "none", 3)
    assert trained_on(source) == {
        "desk 1 test, dev none": "5eed",
        "desk 1 dev, dev none": "c0de",
    }


def test_a_model_knew_only_what_it_tells(tmp_path: Path) -> None:
    asked = examples(id=["a", "b"], input=["one", "two"], gold=["x", "y"])
    own = str(contents_of("train", asked)["train_sha256"])
    for sha256, knew in ((own, True), ("5eed", False), (None, False)):
        data = {"name": "desk 1 train, dev none", "train_sha256": sha256}
        record = {"model": "tfidf", "config": {}, "seed": 3, "data": data}
        (tmp_path / "training.json").write_text(json.dumps(record), "utf-8")
        earlier = earlier_training(
            FakeSource(FakeModel({}), reference=f"compat:{tmp_path}")
        )
        assert earlier is not None
        assert earlier.knew(asked) == knew


def test_queries_that_are_judged_by_label_are_what_a_classifier_learned() -> None:
    learned = Examples(
        pa.table({"id": ["a", "b"], "input": ["x", "y"], "gold": ["one", "one"]})
    )

    queries = judged_by_label(learned, learned, same=True)

    assert content_of(queries) == content_of(learned)
