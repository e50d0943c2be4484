"""What one shard of a comparison leaves behind, and how shards come together.

part.json                  which share, and what all shares must agree on
examples.parquet           every example, those of other shares too
predictions/old.parquet    what OLD answered, this share's examples only
predictions/new.parquet    what NEW answered, this share's examples only
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import CoverageError, DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.predictions import Predictions
from compat_eval.runs.claim import ClaimedDirectory
from compat_eval.runs.encoding import (
    SCHEMA_VERSION,
    json_bytes,
    parquet_bytes,
    parse_json,
    parse_parquet,
)
from compat_eval.runs.seal import require_unchanged, sealed

PART = "part.json"
_EXAMPLES = "examples.parquet"
_ANSWERS = {role: f"predictions/{role}.parquet" for role in ("old", "new")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One shard's share of a comparison.

    Attributes:
        index: Which share, from 1.
        count: How many shares there are.
        identity: JSON-ready; what all shares must agree on: fingerprints of
            models and suite, settings, options.
        about: JSON-ready; what may differ between shares: versions, times.
        examples: Every example of the comparison.
        answers: What OLD and NEW answered to this share, by role.

    """

    index: int
    count: int
    identity: Mapping[str, Any]
    about: Mapping[str, Any]
    examples: Examples
    answers: Mapping[str, Predictions]


def write_part(claimed: ClaimedDirectory, part: Part) -> None:
    """Write a part: all of it, or nothing.

    Raises:
        OutputError: It cannot be written.

    """
    fields = {
        "shard": {"index": part.index, "count": part.count},
        "identity": part.identity,
        "about": part.about,
    }
    content = {
        _EXAMPLES: parquet_bytes(part.examples.table),
        **{
            name: parquet_bytes(part.answers[role].table)
            for role, name in _ANSWERS.items()
        },
    }
    whole = sealed({"schema_version": SCHEMA_VERSION, **fields}, content)
    claimed.write({**content, PART: json_bytes(whole)})


def _read_part(path: Path) -> Part:
    """Read a part.

    Raises:
        DataError: It is no part, a damaged one, or one that was changed.

    """
    data = _files(path)
    fields = parse_json(data[PART], where=path / PART)
    for name in ("shard", "identity", "about"):
        if not isinstance(fields.get(name), dict):
            raise DataError(
                f"{path / PART}: field {name!r} is missing or damaged; run this shard "
                "again"
            )
    require_unchanged(path, fields, name=PART)

    def table(name: str) -> pa.Table:
        return parse_parquet(data[name], where=path / name)

    try:
        return Part(
            index=int(fields["shard"]["index"]),
            count=int(fields["shard"]["count"]),
            identity=fields["identity"],
            about=fields["about"],
            examples=Examples(table(_EXAMPLES)),
            answers={role: Predictions(table(at)) for role, at in _ANSWERS.items()},
        )
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{path / PART}: field {error} is missing or damaged"
        ) from error


def _files(path: Path) -> dict[str, bytes]:
    names = (PART, _EXAMPLES, *_ANSWERS.values())
    try:
        return {name: (path / name).read_bytes() for name in names}
    except OSError as error:
        raise DataError(
            f"{path} is no part of a run: {error.filename} cannot be read "
            f"({error.strerror}). Name the directories that "
            "`compat-eval compare --shard i/n --out` wrote."
        ) from error


def read_parts(paths: Sequence[Path]) -> list[Part]:
    """Read all parts of one comparison, in the order of their shares.

    Raises:
        UsageError: No part is given.
        DataError: A part is damaged, or belongs to another comparison.
        CoverageError: A share is missing or given twice.

    """
    if not paths:
        raise UsageError("name the directories of all parts to merge")
    found = [(path, _read_part(path)) for path in paths]
    first_path, first = found[0]
    for path, part in found[1:]:
        _check_same(part, first, f"{path} and {first_path}")
    _check_complete([part.index for _, part in found], first.count)
    return sorted((part for _, part in found), key=lambda part: part.index)


def _check_same(part: Part, other: Part, where: str) -> None:
    differing = [
        name
        for name in sorted({*part.identity, *other.identity})
        if canonical_json(part.identity.get(name))
        != canonical_json(other.identity.get(name))
    ]
    if part.count != other.count:
        differing.append(f"the number of shards ({part.count} and {other.count})")
    if not part.examples.table.equals(other.examples.table):
        differing.append("the examples")
    if differing:
        raise DataError(
            f"{where} are parts of different comparisons: they differ in "
            f"{', '.join(differing)}. Run all shards with the same models and options."
        )


def _check_complete(indices: Sequence[int], count: int) -> None:
    missing = sorted({*range(1, count + 1)} - {*indices})
    if missing:
        raise CoverageError(
            f"{len(missing)} of {count} shards are missing: "
            f"{some(f'{index}/{count}' for index in missing)}"
        )
    if len(indices) > count:
        twice = sorted({index for index in indices if indices.count(index) > 1})
        raise CoverageError(
            f"these shards are given more than once: "
            f"{some(f'{index}/{count}' for index in twice)}"
        )
