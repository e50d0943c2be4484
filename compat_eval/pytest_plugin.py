"""pytest: an update is compared in a test, and asserted with evidence.

    def test_update(compare_models):
        result = compare_models("old.csv", "new.csv", gates="gates.yaml")
        assert result.passed
        assert result.nfr <= 0.005

An assertion holds only where the evidence proves it, as a `certify` gate passes: the
one-sided bound keeps the limit. What is inconclusive is not proven, so it fails.

pytest imports this file at every start: what is heavy waits for the first comparison.
"""

import hashlib
import json
import math
import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from compat_eval.core.estimate import Estimate
    from compat_eval.gates import GateResult
    from compat_eval.report.results import Results

_MARKER = (
    "compat(old, new, *, slices=None, **options): what the fixtures `compat` and "
    "`compat_slice` compare; options are those of compat_eval.compare, `slices` is a "
    "list of slices, or the first part of their names"
)
_SLICE = "compat_slice"
_REFUSED: pytest.StashKey[list[str]] = pytest.StashKey()
_MADE: pytest.StashKey[dict[str, "Results"]] = pytest.StashKey()
_PROMOTED: pytest.StashKey[dict[Path, str]] = pytest.StashKey()
_UPDATE = "--compat-update-baseline"
_BASELINE = "baseline:"
_MOST_FLIPS, _FEW_FLIPS = 20, 3
_LINE = 100


class AssertedStatistic:
    """A statistic of an update, to be held against a limit.

    `<=` and `>=` are true only where the limit is proven. The estimate itself is
    `value`, with its interval `low` to `high` of `n` units.
    """

    def __init__(self, of: "AssertedUpdate", name: str) -> None:
        self._of = of
        self.name = name
        self.estimate: Estimate = of.estimates()[name]
        self.said = ""

    @property
    def value(self) -> float:
        """The estimate; nan where it is undefined."""
        return self.estimate.value

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.estimate.low

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.estimate.high

    @property
    def n(self) -> float:
        """How many units stand behind it."""
        return self.estimate.n

    def __le__(self, limit: float) -> bool:
        return self._proves(at_most=limit)

    def __ge__(self, limit: float) -> bool:
        return self._proves(at_least=limit)

    def _proves(self, **limit: float) -> bool:
        found = self._of.judge(self.name, **limit)
        if found.verdict == "pass":
            return True
        self.said = self._of.refused(found)
        return False

    def _not_so(self, _other: object) -> NoReturn:
        raise TypeError(
            f"{self.name} is an estimate: assert {self.name} <= limit or >= limit, "
            f"which the evidence must prove, or look at {self.name}.value"
        )

    # `not result.nfr > limit` would pass where nothing is proven.
    __lt__ = __gt__ = __eq__ = __ne__ = _not_so
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return self._not_so(None)

    def __repr__(self) -> str:
        one = self.estimate
        if math.isnan(one.value):
            return f"<{self.name} undefined: {one.reason}>"
        interval = f"{one.low:.4g} to {one.high:.4g}"
        return f"<{self.name} {one.value:.4g} ({interval}, n = {one.n:,.0f})>"


class AssertedVerdict:
    """Whether every gate passed; true only where there are gates, and all did."""

    def __init__(self, verdict: str, said: str, refuse: Any) -> None:  # noqa: ANN401
        self._verdict, self._said, self._refuse = verdict, said, refuse

    def __bool__(self) -> bool:
        if self._verdict == "pass":
            return True
        self._refuse()
        return False

    def __repr__(self) -> str:
        return f"<{self._verdict.upper()}: {self._said}>"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AssertedUpdate:
    """An update, or a slice of it, whose statistics are attributes.

    Attributes:
        results: What the run directory says.
        name: Of the slice; empty for all examples.
        refusals: What did not hold, for the report of the test.

    """

    results: "Results"
    name: str = ""
    refusals: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The run directory, with `report.html`."""
        return self.results.run.path

    @property
    def verdict(self) -> str:
        """`pass`, `fail`, `inconclusive`, or `none` without gates."""
        return self.results.verdict

    @property
    def passed(self) -> AssertedVerdict:
        """Whether every gate of the comparison passed."""
        from compat_eval.report.sentences import verdict_sentence  # noqa: PLC0415

        said = verdict_sentence(self.results)
        return AssertedVerdict(self.verdict, said, self._refuse_gates)

    @property
    def slices(self) -> tuple[str, ...]:
        """Names of the slices, as `language=de`."""
        parts = (one.part for one in self.results.task.update.slices)
        return tuple(dict.fromkeys(parts))

    def slice(self, name: str) -> "AssertedUpdate":
        """Return one slice.

        Raises:
            UsageError: There is no such slice.

        """
        from compat_eval.core.errors import UsageError  # noqa: PLC0415
        from compat_eval.core.text import did_you_mean  # noqa: PLC0415

        if name not in self.slices:
            known = did_you_mean(name, list(self.slices))
            raise UsageError(f"no compared example is in the slice {name!r}; {known}")
        return AssertedUpdate(results=self.results, name=name, refusals=self.refusals)

    def __getattr__(self, name: str) -> AssertedStatistic:
        if name.startswith("_"):
            raise AttributeError(name)
        known = self.estimates()
        if name not in known:
            from compat_eval.core.text import did_you_mean  # noqa: PLC0415

            raise AttributeError(
                f"there is no statistic {name!r}; {did_you_mean(name, list(known))}"
            )
        return AssertedStatistic(self, name)

    def estimates(self) -> dict[str, "Estimate"]:
        """Return the estimates by the names that gates call them."""
        update = self.results.task.update
        part = update.part(update.main.level, self.name) or update.main
        found = dict(part.statistics)
        if not self.name:
            for name, one in update.statistics.items():
                if one.old is None or one.new is None:
                    found.setdefault(name, one.change)
                    continue
                sides = {"old": one.old, "new": one.new, "change": one.change}
                for side, estimate in sides.items():
                    found.setdefault(f"{name}_{side}", estimate)
        return found

    def judge(self, quantity: str, **limit: float) -> "GateResult":
        """Judge one limit, as a gate that certifies."""
        from compat_eval.gates import Demands, Gate  # noqa: PLC0415
        from compat_eval.workflows.verify import judged_again  # noqa: PLC0415

        gate = Gate(
            quantity=quantity,
            semantics="certify",
            slice=self.name or None,
            at_most=limit.get("at_most"),
            at_least=limit.get("at_least"),
        )
        return judged_again(self.results.run, Demands(gates=(gate,)))[0]

    def refused(self, found: "GateResult") -> str:
        """Say what did not hold, in few lines; remember it with all flips."""
        gate = found.gate
        sign = "<=" if gate.side == "at_most" else ">="
        limited = f"{gate.quantity} {sign} {gate.limit:g}"
        where = f" in {gate.slice}" if gate.slice else ""
        verdict = str(found.verdict).upper()
        lines = [
            f"{limited}{where} is not proven: {verdict}",
            repr(AssertedStatistic(self, gate.quantity))[1:-1],
            found.reason,
        ]
        if found.fresh_examples:
            lines.append(f"a fresh sample of {found.fresh_examples:,} would decide")
        self.refusals.append("\n".join([*lines, *self._flips(_MOST_FLIPS)]))
        return "\n".join([*lines, *self._flips(_FEW_FLIPS)])

    def _refuse_gates(self) -> None:
        from compat_eval.report.sentences import (  # noqa: PLC0415
            gate_sentence,
            verdict_sentence,
        )

        results = self.results
        lines = [f"{self.verdict.upper()}: {verdict_sentence(results)}"]
        if self.verdict == "none":
            lines.append("without gates nothing is judged, so nothing has passed")
        lines += [
            f"{gate.verdict.upper()}: {gate_sentence(gate, results)}"
            for gate in results.gates
            if gate.verdict != "pass"
        ]
        lines += [f"doubt: {doubt}" for doubt in results.doubts]
        self.refusals.append("\n".join([*lines, *self._flips(_MOST_FLIPS)]))

    def _flips(self, most: int) -> Iterator[str]:
        """Yield the broken examples, those that hurt most first."""
        from compat_eval.report.flips import flips  # noqa: PLC0415
        from compat_eval.report.text import shortened  # noqa: PLC0415

        level = self.results.task.update.main
        part = tuple(self.name.split("=", 1))
        broken = [
            one
            for one in flips(self.results, level.level.name)
            if one.cell == "broken" and (not self.name or part in one.slices)
        ]
        for one in broken[:most]:
            said = f"{one.gold}: {one.old.text} -> {one.new.text}"
            told = f"{one.word} {one.id}: {one.input} ({said})"
            yield f"  {shortened(told, _LINE)}"
        if len(broken) > most:
            yield f"  {len(broken) - most:,} more in {self.path / 'report.html'}"

    def __repr__(self) -> str:
        where = f" {self.name}" if self.name else ""
        return f"<update{where}: {self.verdict}, {self.path}>"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that replaces baselines; without it no file is changed."""
    parser.getgroup("compat-eval").addoption(
        _UPDATE,
        action="store_true",
        help="Where every test passes: put NEW's answers in the place of each baseline "
        "that it was compared with and whose gates it passed.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the marker."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_MADE] = {}
    config.stash[_PROMOTED] = {}
    several = getattr(config.option, "numprocesses", None)
    if config.getoption(_UPDATE) and (several or hasattr(config, "workerinput")):
        raise pytest.UsageError(f"{_UPDATE} changes files: give it without -n")


def pytest_terminal_summary(
    terminalreporter: Any,  # noqa: ANN401 - a private class
    exitstatus: int,
    config: pytest.Config,
) -> None:
    """Promote what passed, where that was asked for, and say what was done."""
    if not config.getoption(_UPDATE):
        return
    from compat_eval.core.errors import CompatEvalError  # noqa: PLC0415
    from compat_eval.workflows.baselines import promote_baseline  # noqa: PLC0415

    terminalreporter.section("compat-eval: baselines")
    for run, name in config.stash[_PROMOTED].items():
        if exitstatus:
            terminalreporter.line(f"{name}: unchanged, since not every test passed")
            continue
        try:
            done = promote_baseline(name, run)
        except CompatEvalError as error:
            terminalreporter.line(f"{name}: unchanged: {error}")
            continue
        of = done.baseline.facts["model"]["reference"]
        what = "written" if done.changed else "as before"
        terminalreporter.line(f"{done.path}: answers of {of}, {what}; commit it")
    if not config.stash[_PROMOTED]:
        terminalreporter.line("no test compared NEW with a baseline")


@pytest.fixture
def compare_models(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401
    """A function like `compat_eval.compare`, whose result is asserted with evidence.

    The same two sides with the same options are compared once a session, also where
    tests are distributed over several processes.
    """
    refusals = request.node.stash.setdefault(_REFUSED, [])

    def compare(*sides: Any, **options: Any) -> AssertedUpdate:  # noqa: ANN401
        results = _compared(request.config, sides, options)
        return AssertedUpdate(results=results, refusals=refusals)

    return compare


@pytest.fixture
def compat(request: pytest.FixtureRequest, compare_models: Any) -> AssertedUpdate:  # noqa: ANN401
    """The update that the marker `compat` names."""
    sides, options, _ = _marked(request.node)
    found: AssertedUpdate = compare_models(*sides, **options)
    return found


@pytest.fixture
def compat_slice(
    request: pytest.FixtureRequest, compat: AssertedUpdate
) -> AssertedUpdate:
    """Each slice of the update that the marker `compat` names, one after the other."""
    return compat.slice(request.param)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each slice; none at all is an error and no skipped test."""
    if _SLICE not in metafunc.fixturenames:
        return
    sides, options, wanted = _marked(metafunc.definition)
    if isinstance(wanted, list | tuple):
        names = tuple(map(str, wanted))
    else:
        results = _compared(metafunc.config, sides, options)
        start = "" if wanted is None else f"{wanted}="
        every = AssertedUpdate(results=results).slices
        names = tuple(name for name in every if name.startswith(start))
    if not names:
        pytest.fail(f"{metafunc.definition.nodeid}: there is no slice {wanted or ''}")
    metafunc.parametrize(_SLICE, names, indirect=True)


def _marked(node: pytest.Item) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    mark = node.get_closest_marker("compat")
    if mark is None:
        pytest.fail(
            f"{node.nodeid}: mark it with @pytest.mark.compat(old, new, gates=…), or "
            "take the fixture compare_models",
            pytrace=False,
        )
    options = dict(mark.kwargs)
    sides = (*mark.args, *(options.pop(k) for k in ("old", "new") if k in options))
    return sides, options, options.pop("slices", None)


def _compared(
    config: pytest.Config, sides: tuple[Any, ...], options: Mapping[str, Any]
) -> "Results":
    """Compare, or read what this session has compared already."""
    from compat_eval.core.errors import CompatEvalError  # noqa: PLC0415

    key = _key(sides, options)
    made = config.stash[_MADE]
    if key in made:
        return made[key]
    try:
        found = _read_or_made(_folder(config), key, sides, options)
    except CompatEvalError as error:
        said = f"compat-eval: {error}"
        raise pytest.fail.Exception(said, pytrace=False) from None
    if key:
        made[key] = found
    if isinstance(sides[0], str) and sides[0].startswith(_BASELINE):
        config.stash[_PROMOTED][found.run.path] = sides[0].removeprefix(_BASELINE)
    return found


def _key(sides: tuple[Any, ...], options: Mapping[str, Any]) -> str:
    """Return a name of what is compared; empty where it is no text, as open models."""

    def identity(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, str | Path):
            where = os.path.abspath(value)  # noqa: PTH100 - takes any text
            if not os.path.isfile(where):  # noqa: PTH113
                return str(value)
            found = os.stat(where)  # noqa: PTH116
            return [where, found.st_size, found.st_mtime_ns]
        if isinstance(value, list | tuple):
            return [*map(identity, value)]
        return value

    told = [os.getcwd(), identity(sides)]  # noqa: PTH109
    told += [[name, identity(options[name])] for name in sorted(options)]
    try:
        text = json.dumps(told)
    except TypeError:
        return ""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _folder(config: pytest.Config) -> Path:
    """Return where runs are written: for all processes of a session the same."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 - no fixture exists when tests are collected
    folder = base.parent if hasattr(config, "workerinput") else base
    folder = folder / "compat-eval"
    folder.mkdir(exist_ok=True)
    return folder


def _read_or_made(
    folder: Path, key: str, sides: tuple[Any, ...], options: Mapping[str, Any]
) -> "Results":
    from tempfile import mkdtemp  # noqa: PLC0415

    from filelock import FileLock  # noqa: PLC0415

    from compat_eval.report.render import render  # noqa: PLC0415
    from compat_eval.report.results import read_results  # noqa: PLC0415
    from compat_eval.runs.directory import read_run  # noqa: PLC0415
    from compat_eval.workflows.run import compare  # noqa: PLC0415

    name = key[:16] or Path(mkdtemp(dir=folder)).name
    with FileLock(folder / f"{name}.lock"):
        out = folder / name
        if not (out / "comparison.json").exists():
            compare(*sides, **{**options, "out": out, "render": render})
        return read_results(read_run(out))


def pytest_assertrepr_compare(left: object) -> list[str] | None:
    """Say what a statistic is, beside the limit that it does not keep."""
    if isinstance(left, AssertedStatistic) and left.said:
        return left.said.splitlines()
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add to a failed test what did not hold, with the examples that flipped."""
    report = yield
    refusals = item.stash.get(_REFUSED, [])
    if report.failed and refusals and hasattr(report.longrepr, "addsection"):
        report.longrepr.addsection("compat-eval", "\n\n".join(refusals))
    return report
