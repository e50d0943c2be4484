"""Flips for other programs: JSON Lines or CSV, one flip a line, with stable ids."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from compat_eval.core.grades import Level
from compat_eval.report.flips import Answer, Flip

_SCHEMA_VERSION = 1


def json_lines(flips: Iterable[Flip]) -> Iterator[str]:
    """Yield one JSON object a flip, texts whole."""
    for flip in flips:
        yield json.dumps(_record(flip), ensure_ascii=True, allow_nan=False) + "\n"


def csv_lines(flips: Iterable[Flip]) -> str:
    r"""Return a CSV table with a header; slices as `name=value` joined by a bar.

    A text that a spreadsheet would run as a formula is led by an apostrophe.
    """
    out = io.StringIO()
    writer: Any = None
    for flip in flips:
        row = {k: _cell(v) for k, v in _record(flip).items() if k != "schema_version"}
        if writer is None:
            writer = csv.DictWriter(out, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return out.getvalue()


def _record(flip: Flip) -> dict[str, Any]:
    """Return a flip as JSON-ready fields."""
    return {
        "schema_version": _SCHEMA_VERSION,
        "id": flip.id,
        "level": flip.level.name,
        "cell": flip.word,
        "units_broken": flip.broken,
        "units_fixed": flip.fixed,
        "input": flip.input,
        "gold": flip.gold,
        **_side("old", flip.old, flip.level),
        **_side("new", flip.new, flip.level),
        "slices": dict(flip.slices),
        "cluster": flip.cluster,
        "noise_band": flip.noise_band,
    }


def _side(name: str, answer: Answer, level: Level) -> dict[str, Any]:
    return {
        name: answer.text,
        **({f"{name}_grade": _finite(answer.worth)} if level.scale == "score" else {}),
        f"{name}_score": _finite(answer.score),
        f"{name}_margin": _finite(answer.margin),
        f"{name}_error": answer.error,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and value - value == 0 else None


def _cell(value: object) -> object:
    if isinstance(value, dict):
        value = "|".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, str):
        safe = value.replace("\x00", "␀")
        return f"'{safe}" if safe[:1] in {"=", "+", "-", "@", "\t", "\r"} else safe
    return value
