"""A gate is checked when it is made, and its mistakes are said in words."""

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.gates import Gate
from compat_eval.gates.limits import known_quantities, limit_defects


@pytest.mark.parametrize(
    ("quantity", "semantics"),
    [
        ("nfr", "certify"),
        ("nfi", "certify"),
        ("relative_nfr", "certify"),
        ("btc", "certify"),
        ("bec", "certify"),
        ("accuracy_change", "detect"),
        ("accuracy_new", "detect"),
        ("churn", "detect"),
    ],
)
def test_what_breaks_is_certified_and_the_rest_detected(
    quantity: str, semantics: str
) -> None:
    assert Gate(quantity=quantity, at_most=0.1).semantics == semantics


def test_a_loss_is_spelled_out() -> None:
    gate = Gate(loss={"of": "accuracy", "at_most": 0.005})

    assert (gate.quantity, gate.of, gate.at_most) == ("loss", "accuracy", 0.005)
    assert gate == Gate(quantity="loss", of="accuracy", at_most=0.005)
    assert (gate.side, gate.limit) == ("at_most", 0.005)


def test_gates_are_keys_of_mappings() -> None:
    one, same = (Gate(quantity="nfr", at_most=0.01, slice="a=b") for _ in range(2))

    assert {one: 1}[same] == 1


def test_protected_examples_use_no_statistics() -> None:
    gate = Gate(quantity="protected", ids=("a", "b"))

    assert gate.semantics == "protected"
    assert not gate.uses_statistics
    assert gate.limit == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quantity": "nrf", "at_most": 0.1}, "quantity must be one of accuracy_old, "),
        ({"at_most": 0.1}, "got none"),
        (
            {"quantity": "nfr", "at_most": 2},
            r"at_most must be a fraction in \[0, 1\]; got 2. For 2 % write 0.02.",
        ),
        ({"quantity": "nfr", "at_most": -0.1}, r"in \[0, 1\]; got -0.1"),
        ({"quantity": "nfr", "at_most": float("nan")}, "got nan"),
        ({"quantity": "nfr", "at_most": True}, "got True"),
        ({"quantity": "nfr", "at_most": "0.1"}, "got '0.1'"),
        ({"quantity": "accuracy_change", "at_least": -2}, r"in \[-1, 1\]; got -2"),
        ({"quantity": "relative_nfr", "at_most": -1}, r"in \[0, infinity\); got -1"),
        ({"quantity": "nfr"}, "exactly one of at_most and at_least; got neither"),
        (
            {"quantity": "nfr", "at_most": 0.1, "at_least": 0.0},
            "exactly one of at_most and at_least; got both",
        ),
        (
            {"quantity": "nfr", "at_most": 0.1, "semantics": "prove"},
            "certify or detect",
        ),
        ({"quantity": "nfr", "at_most": 0.1, "of": "f1"}, "of belongs to loss"),
        ({"quantity": "nfr", "at_most": 0.1, "relative": True}, "relative belongs to"),
        ({"quantity": "nfr", "at_most": 0.1, "ids": ("a",)}, "ids belong to protected"),
        ({"quantity": "loss", "at_most": 0.1}, "loss must name its metric"),
        ({"quantity": "loss", "of": "f1", "at_least": 0.1}, "loss takes at_most"),
        ({"loss": {"of": "f1"}}, "loss must be {of: <metric>, at_most: <limit>}"),
        ({"loss": {"of": "f1", "at_most": 0.1, "x": 1}}, "loss must be"),
        (
            {"quantity": "nfr", "loss": {"of": "f1", "at_most": 0.1}},
            "either quantity or loss",
        ),
        ({"loss": {"of": "accuracy", "at_most": 5}}, "For 5 % write 0.05."),
        ({"quantity": "protected", "ids": ("a",), "at_most": 0}, "take no limit"),
        ({"quantity": "protected"}, "exactly one of ids and slice; got neither"),
        (
            {"quantity": "protected", "ids": ("a",), "slice": "b=c"},
            "exactly one of ids and slice; got both",
        ),
        (
            {"quantity": "protected", "ids": ("a",), "semantics": "certify"},
            "use no statistics",
        ),
    ],
)
def test_mistakes_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        Gate(**given)  # type: ignore[arg-type]


def test_every_mistake_is_said_at_once() -> None:
    with pytest.raises(SuiteError) as caught:
        Gate(quantity="nfr", at_most=3, relative=True)

    assert "For 3 % write 0.03." in str(caught.value)
    assert "relative belongs to" in str(caught.value)


def test_the_loss_of_a_metric_without_a_scale_may_be_any_number() -> None:
    assert Gate(loss={"of": "perplexity", "at_most": 3.5}).limit == 3.5


def test_limits_that_make_sense_have_no_defects() -> None:
    assert not list(limit_defects("at_most", 1.7, "relative_nfr"))
    assert not list(limit_defects("at_least", -0.002, "accuracy_change"))
    assert not list(limit_defects("at_most", 0, "nfr"))
    assert not list(limit_defects("at_least", 1, "btc"))
    assert not list(limit_defects("at_most", 1, "relative_nfr"))
    assert not list(limit_defects("at_most", 1, "accuracy_change", relative=True))
    assert {"loss", "protected", "nfr", "churn"} <= set(known_quantities())


def test_a_limit_that_no_result_can_break_is_no_demand() -> None:
    for name, limit, quantity in (
        ("at_most", 1, "nfr"),
        ("at_least", 0.0, "accuracy_new"),
        ("at_least", -1, "accuracy_change"),
    ):
        (defect,) = limit_defects(name, limit, quantity)
        assert "is no demand" in defect
