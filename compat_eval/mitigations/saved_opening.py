"""Open a saved composite: its members must be what they were.

Nothing in the directory is run: a member that is Python code needs the same leave as
any code that comes with a model.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from compat_eval.adapters import ModelOptions
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.composite import Composite
from compat_eval.mitigations.method_options import MODELS, MethodOptions
from compat_eval.mitigations.saved import CONFIG, Member, plain_options
from compat_eval.mitigations.treatment import Treatment

_ROLES = ("old", "new")


def open_saved(
    directory: Path, config: Mapping[str, Any], options: ModelOptions, *, reference: str
) -> Composite:
    """Open what `save` wrote, and look whether its members are what they were.

    Raises:
        ModelError: The file is damaged, a member is missing or has changed, or
            needs leave to run code.
        UsageError: The method or an option is unknown here.

    """
    directory = directory.resolve()
    where = directory / CONFIG
    kept = _opened_with(config, where)
    if kept["trust_remote_code"] and not options.trust_remote_code:
        raise ModelError(
            f"{reference}: a member runs code that comes with it; allow that with "
            "--trust-remote-code"
        )
    treatment = _treatment(config, where)
    found: dict[str, list[ModelSource]] = {"old": [], "new": [], MODELS: []}
    given = replace(
        options,
        label_map={**kept["label_map"], **options.label_map},
        revision=options.revision or kept["revision"],
    )
    for fields in _part(config, "members", list, where):
        member, fingerprint = _member(fields, directory, where)
        try:
            source = _checked(
                member, fingerprint, given, plain_options(given, kept), reference
            )
        except RecursionError as error:
            raise ModelError(f"{reference}: is a member of itself") from error
        found[member.role].append(source)
    if any(len(found[role]) != 1 for role in _ROLES):
        raise ModelError(f"{where}: needs one member 'old' and one 'new'")
    return Composite(
        treatment=treatment,
        old=found["old"][0],
        new=found["new"][0],
        others=tuple(found[MODELS]),
        reference=reference,
    )


def _checked(
    member: Member,
    fingerprint: str,
    options: ModelOptions,
    plain: ModelOptions,
    reference: str,
) -> ModelSource:
    name = f"{member.scheme}:{member.location}"
    if member.scheme == "python" and not options.trust_remote_code:
        raise ModelError(
            f"{reference}: its member {name} is Python code; allow that it is run with "
            "--trust-remote-code"
        )
    try:
        now = member.open(plain).fingerprint()
    except (ModelError, OSError) as error:
        raise ModelError(
            f"{reference}: its member {name} cannot be opened: {error}"
        ) from error
    if now != fingerprint:
        raise ModelError(
            f"{reference}: its member {name} ({member.role}) has changed since "
            "compat-eval mitigate was run; run it again, or bring the member back"
        )
    return member.open(options)


def _opened_with(config: Mapping[str, Any], where: Path) -> dict[str, Any]:
    """Return how the members were opened when the composite was kept."""
    kept = _part(config, "opened_with", dict, where)
    labels = _part(kept, "label_map", dict, where)
    if not all(isinstance(name, str) for name in labels.values()):
        raise ModelError(f"{where}: 'label_map' must be of texts")
    revision = kept.get("revision")
    return {
        "label_map": labels,
        "revision": None if revision is None else _part(kept, "revision", str, where),
        "trust_remote_code": _part(kept, "trust_remote_code", bool, where),
    }


def _treatment(config: Mapping[str, Any], where: Path) -> Treatment:
    method = _part(config, "method", str, where)
    options = _part(config, "options", dict, where)
    known = MethodOptions.of(method)
    try:
        values = {
            name: known.value(name, _text(value), options)
            for name, value in options.items()
        }
    except UsageError as error:
        raise ModelError(f"{where}: {error}") from error
    missing = known.needed - {*values, MODELS}
    if missing:
        raise ModelError(f"{where}: {method} needs {min(missing)}")
    return Treatment(method=method, options=values, given={})


def _text(value: object) -> str:
    """Return an option's value as a user would write it."""
    plain = str(value)
    return plain.lower() if value is None or isinstance(value, bool) else plain


def _member(fields: object, directory: Path, where: Path) -> tuple[Member, str]:
    if not isinstance(fields, Mapping):
        raise ModelError(f"{where}: each of 'members' must be an object")
    role = _part(fields, "role", str, where)
    if role not in (*_ROLES, MODELS):
        raise ModelError(f"{where}: a member's role is old, new or with; got {role!r}")
    is_path = "path" in fields
    location = _part(fields, "path" if is_path else "location", str, where)
    member = Member(
        role=role,
        scheme=_part(fields, "scheme", str, where),
        location=os.path.normpath(directory / location) if is_path else location,
        is_path=is_path,
    )
    return member, _part(fields, "fingerprint", str, where)


def _part(fields: Mapping[str, Any], name: str, kind: type, where: Path) -> Any:  # noqa: ANN401
    found = fields.get(name)
    if not isinstance(found, kind):
        raise ModelError(
            f"{where}: {name!r} is missing or damaged; run compat-eval mitigate again"
        )
    return found
