import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import CompatEvalError, UsageError
from compat_eval.mitigations.cost import cost
from compat_eval.mitigations.further import Further
from compat_eval.mitigations.method_options import AUTO, GRIDS
from compat_eval.mitigations.option_types import guessed, typed
from compat_eval.mitigations.treatment import Treatment


def test_options_are_typed_and_completed_by_the_method_s_defaults() -> None:
    found = Treatment.parse("bcr:k=5,normalised=mean")

    assert found.options == {
        "generator": None,
        "k": 5,
        "new_weight": 0.0,
        "normalised": "mean",
        "seed": 0,
    }
    assert dict(found.given) == {"k": "5", "normalised": "mean"}


def test_an_option_of_the_generator_is_taken_as_the_plainest_value() -> None:
    found = Treatment.parse("bcr:generator=dropout-p,p=0.15,deep=true,style=wide")

    assert found.options["p"] == 0.15
    assert found.options["deep"] is True
    assert found.options["style"] == "wide"


def test_further_models_are_named_one_by_one() -> None:
    found = Treatment.parse("ensemble:with=compat:a,with=hf:b/c")

    assert [one.reference for one in found.others] == ["compat:a", "hf:b/c"]
    assert found.arguments(["A", "B"]) == {"with_": ["A", "B"]}


def test_old_can_be_mixed_with_several_new_models() -> None:
    found = Treatment.parse("joint:weight=0.3,with=compat:a")

    assert [one.role for one in found.others] == ["with"]
    assert found.arguments(["A"]) == {"weight": 0.3, "with_": ["A"]}
    assert Treatment.parse("joint:weight=0.3").arguments([]) == {"weight": 0.3}


def test_earlier_models_count_by_their_weights_or_as_old_does() -> None:
    found = Treatment.parse("bcr:earlier=compat:a,earlier=0.5*b,earlier=./c*d,k=3")

    assert found.others == (
        Further(role="earlier", reference="compat:a", weight=1.0),
        Further(role="earlier", reference="b", weight=0.5),
        Further(role="earlier", reference="./c*d", weight=1.0),
    )
    assert found.arguments(["A", "B", "C"])["earlier"] == [
        (1.0, "A"),
        (0.5, "B"),
        (1.0, "C"),
    ]
    assert dict(found.given) == {"k": "3"}


@given(st.floats(0, exclude_min=True, allow_infinity=False))
def test_a_further_model_is_read_as_it_is_written(weight: float) -> None:
    further = Further(role="earlier", reference="hf:a/b", weight=weight)

    assert Further.parse("earlier", further.written("hf:a/b")) == further


def test_a_new_model_has_no_weight() -> None:
    assert Further.parse("with", "0.5*a").reference == "0.5*a"


@pytest.mark.parametrize("text", ["joint", "mix", "mix:weight=auto,delta=0.01"])
def test_what_nobody_gave_and_dev_can_choose_is_chosen(text: str) -> None:
    found = Treatment.parse(text)

    assert found.to_choose == "weight"
    assert [one.options["weight"] for one in found.settings()] == list(GRIDS["weight"])
    assert all(one.to_choose is None for one in found.settings())


def test_a_generator_s_rate_can_be_chosen() -> None:
    found = Treatment.parse("bcr:generator=dropout-p,p=auto")

    assert found.options["p"] == AUTO
    assert found.with_setting(0.2).options["p"] == 0.2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing", "known: bcr, ensemble, joint, mix"),
        ("", "known: bcr, ensemble, joint, mix"),
        ("bcr:q=1", "no option 'q'; known: earlier, generator, k, new_weight"),
        ("bcr:p=0.1", "no option 'p'"),
        ("bcr:k=many", "k must be a whole number; got 'many'"),
        ("bcr:k=1.5", "k must be a whole number"),
        ("bcr:normalised=max", "must be sum or mean"),
        ("bcr:k=1,k=2", "option 'k' stands twice"),
        ("bcr:k", "METHOD:option=value"),
        ("bcr:=3", "METHOD:option=value"),
        ("mix:weight=nan", "weight must be a number"),
        ("mix:weight=inf", "weight must be a number"),
        ("bcr:with=x", "no option 'with'; known: earlier, generator, k"),
        ("bcr:generator=g,with=x", "no option 'with'"),
        ("mix:earlier=x", "no option 'earlier'; known: weight, with"),
        ("bcr:earlier", "METHOD:option=value"),
        ("bcr:earlier=0*x", "earlier: a weight must be a number above 0, got 0"),
        ("bcr:earlier=-1*x", "above 0, got -1"),
        ("bcr:earlier=0.5*", "earlier=0.5[*] names no model; write WEIGHT[*]REF"),
        ("mix:weight=0.5,delta=0.1", "no option is auto"),
        ("mix:delta=-0.1", "delta must be at least 0"),
        ("ensemble", "needs with=REF"),
        ("bcr:generator=g,p=auto,weight=auto", "dev chooses one option"),
        ("bcr:k=auto", "k must be a whole number"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_known(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("(", r"\(")):
        Treatment.parse(text)


@given(st.text(string.printable, max_size=40))
def test_no_text_is_a_crash(text: str) -> None:
    for method in ("", "bcr:", "mix:weight=", "ensemble:with=", "bcr:earlier="):
        try:
            Treatment.parse(method + text)
        except CompatEvalError as error:
            assert str(error)  # noqa: PT017 - most texts are refused, some are fine


@given(
    st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
)
def test_numbers_are_read_as_they_are_written(number: float) -> None:
    assert guessed(str(number)) == number
    assert typed(str(number), type(number), "n") == number


def test_a_union_is_read_as_the_first_that_fits() -> None:
    assert typed("none", str | None, "g") is None
    assert typed("beam", str | None, "g") == "beam"
    assert typed("0.5", int | float, "w") == 0.5


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("bcr:k=7", 0, (1, 1, 7)),
        ("bcr:k=7,generator=beam", 0, (1, 1, 7)),
        ("bcr:k=7,generator=dropout-p", 0, (1, 7, 7)),
        ("bcr:k=7,new_weight=0.5", 0, (1, 2, 7)),
        ("bcr:k=7,earlier=a,earlier=0.5*b", 2, (3, 1, 7)),
        ("joint:weight=0.5", 0, (1, 1, 0)),
        ("mix:weight=0.5", 0, (1, 1, 0)),
        ("joint:weight=0.5,with=a", 1, (1, 2, 0)),
        ("ensemble:with=a,with=b", 2, (0, 3, 0)),
    ],
)
def test_costs_are_how_often_the_models_are_asked(
    text: str, others: int, expected: tuple[int, int, int]
) -> None:
    treatment = Treatment.parse(text)

    found = cost(treatment.method, treatment.options, others)

    assert tuple(found.values()) == expected


def test_nothing_is_claimed_of_an_unknown_method_s_cost() -> None:
    assert cost("somebody-else-s", {}, 0) == {}


def test_the_run_s_seed_is_that_of_a_method_that_names_none() -> None:
    plain, own = Treatment.parse("bcr"), Treatment.parse("bcr:seed=3")

    assert plain.seeded(7).options["seed"] == 7
    assert own.seeded(7).options["seed"] == 3
    assert "seed" not in Treatment.parse("mix:weight=0.5").seeded(7).options
