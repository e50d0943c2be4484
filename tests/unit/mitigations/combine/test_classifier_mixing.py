import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from compat_eval.core.errors import CapabilityError, ModelError, UsageError
from compat_eval.core.protocols import GivesLogits, Predicts
from compat_eval.mitigations.combine.classifier_mixing import MixedClassifier, mixing
from compat_eval.mitigations.combine.ensemble import ensemble_of_new
from tests.fakes import FakeModel
from tests.unit.mitigations.toy_classifiers import ToyClassifier

TEXTS = ["one", "two", "three"]


def toy(seed: int, labels: tuple[str, ...] = ("a", "b", "c")) -> ToyClassifier:
    rng = np.random.default_rng(seed)
    return ToyClassifier(
        {text: rng.normal(size=len(labels)).tolist() for text in TEXTS}, labels
    )


def probabilities(model: MixedClassifier) -> np.ndarray:
    return softmax(model.logits(model.encode(TEXTS)), axis=-1)


def answers(model: MixedClassifier) -> list[str]:
    found: list[str] = model.predict(model.encode(TEXTS))["prediction"].to_pylist()
    return found


def test_the_ends_are_new_and_old() -> None:
    old, new = toy(1), toy(2)

    assert answers(mixing(old, new, weight=0.0)) == (
        new.predict(TEXTS)["prediction"].to_pylist()
    )
    assert answers(mixing(old, new, weight=1.0)) == (
        old.predict(TEXTS)["prediction"].to_pylist()
    )


def test_who_has_no_weight_has_no_say_where_its_logits_are_not_finite() -> None:
    sound = ToyClassifier({text: [1.0, 0.5, 0.0] for text in TEXTS})
    for wrong in (-np.inf, np.nan):
        ill = ToyClassifier({text: [wrong, 1.0, 0.0] for text in TEXTS})

        assert answers(mixing(ill, sound, weight=0.0)) == ["a"] * 3
        assert answers(mixing(sound, sound, weight=1.0, with_=[ill])) == ["a"] * 3


@settings(deadline=None, max_examples=25)
@given(st.floats(0, 1), st.integers(0, 50))
def test_it_is_the_weighted_geometric_mean(weight: float, seed: int) -> None:
    old, new = toy(seed), toy(seed + 1)

    found = probabilities(mixing(old, new, weight=weight))

    p_old, p_new = (softmax(one.logits(TEXTS), axis=-1) for one in (old, new))
    product = p_old**weight * p_new ** (1 - weight)
    np.testing.assert_allclose(found, product / product.sum(axis=-1, keepdims=True))


def test_labels_are_matched_by_name_not_by_number() -> None:
    new = toy(3)
    shuffled = ToyClassifier(
        {text: [new.known[text][at] for at in (2, 0, 1)] for text in TEXTS},
        labels=("c", "a", "b"),
    )

    found = mixing(shuffled, new, weight=0.7)

    np.testing.assert_allclose(
        probabilities(found), softmax(new.logits(TEXTS), axis=-1)
    )


@settings(deadline=None, max_examples=25)
@given(st.floats(0, 1), st.integers(0, 50))
def test_old_has_no_view_of_labels_it_does_not_know(weight: float, seed: int) -> None:
    # OLD that divides a and b as NEW does changes nothing, whatever its weight.
    new = toy(seed)
    old = ToyClassifier({t: new.known[t][:2] for t in TEXTS}, labels=("a", "b"))

    found = probabilities(mixing(old, new, weight=weight))

    np.testing.assert_allclose(found, softmax(new.logits(TEXTS), axis=-1))


def test_what_only_old_knows_is_not_answered() -> None:
    old = ToyClassifier({t: [9.0, 0.0, 1.0] for t in TEXTS}, labels=("gone", "a", "b"))

    found = mixing(old, toy(4, ("a", "b")), weight=1.0)

    assert answers(found) == ["b", "b", "b"]


def test_it_gives_logits_itself_so_that_mixtures_can_be_mixed() -> None:
    found = mixing(toy(1), toy(2), weight=0.5)

    assert isinstance(found, GivesLogits)
    assert isinstance(found, Predicts)
    assert len(found.predict([])) == 0


def test_an_ensemble_of_two_is_their_even_mixture() -> None:
    one, other = toy(1), toy(2)

    found = ensemble_of_new(FakeModel({}), one, with_=[other])

    assert isinstance(found, MixedClassifier)
    np.testing.assert_allclose(
        probabilities(found), probabilities(mixing(other, one, weight=0.5))
    )


def test_further_new_classifiers_share_new_s_part_evenly() -> None:
    old, new, third = toy(1), toy(2), toy(3)

    found = probabilities(mixing(old, new, weight=0.4, with_=[third]))

    parts = ((0.3, new), (0.3, third), (0.4, old))
    np.testing.assert_allclose(found, probabilities(MixedClassifier(parts=parts)))


def test_scores_that_are_no_numbers_are_an_error_of_that_input() -> None:
    broken = ToyClassifier({**toy(1).known, "two": [np.nan, 0.0, 0.0]})
    model = mixing(broken, toy(2), weight=0.5)

    found = model.predict(model.encode(TEXTS))

    assert [e is None for e in found["error"].to_pylist()] == [True, False, True]


def test_both_must_give_logits() -> None:
    with pytest.raises(CapabilityError, match="OLD to have the capability GivesLogits"):
        mixing(FakeModel({}), toy(1), weight=0.5)
    with pytest.raises(CapabilityError, match="NEW to have the capability GivesLogits"):
        mixing(toy(1), FakeModel({}), weight=0.5)
    with pytest.raises(CapabilityError, match="each member"):
        ensemble_of_new(toy(1), toy(1), with_=[FakeModel({})])


def test_labels_must_have_something_in_common() -> None:
    with pytest.raises(ModelError, match="no label in common"):
        mixing(toy(1, ("x", "y")), toy(2), weight=0.5)
    with pytest.raises(ModelError, match="no label in common"):
        ensemble_of_new(toy(1), toy(2), with_=[toy(1, ("x", "y"))])


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_the_weight_is_a_share(weight: float) -> None:
    with pytest.raises(UsageError, match=r"weight must be a number in \[0, 1\]"):
        mixing(toy(1), toy(2), weight=weight)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 5), st.floats(0.2, 5), st.integers(0, 50))
def test_each_models_logits_are_divided_by_its_temperature(
    old_heat: float, new_heat: float, seed: int
) -> None:
    old, new = toy(seed), toy(seed + 1)

    found = probabilities(
        mixing(old, new, weight=0.3, old_temperature=old_heat, new_temperature=new_heat)
    )

    p_old = softmax(old.logits(TEXTS) / old_heat, axis=-1)
    p_new = softmax(new.logits(TEXTS) / new_heat, axis=-1)
    product = p_old**0.3 * p_new**0.7
    np.testing.assert_allclose(found, product / product.sum(axis=-1, keepdims=True))


def test_an_offset_is_that_of_labels_that_only_new_has() -> None:
    old, new = toy(1, labels=("a", "b")), toy(2)

    plain, moved = (
        mixing(old, new, weight=0.4, offset=offset) for offset in (0.0, -1.5)
    )

    step = moved.logits(moved.encode(TEXTS)) - plain.logits(plain.encode(TEXTS))
    np.testing.assert_allclose(step, [[0.0, 0.0, -1.5]] * 3)


def test_with_weight_0_an_offset_is_the_post_hoc_bias_of_new() -> None:
    old, new = toy(1, labels=("a", "b")), toy(2)

    found = mixing(old, new, weight=0.0, offset=0.7)

    biased = new.logits(TEXTS) + np.array([0.0, 0.0, 0.7])
    np.testing.assert_allclose(probabilities(found), softmax(biased, axis=-1))


def test_a_number_that_nobody_fitted_is_told() -> None:
    with pytest.raises(UsageError, match="mix: offset=dev is fitted on dev"):
        mixing(toy(1), toy(2), weight=0.5, offset="dev")
    with pytest.raises(UsageError, match="old_temperature must be a number or dev"):
        mixing(toy(1), toy(2), weight=0.5, old_temperature=0)


@settings(deadline=None, max_examples=25)
@given(st.permutations([1, 2, 3]))
def test_the_order_of_new_models_changes_nothing(order: list[int]) -> None:
    old, members = toy(0), {seed: toy(seed) for seed in (1, 2, 3)}
    first, *others = (members[seed] for seed in order)

    mixed = mixing(old, first, weight=0.4, with_=others)
    alone = ensemble_of_new(old, first, with_=others)

    plain = mixing(old, members[1], weight=0.4, with_=[members[2], members[3]])
    np.testing.assert_allclose(probabilities(mixed), probabilities(plain))
    assert isinstance(alone, MixedClassifier)
    mean = sum(log_softmax(one.logits(TEXTS), axis=-1) for one in members.values()) / 3
    np.testing.assert_allclose(probabilities(alone), softmax(mean, axis=-1))
