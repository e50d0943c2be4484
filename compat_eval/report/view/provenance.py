"""Where the numbers come from: who answered what, with which versions and settings."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compat_eval.report import numbers
from compat_eval.report.results import Results
from compat_eval.report.text import shortened

_LENGTH = 400
_DEEPEST = 6
_COVERAGE = {
    "both": "answered by both sides",
    "only_old": "missing on the new side",
    "only_new": "missing on the old side",
    "neither": "missing on both sides",
    "unasked": "answers to examples that nobody asked, left out",
    "errors_old": "the old model raised an error (counted as wrong)",
    "errors_new": "the new model raised an error (counted as wrong)",
    "mismatched": "the sides differed about the question",
    "dropped": "left out for that reason",
    "without_gold": "left out because they have no gold",
    "bounded": "missing on a side and taken at the worst",
}
METHODS = (
    (
        "Every interval covers the choice of test examples: another sample of the "
        "same size from the same source would give somewhat other numbers. It does "
        "not cover training seeds, other data, or wrong gold labels."
    ),
    (
        "Shares have two-sided Wilson intervals; gates that certify use one-sided "
        "Clopper–Pearson bounds. The change in accuracy has Newcombe's paired "
        "interval. Where units share a cluster, these are computed at an effective "
        "sample size, or clusters are resampled."
    ),
    (
        "Gates of one run are corrected together (Holm, unless the settings say "
        "otherwise). The slice search is exploratory: its q-values control the false "
        "discovery rate (Benjamini–Hochberg), and none of it decides the verdict."
    ),
    (
        "NFR is the share of all units that old has right and new has wrong (Yan et "
        "al., CVPR 2021); NFI is the same as a share of the new model's errors (Cai "
        "et al., NeurIPS 2022)."
    ),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is known about it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


def coverage(results: Results) -> tuple[Fact, ...]:
    """Return how many examples each side answered, and what happened to the rest."""
    found = results.coverage
    known = [(text, found[key]) for key, text in _COVERAGE.items() if key in found]
    others = [(k.replace("_", " "), v) for k, v in found.items() if k not in _COVERAGE]
    return tuple(Fact(text, numbers.count(value)) for text, value in known + others)


def coverage_problem(results: Results) -> str:
    """Say what is wrong with the coverage; empty where old and new agree on it."""
    found, settings = results.coverage, results.settings
    missing = found.get("only_old", 0) + found.get("only_new", 0)
    if missing and settings.get("on_missing") in (None, "fail", "refuse"):
        return (
            f"{numbers.counted(missing, 'example')} answered by one side only "
            f"({numbers.count(found['only_old'])} by old, "
            f"{numbers.count(found['only_new'])} by new)"
        )
    mismatched = found.get("mismatched", 0)
    if mismatched and settings.get("on_mismatch") in (None, "fail", "refuse"):
        return f"{numbers.counted(mismatched, 'example')} about which the sides differ"
    return ""


_SEALS = frozenset({"facts", "files", "sha256"})
"""Parts of a manifest that are for `verify` alone."""


def provenance(results: Results) -> tuple[Facts, ...]:
    """Return the manifest under headings, as paths and values."""
    titles = {
        "old": "Old model",
        "new": "New model",
        "mitigations": "Mitigations",
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
    sections = [
        Facts(title, tuple(_facts(groups.pop(key))))
        for key, title in titles.items()
        if groups.get(key)
    ]
    return (Facts("Run", tuple(_facts(groups))), *sections)


def _facts(value: object, path: str = "", depth: int = 0) -> Iterator[Fact]:
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        for key in sorted(value, key=str):
            below = f"{path}.{key}" if path else str(key)
            yield from _facts(value[key], below, depth + 1)
    else:
        yield Fact(shortened(path, _LENGTH), shortened(_plain(value), _LENGTH))


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
