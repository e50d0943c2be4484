from typing import Any

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Encodes, Predicts
from compat_eval.mitigations.combine.ensemble import ensemble
from compat_eval.mitigations.combine.joint_decoding import joint_decoding
from compat_eval.mitigations.combine.log_linear import MixesSteps
from compat_eval.models.tree_seq2seq.parser import TreeSeq2Seq
from compat_eval.testing.models import check_model
from tests import fakes
from tests.unit.models.seq2seq_toys import untrained
from tests.unit.models.tree_seq2seq.test_parser import chains

INPUTS = ["wake me day1.", "call Name2 day2", "tell Name3 wake me day2 and go on"]
OLD, NEW = untrained(1), untrained(2)


def answers(model: Any, inputs: list[str]) -> list[str]:
    found: list[str] = model.predict(model.encode(inputs))["prediction"].to_pylist()
    return found


def knowing(*labels: str, seed: int) -> TreeSeq2Seq:
    """Return a model of which every label occurs in its training data."""
    gold = [
        f"[{label} wake ]" if label.startswith("IN:") else f"[IN:A [{label} wake ] ]"
        for label in labels
    ]
    ids = [str(at) for at in range(len(gold))]
    examples = fakes.examples(id=ids, input=["wake"] * len(gold), gold=gold)
    return untrained(seed, examples, beam=40)


def test_it_answers_as_a_model_does() -> None:
    mixture = NEW.mixture(0.5, [(0.5, OLD)])

    assert isinstance(mixture, Predicts)
    assert isinstance(mixture, Encodes)
    check_model(mixture, INPUTS)
    assert answers(mixture, []) == []


def test_joint_decoding_and_ensembles_take_it() -> None:
    assert isinstance(NEW, MixesSteps)
    assert answers(joint_decoding(OLD, NEW, weight=0.0), INPUTS) == answers(NEW, INPUTS)
    assert answers(joint_decoding(OLD, NEW, weight=1.0), INPUTS) == answers(OLD, INPUTS)
    assert answers(ensemble([NEW, OLD]), INPUTS) == answers(
        NEW.mixture(0.5, [(0.5, OLD)]), INPUTS
    )


@pytest.mark.parametrize(("own", "other", "same"), [(1.0, 0.0, NEW), (0.0, 1.0, OLD)])
def test_all_the_weight_of_one_model_is_that_model(
    own: float, other: float, same: TreeSeq2Seq
) -> None:
    assert answers(NEW.mixture(own, [(other, OLD)]), INPUTS) == answers(same, INPUTS)


def test_a_model_mixed_with_itself_is_itself() -> None:
    assert answers(NEW.mixture(0.3, [(0.7, NEW)]), INPUTS) == answers(NEW, INPUTS)


@pytest.mark.parametrize("weight", [0.2, 0.5, 0.9])
def test_a_wide_beam_finds_the_highest_weighted_sum(weight: float) -> None:
    labels = ("IN:A", "IN:B", "SL:C")
    new, old = knowing(*labels, seed=3), knowing(*labels, seed=4)
    every = chains("wake", labels, 12)
    scores = [m.log_probability(m.encode(["wake"]), [every])[0] for m in (new, old)]

    said = answers(new.mixture(1 - weight, [(weight, old)]), ["wake"])

    total = (1 - weight) * scores[0] + weight * scores[1]
    assert said == [every[int(np.argmax(total))]]


def test_labels_in_another_order_are_mixed_by_name() -> None:
    new = knowing("IN:A", "IN:B", "SL:C", seed=3)
    more = knowing("IN:AA", "IN:B", "SL:C", "IN:A", seed=4)

    said = answers(new.mixture(0.0, [(1.0, more)]), ["wake"])[0]

    every = chains("wake", new.labels, 12)
    nats = more.log_probability(more.encode(["wake"]), [every])[0]
    assert said == every[int(np.argmax(nats))]


def test_a_label_that_the_other_does_not_know_stays_possible() -> None:
    old = knowing("IN:A", "SL:C", seed=4)
    models = [knowing("IN:A", "IN:NEW", "SL:C", seed=seed) for seed in range(20)]
    news = [m for m in models if answers(m, ["wake"])[0].startswith("[IN:NEW")]
    assert news

    for new in news:
        mixture = new.mixture(0.999, [(0.001, old)])
        assert answers(mixture, ["wake"]) == answers(new, ["wake"])


@pytest.mark.parametrize(
    ("own", "other"), [(-0.5, 1.5), (0.0, 0.0), (float("nan"), 1.0)]
)
def test_weights_that_make_no_sense_are_told(own: float, other: float) -> None:
    with pytest.raises(UsageError, match="must be at least 0, and not all 0"):
        NEW.mixture(own, [(other, OLD)])
