"""One verdict over many suites: tiers, what is missing, and gates over several.

Suites of the tiers critical and supporting decide; advisory ones are judged by
themselves, are shown, and neither decide nor cost a share of the allowed error. The
worst of these is the verdict, from the worst on:

- *fail*: a suite that decides, or a gate over several, failed. A proven failure stays
  one, whatever else is missing.
- *blocked*: a required suite is missing, or could not be compared; or nothing was
  judged, and suites that decide are missing.
- *inconclusive*: something that decides proves neither.
- *pass*; *none* where nothing was judged.

A policy may tolerate that some supporting suites fail or stay inconclusive, beside
others that pass. Missing ones are never tolerated.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from compat_eval.core.errors import SuiteError
from compat_eval.core.verdict import Verdict
from compat_eval.gates.gate import Gate

POOLED, MEAN = "pooled_", "mean_"
_OVER_ALL = ("accuracy_change", "nfr", "pfr", "churn", "score_change")
"""Statistics that can be pooled over suites."""

_ANY_DROP = ("max_drop", "fisher")
"""Tests of whether any suite lost accuracy."""


class Tier(StrEnum):
    """How much a suite weighs in a release."""

    CRITICAL = "critical"
    SUPPORTING = "supporting"
    ADVISORY = "advisory"

    @property
    def decides(self) -> bool:
        """Whether the verdict depends on it."""
        return self is not Tier.ADVISORY


class ReleaseVerdict(StrEnum):
    """What a release ends with; blocked means that something is not there to judge."""

    PASS = "pass"
    FAIL = "fail"
    BLOCKED = "blocked"
    INCONCLUSIVE = "inconclusive"
    NONE = "none"


def matches(suite: str, named: str) -> bool:
    """Say whether a policy means a suite: by its name, or with `*` for any characters.

    Examples:
        >>> matches("mmlu_law", "mmlu_*"), matches("mmlu", "mmlu_*")
        (True, False)

    """
    parts = map(re.escape, named.split("*"))
    return suite == named or re.fullmatch(".*".join(parts), suite) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledGate:
    """A gate on several suites at once.

    Attributes:
        name: `pooled_accuracy_change`, `mean_nfr`, `max_drop`, `fisher`, …
        gate: The demand, on the statistic of one suite.
        suites: Names of the suites; empty for all that decide.

    """

    name: str
    gate: Gate
    suites: tuple[str, ...] = ()

    @property
    def any_drop(self) -> bool:
        """Whether it asks about the worst suite rather than about a mean."""
        return self.name in _ANY_DROP

    def asks(self, suite: str) -> bool:
        """Whether a suite is one of those that the gate is on."""
        return not self.suites or any(matches(suite, one) for one in self.suites)


def pooled_gate(
    *,
    quantity: str,
    at_most: float | None = None,
    at_least: float | None = None,
    semantics: str | None = None,
    suites: Sequence[str] = (),
) -> PooledGate:
    """Return a gate on several suites.

    Raises:
        SuiteError: There is no such quantity, or its limit makes no sense.

    """
    if quantity in _ANY_DROP:
        if semantics == "certify":
            raise SuiteError(f"{quantity} only detects: it asks whether any suite lost")
        if at_least is not None:
            raise SuiteError(f"{quantity} takes at_most: it limits a loss of accuracy")
        at_most = 0.0 if at_most is None else at_most
        gate = Gate(quantity="loss", of="accuracy", at_most=at_most, semantics="detect")
        return PooledGate(name=quantity, gate=gate, suites=tuple(suites))
    prefix = next((one for one in (POOLED, MEAN) if quantity.startswith(one)), None)
    inner = quantity.removeprefix(prefix or "")
    if prefix is None or inner not in _OVER_ALL:
        known = [f"{one}{name}" for one in (POOLED, MEAN) for name in _OVER_ALL]
        every = ", ".join((*known, *_ANY_DROP))
        raise SuiteError(f"quantity must be one of {every}; got {quantity!r}")
    gate = Gate(quantity=inner, at_most=at_most, at_least=at_least, semantics=semantics)  # type: ignore[arg-type]
    return PooledGate(name=quantity, gate=gate, suites=tuple(suites))


class Outcome(StrEnum):
    """What became of one suite."""

    COMPARED = "compared"
    MISSING = "missing"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOutcome:
    """One suite of a release: how it ended, and how much that weighs.

    Attributes:
        name: Of the suite in the release.
        tier: How much it weighs.
        required: Whether it must be there.
        outcome: Whether it could be compared; `differs` where old and new did not
            answer the same questions.
        verdict: Of its gates; `none` where it was not compared.
        reason: Why it could not be compared; empty where it was.

    """

    name: str
    tier: Tier
    required: bool = True
    outcome: Outcome = Outcome.COMPARED
    verdict: Verdict = Verdict.NONE
    reason: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the release cannot be decided without it.

        A suite that may be missing may not be damaged.
        """
        if self.outcome is Outcome.COMPARED:
            return False
        return self.required or (
            self.tier.decides and self.outcome is not Outcome.MISSING
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """The verdict of a release and what it rests on.

    Attributes:
        verdict: Of the whole.
        failed: Names of suites and pooled gates that failed.
        blocked: Names of suites that are not there to judge.
        undecided: Names of suites and pooled gates that prove neither.
        tolerated: Supporting suites that failed or stayed undecided, as the policy
            allows.

    """

    verdict: ReleaseVerdict
    failed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()


def decide(
    suites: Sequence[SuiteOutcome],
    pooled: Sequence[tuple[str, Verdict]] = (),
    *,
    tolerate: int = 0,
) -> _Decision:
    """Return the verdict over all suites.

    Args:
        suites: How each ended.
        pooled: Verdicts of the gates on several suites, by name.
        tolerate: How many supporting suites may fail or stay undecided; where there
            are more, all of them count.

    """
    passed = {name for name, verdict in pooled if verdict is Verdict.PASS}
    passed |= {s.name for s in suites if s.tier.decides and s.verdict is Verdict.PASS}
    spared = set(_spared(suites, tolerate)) if passed else set()
    deciding = [
        (one.name, one.verdict)
        for one in suites
        if one.tier.decides and one.name not in spared
    ]
    ended = [*deciding, *pooled]
    failed = tuple(name for name, verdict in ended if verdict is Verdict.FAIL)
    undecided = tuple(n for n, verdict in ended if verdict is Verdict.INCONCLUSIVE)
    judged = any(verdict is not Verdict.NONE for _, verdict in ended)
    blocked = tuple(
        one.name
        for one in suites
        if one.blocks
        or (not judged and one.tier.decides and one.outcome is not Outcome.COMPARED)
    )
    verdict = ReleaseVerdict.PASS if judged else ReleaseVerdict.NONE
    if undecided:
        verdict = ReleaseVerdict.INCONCLUSIVE
    if blocked:
        verdict = ReleaseVerdict.BLOCKED
    if failed:
        verdict = ReleaseVerdict.FAIL
    return _Decision(
        verdict=verdict,
        failed=failed,
        blocked=blocked,
        undecided=undecided,
        tolerated=tuple(one.name for one in suites if one.name in spared),
    )


def _spared(suites: Sequence[SuiteOutcome], tolerate: int) -> Iterator[str]:
    """Yield the supporting suites whose verdict is tolerated; none where too many."""
    bad = [
        one.name
        for one in suites
        if one.tier is Tier.SUPPORTING
        and one.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)
    ]
    if len(bad) <= tolerate:
        yield from bad
