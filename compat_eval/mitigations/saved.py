"""A mitigation that was decided on, kept as a directory and opened as a model.

config.json names the method, its options and the members: models that stay where
they are, with their fingerprints.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.errors import OutputError
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.treatment import Treatment

KIND = "composite"
CONFIG = "config.json"
_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One model of a saved composite.

    Attributes:
        role: `old`, `new`, or that of a further model.
        scheme: How it is opened.
        location: What stands after the scheme; a path as seen from where the
            user is.
        is_path: Whether it is a path, which is kept relative to the directory.
        weight: See `Further`.

    """

    role: str
    scheme: str
    location: str
    is_path: bool
    weight: float | None = None

    def open(self, options: ModelOptions) -> ModelSource:
        """Return the model, without loading it."""
        opened: ModelSource = ADAPTERS.load(self.scheme)(self.location, options)
        return opened


def save(
    directory: Path,
    treatment: Treatment,
    members: Sequence[Member],
    *,
    options: ModelOptions,
    chosen: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a composite's directory.

    Args:
        directory: A new or empty one.
        treatment: With every option settled.
        members: OLD, NEW, and further models.
        options: How they are opened; labels' names and revision are kept.
        chosen: What dev chose, for people; `None` where nothing was to choose.
        overwrite: Whether an earlier composite there may be replaced.

    Raises:
        OutputError: The place is taken or cannot be written.

    """
    directory = directory.expanduser().resolve()
    kept = {
        "label_map": dict(options.label_map),
        "revision": options.revision,
        "trust_remote_code": options.trust_remote_code,
    }
    config = {
        "compat_eval": {"kind": KIND, "schema_version": _SCHEMA_VERSION},
        "method": treatment.method,
        "options": dict(treatment.options),
        "members": [
            {
                "role": member.role,
                "scheme": member.scheme,
                "path" if member.is_path else "location": _from(directory, member),
                "fingerprint": member.open(plain_options(options, kept)).fingerprint(),
                **({} if member.weight is None else {"weight": member.weight}),
            }
            for member in members
        ],
        "opened_with": kept,
        "chosen": chosen,
    }
    _write(directory, config, overwrite=overwrite)


def require_free(directory: Path, *, overwrite: bool) -> None:
    """Refuse a directory that holds something else.

    Raises:
        OutputError: It is not empty, or cannot be read.

    """
    try:
        taken = directory.exists() and any(directory.iterdir())
    except OSError as error:
        raise OutputError(f"cannot write {directory}: {error.strerror}") from error
    if taken and not (overwrite and is_composite(directory)):
        raise OutputError(
            f"{directory} is not empty; choose a new directory, or --overwrite an "
            "earlier mitigation there"
        )


def is_composite(directory: Path) -> bool:
    """Say whether a directory holds a saved composite."""
    try:
        config = read_json(directory / CONFIG)
        return bool(config["compat_eval"]["kind"] == KIND)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def plain_options(options: ModelOptions, kept: Mapping[str, Any]) -> ModelOptions:
    """Return how members are opened to be told apart, whoever asks and where."""
    return replace(
        options,
        device="cpu",
        dtype="float32",
        label_map=kept["label_map"],
        revision=kept["revision"],
        trust_remote_code=kept["trust_remote_code"],
    )


def _from(directory: Path, member: Member) -> str:
    """Return a member's place as seen from the directory, with `/`."""
    if not member.is_path:
        return member.location
    target = Path(member.location).expanduser().resolve()
    return Path(os.path.relpath(target, directory)).as_posix()


def _write(directory: Path, config: Mapping[str, Any], *, overwrite: bool) -> None:
    require_free(directory, overwrite=overwrite)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(config, indent=1, sort_keys=True, ensure_ascii=False)
        write_whole(directory / CONFIG, f"{text}\n".encode())
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {directory}: {error.strerror}") from error
