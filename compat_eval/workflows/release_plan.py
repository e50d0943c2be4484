"""Which suites a release compares, where their sides are, and what each may lose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compat_eval.comparison.compare import judged_update
from compat_eval.core.errors import SuiteError, UsageError, some
from compat_eval.core.fingerprint import digest, files_digest
from compat_eval.core.text import did_you_mean
from compat_eval.gates import Demands, of_update
from compat_eval.gates.release import matches
from compat_eval.readers import READERS
from compat_eval.runs.environment import own_code
from compat_eval.statistics.evidence import evidence
from compat_eval.suite.load import load_gates, load_suite
from compat_eval.suite.policy import Policy, located_suite
from compat_eval.suite.yaml.gates import GatesFile
from compat_eval.suite.yaml.policy import SuiteRule
from compat_eval.suite.yaml.strict import say
from compat_eval.workflows.compare import Aligned
from compat_eval.workflows.options import Options
from compat_eval.workflows.task_folders import (
    DATA,
    holds_several,
    tasks_of,
    tasks_of_both,
)

_MOST_FILES = 10_000
_OF_FILES = (
    *("task", "task_options", "fields", "old_fields", "new_fields", "gold_fields"),
    *("keep", "old_keep", "new_keep", "pair_by"),
    *("reading", "old_reading", "new_reading", "gold_reading"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSuite:
    """One suite of a release, ready to be compared.

    Attributes:
        name: In the release.
        rule: What the policy says of it.
        options: How it is compared.
        old: Reference of OLD; `None` where it is missing.
        new: Reference of NEW.
        missing: Which side is not there, in words; empty where both are.

    """

    name: str
    rule: SuiteRule
    options: Options
    old: str | None = None
    new: str | None = None
    missing: str = ""


def several(
    old: str, new: str, suites: Sequence[str], options: Options
) -> Policy | None:
    """Return a policy of several suites, or of folders that hold several tasks.

    `None` where one OLD and one NEW are compared on one suite.

    Args:
        old: As `compare` is given it.
        new: Likewise.
        suites: Names of suites or suite files.
        options: With the gates file, where there is one.

    Raises:
        UsageError: A suite is named twice; or folders hold no task that both answer.

    """
    if len(suites) > 1:
        twice = [name for name in suites if suites.count(name) > 1]
        if twice:
            raise UsageError(f"--suite {twice[0]} is given twice; give each once")
        names = {load_suite(one).name: one for one in suites}
        if len(names) < len(suites):
            raise UsageError("two of the suites have one name; give each its own")
        rules = {name: SuiteRule(suite=one) for name, one in names.items()}
    elif not suites and all(map(holds_several, (old, new))):
        rules = {name: SuiteRule() for name in tasks_of_both(Path(old), Path(new))}
    else:
        return None
    demands = None if options.gates is None else load_gates(str(options.gates))
    return Policy(
        name=Path(new).name if not suites else "suites",
        folder=Path(),
        suites=rules,
        correction="holm" if demands is None else demands.correction,
        confidence=0.95 if demands is None else demands.confidence,
    )


def planned(
    policy: Policy, options: Options, *, old: str | None, new: str | None
) -> tuple[list[PlannedSuite], tuple[str, ...]]:
    """Return the suites of a policy in its order, and what a reader must know.

    Args:
        policy: What is demanded.
        options: Of the command line.
        old: OLD of suites that name none: a model, or a folder with each suite's file
            or log; before that of the policy.
        new: Likewise.

    Raises:
        UsageError: A suite has no sides, or nothing is demanded.

    """
    sides = [
        given if given is not None else _located(said, policy.folder)
        for given, said in ((old, policy.old), (new, policy.new))
    ]
    rules = dict(policy.suites)
    notes: list[str] = []
    if all(one is not None and Path(one).is_dir() for one in sides):
        found = [set(tasks_of(Path(str(one)))) for one in sides]
        rules = _by_task(rules, sorted(found[0] | found[1]))
        unnamed = (found[0] | found[1]) - set(rules)
        if policy.others is not None:
            rules |= dict.fromkeys(sorted(unnamed), policy.others)
        elif unnamed and not all(_needs_no_folder(rule) for rule in rules.values()):
            notes.append(
                f"{some(sorted(unnamed))} in OLD and NEW: not named by the policy, so "
                "not compared."
            )
    made = [
        _planned(name, rule, policy, options, sides) for name, rule in rules.items()
    ]
    if not made:
        raise UsageError("the policy names no suite, and OLD and NEW hold no task")
    return made, tuple(notes)


def _by_task(
    rules: Mapping[str, SuiteRule], tasks: Sequence[str]
) -> dict[str, SuiteRule]:
    """Return the rules with the tasks in place of a name with `*` that fits them.

    A name that fits none stays, as a suite that is missing.
    """
    found: dict[str, SuiteRule] = {}
    for name, rule in rules.items():
        fitting = [one for one in tasks if one not in rules and matches(one, name)]
        if "*" not in name or _needs_no_folder(rule) or not fitting:
            found[name] = rule
            continue
        for one in fitting:
            found.setdefault(one, rule)
    return found


def _needs_no_folder(rule: SuiteRule) -> bool:
    return any(one is not None for one in (rule.suite, rule.old, rule.run))


def _planned(
    name: str,
    rule: SuiteRule,
    policy: Policy,
    options: Options,
    sides: Sequence[str | None],
) -> PlannedSuite:
    chosen = replace(options, **_options(rule, policy))
    found, missing = _sides_of(name, rule, policy, sides)
    return PlannedSuite(
        name=name,
        rule=rule,
        options=chosen,
        old=found[0],
        new=found[1],
        missing=missing,
    )


def _sides_of(
    name: str, rule: SuiteRule, policy: Policy, sides: Sequence[str | None]
) -> tuple[Sequence[str | None], str]:
    """Return old and new of a suite, and what is missing of them."""
    own = _own_sides(rule, policy.folder)
    if own is not None:
        written = (rule.old or rule.run, rule.new or rule.run)
        lacking = [
            str(said)
            for said, text in zip(written, own, strict=True)
            if _is_absent(text)
        ]
        return own, f"{some(dict.fromkeys(lacking))} is not there" if lacking else ""
    if None in sides:
        raise UsageError(
            f"suite {name!r} names no old and new: give OLD and NEW on the command "
            "line, or old: and new: in the policy"
        )
    found = [_in(str(side), name, rule) for side in sides]
    lacking = [
        side for side, at in zip(("OLD", "NEW"), found, strict=True) if at is None
    ]
    missing = f"{' and '.join(lacking)} {_hold(lacking)} no {name!r}" if lacking else ""
    return found, missing


def _hold(sides: Sequence[str]) -> str:
    return "holds" if len(sides) == 1 else "hold"


def _own_sides(rule: SuiteRule, folder: Path) -> tuple[str, str] | None:
    if rule.run is not None:
        run = _located(rule.run, folder)
        return f"run:{run}#old", f"run:{run}#new"
    if rule.old is None or rule.new is None:
        return None
    return str(_located(rule.old, folder)), str(_located(rule.new, folder))


def _located(text: str | None, folder: Path) -> str | None:
    """Return a reference as it is written from here: paths begin at the policy."""
    if text is None:
        return None
    scheme, colon, location = text.partition(":")
    if colon and scheme in READERS.names():
        return f"{scheme}:{_located(location, folder)}"
    path, mark, part = text.partition("#")
    if Path(path).is_absolute() or not (folder / path).exists():
        return text
    return f"{folder / path}{mark}{part}"


def _is_absent(text: str) -> bool:
    """Say whether a reference names a file or folder that is not there.

    Names of models on the hub are none.
    """
    scheme, colon, location = text.partition(":")
    if colon and scheme in READERS.names():
        return not Path(location.partition("#")[0]).expanduser().exists()
    path = Path(text.partition("#")[0]).expanduser()
    return not colon and not path.exists() and path.suffix in DATA


def _in(side: str, name: str, rule: SuiteRule) -> str | None:
    """Return where a side's answers to a suite are; `None` where they are missing."""
    folder = Path(side).expanduser()
    if folder.is_dir():
        found = tasks_of(folder)
        if name in found:
            return found[name]
    # A model answers every suite; a folder of logs only those that it holds.
    return side if rule.suite is not None else None


def _options(rule: SuiteRule, policy: Policy) -> dict[str, Any]:
    """Return the options that a rule sets."""
    same = {one.name for one in fields(Options)} & set(SuiteRule.model_fields)
    given = {
        key: getattr(rule, key)
        for key in same & rule.model_fields_set - {"suite", "gates", "task", "gold"}
    }
    if rule.suite is not None:
        given["suite"] = located_suite(rule.suite, policy.folder)
    if rule.gold is not None:
        given["gold"] = _located(rule.gold, policy.folder)
    if rule.task is not None:
        given["task"] = rule.task.kind
        given["task_options"] = {k: str(v) for k, v in rule.task.options.items()}
    for one in ("", "old_", "new_", "gold_"):
        if read := getattr(rule, f"{one}read"):
            given[f"{one}reading"] = {key: str(value) for key, value in read.items()}
    if rule.demands_something:
        given["gates"] = _demands(_config(rule), policy)
    return given


def _config(rule: SuiteRule) -> dict[str, Any]:
    """Return the gates of a rule as a gates file would write them."""
    return rule.model_dump(
        mode="json", exclude_defaults=True, include={"gates", "protected"}
    )


def _demands(config: Mapping[str, Any], policy: Policy) -> Demands:
    """Return gates under the confidence and correction of the release."""
    terms = {"correction": policy.correction, "confidence": policy.confidence}
    try:
        return GatesFile.model_validate({**config, **terms}).demands()
    except ValidationError as error:
        said = dict.fromkeys(say(details) for details in error.errors())
        raise SuiteError(f"its limits cannot be meant: {'; '.join(said)}") from error


def fitted(rule: SuiteRule, aligned: Aligned, policy: Policy) -> Demands:
    """Return what is demanded of a suite, once its levels are known.

    Raises:
        SuiteError: A drop is limited of what the suite does not measure.

    """
    config = dict(aligned.demands.config)
    drops = list(_drops(rule, aligned))
    config["gates"] = [*config.get("gates", ()), *drops]
    return _demands(config, policy)


def _drops(rule: SuiteRule, aligned: Aligned) -> Iterator[dict[str, Any]]:
    """Yield the gates that max_drop and relative_drop stand for."""
    limits = {"max_drop": rule.max_drop, "relative_drop": rule.relative_drop}
    if all(limit is None for limit in limits.values()):
        return
    update = judged_update(aligned.panel, aligned.roles)
    level = update.levels[0]
    scored = update.cells[level].level.scale == "score"
    metric = rule.metric or ("score" if scored else "accuracy")
    known = of_update(update.statistics_at(level), update.statistics.values())
    if f"{metric}_old" not in known:
        there = [name.removesuffix("_old") for name in known if name.endswith("_old")]
        if not there:
            raise SuiteError(
                f"a drop of {metric} is limited, and nothing here says what is right: "
                "name the gold answers, or give gates on churn"
            )
        raise SuiteError(f"there is no {metric!r} here; {did_you_mean(metric, there)}")
    if rule.max_drop is not None:
        yield _loss(metric, rule.max_drop)
    if rule.relative_drop is not None:
        of_old = known[f"{metric}_old"]
        value = evidence(update.sample(of_old, level), of_old).value
        if rule.relative_below is None or not value >= rule.relative_below:
            yield {**_loss(metric, rule.relative_drop), "relative": True}


def _loss(metric: str, limit: float) -> dict[str, Any]:
    return {"loss": {"of": metric, "at_most": limit}, "semantics": "certify"}


_code = cache(own_code)


def identity(suite: PlannedSuite, policy: Policy) -> str | None:
    """Return one digest of all that decides a suite's numbers; `None` if unknown.

    Answers of models are stored by content anyhow: only files are looked at here.
    """
    of_sides = [_digest_of(str(side)) for side in (suite.old, suite.new)]
    if None in of_sides:
        return None
    options = suite.options
    gold = None if options.gold is None else _digest_of(str(options.gold))
    named = None if options.suite is None else load_suite(options.suite).fingerprint()
    return digest(
        {
            "rule": suite.rule.model_dump(mode="json"),
            "sides": of_sides,
            "references": [suite.old, suite.new],
            "gold": gold,
            "suite": named,
            "options": {
                **options.deciding(),
                **{name: _plain(getattr(options, name)) for name in _OF_FILES},
            },
            "terms": [policy.correction, policy.confidence],
            "code": _code(),
        }
    )


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def _digest_of(reference: str) -> str | None:
    """Return the digest of the files that a reference names; `None` for a model."""
    scheme, colon, location = reference.partition(":")
    text = location if colon and scheme in READERS.names() else reference
    path = Path(text.partition("#")[0]).expanduser()
    if path.is_file():
        return files_digest(path.parent, [path])
    if not path.is_dir() or (path / "config.json").is_file():
        return None
    inside = [file for file in sorted(path.rglob("*")) if file.is_file()]
    return files_digest(path, inside) if len(inside) <= _MOST_FILES else None
