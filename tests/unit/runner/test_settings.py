import pytest

from compat_eval.core.errors import UsageError
from compat_eval.runner.settings import Settings, store_key


@pytest.mark.parametrize("name", ["token_budget", "batch_cap", "chunk_size"])
def test_a_size_below_one_is_refused(name: str) -> None:
    with pytest.raises(
        UsageError, match=f"{name} must be a whole number from 1; got 0"
    ):
        Settings(**{name: 0})  # type: ignore[arg-type]


def test_what_cannot_change_an_answer_does_not_change_the_store() -> None:
    plain, other = Settings(), Settings(chunk_size=7, retry_errors=True)

    assert store_key("model", plain) == store_key("model", other)
    assert store_key("model", plain) != store_key("other", plain)
