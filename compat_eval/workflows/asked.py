"""To which questions answers belong, so that those to others are refused."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from compat_eval.core.errors import CoverageError
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest
from compat_eval.core.recorded import Recorded
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions

ASKED = "asked"
"""Key of a side's provenance."""

_COLUMNS = {"inputs": "input", "gold": "gold"}
_FACTS = ("task", "version", "split", *_COLUMNS)


def asked_facts(asked: Questions, options: Options) -> dict[str, Any]:
    """Return what tells questions apart from others, JSON-ready.

    The digests do not depend on the order of the examples.
    """
    suite, examples = asked.suite, asked.whole
    facts: dict[str, Any] = {"task": asked.task.kind}
    if suite is not None:
        facts |= {"suite": suite.name, "version": suite.version}
        facts["split"] = options.split
    if examples is not None:
        facts["examples"] = len(examples)
        facts |= {name: _digest(examples, name) for name in _COLUMNS}
    if options.normalise:  # gold was evened out, and is not as it is written
        facts["gold"] = None
    return facts


def require_asked(
    sides: Sequence[Recorded], asked: Questions, options: Options
) -> None:
    """Refuse answers to other questions than those that are asked.

    Raises:
        CoverageError: A side says that its answers belong to another version of the
            suite, or to other inputs or gold.

    """
    known = [
        (side, side.provenance[ASKED])
        for side in sides
        if isinstance(side.provenance.get(ASKED), Mapping)
    ]
    if not known:
        return
    wanted: list[tuple[str, Mapping[str, Any]]] = []
    if asked.whole is not None:
        now = asked_facts(asked, options)
        wanted.append((_named(now), now))
    elif options.on_mismatch == "refuse":
        wanted += _of_files(known, sides)
    for side, facts in known:
        for where, others in wanted:
            told = differences(facts, others)
            if told:
                raise CoverageError(
                    f"{side.name} holds answers to {_named(facts)}, and what is asked "
                    f"is {where}: {told}. Ask the model again with compat-eval "
                    "predict. Where only gold or the version changed, answers can be "
                    "kept: compat-eval baseline save NAME ANSWERS --suite SUITE."
                )
        wanted.append((f"that of {side.name}", facts))


def _of_files(
    known: Sequence[tuple[Recorded, Mapping[str, Any]]],
    sides: Sequence[Recorded],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the inputs of other files, where they are of the same examples.

    Missing examples, and gold that differs, are looked at where sides are reconciled.
    """
    told = [side for side, _ in known]
    ids = {frozenset(side.predictions.ids.to_pylist()) for side in told}
    for side in sides:
        others = not any(side is one for one in told)
        if others and ids == {frozenset(side.examples.ids.to_pylist())}:
            inputs = _digest(side.examples, "inputs")
            yield f"that of {side.name}", {"inputs": inputs}


def differences(
    facts: Mapping[str, Any],
    others: Mapping[str, Any],
    *,
    only: Collection[str] = _FACTS,
) -> str:
    """Return in which facts questions differ, as far as both know; nothing if none."""
    same_suite = facts.get("suite") == others.get("suite")
    told = []
    for name in only:
        one, other = facts.get(name), others.get(name)
        if None in (one, other) or one == other:
            continue
        if name in _COLUMNS:
            told.append(f"the {name} differ")
        elif same_suite or name == "task":
            told.append(f"{name} {one} and {other}")
    return "; ".join(told)


def _named(facts: Mapping[str, Any]) -> str:
    """Return what messages call questions."""
    if "suite" in facts:
        return (
            f"suite {facts['suite']} version {facts.get('version')}, split "
            f"{facts.get('split')}"
        )
    return f"{facts.get('examples', 'some')} examples of task {facts.get('task')}"


def _digest(examples: Examples, name: str) -> str | None:
    column = _COLUMNS[name]
    if not examples.tells(column):
        return None
    ids = examples.ids.to_pylist()
    return digest(dict(zip(ids, examples.column(column).to_pylist(), strict=True)))
