from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.protocols import Encodes, GivesLogits, Predicts
from compat_eval.mitigations.combine.log_linear import FactorsArcs
from compat_eval.mitigations.combined import CombinedSource, name_of
from compat_eval.mitigations.mitigation import Combination
from compat_eval.mitigations.spec import MitigationSpec
from tests.fakes import FakeModel
from tests.unit.mitigations.toy_classifiers import ToyClassifier, ToySource


def toy(name: str, *, sure: float = 1.0) -> ToySource:
    known = {"one": [sure, 0.0, 0.0], "two": [0.0, sure, 0.0]}
    return ToySource(ToyClassifier(known), reference=f"/home/somebody/{name}")


def made(text: str = "mix:weight=0.5", **members: Any) -> CombinedSource:
    sources = {"old": toy("old"), "new": toy("new"), **members}
    return CombinedSource(spec=MitigationSpec.parse(text), **sources)


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
        made("ensemble:with=x", further=(toy("x"),)),
        made("bcr:earlier=x", further=(toy("x"),)),
    ],
)
def test_whatever_decides_the_answers_is_in_the_fingerprint(
    other: CombinedSource,
) -> None:
    assert other.fingerprint() != made().fingerprint()


def test_what_an_earlier_model_is_and_weighs_is_in_the_fingerprint() -> None:
    found = {
        one.fingerprint()
        for one in (
            made("bcr"),
            made("bcr:earlier=x", further=(toy("x"),)),
            made("bcr:earlier=x", further=(toy("y"),)),
            made("bcr:earlier=0.5*x", further=(toy("x"),)),
            made("bcr:earlier=x,earlier=x", further=(toy("x"), toy("x"))),
        )
    }

    assert len(found) == 5


@pytest.mark.parametrize(
    ("text", "others", "name", "fingerprint"),
    [
        ("mix:weight=0.5", "", "mix:weight=0.5", "260e8b3e31e42804"),
        ("bcr:k=5", "", "bcr:k=5", "0e4a43e63bba47ab"),
        (
            "ensemble:with=x,with=y",
            "xy",
            "ensemble:with=6e1d2229,with=8ec09590",
            "b100b0c5e4a61b08",
        ),
        (
            "joint:weight=0.3,with=x",
            "x",
            "joint:weight=0.3,with=6e1d2229",
            "d091374c55dfaf47",
        ),
    ],
)
def test_what_was_answered_once_is_known_by_the_same_names(
    text: str, others: str, name: str, fingerprint: str
) -> None:
    found = made(text, further=tuple(toy(other) for other in others))

    assert found.fingerprint()[:16] == fingerprint
    assert name_of(found.spec, found.further) == name


def test_what_decides_nothing_is_not() -> None:
    assert (
        made("bcr:earlier=1*x", further=(toy("x"),)).fingerprint()
        == made("bcr:earlier=/moved/x", further=(toy("x"),)).fingerprint()
    )
    assert made("bcr:k=10").fingerprint() == made("bcr").fingerprint()
    assert replace(made(), reference="m").fingerprint() == made().fingerprint()


def test_it_says_what_it_is_made_of() -> None:
    found = made().describe()

    assert found["labels"] == ["a", "b", "c"]
    assert found["members"] == ["/home/somebody/old", "/home/somebody/new"]
    assert found["cost"]["old_passes"] == 1


def test_it_says_what_earlier_models_weigh() -> None:
    others = (toy("x"), toy("y"))
    found = made("bcr:k=5,earlier=0.5*/home/x,earlier=/home/y", further=others)

    shown = [other.fingerprint()[:8] for other in others]
    assert found.describe()["members"][2:] == [
        "0.5*/home/somebody/x",
        others[1].reference,
    ]
    assert found.describe()["cost"]["old_passes"] == 3
    assert (
        name_of(found.spec, others)
        == f"bcr:k=5,earlier=0.5*{shown[0]},earlier={shown[1]}"
    )


def test_earlier_models_have_a_say_by_their_weights() -> None:
    old = ToySource(ToyClassifier({"one": [1.0, 0.0, 0.0]}))
    new = ToySource(ToyClassifier({"one": [0.0, 0.0, 0.0]}))
    earlier = ToySource(ToyClassifier({"one": [0.0, 1.5, 0.0]}))

    def answer(weight: str) -> str:
        spec = f"bcr:k=3,earlier={weight}*x"
        model = made(spec, old=old, new=new, further=(earlier,)).load()
        assert isinstance(model, Encodes)
        found: str = model.predict(model.encode(["one"]))["prediction"][0].as_py()
        return found

    assert [answer(weight) for weight in ("0.5", "1", "2")] == ["a", "b", "b"]


def test_its_name_holds_no_path() -> None:
    others = (toy("x"), toy("y"))
    name = name_of(MitigationSpec.parse("ensemble:with=/home/x,with=/home/y"), others)

    assert "/" not in name
    assert name.count("with=") == 2
    assert others[0].fingerprint()[:8] in name


def test_a_member_that_lacks_something_is_named_when_it_is_put_together() -> None:
    with pytest.raises(CapabilityError, match="mix needs OLD"):
        made(old=ToySource(FakeModel({}))).load()


def test_an_option_to_choose_is_tried_with_its_mildest_value() -> None:
    assert made("mix").trial.spec.options["weight"] == 0.1
    assert made().trial.spec.options["weight"] == 0.5


def test_a_method_that_makes_no_model_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silly: Combination[Any] = Combination(
        name="mix", summary="", needs="", combine=lambda *_: "text"
    )
    found = replace(made(), spec=MitigationSpec.of(silly, {}))
    registry = SimpleNamespace(load=lambda _: silly)
    monkeypatch.setattr("compat_eval.mitigations.spec.MITIGATIONS", registry)

    with pytest.raises(ModelError, match="returned a str, which cannot predict"):
        found.load()


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
