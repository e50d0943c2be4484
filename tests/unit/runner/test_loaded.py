"""The models of a command: read once, and gone when nobody needs them."""

import weakref
from contextlib import suppress
from dataclasses import dataclass

from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import Predicts
from compat_eval.runner.loaded import LoadedModels
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


def test_a_shared_model_says_what_the_model_says() -> None:
    source = counted("toy:a")

    one = LoadedModels().share(source)

    assert one.reference == "toy:a"
    assert one.fingerprint() == one.fingerprint() == source.fingerprint()
    assert one.describe() == source.describe()
    assert one.load() is one.load()
    assert source.loads == 1
    assert not one.has_changed


def test_models_of_one_fingerprint_are_loaded_once() -> None:
    one, other = counted("toy:a"), counted("toy:a")
    with LoadedModels() as models:
        assert models.share(one).load() is models.share(other).load()

    assert (one.loads, other.loads) == (1, 0)


def test_a_model_that_no_later_step_needs_is_let_go_and_read_again() -> None:
    old, new = counted("old"), counted("new")
    with LoadedModels() as models:
        shared = [models.share(one) for one in (old, new)]
        gone = [weakref.ref(one.load()) for one in shared]
        models.keep([shared[1]])

        assert gone[0]() is None
        assert gone[1]() is shared[1].load()
        shared[0].load()

    assert (old.loads, new.loads) == (2, 1)
    assert gone[1]() is None


def test_a_model_that_changes_while_it_is_kept_is_another() -> None:
    source = counted("toy:a")
    one = LoadedModels().share(source)
    before = one.fingerprint()
    one.load()
    source.model.known["x"] = [9.0, 2.0, 3.0]

    assert one.fingerprint() not in {before, source.fingerprint()}
    assert one.has_changed


def test_they_are_gone_afterwards_also_where_something_fails() -> None:
    gone: list[weakref.ref[Predicts]] = []
    with suppress(ModelError), LoadedModels() as models:
        gone.append(weakref.ref(models.share(counted("old")).load()))
        raise ModelError("on purpose")

    assert [model() for model in gone] == [None]
