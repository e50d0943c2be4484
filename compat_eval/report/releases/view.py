"""What a release found, as its reports show it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from compat_eval.core.errors import some
from compat_eval.core.estimate import Estimate, as_number
from compat_eval.gates.result import Unit, amount
from compat_eval.report import numbers, words
from compat_eval.report.html import references
from compat_eval.report.results import Results, read_results
from compat_eval.report.sections.gates import GateRow, gate_rows
from compat_eval.report.sentences import (
    accuracy_sentence,
    counts_said,
    doubted,
    gates_said,
)
from compat_eval.report.text import shortened
from compat_eval.runs.releases import Release, suite_folder

_LENGTH, _REASON = 120, 400
_MOST_URGENT_FIRST = ("fail", "blocked", "inconclusive", "pass", "none")
_TIERS = MappingProxyType(
    {
        "critical": "Critical: each must keep its limits",
        "supporting": "Supporting: they decide too, as far as none is tolerated",
        "advisory": "Advisory: shown, and never decides",
    }
)
_POOLED_TITLES = MappingProxyType(
    {
        "max_drop": "Largest loss of accuracy of any suite",
        "fisher": "Loss of accuracy in any suite (Fisher's method)",
    }
)
_OUTCOMES = MappingProxyType(
    {
        "missing": "missing",
        "differs": "not the same questions",
        "unreadable": "could not be compared",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRow:
    """One suite of the release.

    Attributes:
        key: Its name in the release.
        name: The same, as it is shown.
        tier: `critical`, `supporting` or `advisory`.
        verdict: `pass`, `fail`, `inconclusive`, `none` or `blocked`.
        word: The same for people.
        symbol: The same as one character.
        link: Where its page stands; empty where it was not compared.
        found: What broke and was fixed, in a sentence.
        change: What became of accuracy, in a sentence.
        tally: How many gates ended how.
        gate: The gate that decided; `None` without one.
        reason: Why it could not be compared, or what forbids a pass.
        tolerated: Whether the policy tolerates its verdict.
        examples: How many were compared.

    """

    key: str
    name: str
    tier: str
    verdict: str
    word: str
    symbol: str
    link: str = ""
    found: str = ""
    change: str = ""
    tally: str = ""
    gate: GateRow | None = None
    reason: str = ""
    tolerated: bool = False
    examples: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledRow:
    """One gate on several suites.

    Attributes:
        name: As the policy calls it.
        title: For people.
        verdict: How it ended.
        word: The same for people.
        symbol: The same as one character.
        asked: The limit in words.
        found: The value with its interval; empty where it is undefined.
        suites: Which suites, in words.
        reason: Why.

    """

    name: str
    title: str
    verdict: str
    word: str
    symbol: str
    asked: str
    found: str
    suites: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseView:
    """A release as its reports show it.

    Attributes:
        name: Of the release.
        verdict: Of the whole.
        word: The same for people.
        symbol: The same as one character.
        old: What the user wrote for OLD, where it is one for all suites.
        new: Likewise for NEW.
        sentence: What decided.
        lines: What else must be known, in sentences.
        notes: How the policy was read, and what is not compared.
        tiers: The suites of each tier, with its heading.
        pooled: The gates on several suites.
        correction: How all were judged together; empty without gates.
        created: When it was made.
        results: The results of each suite that was compared, by name.

    """

    name: str
    verdict: str
    word: str
    symbol: str
    old: str
    new: str
    sentence: str
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    tiers: tuple[tuple[str, str, tuple[SuiteRow, ...]], ...]
    pooled: tuple[PooledRow, ...]
    correction: str
    created: str
    results: Mapping[str, Results]

    @property
    def rows(self) -> tuple[SuiteRow, ...]:
        """Every suite."""
        return tuple(row for _, _, rows in self.tiers for row in rows)


def release_view(release: Release) -> ReleaseView:
    """Return what the reports of a release show."""
    content, decision = release.content, release.content["decision"]
    results = {name: read_results(run) for name, run in release.runs.items()}
    rows = [_row(one, results, decision) for one in content["suites"]]
    old, new = _sides(release, results)
    return ReleaseView(
        name=shortened(content["name"], _LENGTH),
        verdict=content["verdict"],
        word=words.VERDICTS[content["verdict"]],
        symbol=words.SYMBOLS[content["verdict"]],
        old=old,
        new=new,
        sentence=_verdict_said(content),
        lines=tuple(_lines(content)),
        notes=tuple(content["notes"]),
        tiers=tuple(_tiers(rows)),
        pooled=tuple(_pooled(one) for one in content["pooled"]),
        correction=_correction(content["settings"]),
        created=str(release.manifest.get("created") or ""),
        results=results,
    )


def _verdict_said(content: Mapping[str, Any]) -> str:
    """Say what decided a release."""
    decision, suites = content["decision"], content["suites"]
    tiers = {one["name"]: one["tier"] for one in suites}

    def named(names: Sequence[str]) -> str:
        return some([f"{name} ({tiers.get(name, 'all')})" for name in names])

    verdict = content["verdict"]
    if verdict == "fail":
        return f"Proven to break a limit: {named(decision['failed'])}."
    if verdict == "blocked":
        by_name = {one["name"]: one for one in suites}
        said = [
            f"{name} is {_OUTCOMES[by_name[name]['outcome']]}"
            if by_name[name]["outcome"] == "missing"
            else f"{name}: {_OUTCOMES[by_name[name]['outcome']]}"
            for name in decision["blocked"]
        ]
        return f"The release cannot be decided: {some(said)}."
    if verdict == "inconclusive":
        return f"Not proven to keep its limits: {named(decision['undecided'])}."
    if verdict == "none":
        return "Nothing was demanded of any suite that decides, so nothing was judged."
    passed = [one["verdict"] == "pass" and one["tier"] != "advisory" for one in suites]
    n_gates = sum(one["verdict"] == "pass" for one in content["pooled"])
    kept = sum(passed) + n_gates
    said = [numbers.counted(sum(passed), "suite")] if any(passed) else []
    if n_gates:
        said.append(f"{numbers.counted(n_gates, 'gate')} over several suites")
    deciding = f"{' and '.join(said)} that {_verb(kept, 'decide')}"
    return f"{deciding} {_verb(kept, 'keep')} all limits."


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else a reader must know of the verdict."""
    decision, verdict = content["decision"], content["verdict"]
    if decision["blocked"] and verdict != "blocked":
        yield f"Not there to judge: {some(decision['blocked'])}."
    if decision["undecided"] and verdict != "inconclusive":
        yield f"Not proven to keep their limits: {some(decision['undecided'])}."
    if decision["tolerated"]:
        yield (
            f"Tolerated by the policy: {some(decision['tolerated'])} "
            f"(at most {content['settings']['tolerate']} supporting)."
        )
    advisory = [
        one["name"]
        for one in content["suites"]
        if one["tier"] == "advisory" and one["verdict"] in ("fail", "inconclusive")
    ]
    if advisory:
        yield f"Advisory, without a say: {some(advisory)}."


def _row(
    said: Mapping[str, Any],
    results: Mapping[str, Results],
    decision: Mapping[str, Any],
) -> SuiteRow:
    name = said["name"]
    if name not in results:
        return _without_results(said, blocked=name in decision["blocked"])
    found, gates = results[name], gate_rows(results[name])
    verdict = said["verdict"]
    return SuiteRow(
        key=name,
        name=shortened(name, _LENGTH),
        tier=said["tier"],
        verdict=verdict,
        word=words.VERDICTS[verdict],
        symbol=words.SYMBOLS[verdict],
        link=f"{suite_folder(name)}/report.html",
        found=counts_said(found),
        change=accuracy_sentence(found),
        tally=gates_said(found.gates),
        gate=min(
            gates, key=lambda one: _MOST_URGENT_FIRST.index(one.verdict), default=None
        ),
        reason=doubted(found),
        tolerated=name in decision["tolerated"],
        examples=numbers.counted(found.task.n_examples, "example"),
    )


def _without_results(said: Mapping[str, Any], *, blocked: bool) -> SuiteRow:
    """Return the row of a suite that was not compared."""
    return SuiteRow(
        key=said["name"],
        name=shortened(said["name"], _LENGTH),
        tier=said["tier"],
        verdict="blocked" if blocked else "none",
        word=_OUTCOMES[said["outcome"]].upper(),
        symbol=words.SYMBOLS["blocked"],
        reason=shortened(said["reason"], _REASON),
    )


def _tiers(rows: Sequence[SuiteRow]) -> Iterator[tuple[str, str, tuple[SuiteRow, ...]]]:
    for tier, title in _TIERS.items():
        found = [row for row in rows if row.tier == tier]
        found.sort(key=lambda row: _MOST_URGENT_FIRST.index(row.verdict))
        if found:
            yield tier, title, tuple(found)


def _pooled(said: Mapping[str, Any]) -> PooledRow:
    found = Estimate.from_dict(said["estimate"])
    name, points = said["name"], said["quantity"] in ("loss", "accuracy_change")
    unit: Unit = "points" if points else "share"
    if said["quantity"] == "score_change":
        unit = "plain"
    sign = "at most" if said["direction"] == "at_most" else "at least"
    value = "" if math.isnan(found.value) else amount(found.value, unit)
    if not math.isnan(found.low + found.high):
        value += (
            f" ({numbers.confidence(found.confidence)} interval "
            f"{amount(found.low, unit)} to {amount(found.high, unit)})"
        )
    verdict = said["verdict"]
    return PooledRow(
        name=name,
        title=_pooled_title(name),
        verdict=verdict,
        word=words.VERDICTS[verdict],
        symbol=words.SYMBOLS[verdict],
        asked=f"{sign} {amount(as_number(said['limit']), unit)}",
        found=value,
        suites=numbers.counted(len(said["compared"]), "suite"),
        reason=said["reason"],
    )


def _pooled_title(name: str) -> str:
    if name in _POOLED_TITLES:
        return _POOLED_TITLES[name]
    prefix, _, inner = name.partition("_")
    over = "over all examples" if prefix == "pooled" else "mean of the suites"
    return f"{words.title(inner)}, {over}"


def _correction(settings: Mapping[str, Any]) -> str:
    alpha = f"{1 - settings['confidence']:.4g}"
    count = settings["claims_broken"]
    if not count:
        return ""
    gates = f"{numbers.counted(count, 'gate')} that {_verb(count, 'decide')}"
    if settings["correction"] != "holm":
        return f"{gates}, each judged at α = {alpha} without correction."
    return (
        f"{gates} {_verb(count, 'share')} one allowed error: the chance that any of "
        f"them passes wrongly is at most {alpha}, and so is the chance that any fails "
        "wrongly (Holm's method over all suites). Advisory suites take no share."
    )


def _verb(count: int, plural: str) -> str:
    """Return a verb as it follows a count."""
    return f"{plural}s" if count == 1 else plural


def _sides(release: Release, results: Mapping[str, Results]) -> tuple[str, str]:
    """Return what stands for OLD and NEW of the whole release."""
    given = release.manifest.get("old"), release.manifest.get("new")
    if all(given):
        return shortened(given[0], _LENGTH), shortened(given[1], _LENGTH)
    known = {references(found) for found in results.values()}
    return known.pop() if len(known) == 1 else ("", "")
