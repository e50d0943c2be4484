"""An adapter with a capability and a question of its own, of another package."""

from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.errors import CapabilityError
from compat_eval.core.examples import Examples
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.testing import check_model, check_source
from tests.extension.conftest import Install
from tests.fakes import FakeModel, FakeSource

TEXTS = Examples(
    pa.table({"id": ["a", "b"], "input": ["i was charged", "where is it"]})
)


@pytest.fixture
def location(tmp_path: Path) -> str:
    path = tmp_path / "some.lexicon"
    path.write_text("charged invoice\n* delivery\n", encoding="utf-8")
    return str(path)


def test_it_keeps_the_contract_of_adapters(install: Install, location: str) -> None:
    install("lexicon")
    source = ADAPTERS.load("lexicon")(location, ModelOptions())

    check_source(source)
    check_model(source.load(), ["i was charged twice", "where is it"])


def test_answers_to_its_question_are_stored(
    install: Install,
    location: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install("lexicon")
    from lexicon import DecidingWord  # type: ignore[import-not-found]

    source = ADAPTERS.load("lexicon")(location, ModelOptions())
    cache = Cache(tmp_path / "cache")

    first = ask(source, TEXTS, DecidingWord(), cache=cache)
    monkeypatch.setattr(type(source), "load", None)  # would fail, were it called
    again = ask(source, TEXTS, DecidingWord(), cache=cache)

    assert first.column("word").to_pylist() == ["charged", None]
    assert again.table.equals(first.table)


def test_a_model_without_the_capability_is_refused(install: Install) -> None:
    install("lexicon")
    from lexicon import DecidingWord

    with pytest.raises(CapabilityError, match="does not name words"):
        ask(FakeSource(FakeModel({"where is it": "x"})), TEXTS, DecidingWord())
