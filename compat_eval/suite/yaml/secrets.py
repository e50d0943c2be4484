"""Secrets in suite files: `${NAME}` of an environment variable, where one is allowed.

The text is expanded where a request is made, never before, so that no suite
value, fingerprint, manifest or message can hold a secret.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from compat_eval.core.errors import DataError

if TYPE_CHECKING:  # pydantic stays away from a list of suites
    from compat_eval.suite.yaml.strict import Problem

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def refers(text: str) -> bool:
    """Whether a text names an environment variable."""
    return _REFERENCE.search(text) is not None


def shown_url(url: str) -> str:
    """Return an address without its query, which may hold a secret."""
    return url.partition("?")[0].partition("#")[0]


def misplaced(value: Any, path: tuple[str | int, ...] = ()) -> Iterator["Problem"]:  # noqa: ANN401
    """Yield each `${NAME}` that stands where no secret belongs.

    Examples:
        >>> [path for path, _ in misplaced({"name": "${X}", "token": "${Y}"})]
        [('name',)]

    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from misplaced(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from misplaced(inner, (*path, at))
    elif isinstance(value, str) and refers(value) and not _is_secret(path):
        yield (
            path,
            (
                f"must be plain text; got {value!r}. ${{NAME}} is for secrets: in "
                "'token' and below 'headers' only"
            ),
        )


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Replace each `${NAME}` by its value in the environment.

    Raises:
        DataError: A variable is not set; the message holds its name only.

    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not environ.get(name):
            raise DataError(
                f"the environment variable {name} is not set; the suite needs it as "
                f"a secret. Set it: export {name}=…"
            )
        return environ[name]

    return _REFERENCE.sub(value, text)


def _is_secret(path: tuple[str | int, ...]) -> bool:
    return path[-1:] == ("token",) or path[-2:-1] == ("headers",)
