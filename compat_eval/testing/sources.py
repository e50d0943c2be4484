"""Checks of a `ModelSource`."""

import json
import re
from collections.abc import Callable
from typing import Any

from compat_eval.core.errors import CompatEvalError
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.testing.expect import expect

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHORTEST = 15


def check_source(source: ModelSource) -> None:
    """Check that a source is named, fingerprinted, described, and can be loaded.

    The fingerprint is asked for before and after loading and must not change.
    """
    expect(source.reference, "reference must be what the user wrote; it is empty")
    first = source.fingerprint()
    expect(
        _SHA256.fullmatch(str(first)),
        f"fingerprint() must be a SHA-256 in lower-case hexadecimal; got {first!r}",
    )
    _check_description(source.describe())
    model = source.load()
    expect(
        isinstance(model, Predicts),
        f"load() must return an object with predict(); got {type(model).__name__}",
    )
    again = source.fingerprint()
    expect(
        again == first,
        f"fingerprint() must be stable; got {first}, and after load() {again}",
    )


def check_changed_content(before: str, after: str) -> None:
    """Check that different content has different fingerprints.

    Args:
        before: Fingerprint of some place.
        after: Fingerprint of the same place, opened again after its weights (or
            its tokenizer, its label names, …) were overwritten.

    """
    expect(
        after != before,
        "fingerprint() must change with the content, or stored predictions of the "
        f"old content are taken for the new one's; both are {before}",
    )


def check_refuses(call: Callable[[], Any], *, naming: str) -> None:
    """Check that a call fails with an error the user can understand.

    Args:
        call: Opens or loads something damaged, absent or forbidden.
        naming: What the message must contain, such as the file's name.

    """
    try:
        call()
    except CompatEvalError as error:
        message = str(error)
    except Exception as error:
        raise AssertionError(
            "a mistake of the user's must raise a CompatEvalError, such as "
            f"ModelError; got {type(error).__name__}: {error}"
        ) from error
    else:
        raise AssertionError(f"expected an error that names {naming!r}; nothing raised")
    expect(naming in message, f"the message must name {naming!r}; it is {message!r}")
    expect(
        len(message) >= _SHORTEST,
        f"the message must say what, where and what to do; it is {message!r}",
    )


def _check_description(described: object) -> None:
    expect(
        isinstance(described, dict),
        f"describe() must return a dict; got {type(described).__name__}",
    )
    try:
        again = json.loads(json.dumps(described, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"describe() must be JSON-ready: {error}") from error
    expect(again == described, "describe() must survive JSON: use lists and text keys")
