import string
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import CompatEvalError, UsageError
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.mitigation import (
    Combination,
    MitigationSettings,
    plainest,
    schema_of,
)
from compat_eval.mitigations.spec import AUTO, FurtherModel, MitigationSpec


def test_options_are_typed_and_completed_by_the_method_s_defaults() -> None:
    found = MitigationSpec.parse("bcr:k=5,normalised=mean")

    assert found.options == {
        "generator": None,
        "k": 5,
        "new_weight": 0.0,
        "normalised": "mean",
        "seed": 0,
    }
    assert dict(found.given) == {"k": "5", "normalised": "mean"}


def test_an_option_of_the_generator_is_taken_as_the_plainest_value() -> None:
    found = MitigationSpec.parse("bcr:generator=dropout-p,p=0.15,deep=true,style=wide")

    assert found.options["p"] == 0.15
    assert found.options["deep"] is True
    assert found.options["style"] == "wide"


def test_further_models_are_named_one_by_one() -> None:
    found = MitigationSpec.parse("ensemble:with=compat:a,with=hf:b/c")

    assert [one.reference for one in found.further] == ["compat:a", "hf:b/c"]
    assert found.weighed(["A", "B"]) == ["A", "B"]


def test_old_can_be_mixed_with_several_new_models() -> None:
    found = MitigationSpec.parse("joint:weight=0.3,with=compat:a")

    assert [one.role for one in found.further] == ["with"]
    assert found.options == {"weight": 0.3}


def test_earlier_models_count_by_their_weights_or_as_old_does() -> None:
    found = MitigationSpec.parse("bcr:earlier=compat:a,earlier=0.5*b,earlier=./c*d,k=3")

    assert found.further == (
        FurtherModel(role="earlier", reference="compat:a", weight=1.0),
        FurtherModel(role="earlier", reference="b", weight=0.5),
        FurtherModel(role="earlier", reference="./c*d", weight=1.0),
    )
    assert found.weighed(["A", "B", "C"]) == [(1.0, "A"), (0.5, "B"), (1.0, "C")]
    assert dict(found.given) == {"k": "3"}


@given(st.floats(0, exclude_min=True, allow_infinity=False))
def test_a_further_model_is_read_as_it_is_written(weight: float) -> None:
    further = FurtherModel(role="earlier", reference="hf:a/b", weight=weight)

    assert FurtherModel.parse("earlier", further.written("hf:a/b"), 1.0) == further


def test_a_new_model_has_no_weight() -> None:
    assert FurtherModel.parse("with", "0.5*a", None).reference == "0.5*a"


@pytest.mark.parametrize("text", ["joint", "mix", "mix:weight=auto,delta=0.01"])
def test_what_nobody_gave_and_dev_can_choose_is_chosen(text: str) -> None:
    found = MitigationSpec.parse(text)

    assert found.to_choose == ("weight",)
    tried = [one.options["weight"] for one in found.candidates()]
    assert tried == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert all(one.to_choose == () for one in found.candidates())


def test_auto_is_what_dev_fits_where_it_fits_and_does_not_try() -> None:
    found = MitigationSpec.parse("mix:weight=auto,offset=auto")

    assert (found.to_choose, found.to_learn) == (("weight",), ("offset",))
    assert len(found.candidates()) == 9


def test_a_generator_s_rate_can_be_chosen() -> None:
    found = MitigationSpec.parse("bcr:generator=dropout-p,p=auto")

    assert found.options["p"] == AUTO
    assert found.with_settings({"p": 0.2}).options["p"] == 0.2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing", r"known: .*bcr, .*ensemble, .*joint, .*mix"),
        ("", r"known: .*bcr, .*ensemble, .*joint, .*mix"),
        ("bcr:q=1", "no option 'q'; known: earlier, generator, k, new_weight"),
        ("bcr:p=0.1", "no option 'p'"),
        ("bcr:k=many", "k must be a whole number, at least 1; got 'many'"),
        ("bcr:k=1.5", "k must be a whole number"),
        ("bcr:normalised=max", "must be sum or mean"),
        ("bcr:k=1,k=2", "option 'k' stands twice"),
        ("bcr:k", "METHOD:option=value"),
        ("bcr:=3", "METHOD:option=value"),
        ("mix:weight=nan", "weight must be a number"),
        ("mix:weight=inf", "weight must be a number"),
        ("mix:weight=1.5", r"weight must be a number in \[0, 1\]; got '1.5'"),
        ("bcr:k=0", "bcr: k must be a whole number, at least 1; got '0'"),
        ("bcr:with=x", "no option 'with'; known: earlier, generator, k"),
        ("bcr:generator=g,with=x", "no option 'with'"),
        ("mix:earlier=x", "no option 'earlier'; known: new_temperature, offset"),
        ("bcr:earlier", "METHOD:option=value"),
        ("bcr:earlier=0*x", "earlier: a weight must be a number above 0, got 0"),
        ("bcr:earlier=-1*x", "above 0, got -1"),
        ("bcr:earlier=0.5*", "earlier=0.5[*] names no model; write WEIGHT[*]REF"),
        ("mix:weight=0.5,delta=0.1", "no option is auto"),
        ("mix:delta=-0.1", "delta must be at least 0"),
        ("ensemble", "needs with=REF"),
        ("bcr:k=auto", "k must be a whole number.*; dev can choose p"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_known(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("(", r"\(")):
        MitigationSpec.parse(text)


@given(st.text(string.printable, max_size=40))
def test_no_text_is_a_crash(text: str) -> None:
    for method in ("", "bcr:", "mix:weight=", "ensemble:with=", "bcr:earlier="):
        try:
            MitigationSpec.parse(method + text)
        except CompatEvalError as error:
            assert str(error)  # noqa: PT017 - most texts are refused, some are fine


class TwoGrids(MitigationSettings):
    grids = {"a": (0.1, 0.2), "b": ("x", "y")}  # noqa: RUF012

    a: float = 0.5
    b: str = "x"
    c: int | None = None
    d: bool = False


TWO: Combination[Any] = Combination(
    name="two", summary="", needs="", combine=lambda *_: None, settings=TwoGrids
)


def test_dev_chooses_several_options_together_the_mildest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = SimpleNamespace(load=lambda _: TWO)
    monkeypatch.setattr("compat_eval.mitigations.spec.MITIGATIONS", registry)

    found = MitigationSpec.of(TWO, {"a": AUTO, "b": AUTO})

    assert found.to_choose == ("a", "b")
    tried = [(one.options["a"], one.options["b"]) for one in found.candidates()]
    assert tried == [(0.1, "x"), (0.1, "y"), (0.2, "x"), (0.2, "y")]


@given(
    st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
)
def test_numbers_are_read_as_they_are_written(number: float) -> None:
    name = "c" if isinstance(number, int) else "a"

    assert plainest(str(number)) == number
    assert MitigationSpec.of(TWO, {name: str(number)}).options[name] == number


def test_the_schema_says_what_is_needed_and_what_dev_may_choose() -> None:
    mix, ensemble, focal = (
        schema_of(MITIGATIONS.load(name)) for name in ("mix", "ensemble", "focal")
    )

    assert mix["properties"]["weight"]["examples"][:3] == ["auto", 0.1, 0.2]
    assert "required" not in mix
    assert ensemble["required"] == ["with"]
    assert ensemble["properties"]["with"]["type"] == "array"
    assert "auto" in focal["properties"]["beta"]["examples"]
    assert focal["properties"]["overlap"]["default"] == "refuse"
    assert focal["description"].startswith("NEW, trained anew towards OLD")


def test_the_options_say_what_auto_tries() -> None:
    told = MITIGATIONS.load("mix").settings.options()

    assert told["weight"].endswith(
        "; auto tries 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9"
    )


def test_words_stand_for_no_value_and_for_yes_and_no() -> None:
    found = MitigationSpec.of(TWO, {"c": "none", "d": "true"})

    assert found.options["c"] is None
    assert found.options["d"] is True


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
    spec = MitigationSpec.parse(text)

    assert len(spec.further) == others
    assert tuple(spec.cost().values()) == expected


def test_nothing_is_claimed_of_an_unknown_method_s_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = SimpleNamespace(load=lambda _: TWO)
    monkeypatch.setattr("compat_eval.mitigations.spec.MITIGATIONS", registry)

    assert MitigationSpec.of(TWO, {}).cost() == {}


def test_the_run_s_seed_is_that_of_a_method_that_names_none() -> None:
    plain, own = MitigationSpec.parse("bcr"), MitigationSpec.parse("bcr:seed=3")

    assert plain.seeded(7).options["seed"] == 7
    assert own.seeded(7).options["seed"] == 3
    assert "seed" not in MitigationSpec.parse("mix:weight=0.5").seeded(7).options
