"""Models that are held: read once, and gone at the end."""

import gc
import weakref
from contextlib import suppress
from dataclasses import dataclass

import pytest

from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import Predicts
from compat_eval.mitigations.composite import Composite
from compat_eval.mitigations.treatment import Treatment
from compat_eval.workflows.held import Held, held
from tests.unit.mitigations.toy_classifiers import ToyClassifier, ToySource


@dataclass
class Counted(ToySource):
    """Makes a model at each load, and counts its fingerprints, too."""

    fingerprints: int = 0

    def fingerprint(self) -> str:
        self.fingerprints += 1
        return super().fingerprint()

    def load(self) -> ToyClassifier:
        self.loads += 1
        return ToyClassifier(self.model.known)


def counted(name: str) -> Counted:
    return Counted(ToyClassifier({"x": [1.0, 2.0, 3.0]}), reference=name)


@pytest.fixture
def composite() -> Composite:
    return Composite(
        treatment=Treatment.parse("mix:weight=0.5,with=other"),
        old=counted("old"),
        new=counted("new"),
        others=(counted("other"),),
    )


def test_a_held_model_says_what_the_model_says() -> None:
    source = counted("toy:a")

    one = Held(source)

    assert one.reference == "toy:a"
    assert one.fingerprint() == one.fingerprint() == source.fingerprint()
    assert one.describe() == source.describe()
    assert one.load() is one.load()
    assert source.loads == 1


def test_members_are_read_once_however_often_they_are_needed(
    composite: Composite,
) -> None:
    before = composite.fingerprint()
    with held(composite) as ready:
        assert ready.fingerprint() == before
        assert [member.loads for member in composite.members] == [0, 0, 0]  # type: ignore[attr-defined]
        for _ in range(3):
            ready.of([member.load() for member in ready.members])
            assert ready.fingerprint() == before

    assert [member.reference for member in ready.members] == ["old", "new", "other"]
    for member in composite.members:
        assert isinstance(member, Counted)
        assert member.loads == 1


def test_a_model_that_changes_while_it_is_held_is_another() -> None:
    source = counted("toy:a")
    one = Held(source)
    before = one.fingerprint()
    one.load()
    source.model.known["x"] = [9.0, 2.0, 3.0]

    assert one.fingerprint() not in {before, source.fingerprint()}


def test_they_are_gone_afterwards_also_where_something_fails(
    composite: Composite,
) -> None:
    gone: list[weakref.ref[Predicts]] = []
    with suppress(ModelError), held(composite) as ready:
        gone.append(weakref.ref(ready.old.load()))
        raise ModelError("on purpose")
    gc.collect()

    assert [model() for model in gone] == [None]
