import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.yaml.secrets import expand, misplaced


def test_references_are_expanded() -> None:
    assert expand("Bearer ${TOKEN}!", {"TOKEN": "s3"}) == "Bearer s3!"


@pytest.mark.parametrize("environ", [{}, {"TOKEN": ""}])
def test_a_secret_that_is_not_set_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(DataError, match="variable TOKEN is not set"):
        expand("${TOKEN}", environ)


def test_references_are_allowed_for_secrets_only() -> None:
    raw = {
        "name": "${A}",
        "data": [{"token": "${B}", "headers": {"X": "${C}"}, "url": "${D}"}],
    }

    assert [path for path, _ in misplaced(raw)] == [("name",), ("data", 0, "url")]
