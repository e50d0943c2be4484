"""What `release.json` says of suites that were judged together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeVar

from compat_eval.comparison.pooled import judge_pooled
from compat_eval.comparison.update import Update
from compat_eval.core.estimate import rounded
from compat_eval.core.table import table_digest
from compat_eval.core.verdict import Verdict
from compat_eval.gates import ALONE, OtherClaims
from compat_eval.gates.release import PooledGate, SuiteOutcome, decide
from compat_eval.runs.encoding import SCHEMA_VERSION

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTerms:
    """What is demanded of all suites together.

    Attributes:
        name: Of the release.
        pooled: Gates on several suites.
        tolerate: How many supporting suites may fail or stay undecided.
        correction: How all gates share the allowed error.
        confidence: Of the whole verdict.
        notes: What a reader must know.

    """

    name: str
    pooled: tuple[PooledGate, ...] = ()
    tolerate: int = 0
    correction: str = "holm"
    confidence: float = 0.95
    notes: tuple[str, ...] = ()

    @property
    def alpha(self) -> float:
        """The allowed chance of a wrong verdict."""
        return round(1 - self.confidence, 12)


def release_content(
    outcomes: Sequence[SuiteOutcome],
    comparisons: Mapping[str, Mapping[str, Any]],
    updates: Mapping[str, Update],
    terms: ReleaseTerms,
    *,
    claims: Mapping[str, OtherClaims],
) -> dict[str, Any]:
    """Return the content of `release.json`: no times, no paths.

    Args:
        outcomes: How each suite ended; verdicts are those of `comparisons`.
        comparisons: What was found of each suite that was compared.
        updates: The updates of suites that decide.
        terms: What is demanded of all together.
        claims: Of all that decides.

    """
    ended = [
        replace(one, verdict=Verdict(comparisons[one.name]["verdict"]))
        if one.name in comparisons
        else one
        for one in outcomes
    ]
    doubts = {
        name: [f"{name}: {doubt}" for doubt in comparisons[name]["doubts"]]
        for name in updates
    }
    for one in ended:
        if one.tier.decides and one.name not in comparisons:
            doubts[one.name] = [f"{one.name} was not compared"]
    pooled = [
        {
            "name": gate.name,
            "suites": list(gate.suites),
            "compared": list(of_gate(gate, updates)),
            **judge_pooled(
                gate,
                of_gate(gate, updates),
                alpha=terms.alpha,
                correction=terms.correction,
                doubts=[
                    *chain(*of_gate(gate, doubts).values()),
                    *_copies(of_gate(gate, updates)),
                ],
                others=others_than(claims, pooled_key(at)),
            ).to_dict(),
        }
        for at, gate in enumerate(terms.pooled)
    ]
    decision = decide(
        ended,
        [(one["name"], Verdict(one["verdict"])) for one in pooled],
        tolerate=terms.tolerate,
    )
    content = {
        "schema_version": SCHEMA_VERSION,
        "name": terms.name,
        "verdict": str(decision.verdict),
        "decision": {
            "failed": list(decision.failed),
            "blocked": list(decision.blocked),
            "undecided": list(decision.undecided),
            "tolerated": list(decision.tolerated),
        },
        "settings": {
            "confidence": terms.confidence,
            "correction": terms.correction,
            "tolerate": terms.tolerate,
            "claims_kept": sum(len(one.kept) for one in claims.values()),
            "claims_broken": sum(len(one.broken) for one in claims.values()),
        },
        "suites": [_suite_content(one, comparisons.get(one.name)) for one in ended],
        "pooled": pooled,
        "notes": list(terms.notes),
    }
    return dict(rounded(content))


def _copies(updates: Mapping[str, Update]) -> Iterator[str]:
    """Yield a doubt for each suite with the answers of another: they prove nothing."""
    known = dict[tuple[str, ...], str]()
    for name, update in updates.items():
        key = tuple(table_digest(side.table) for side in (update.old, update.new))
        if known.setdefault(key, name) != name:
            yield f"{name} holds the answers of {known[key]}, which count once"


def _suite_content(
    outcome: SuiteOutcome, comparison: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return one suite of `release.json`."""
    said = {
        "name": outcome.name,
        "tier": str(outcome.tier),
        "required": outcome.required,
        "outcome": str(outcome.outcome),
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
    }
    if comparison is None:
        return said
    (task,) = comparison["tasks"]
    main = task["levels"][0]["name"]
    counted = task["updates"][0]["levels"][main]
    return {
        **said,
        "kind": task["kind"],
        "n_examples": task["n_examples"],
        "level": main,
        "units": counted["units"],
        "counts": counted["counts"],
        "gates": comparison["gates"],
    }


def others_than(claims: Mapping[str, OtherClaims], name: str) -> OtherClaims:
    """Return the claims of all but one; none beside what does not decide."""
    if name not in claims:
        return ALONE
    return sum((one for key, one in claims.items() if key != name), start=ALONE)


def pooled_key(at: int) -> str:
    """Return what the claims of a gate on several suites are called."""
    return f"pooled[{at}]"  # no name of a suite has brackets


def of_gate(gate: PooledGate, of_suites: Mapping[str, _T]) -> dict[str, _T]:
    """Return what belongs to the suites that a gate is about."""
    return {name: one for name, one in of_suites.items() if gate.asks(name)}
