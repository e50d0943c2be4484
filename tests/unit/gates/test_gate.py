"""A gate is checked when it is made, and its mistakes are said in words."""

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.core.statistic import Statistic
from compat_eval.gates import Gate
from compat_eval.gates.gate import known_quantities, of_update
from compat_eval.statistics.families.flips import FLIP_STATISTICS, accuracy_new


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


@pytest.mark.parametrize(
    "given",
    [
        {"quantity": "relative_nfr", "at_most": 1.7},
        {"quantity": "accuracy_change", "at_least": -0.002},
        {"quantity": "nfr", "at_most": 0},
        {"quantity": "btc", "at_least": 1},
        {"quantity": "relative_nfr", "at_most": 1},
        {"quantity": "accuracy_change", "at_most": 1, "relative": True},
    ],
)
def test_limits_that_make_sense_have_no_defects(given: dict[str, object]) -> None:
    assert Gate(**given).limit == given.get("at_most", given.get("at_least"))  # type: ignore[arg-type]
    assert {"loss", "protected", "nfr", "churn"} <= set(known_quantities())


@pytest.mark.parametrize(
    "given",
    [
        {"quantity": "nfr", "at_most": 1},
        {"quantity": "accuracy_new", "at_least": 0.0},
        {"quantity": "accuracy_change", "at_least": -1},
        {"quantity": "perplexity_ratio", "at_most": 1e300},
        {"quantity": "relative_nfr", "at_most": 1e10},
    ],
)
def test_a_limit_that_no_result_can_break_is_no_demand(
    given: dict[str, object],
) -> None:
    with pytest.raises(SuiteError, match="is no demand"):
        Gate(**given)  # type: ignore[arg-type]


COVERAGE = Statistic(
    name="coverage",
    value=accuracy_new,
    better="higher",
    description="",
    unit="fraction",
    ends=(0.0, 1.0),
)
KNOWN = of_update(FLIP_STATISTICS, [COVERAGE])


def test_a_gate_limits_a_statistic_of_the_task_or_its_change() -> None:
    for name in ("coverage_old", "coverage_new", "coverage_change"):
        found = Gate(quantity=name, at_least=0.5).statistic(KNOWN)
        assert found is not None
        assert found.name == name
    loss = Gate(loss={"of": "coverage", "at_most": 0.1}).statistic(KNOWN)
    assert loss is not None
    assert (loss.name, loss.unit, loss.ends) == ("coverage_change", "points", (-1, 1))
    assert Gate(quantity="nothing_new", at_least=0.5).statistic(KNOWN) is None


def test_a_limit_of_a_tasks_statistic_is_checked_once_that_is_known() -> None:
    with pytest.raises(SuiteError, match=r"on coverage_new: .* For 80 % write 0\.8"):
        Gate(quantity="coverage_new", at_least=80).check(KNOWN)
    with pytest.raises(SuiteError, match="on coverage: at_most must be a fraction"):
        Gate(loss={"of": "coverage", "at_most": 5}).check(KNOWN)
    with pytest.raises(SuiteError, match="relative belongs to a change"):
        Gate(quantity="coverage_new", at_least=0.8, relative=True).check(KNOWN)
    Gate(loss={"of": "coverage", "at_most": 0.1}, relative=True).check(KNOWN)
