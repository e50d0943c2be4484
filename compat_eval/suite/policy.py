"""Load and validate a release policy: ours, or one of NeMo Evaluator as it is.

That tool's policy (`version: 1`, `defaults`, `benchmarks`) says how much each
benchmark may lose. Its layout is published at
https://github.com/NVIDIA-NeMo/Evaluator (Apache-2.0), `gate_policy.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from compat_eval.core.errors import SuiteError
from compat_eval.gates.release import PooledGate
from compat_eval.suite.catalogue import shipped_suites
from compat_eval.suite.load import load_suite, validated
from compat_eval.suite.yaml.document import Document, read_yaml
from compat_eval.suite.yaml.policy import LIMITS, PolicyFile, SuiteRule
from compat_eval.suite.yaml.schema import TaskRule
from compat_eval.suite.yaml.strict import Problem, Strict

_NEL_METRICS = ("mean_reward", "pass@1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a release must keep.

    Attributes:
        name: Of the release.
        folder: Where its paths begin.
        suites: What is demanded of each suite, by its name.
        others: What is demanded of tasks that are found in both folders and not named;
            `None` where they are left alone.
        old: OLD of suites that name none.
        new: NEW of suites that name none.
        pooled: Gates on several suites.
        tolerate: How many supporting suites may fail or stay undecided.
        correction: How all gates share the allowed error.
        confidence: Of intervals and of the whole verdict.
        notes: What a reader must know of how the policy was read, in sentences.
        config: The same as its file writes it, without defaults.

    """

    name: str
    folder: Path
    suites: Mapping[str, SuiteRule]
    others: SuiteRule | None = None
    old: str | None = None
    new: str | None = None
    pooled: tuple[PooledGate, ...] = ()
    tolerate: int = 0
    correction: Literal["holm", "none"] = "holm"
    confidence: float = 0.95
    notes: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def load_policy(path: str | Path) -> Policy:
    """Read and validate a policy file.

    Raises:
        SuiteError: The file cannot be read or is wrong; the message lists every
            mistake with file, line and path.

    """
    path = Path(path)
    if path.is_dir():
        raise SuiteError(f"{path}: is a folder; a release policy is a YAML file")
    name = path.as_posix()
    document = read_yaml(path, name=name)
    if not isinstance(document.value, dict) or not document.value:
        raise SuiteError(
            f"{name}: demands nothing: write suites:, each with what it may lose, as "
            "in 'suites: {intents: {suite: clinc150, max_drop: 0.01}}'"
        )
    if "benchmarks" in document.value:
        return _of_nel(document, path, name)
    return _ours(document, path, name)


def _ours(document: Document, path: Path, name: str) -> Policy:
    raw = dict(document.value)
    defaults, suites = raw.get("defaults"), raw.get("suites")
    if isinstance(defaults, dict) and isinstance(suites, dict):
        raw["suites"] = _filled(defaults, suites)
    filled = Document(raw, document.where)
    also = list(_of_suites(suites, path.parent))
    file = validated(PolicyFile, filled, name=name, also=also)
    return Policy(
        name=file.name,
        folder=path.parent,
        suites=file.suites,
        old=file.old,
        new=file.new,
        pooled=tuple(rule.gate() for rule in file.pooled),
        tolerate=file.tolerate,
        correction=file.correction,
        confidence=file.confidence,
        config=file.model_dump(
            mode="json", exclude_defaults=True, exclude={"defaults"}
        ),
    )


def _filled(defaults: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return rules with the keys of the defaults that they do not set."""
    rules = {key: {} if one is None else one for key, one in rules.items()}
    return {
        key: {**defaults, **one} if isinstance(one, dict) else one
        for key, one in rules.items()
    }


def _of_suites(suites: object, folder: Path) -> Iterator[Problem]:
    """Yield suites that nobody knows, and critical ones that demand nothing."""
    for key, one in suites.items() if isinstance(suites, dict) else ():
        wanted = one.get("suite") if isinstance(one, dict) else None
        if not isinstance(wanted, str):
            continue
        try:
            suite = load_suite(located_suite(wanted, folder))
        except SuiteError as error:
            yield ("suites", key, "suite"), str(error)
            continue
        silent = not suite.demands.all_gates()
        decides = one.get("tier", "supporting") != "advisory"
        if decides and silent and all(one.get(key) is None for key in LIMITS):
            yield (
                ("suites", key),
                (
                    f"decides, but neither the policy nor suite {wanted} demands "
                    "anything: give it max_drop, relative_drop or gates, or make it "
                    "advisory"
                ),
            )


def located_suite(wanted: str, folder: Path) -> str:
    """Return a suite's name, or its path from here."""
    beside = folder / wanted
    return str(beside) if beside.exists() and wanted not in shipped_suites() else wanted


class NelRule(Strict):
    """What NeMo Evaluator's policy says of one benchmark, or of all."""

    tier: Literal["critical", "supporting", "advisory"] = "supporting"
    max_drop: Annotated[float, Field(ge=0)] = 0.015
    max_relative_drop: Annotated[float, Field(ge=0)] | None = None
    relative_guard_below: Annotated[float, Field(ge=0, le=1)] | None = None
    metric: str | None = None
    direction: Literal["higher_is_better", "lower_is_better"] = "higher_is_better"

    def defects(self) -> Iterator[Problem]:
        """Yield what cannot be judged here."""
        if self.metric is not None and self.metric not in _NEL_METRICS:
            known = " and ".join(_NEL_METRICS)
            yield ("metric",), f"must be one of {known}; got {self.metric!r}"
        if self.direction == "lower_is_better":
            yield (
                ("direction",),
                (
                    "rewards are better the higher they are; write a policy of "
                    "compat-eval for a metric such as perplexity, which knows its own"
                ),
            )

    def rule(self) -> SuiteRule:
        """Return the same as a rule of ours."""
        return SuiteRule(
            tier=self.tier,
            task=TaskRule(kind="generation"),
            max_drop=self.max_drop,
            relative_drop=self.max_relative_drop,
            relative_below=(
                None if self.max_relative_drop is None else self.relative_guard_below
            ),
        )


class NelPolicyFile(Strict):
    """A gate policy of NeMo Evaluator, version 1."""

    version: Literal[1] = 1
    defaults: NelRule = NelRule()
    benchmarks: dict[str, NelRule]


_NEL_NOTES = (
    (
        "The policy is one of nel gate, and judged more strictly than there: losses "
        "are proven by exact one-sided bounds that share one allowed error over all "
        "benchmarks, repeats of a problem are one cluster, and a relative limit needs "
        "proof as well."
    ),
    (
        "Also unlike there, rows that cannot be paired or read are refused, and a "
        "benchmark that only one side has blocks the release."
    ),
)


def _of_nel(document: Document, path: Path, name: str) -> Policy:
    raw: dict[str, Any] = dict(document.value)
    defaults, benchmarks = raw.get("defaults") or {}, raw.get("benchmarks")
    if not isinstance(benchmarks, dict):
        raise SuiteError(f"{name}: benchmarks: must be a mapping of names to limits")
    if isinstance(defaults, dict):
        raw["benchmarks"] = _filled(defaults, benchmarks)
    file = validated(NelPolicyFile, Document(raw, document.where), name=name)
    return Policy(
        name=path.stem,
        folder=path.parent,
        suites={key: one.rule() for key, one in file.benchmarks.items()},
        others=file.defaults.rule(),
        notes=_NEL_NOTES,
        config=document.value,
    )
