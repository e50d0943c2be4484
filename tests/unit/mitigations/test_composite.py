from dataclasses import replace
from typing import Any

import pytest

from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.protocols import Encodes, GivesLogits, Predicts
from compat_eval.mitigations import composite as composites
from compat_eval.mitigations.composite import Composite, name_of
from compat_eval.mitigations.log_linear import FactorsArcs
from compat_eval.mitigations.treatment import Treatment
from tests.fakes import FakeModel
from tests.unit.mitigations.toy_classifiers import ToyClassifier, ToySource


def toy(name: str, *, sure: float = 1.0) -> ToySource:
    known = {"one": [sure, 0.0, 0.0], "two": [0.0, sure, 0.0]}
    return ToySource(ToyClassifier(known), reference=f"/home/somebody/{name}")


def made(text: str = "mix:weight=0.5", **members: Any) -> Composite:
    sources = {"old": toy("old"), "new": toy("new"), **members}
    return Composite(treatment=Treatment.parse(text), **sources)


def test_it_loads_its_members_and_answers() -> None:
    found = made()

    model = found.load()

    assert isinstance(model, Predicts)
    assert isinstance(model, Encodes)
    assert isinstance(model, GivesLogits)
    answers = model.predict(model.encode(["two", "one"]))
    assert answers["prediction"].to_pylist() == ["b", "a"]
    assert [source.loads for source in found.members] == [1, 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "other",
    [
        made("mix:weight=0.4"),
        made("bcr"),
        made(old=toy("old", sure=2.0)),
        made(new=toy("new", sure=2.0)),
        made(old=toy("new"), new=toy("old")),
        made("ensemble:with=x", others=(toy("x"),)),
    ],
)
def test_whatever_decides_the_answers_is_in_the_fingerprint(other: Composite) -> None:
    assert other.fingerprint() != made().fingerprint()


def test_what_decides_nothing_is_not() -> None:
    assert made("bcr:k=10").fingerprint() == made("bcr").fingerprint()
    assert replace(made(), reference="m").fingerprint() == made().fingerprint()


def test_it_says_what_it_is_made_of() -> None:
    found = made().describe()

    assert found["labels"] == ["a", "b", "c"]
    assert found["members"] == ["/home/somebody/old", "/home/somebody/new"]
    assert found["cost"]["old_passes"] == 1


def test_its_name_holds_no_path() -> None:
    others = (toy("x"), toy("y"))
    name = name_of(Treatment.parse("ensemble:with=/home/x,with=/home/y"), others)

    assert "/" not in name
    assert name.count("with=") == 2
    assert others[0].fingerprint()[:8] in name


def test_a_member_that_lacks_something_is_named_when_it_is_put_together() -> None:
    with pytest.raises(CapabilityError, match="mix needs OLD"):
        made(old=ToySource(FakeModel({}))).load()


def test_an_option_to_choose_is_tried_with_its_mildest_value() -> None:
    assert made("mix").trial.treatment.options == {"weight": 0.1}
    assert made().trial.treatment.options == {"weight": 0.5}


def test_a_method_that_makes_no_model_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Registry:
        def load(self, name: str) -> Any:
            return lambda *models, **options: f"{name} {models} {options}"

    monkeypatch.setattr(composites, "MITIGATIONS", Registry())

    with pytest.raises(ModelError, match="returned a str, which cannot predict"):
        made().load()


@pytest.mark.torch
def test_parsers_put_together_can_be_put_together_again() -> None:
    pytest.importorskip("torch")
    from tests.unit.models.parser_toys import toy_examples, untrained

    old, new = ToySource(untrained(1)), ToySource(untrained(2))
    inputs = toy_examples(6).column("input").to_pylist()

    once = made("joint:weight=0.5", old=old, new=new).load()
    both = made("joint:weight=0.5", old=ToySource(once), new=ToySource(once)).load()

    assert isinstance(once, FactorsArcs)
    assert isinstance(both, FactorsArcs)
    first, second = (
        model.predict(model.encode(inputs))["prediction"].to_pylist()
        for model in (once, both)
    )
    assert first == second
