from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.suite.load import load_gates, load_suite
from compat_eval.suite.suite import Suite

Load = Callable[[str], Suite]

HEAD = """\
name: tiny
task: classification
data: {test: {file: test.csv}}
fields: {input: text, gold: intent}
"""

WRONG = """\
name: my suite
version: 1
task: clasification
nmae: x
data:
  tset: {file: ../x.csv}
  train:
  - {file: x.csv, formt: csv}
  - {url: "http://example.org/b.csv"}
  - {hub: a, token: abc-secret}
  - {file: x.bin}
  - {}
fields: {input: [a], gold: "${GOLD}", weight: true}
slices:
  a: {words: [3, 2]}
  b: {equals: [[1]], groups: {}}
labels: {names: [a, a], map: {x: q}}
gates:
- {quantity: nfr}
- {quantity: nfr, at_most: .nan, slice: dom=x}
- {quantity: nfr, at_most: 1, semantics: maybe}
- 5
confidence: 95
protected: {ids: [1]}
"""


def messages(load: Load, text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        load(text)
    return str(caught.value)


def test_a_sound_suite_is_loaded(suite_of: Load) -> None:
    suite = suite_of(HEAD + "levels: [example]\nlicence: mine\n")

    assert suite.name == "tiny"
    assert suite.task.kind == "classification"
    assert suite.levels == ("example",)
    assert suite.splits == ("test",)
    assert suite.demands.gates == ()
    assert suite.demands.correction == "holm"
    assert suite.demands.confidence == 0.95


@pytest.mark.parametrize(
    "message",
    [
        ":1: name: must be letters",
        ":2: version: must be text; got 1; write it in quotes: '1'",
        ":3: task: is no task kind: 'clasification'; did you mean classification?",
        ":4: nmae: is no key here; did you mean name?",
        ":5: data.test: is required but missing",
        ":6: data.tset.file: must not lead out of its folder (..); got '../x.csv'",
        ":8: data.train[0].formt: is no key here; did you mean format?",
        ":9: data.train[1].sha256: is required with url",
        ":10: data.train[2].hub: must be owner/name; got 'a'",
        ":10: data.train[2].revision: is required with hub",
        ":10: data.train[2].token: must be ${NAME}",
        ":11: data.train[3].format: cannot be told from 'x.bin'",
        ":12: data.train[4]: needs exactly one of bundled, file, url, hub, parallel",
        ":13: fields.gold: must be plain text; got '${GOLD}'",
        ":13: fields.input: must be a column",
        ":13: fields.weight: must be a column",
        ":15: slices.a.words: must be rising numbers",
        ":16: slices.b.equals[0]: must be text, a number, true or false",
        ":17: labels.names: list a more than once",
        ":17: labels.map.x: leads to 'q', no label",
        ":19: gates[0]: needs exactly one of at_most and at_least; got neither",
        ":20: gates[1].at_most: must be a finite number; got nan",
        ":20: gates[1].slice: names no slice of this suite: 'dom=x'",
        ":21: gates[2].semantics: must be 'certify' or 'detect'; got 'maybe'",
        ":22: gates[3]: must be a mapping",
        ":23: confidence: must be less than 1; got 95; for 95 % write 0.95",
        ":24: protected.ids[0]: must be text; got 1; write it in quotes: '1'",
    ],
)
def test_every_mistake_is_reported_at_once(suite_of: Load, message: str) -> None:
    told = messages(suite_of, WRONG)

    assert f"suite.yaml{message}" in told
    assert len(told.splitlines()) == 27
    assert "abc-secret" not in told


def test_mistakes_come_in_the_order_of_the_file(suite_of: Load) -> None:
    lines = [int(t.split(":")[1]) for t in messages(suite_of, WRONG).splitlines()]

    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("levels: [token]\n", ":5: levels[0]: is no level: 'token'"),
        (
            "gates:\n- {quantity: nfr, at_most: 0.1, level: token}\n",
            ":6: gates[0].level: is no level: 'token'",
        ),
        (
            "gates: [{quantity: nfr, at_most: 0.1, slice: oos}]\nslices: {oos: gold}\n",
            "gates[0].slice: must be name=value",
        ),
        (
            "gates: [{quantity: nfr, at_most: 0.1, loss: {of: accuracy, at_most: 0}}]",
            "needs exactly one of quantity and loss; got both",
        ),
        (
            "gates: [{loss: {of: accuracy, at_most: 0}, at_most: 0.1}]",
            "gates[0].at_most: stands inside loss",
        ),
        ("gates: [{quantity: nfrr, at_most: 0.1}]", "gates[0]: "),
        ("slices: {a: {equals: [x], words: [2]}}", "slices.a: has equals and words"),
        ("slices: {a: {groups: {x: [q], y: [q]}}}", "put q into more than one"),
        ("slices: [a]", ":5: slices: must be a mapping of names to values; got a list"),
        ("slices: {a: 5}", "slices.a: must be a of, or a mapping"),
        ("levels: 5", ":5: levels: must be a list; got 5"),
        ("confidence: high", "confidence: must be a number; got 'high'"),
        ("slices: {a b: gold}", ":5: slices.a b: must be letters, digits"),
        ("repeats: [x]", "repeats: must be 'number' or 'error'; got a list of 1"),
        ("licence: " + "9" * 70, "got " + "9" * 60 + "…"),
        ("data2: {}", ":5: data2: is no key here; did you mean data?"),
    ],
)
def test_parts_that_do_not_fit_together_are_found(
    suite_of: Load, more: str, message: str
) -> None:
    assert message in messages(suite_of, HEAD + more)


def test_options_that_the_task_does_not_know_are_found(suite_of: Load) -> None:
    text = HEAD.replace(
        "task: classification", "task: {kind: classification, options: {x: 1}}"
    )

    assert "suite.yaml:2: task.options: do not suit" in messages(suite_of, text)


@pytest.mark.parametrize("text", ["", "[]", "5", "just text"])
def test_a_file_that_is_no_mapping_is_refused(suite_of: Load, text: str) -> None:
    assert "must be a mapping of names" in messages(suite_of, text)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{file: /etc/passwd, format: lines}", "must be relative"),
        ("{file: 'C:\\x.csv'}", "must be relative"),
        ("{bundled: a.csv, file: b.csv}", "got bundled and file"),
        ("[]", "must be a source or a list of sources; got a list of 0"),
        ("{file: a.csv, headers: {A: b}}", "headers: belong to url"),
        ("{file: a.csv, mirror: b.csv}", "mirror: belongs to url and hub"),
        ("{file: a.csv, split: x}", "split: belongs to hub"),
        ("{file: a.csv, sha256: abc}", "must be 64 hexadecimal digits"),
        ("{file: a.csv, select: [x]}", "select: is for json files; this one is csv"),
        ("{file: a.csv, delimiter: ';;'}", "must be one character"),
        ("{file: a.csv, quote: ''}", "must be one character or null"),
        ("{file: a, format: cvs}", "is unknown: 'cvs'; did you mean csv"),
        ("{url: 'ftp://h/a.csv', sha256: " + "a" * 64 + "}", "http or https"),
        ("{url: 'http://u:pw-secret@h/a.csv'}", "must hold no user or password"),
        ("{url: 'http://[h/a.csv'}", "is no address"),
        ("{url: 'http://h/a.csv', headers: {A: pw-secret}}", "as ${NAME}"),
    ],
)
def test_a_source_is_checked(suite_of: Load, source: str, message: str) -> None:
    told = messages(suite_of, HEAD.replace("{file: test.csv}", source))

    assert message in told
    assert "pw-secret" not in told


def test_gates_are_made(suite_of: Load) -> None:
    suite = suite_of(
        HEAD
        + "gates:\n"
        + "- {quantity: nfr, at_most: 0.005, semantics: certify}\n"
        + "- {quantity: accuracy_change, at_least: -0.002}\n"
        + "- {loss: {of: macro_f1, at_most: 0.01}, semantics: detect}\n"
        + "correction: none\n"
    )

    first, second, third = suite.demands.gates
    assert (first.quantity, first.at_most, first.semantics) == ("nfr", 0.005, "certify")
    assert (second.quantity, second.at_least) == ("accuracy_change", -0.002)
    assert third.semantics == "detect"
    assert suite.demands.correction == "none"


def test_a_gates_file_holds_gates(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text(
        "gates: [{quantity: nfr, at_most: 0.01}]\nconfidence: 0.9\n"
        "protected: {ids: [a], slices: [oos=yes]}\n"
    )

    gates = load_gates(path)

    assert [gate.quantity for gate in gates.gates] == ["nfr"]
    assert gates.confidence == 0.9
    assert gates.protected_ids == ("a",)
    assert gates.protected_slices == ("oos=yes",)


def test_a_gates_file_reports_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text("gates:\n- {quantity: nfr, at_mots: 1}\nnames: x\n")

    with pytest.raises(SuiteError) as caught:
        load_gates(path)

    lines = str(caught.value).splitlines()
    assert [line.removeprefix(path.as_posix()).split(" ")[0] for line in lines] == [
        ":2:",
        ":2:",
        ":3:",
    ]
    assert "did you mean at_most" in lines[0] + lines[1]


def test_a_folder_or_a_missing_file_is_no_gates_file(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="is a folder"):
        load_gates(tmp_path)
    with pytest.raises(SuiteError, match="cannot be read"):
        load_gates(tmp_path / "none.yaml")


def test_an_unknown_suite_lists_what_comes_close() -> None:
    with pytest.raises(SuiteError, match="did you mean clinc150") as caught:
        load_suite("clinc")

    assert "library-desk" in str(caught.value)


def test_a_suite_is_found_by_kind_and_name() -> None:
    assert load_suite("classification/snips").name == "snips"


def test_a_folder_with_a_suite_file_is_a_suite(folder: Path) -> None:
    assert load_suite(folder).name == "tiny"
