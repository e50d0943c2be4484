"""Where the numbers come from: who answered what, with which versions and settings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from compat_eval.core.grades import Level
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import shortened

_LENGTH = 400
_DEEPEST = 6
_SHARES = (
    "Shares have two-sided Wilson intervals; gates that certify use one-sided "
    "Clopper–Pearson bounds. Where units share a cluster, these are computed at an "
    "effective sample size."
)
_FLIPS = (
    "The change in accuracy has Newcombe's paired interval; where units share a "
    "cluster it is computed at an effective sample size, or clusters are resampled. "
    "NFR is the share of all units that old has right and new has wrong (Yan et al., "
    "CVPR 2021); NFI is the same as a share of the new model's errors (Cai et al., "
    "NeurIPS 2022)."
)
_SCORES = (
    "A unit got worse or better where its score moved by more than the task's "
    "epsilon. Mean scores, their change, and metrics over all units have bootstrap-t "
    "intervals: examples, or clusters of them, are resampled, and old and new stay "
    "paired."
)
_GATES = (
    "Gates of one run are corrected together (Holm, unless the settings say "
    "otherwise). The slice search is exploratory: its q-values control the false "
    "discovery rate (Benjamini–Hochberg), and none of it decides the verdict."
)


def _methods(levels: Sequence[Level]) -> tuple[str, ...]:
    """Say how the numbers of these levels are made, and what they do not cover."""
    gold = any(level.needs_gold for level in levels)
    beside = ", other data, or wrong gold labels" if gold else " or other data"
    covered = (
        "Every interval covers the choice of test examples: another sample of the "
        "same size from the same source would give somewhat other numbers. It does "
        f"not cover training seeds{beside}."
    )
    scales = {level.scale for level in levels}
    said = {"right": _FLIPS, "score": _SCORES}
    told = tuple(text for scale, text in said.items() if scale in scales)
    return covered, _SHARES, *told, _GATES


_Facts: TypeAlias = tuple[tuple[str, str], ...]
"""Paths in the manifest, and what is said there."""

_SEALS = frozenset({"facts", "files", "sha256"})
"""Parts of a manifest that are for `verify` alone."""


def provenance(results: Results) -> Mapping[str, _Facts]:
    """Return the manifest by headings."""
    titles = {
        "old": "Old model",
        "new": "New model",
        "roles": "Other roles",
        "suite": "Suite and data",
        "settings": "Settings",
        "environment": "Environment",
        "seconds": "Timings in seconds",
        "options": "Options",
        "demands": "Gates as asked for",
    }
    groups = {
        key: part for key, part in results.run.manifest.items() if key not in _SEALS
    }
    groups.setdefault("settings", results.settings)
    roles = dict(groups.pop("roles"))
    old, new = results.run.judged
    groups |= {"old": roles.pop(old, {}), "new": roles.pop(new, {})}
    groups |= {"roles": roles} if roles else {}
    known = {title: groups.pop(key) for key, title in titles.items() if key in groups}
    every = {"Run": groups, **known}
    return {title: tuple(_facts(part)) for title, part in every.items() if part}


def _facts(value: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        for key in sorted(value, key=str):
            below = f"{path}.{key}" if path else str(key)
            yield from _facts(value[key], below, depth + 1)
    else:
        yield shortened(path, _LENGTH), shortened(_plain(value), _LENGTH)


def _plain(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "(empty)"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "none"
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProvenanceView:
    """What the numbers mean, and the manifest under headings."""

    methods: tuple[str, ...]
    groups: Mapping[str, _Facts]


def _view(reported: ReportedRun) -> _ProvenanceView:
    results = reported.results
    levels = [one.level for one in results.task.update.levels.values()]
    return _ProvenanceView(methods=_methods(levels), groups=provenance(results))


SECTION = Section(title="Provenance", view=_view, template="provenance.html.j2")
