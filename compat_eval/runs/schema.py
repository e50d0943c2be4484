"""The version of the run directory's layout."""

from collections.abc import Mapping
from typing import Any

from compat_eval.core.errors import DataError

SCHEMA_VERSION = 2
"""Raised when a reader of the last version could misunderstand a file."""


def check_version(fields: Mapping[str, Any], *, where: object) -> None:
    """Accept this version only.

    Raises:
        DataError: The version is missing, too old or too new.

    """
    found = fields.get("schema_version")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise DataError(
            f"{where}: expected 'schema_version' to be a whole number from 1; "
            f"got {found!r}"
        )
    if found > SCHEMA_VERSION:
        raise DataError(
            f"{where}: schema_version is {found}, and this compat-eval knows up to "
            f"{SCHEMA_VERSION}; install a newer compat-eval to read it"
        )
    if found < SCHEMA_VERSION:
        raise DataError(
            f"{where}: schema_version is {found}, and this compat-eval reads "
            f"{SCHEMA_VERSION}; run the comparison again"
        )
