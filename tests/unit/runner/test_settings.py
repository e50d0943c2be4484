import pytest

from compat_eval.core.errors import UsageError
from compat_eval.runner.settings import RunSettings, identity_of
from tests.fakes import FakeModel, FakeSource


@pytest.mark.parametrize("name", ["token_budget", "batch_cap", "chunk_size"])
def test_a_size_below_one_is_refused(name: str) -> None:
    with pytest.raises(
        UsageError, match=f"{name} must be a whole number from 1; got 0"
    ):
        RunSettings(**{name: 0})  # type: ignore[arg-type]


def test_what_cannot_change_an_answer_does_not_change_the_store() -> None:
    plain, other = RunSettings(), RunSettings(chunk_size=7, retry_errors=True)

    one, two = FakeSource(FakeModel({})), FakeSource(FakeModel({"a": "b"}))

    assert identity_of(one, plain) == identity_of(one, other)
    assert identity_of(one, plain) != identity_of(two, plain)


def test_another_library_is_another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource(FakeModel({}))
    before = identity_of(source, RunSettings())
    monkeypatch.setattr(
        FakeSource, "describe", lambda _: {"libraries": {"torch": "2.9"}}
    )

    assert identity_of(source, RunSettings()) != before
