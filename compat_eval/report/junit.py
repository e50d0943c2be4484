"""`junit.xml`: one test case a gate, for every CI that reads JUnit."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Literal, TypeAlias

from compat_eval.core.estimate import defined
from compat_eval.report.results import JudgedGate, Results
from compat_eval.report.sentences import (
    counts_said,
    coverage_problem,
    doubted,
    errors_said,
    gate_key,
    gate_sentence,
    needs,
)
from compat_eval.report.text import shortened, visible

Inconclusive: TypeAlias = Literal["fail", "warn", "pass"]
"""What an inconclusive gate counts as: a failure, a skipped or a passed case."""

_LENGTH = 300
_SIDES = ("old", "new")


def render_junit(results: Results, *, inconclusive: Inconclusive = "fail") -> bytes:
    """Return a test suite with one test case for each gate.

    A coverage problem is an error of a case of its own. Without gates there is
    one skipped case that says so. Whatever the data say, the result is
    well-formed: characters that XML forbids are shown as symbols.
    """
    return as_bytes([junit_suite(results, inconclusive=inconclusive)])


def junit_suite(
    results: Results, *, inconclusive: Inconclusive = "fail", name: str | None = None
) -> ET.Element:
    """Return the test suite of a run; `name` in place of its own."""
    suite = shortened(results.suite if name is None else name, _LENGTH)
    cases = [_case(suite, gate, results, inconclusive) for gate in results.gates]
    if not cases:
        cases.append(_nothing_judged(suite, results))
    problem = coverage_problem(results)
    if problem:
        cases.append(_coverage_case(suite, problem))
    made = test_suite(suite, cases)
    made.insert(0, _properties(results))
    return made


def test_suite(name: str, cases: list[ET.Element]) -> ET.Element:
    """Return a test suite with its totals."""
    made = ET.Element("testsuite", _totals(name, cases))
    made.extend(cases)
    return made


def as_bytes(suites: Sequence[ET.Element]) -> bytes:
    """Return the whole file."""
    root = ET.Element("testsuites")
    root.extend(suites)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _properties(results: Results) -> ET.Element:
    """Return what broke and was fixed overall, and the errors of both sides."""
    main, coverage = results.task.update.main, results.coverage
    found = {
        "broken": main.lost,
        "fixed": main.won,
        "units": main.units,
        **{f"errors_{side}": coverage.get(f"errors_{side}", 0) for side in _SIDES},
    }
    properties = ET.Element("properties")
    for name, value in found.items():
        ET.SubElement(properties, "property", {"name": name, "value": str(value)})
    return properties


def _case(
    suite: str, gate: JudgedGate, results: Results, inconclusive: Inconclusive
) -> ET.Element:
    case = new_case(suite, shortened(gate_key(gate), _LENGTH))
    said = visible(_text(gate, results))
    message = shortened(gate_sentence(gate, results), _LENGTH)
    ended = gate.verdict
    if ended == "fail" or (ended == "inconclusive" and inconclusive == "fail"):
        add_child(case, "failure", said, message=message, type=ended)
    elif ended == "inconclusive" and inconclusive == "warn":
        add_child(case, "skipped", said, message=message, type=ended)
    else:
        add_child(case, "system-out", said)
    return case


def _text(gate: JudgedGate, results: Results) -> str:
    """Return the finding with all numbers, for programs and people alike."""
    found = gate.estimate
    lines = [
        gate_sentence(gate, results),
        f"verdict: {gate.verdict}",
        f"value: {defined(found.value)}",
        (
            f"interval: {defined(found.low)} to {defined(found.high)} "
            f"(confidence {found.confidence}, {found.method}, n = {found.n})"
        ),
        f"limit: {gate.limit} ({'at_least' if gate.at_least else 'at_most'})",
        f"semantics: {gate.semantics}",
    ]
    lines += [f"reason: {gate.reason}"] if gate.reason else []
    lines += [f"doubt: {doubt}" for doubt in results.doubts]
    lines += filter(None, [errors_said(results)])
    if needs(gate):
        lines.append(f"needs: {needs(gate)}")
    return "\n".join(lines)


def _nothing_judged(suite: str, results: Results) -> ET.Element:
    case = new_case(suite, "no gates")
    counts = counts_said(results)
    message = f"{counts} No gates were set, so nothing was judged."
    said = " ".join(filter(None, (errors_said(results), doubted(results))))
    add_child(case, "skipped", visible(said), message=message)
    return case


def _coverage_case(suite: str, problem: str) -> ET.Element:
    case = new_case(suite, "coverage")
    add_child(
        case, "error", problem, message=shortened(problem, _LENGTH), type="coverage"
    )
    return case


def new_case(suite: str, name: str) -> ET.Element:
    """Return a test case without a result."""
    return ET.Element("testcase", {"classname": suite, "name": name, "time": "0"})


def add_child(case: ET.Element, tag: str, text: str | None, **attributes: str) -> None:
    """Say how a test case ended."""
    child = ET.SubElement(case, tag, attributes)
    child.text = text


def _totals(suite: str, cases: list[ET.Element]) -> dict[str, str]:
    def having(tag: str) -> str:
        return str(sum(case.find(tag) is not None for case in cases))

    return {
        "name": suite,
        "tests": str(len(cases)),
        "failures": having("failure"),
        "errors": having("error"),
        "skipped": having("skipped"),
        "time": "0",
    }
