import json
from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, SuiteError
from compat_eval.runs.directory import recorded_task
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_gates, load_suite
from compat_eval.suite.suite import Suite
from compat_eval.tasks import task
from tests.unit.suite.conftest import SUITE

Load = Callable[[str], Suite]

FULL = """\
name: tiny
version: "2"
description: For tests
licence: mine
homepage: https://example.org
task: classification
data:
  test:
    url: https://example.org/a.csv
    sha256: "{sha}"
    headers: {{Authorization: "Bearer ${{TOKEN}}"}}
    quote: null
  train-small: {{file: test.csv, keep: {{id: [a]}}}}
fields: {{id: id, input: text, gold: {{column: 2}}, weight: w}}
slices: {{c: {{of: gold, equals: [greet]}}, w: {{words: [2, 4]}}}}
labels: {{names: [greet, leave], map: {{hello: greet}}}}
gates:
- {{quantity: nfr, at_most: 0.01, semantics: certify, slice: c=yes}}
- {{loss: {{of: accuracy, at_most: 0.0}}, semantics: detect}}
protected: {{ids: [a]}}
correction: none
confidence: 0.9
""".format(sha="ab" * 32)


def test_a_suite_is_made_again_from_its_config(
    suite_of: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    suite = suite_of(FULL)
    stored = json.dumps(suite.config)

    again = Suite.from_config(json.loads(stored), base=suite.base)

    assert again == suite
    assert again.demands.gates == suite.demands.gates
    assert again.fingerprint() == suite.fingerprint()
    assert "s3cret" not in stored + repr(suite)


def test_a_config_holds_no_path_of_this_machine(suite_of: Load, folder: Path) -> None:
    assert str(folder) not in json.dumps(suite_of(FULL).config)


def test_a_shipped_suite_finds_its_bundled_data_again() -> None:
    suite = load_suite("library-desk")
    again = Suite.from_config(json.loads(json.dumps(suite.config)))

    assert len(load_examples(again, offline=True)) == 330


def test_what_is_for_people_does_not_change_the_fingerprint(suite_of: Load) -> None:
    one = suite_of(FULL).fingerprint()

    assert suite_of(FULL.replace("For tests", "For fun")).fingerprint() == one
    assert suite_of(FULL.replace("0.01", "0.02")).fingerprint() != one
    assert suite_of(FULL.replace("ab" * 32, "cd" * 32)).fingerprint() != one


def test_a_default_that_is_written_out_changes_nothing(suite_of: Load) -> None:
    one = suite_of(FULL).fingerprint()

    assert suite_of(FULL + "repeats: number\n").fingerprint() == one


def test_included_files_leave_no_trace_in_the_config(
    suite_of: Load, folder: Path
) -> None:
    head, _, tail = FULL.partition("fields:")
    (folder / "rest.yaml").write_text("fields:" + tail)

    assert suite_of("include: rest.yaml\n" + head).config == suite_of(FULL).config


def test_other_gates_take_the_place_of_the_suites(suite_of: Load, folder: Path) -> None:
    (folder / "g.yaml").write_text("gates: [{quantity: nfi, at_most: 0.2}]\n")
    suite = suite_of(FULL)

    changed = suite.with_demands(load_gates(folder / "g.yaml"))

    assert [gate.quantity for gate in changed.demands.gates] == ["nfi"]
    assert changed.demands.correction == "holm"
    assert changed.demands.protected_ids == ()
    assert changed.fingerprint() != suite.fingerprint()
    assert Suite.from_config(changed.config, base=suite.base) == changed


def test_the_dev_split_has_one_of_three_names_and_no_other_use(suite_of: Load) -> None:
    sources = "{val: {file: v.csv}, test: {file: t.csv}, validation: {file: w.csv}}"
    suite = suite_of(SUITE.replace("{test: {file: test.csv}}", sources))

    assert suite.dev_split() == "validation"
    assert suite.dev_split(besides="validation") == "val"
    assert suite_of(SUITE).dev_split() is None


def test_a_config_that_is_no_suite_is_refused() -> None:
    with pytest.raises(SuiteError, match="not a suite's config"):
        Suite.from_config({"name": "x"})


def test_the_settings_of_a_task_without_a_suite_come_back() -> None:
    manifest = {
        "suite": None,
        "task": {"kind": "dependency", "options": {"preset": "official"}},
    }

    assert recorded_task(manifest) == task("dependency", preset="official")


def test_a_suites_task_comes_from_its_config() -> None:
    suite = load_suite("library-desk")

    assert recorded_task({"suite": dict(suite.config)}) == suite.task


def test_a_manifest_without_a_task_is_damaged() -> None:
    with pytest.raises(DataError, match="does not say which task"):
        recorded_task({"suite": None})
