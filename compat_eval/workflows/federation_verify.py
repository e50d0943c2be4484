"""Whether a federation or a sweep is what was written, and follows from its answers."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from compat_eval import __version__
from compat_eval.core.errors import DataError
from compat_eval.core.estimate import rounded
from compat_eval.core.files import read_json
from compat_eval.core.fingerprint import digest, file_digest
from compat_eval.federated.outcome import stream_outcome
from compat_eval.federated.stream import (
    KEPT,
    RESULTS,
    SELF,
    MeasuredStream,
    federation_doubts,
    period_folder,
    read_federation,
    stream_digest,
)
from compat_eval.federated.sweep import SWEEP, SweepResults, SweptFederation, swept
from compat_eval.suite.yaml.gates import GatesFile
from compat_eval.workflows.verify import Difference, differences

_RenderFederation = Callable[[Mapping[str, Any]], Mapping[str, bytes]]
_RenderSweep = Callable[[SweepResults], Mapping[str, bytes]]
_WRITTEN = "what was written"
_OTHER = "another content"
_DIGITS = 1e-11
"""How far floats may be apart: they are written with twelve digits."""


def is_federation(path: Path) -> bool:
    """Say whether a directory holds a federation or a sweep of them."""
    return any((path / name).is_file() for name in (RESULTS, SWEEP))


def verify_federation(path: Path, render: _RenderFederation) -> list[Difference]:
    """Return where a federation is not what it was when it was written.

    federation.json must fit its own SHA-256, and answers, models and lists of what
    clients keep theirs. Counts, perplexities, statistics, gates and the verdict are
    computed again from the answers; counts and verdicts must be the same, floats to
    twelve digits. Where nothing differs, the reports are made again, too.

    Args:
        path: Its directory.
        render: Makes the reports.

    Raises:
        DataError: It cannot be computed again.

    """
    found = read_federation(path)
    changed = [*_changed(path, found)]
    if any(where == _ANSWERS for where, *_ in changed):
        return changed
    try:
        again = _computed(path, found)
    except (KeyError, TypeError, ValueError) as error:
        if changed:
            return changed
        raise DataError(f"{path}: cannot be computed again: {error!r}") from error
    recorded = {name: found[name] for name in again if name in found}
    changed += differences(recorded, again, relative=_DIGITS)
    if not changed and found.get("measured_by") == __version__:
        changed += _reports(path, render(found))
    return changed


def verify_sweep(
    path: Path, render: _RenderSweep, render_each: _RenderFederation
) -> list[Difference]:
    """Return where a sweep is not what it was when it was written.

    Each of its federations is verified as it is by itself; then methods are compared
    again, and the reports of the sweep made again.

    Args:
        path: Its directory.
        render: Makes the reports of the sweep.
        render_each: Makes those of a federation.

    Raises:
        DataError: It cannot be computed again.

    """
    try:
        content = read_json(path / SWEEP)
        changed = [*_unsealed(content, SWEEP)]
        runs = []
        for told in content["federations"]:
            name, place = told["folder"], path / told["folder"]
            own = verify_federation(place, render_each)
            changed += ((f"{name}/{where}", *rest) for where, *rest in own)
            one = read_federation(place)
            runs.append(
                SweptFederation.of(one, method=told["method"], budget=told["budget"])
            )
        results = swept(content["name"], runs, reference=content["reference"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: cannot be computed again: {error!r}") from error
    again = _plain(results.to_dict())
    recorded = {name: content[name] for name in again if name in content}
    changed += differences(recorded, again, relative=_DIGITS)
    if not changed:
        changed += _reports(path, render(SweepResults.from_dict(content)))
    return changed


_ANSWERS = "test documents and answers"


def _changed(path: Path, found: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the files that are not as they were written."""
    yield from _unsealed(found, RESULTS)
    try:
        now = stream_digest(path, [*map(str, found["periods"])])
    except OSError as error:
        now = f"{error.filename}: {error.strerror}"
    if now != found.get("files"):
        yield _ANSWERS, found.get("files"), now
    for name, written in sorted(found.get("models", {}).items()):
        there = (path / name).is_file()
        if not there or file_digest(path / name) != written:
            yield name, _WRITTEN, _OTHER if there else "no file"


def _unsealed(content: Mapping[str, Any], name: str) -> Iterator[Difference]:
    rest = {key: value for key, value in content.items() if key != SELF}
    if digest(rest) != content.get(SELF):
        yield name, _OTHER, "what its SHA-256 says"


def _computed(path: Path, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what follows from the answers, as federation.json has it."""
    names = [*map(str, found["periods"])]
    stream = MeasuredStream.read(path, names)
    again = {**stream.numbers(), **stream.personal_numbers()}
    if not found.get("left_out"):  # what those told is in no file
        again |= stream_outcome(stream, found["clients"])
    kept = [period_folder(path, name) / KEPT for name in names]
    if all(one.is_file() for one in kept):
        again["diversity"] = [read_json(one)["diversity"] for one in kept]
    demands = GatesFile.model_validate(found["demands"]).demands()
    verdict = stream.judged(demands, doubts=federation_doubts(found))
    return _plain({**again, **verdict.to_dict()})


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return content as a file gives it back."""
    return dict(json.loads(json.dumps(rounded(content))))


def _reports(path: Path, made: Mapping[str, bytes]) -> Iterator[Difference]:
    """Yield the reports that are not as they would be."""
    for name, content in made.items():
        if not (path / name).is_file() or (path / name).read_bytes() != content:
            yield name, _OTHER, _WRITTEN
