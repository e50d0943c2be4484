"""Open a saved composite: its members must be what they were.

Nothing in the directory is run: a member that is Python code needs the same leave as
any code that comes with a model.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from compat_eval.adapters import ModelOptions
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.composite import Composite
from compat_eval.mitigations.further import ROLES, Further
from compat_eval.mitigations.method_options import MethodOptions
from compat_eval.mitigations.saved import CONFIG, Member, plain_options
from compat_eval.mitigations.saved_loops import EndlessError, opening
from compat_eval.mitigations.treatment import Treatment

_SIDES = ("old", "new")


def open_saved(
    directory: Path, config: Mapping[str, Any], options: ModelOptions, *, reference: str
) -> Composite:
    """Open what `save` wrote, and look whether its members are what they were.

    Raises:
        ModelError: The file is damaged, it is a member of itself, a member is
            missing or has changed, or needs leave to run code.
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
    members = _members(config, directory, where)
    treatment = _treatment(config, [member for member, _ in members[2:]], where)
    given = replace(
        options,
        label_map={**kept["label_map"], **options.label_map},
        revision=options.revision or kept["revision"],
    )
    plain = plain_options(given, kept)
    with opening(directory, reference):
        old, new, *others = [
            _checked(member, fingerprint, given, plain, reference)
            for member, fingerprint in members
        ]
    return Composite(
        treatment=treatment,
        old=old,
        new=new,
        others=tuple(others),
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
    except EndlessError:
        raise
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


def _treatment(
    config: Mapping[str, Any], others: Sequence[Member], where: Path
) -> Treatment:
    method = _part(config, "method", str, where)
    options = _part(config, "options", dict, where)
    known = MethodOptions.of(method)
    try:
        values = {
            name: known.value(name, _text(value), options)
            for name, value in options.items()
        }
        further = tuple(
            Further(role=one.role, reference=one.location, weight=one.weight)
            for one in others
        )
        known.check_roles([one.role for one in further])
    except UsageError as error:
        raise ModelError(f"{where}: {error}") from error
    missing = known.needed - {*values, *ROLES}
    if missing:
        raise ModelError(f"{where}: {method} needs {min(missing)}")
    return Treatment(method=method, options=values, given={}, others=further)


def _text(value: object) -> str:
    """Return an option's value as a user would write it."""
    plain = str(value)
    return plain.lower() if value is None or isinstance(value, bool) else plain


def _members(
    config: Mapping[str, Any], directory: Path, where: Path
) -> list[tuple[Member, str]]:
    """Return OLD, NEW and the further models, with their fingerprints."""
    fields = _part(config, "members", list, where)
    found = [_member(one, directory, where) for one in fields]
    roles = [member.role for member, _ in found]
    if any(roles.count(side) != 1 for side in _SIDES):
        raise ModelError(f"{where}: needs one member 'old' and one 'new'")
    sides = [found[roles.index(side)] for side in _SIDES]
    return sides + [one for one in found if one[0].role in ROLES]


def _member(fields: object, directory: Path, where: Path) -> tuple[Member, str]:
    if not isinstance(fields, Mapping):
        raise ModelError(f"{where}: each of 'members' must be an object")
    role = _part(fields, "role", str, where)
    if role not in (*_SIDES, *ROLES):
        known = ", ".join((*_SIDES, *ROLES))
        raise ModelError(f"{where}: a member's role is one of {known}; got {role!r}")
    is_path = "path" in fields
    location = _part(fields, "path" if is_path else "location", str, where)
    weighs = ROLES.get(role) is not None
    member = Member(
        role=role,
        scheme=_part(fields, "scheme", str, where),
        location=os.path.normpath(directory / location) if is_path else location,
        is_path=is_path,
        weight=_part(fields, "weight", float, where) if weighs else None,
    )
    return member, _part(fields, "fingerprint", str, where)


def _part(fields: Mapping[str, Any], name: str, kind: type, where: Path) -> Any:  # noqa: ANN401
    found = fields.get(name)
    if not isinstance(found, kind):
        raise ModelError(
            f"{where}: {name!r} is missing or damaged; run compat-eval mitigate again"
        )
    return found
