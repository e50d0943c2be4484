"""A combination that was decided on, kept as a directory and opened as a model.

config.json names the method, its options and the members: models that stay where
they are, with their fingerprints. A member that has changed is refused. Nothing in
the directory is run: a member that is Python code needs the same leave as any code
that comes with a model.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.errors import ModelError, OutputError, UsageError
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.protocols import HasWeights, ModelSource
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.combined import CombinedSource
from compat_eval.mitigations.mitigation import Combination, Mitigation
from compat_eval.mitigations.spec import FurtherModel, MitigationSpec
from compat_eval.models import WORKPLACE

_KIND = "composite"
"""What config.json calls a combination."""

MADE = "mitigation.json"
"""Says how a model was made of others; it decides no answer."""

_CONFIG = "config.json"
_SCHEMA_VERSION = 1
_SIDES = ("old", "new")
_DEEPEST = 20
_OPENING: ContextVar[tuple[tuple[Path, str], ...]] = ContextVar("opening", default=())
"""The combinations that are being opened, each a member of the one before."""


class _EndlessError(ModelError):
    """A combination is made of itself; the message tells all that led here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One model of a saved combination.

    Attributes:
        role: `old`, `new`, or that of a further model.
        scheme: How it is opened.
        location: What stands after the scheme; a path as seen from where the
            user is.
        is_path: Whether it is a path, which is kept relative to the directory.
        weight: See `FurtherModel`.

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
    spec: MitigationSpec,
    members: Sequence[Member],
    *,
    options: ModelOptions,
    chosen: Mapping[str, Any] | None = None,
    trained_on: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a combination's directory.

    Args:
        directory: A new or empty one.
        spec: With every option settled.
        members: OLD, NEW, and further models.
        options: How they are opened; labels' names and revision are kept.
        chosen: What dev chose, for people; `None` where nothing was to choose.
        trained_on: The examples by which values of the settings were chosen or
            learned, as `compat_eval.mitigations.train.earlier.trained_on` has them.
        overwrite: Whether an earlier combination there may be replaced.

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
        "compat_eval": {"kind": _KIND, "schema_version": _SCHEMA_VERSION},
        "method": spec.method,
        "options": spec.told_options,
        "members": [
            {
                "role": member.role,
                "scheme": member.scheme,
                "path" if member.is_path else "location": _from(directory, member),
                "fingerprint": member.open(_plain(options, kept)).fingerprint(),
                **({} if member.weight is None else {"weight": member.weight}),
            }
            for member in members
        ],
        "opened_with": kept,
        "chosen": chosen,
        **({"trained_on": trained_on} if trained_on else {}),
    }
    require_free(directory, overwrite=overwrite)
    _write(directory, config)


def _write(directory: Path, config: Mapping[str, Any]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(config, indent=1, sort_keys=True, ensure_ascii=False)
        write_whole(directory / _CONFIG, f"{text}\n".encode())
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {directory}: {error.strerror}") from error


def save_model(
    directory: Path,
    model: HasWeights,
    made: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> None:
    """Write a model that a mitigation made and that needs no other.

    Args:
        directory: A new or empty one.
        model: What was made.
        made: How, for people: written into mitigation.json.
        overwrite: Whether an earlier mitigation there may be replaced.

    Raises:
        OutputError: The place is taken or cannot be written.

    """
    require_free(directory, overwrite=overwrite)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        work = directory / WORKPLACE
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        model.save(work)
        text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False)
        write_whole(work / MADE, f"{text}\n".encode())
        for path in directory.iterdir():
            if path.is_file():
                path.unlink()
        names = sorted(path.name for path in work.iterdir() if path.name != _CONFIG)
        for name in [*names, _CONFIG]:
            (work / name).replace(directory / name)
        work.rmdir()
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {directory}: {error.strerror}") from error


def require_free(directory: Path, *, overwrite: bool) -> None:
    """Refuse a directory that holds something else.

    Raises:
        OutputError: It is not empty, or cannot be read.

    """
    try:
        taken = directory.exists() and any(directory.iterdir())
    except OSError as error:
        raise OutputError(f"cannot write {directory}: {error.strerror}") from error
    if taken and not (overwrite and is_saved_combination(directory)):
        raise OutputError(
            f"{directory} is not empty; choose a new directory, or --overwrite an "
            "earlier mitigation there"
        )


def is_saved_combination(directory: Path) -> bool:
    """Say whether a directory holds what `save` or `save_model` wrote."""
    if (directory / MADE).is_file():
        return True
    try:
        config = read_json(directory / _CONFIG)
        return bool(config["compat_eval"]["kind"] == _KIND)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def open_saved(
    directory: Path, config: Mapping[str, Any], options: ModelOptions, *, reference: str
) -> CombinedSource:
    """Open what `save` wrote, and look whether its members are what they were.

    Raises:
        ModelError: The file is damaged, it is a member of itself, a member is
            missing or has changed, or needs leave to run code.
        UsageError: The method or an option is unknown here.

    """
    directory = directory.resolve()
    where = directory / _CONFIG
    kept = _opened_with(config, where)
    if kept["trust_remote_code"] and not options.trust_remote_code:
        raise ModelError(
            f"{reference}: a member runs code that comes with it; allow that with "
            "--trust-remote-code"
        )
    known: Mitigation = MITIGATIONS.load(_part(config, "method", str, where))
    if not isinstance(known, Combination):
        raise ModelError(f"{where}: {known.name} does not combine models")
    members = _members(config, known, directory, where)
    spec = _spec(config, known, [member for member, _ in members[2:]], where)
    given = replace(
        options,
        label_map={**kept["label_map"], **options.label_map},
        revision=options.revision or kept["revision"],
    )
    plain = _plain(given, kept)
    with opening(directory, reference):
        old, new, *further = [
            _checked(member, fingerprint, given, plain, reference)
            for member, fingerprint in members
        ]
    return CombinedSource(
        spec=spec, old=old, new=new, further=tuple(further), reference=reference
    )


def _plain(options: ModelOptions, kept: Mapping[str, Any]) -> ModelOptions:
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


def _checked(
    member: Member,
    fingerprint: str,
    options: ModelOptions,
    plain: ModelOptions,
    reference: str,
) -> ModelSource:
    name = f"{member.scheme}:{member.location}"
    options.require_leave(name, reference)
    try:
        now = member.open(plain).fingerprint()
    except _EndlessError:
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
    """Return how the members were opened when the combination was kept."""
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


def _spec(
    config: Mapping[str, Any], known: Mitigation, further: Sequence[Member], where: Path
) -> MitigationSpec:
    options = _part(config, "options", dict, where)
    try:
        canonical_json(options)
    except ValueError as error:
        raise ModelError(f"{where}: 'options' has a number that is none") from error
    try:
        spec = MitigationSpec.of(
            known,
            options,
            further=[
                FurtherModel(role=m.role, reference=m.location, weight=m.weight)
                for m in further
            ],
        )
    except UsageError as error:
        raise ModelError(f"{where}: {error}") from error
    missing = (*spec.to_choose, *spec.to_learn)
    if missing:
        raise ModelError(f"{where}: {known.name} needs {', '.join(missing)}")
    return spec


def _members(
    config: Mapping[str, Any], known: Mitigation, directory: Path, where: Path
) -> list[tuple[Member, str]]:
    """Return OLD, NEW and the further models, with their fingerprints."""
    fields = _part(config, "members", list, where)
    found = [_member(one, known, directory, where) for one in fields]
    roles = [member.role for member, _ in found]
    if any(roles.count(side) != 1 for side in _SIDES):
        raise ModelError(f"{where}: needs one member 'old' and one 'new'")
    sides = [found[roles.index(side)] for side in _SIDES]
    return sides + [one for one in found if one[0].role not in _SIDES]


def _member(
    fields: object, known: Mitigation, directory: Path, where: Path
) -> tuple[Member, str]:
    if not isinstance(fields, Mapping):
        raise ModelError(f"{where}: each of 'members' must be an object")
    role = _part(fields, "role", str, where)
    roles = (*_SIDES, *known.further)
    if role not in roles:
        raise ModelError(
            f"{where}: a member's role is one of {', '.join(roles)}; got {role!r}"
        )
    is_path = "path" in fields
    location = _part(fields, "path" if is_path else "location", str, where)
    weighs = role in known.further and known.further[role].weight is not None
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


@contextmanager
def opening(directory: Path, reference: str) -> Iterator[None]:
    """Note that what is opened meanwhile are members of a model.

    Args:
        directory: Of that model, without links.
        reference: What it is called where it is named.

    Raises:
        _EndlessError: It is being opened already, or is a member of members too
            many times over.

    """
    outer = _OPENING.get()
    first = outer[0][1] if outer else reference
    places = [place for place, _ in outer]
    if directory in places:
        start = places.index(directory)
        raise _EndlessError(_loop(first, places[start:], whole=start == 0))
    if len(outer) == _DEEPEST:
        raise _EndlessError(
            f"{first}: its members are made of others more than {_DEEPEST} times over"
        )
    entered = _OPENING.set((*outer, (directory, reference)))
    try:
        yield
    finally:
        _OPENING.reset(entered)


def _loop(first: str, loop: list[Path], *, whole: bool) -> str:
    links = " names ".join(str(place) for place in (*loop, loop[0]))
    what = "is made of itself" if whole else "has a member that is made of itself"
    return f"{first}: {what}: {links}. Run compat-eval mitigate again without that."
