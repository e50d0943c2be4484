import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from compat_eval import pytest_plugin
from compat_eval.workflows.baselines import save_baseline
from compat_eval.workflows.options import Options

pytest_plugins = ["pytester"]

NAMED = "compat_eval" in entry_points(group="pytest11").names
LOADED = () if NAMED else ("-p", "compat_eval.pytest_plugin")
HEAD = "id,input,gold,prediction,language"
GATES = "gates: [{quantity: nfr, at_most: 0.05}]\n"


@pytest.fixture(scope="module", autouse=True)
def _all_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import what the runs inside import: they forget it, and numpy bears no second."""
    folder = tmp_path_factory.mktemp("imports")
    (folder / "gates.yaml").write_text(GATES)
    for name in ("old", "new"):
        (folder / f"{name}.csv").write_text(f"{HEAD}\na,a,yes,yes,de\n")
    sides = [folder / "old.csv", folder / "new.csv"]
    found = pytest_plugin._read_or_made(
        folder, "", tuple(sides), {"gates": folder / "gates.yaml"}
    )
    result = pytest_plugin.AssertedUpdate(results=found)
    assert not result.passed
    assert not result.nfr <= 0.1


@pytest.fixture
def files(pytester: pytest.Pytester) -> pytest.Pytester:
    """OLD is right 200 times; NEW breaks the first 20, all of them German."""
    rows = [f"e{n},text {n},yes,yes,{'de' if n < 100 else 'en'}" for n in range(200)]
    broken = [row.replace("yes,yes", "yes,no") for row in rows[:20]]
    for name, lines in (("old", rows), ("same", rows), ("new", broken + rows[20:])):
        pytester.path.joinpath(f"{name}.csv").write_text("\n".join([HEAD, *lines]))
    pytester.path.joinpath("gates.yaml").write_text(GATES)
    pytester.makeini("[pytest]\naddopts = -p no:cov -p no:hypothesispytest\n")
    return pytester


def outcome(files: pytest.Pytester, body: str, *words: str) -> pytest.RunResult:
    files.makepyfile(f"import pytest\n\n{body}")
    return files.runpytest_inprocess(*LOADED, *words)


def test_what_is_proven_holds(files: pytest.Pytester) -> None:
    done = outcome(
        files,
        """
def test_update(compare_models):
    result = compare_models("old.csv", "same.csv", gates="gates.yaml")
    assert result.passed
    assert result.nfr <= 0.05
    assert result.accuracy_change >= -0.05
    assert result.accuracy_new >= 0.9
    assert result.slice("language=de").nfr <= 0.1
    assert (result.nfr.value, result.nfr.n) == (0, 200)
""",
    )

    done.assert_outcomes(passed=1)


def test_a_breach_is_told_with_value_interval_n_and_flips(
    files: pytest.Pytester,
) -> None:
    done = outcome(
        files,
        """
def test_update(compare_models):
    assert compare_models("old.csv", "new.csv").nfr <= 0.05
""",
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*nfr <= 0.05 is not proven: FAIL",
            "*nfr 0.1 (0.06* to 0.14*, n = 200)",
            "*the lower bound * breaks the limit 5 %",
            "*broken e0: text 0 (yes: yes -> no)",
            "*compat-eval*",
            "*broken e19: text 19 (yes: yes -> no)",
        ]
    )


def test_what_is_inconclusive_is_not_proven(files: pytest.Pytester) -> None:
    done = outcome(
        files,
        """
def test_update(compare_models):
    assert compare_models("old.csv", "same.csv").nfr <= 0.001
""",
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*nfr <= 0.001 is not proven: INCONCLUSIVE"])


def test_a_failed_gate_is_told(files: pytest.Pytester) -> None:
    done = outcome(
        files,
        """
def test_update(compare_models):
    assert compare_models("old.csv", "new.csv", gates="gates.yaml").passed
""",
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*FAIL: *20 of 200 examples broke*", "*broken e19*"])


def test_without_gates_nothing_has_passed(files: pytest.Pytester) -> None:
    done = outcome(
        files,
        """
def test_update(compare_models):
    assert compare_models("old.csv", "same.csv").passed
""",
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*nothing is judged, so nothing has passed*"])


def test_no_other_assertion_holds(files: pytest.Pytester) -> None:
    done = outcome(
        files,
        """
@pytest.mark.parametrize("claim", [
    lambda nfr: not nfr > 0.001,
    lambda nfr: not nfr >= 0.05,
    lambda nfr: nfr != 1,
    lambda nfr: not nfr == 1,
    lambda nfr: nfr,
])
def test_update(compare_models, claim):
    assert claim(compare_models("old.csv", "same.csv").nfr)
""",
    )

    done.assert_outcomes(failed=5)


def test_a_mistake_is_told_in_one_line(files: pytest.Pytester) -> None:
    done = outcome(
        files,
        """
def test_missing(compare_models):
    compare_models("old.csv", "none.csv")

def test_mistyped(compare_models):
    compare_models("old.csv", "same.csv").nrf
""",
    )

    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(["compat-eval: *none.csv*", "*did you mean nfr*"])


def test_a_marker_says_what_is_compared_and_each_slice_is_a_test(
    files: pytest.Pytester,
) -> None:
    done = outcome(
        files,
        """
pytestmark = pytest.mark.compat("old.csv", "new.csv", slices="language")

def test_update(compat):
    assert compat.nfr <= 0.2

def test_slice(compat_slice):
    assert compat_slice.nfr <= 0.1
""",
        "-v",
        "--strict-markers",
    )

    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines_random(
        ["*test_slice?language=en?*PASSED*", "*test_slice?language=de?*FAILED*"]
    )


@pytest.mark.parametrize("wanted", ["slices='region'", "slices=[]"])
def test_without_slices_the_tests_do_not_vanish(
    files: pytest.Pytester, wanted: str
) -> None:
    done = outcome(
        files,
        f"""
@pytest.mark.compat("old.csv", "same.csv", {wanted})
def test_slice(compat_slice):
    assert compat_slice.nfr <= 0.1
""",
    )

    done.assert_outcomes(errors=1)


def test_one_comparison_a_session_but_not_of_a_changed_file(
    files: pytest.Pytester,
) -> None:
    done = outcome(
        files,
        """
from pathlib import Path

@pytest.mark.parametrize("time", [1, 2])
def test_same(compare_models, time):
    found = compare_models("old.csv", "same.csv", gates="gates.yaml")
    assert len(list(found.path.parent.glob("*/comparison.json"))) == 1

def test_changed(compare_models):
    Path("same.csv").write_text(Path("new.csv").read_text())
    found = compare_models("old.csv", "same.csv", gates="gates.yaml")
    assert found.nfr.value == 0.1

def test_columns(compare_models):
    gold = ["a", "b"] * 9
    for answers in (["b"] * 18, gold):
        found = compare_models(gold, answers, gold=gold)
    assert found.nfr.value == 0
""",
    )

    done.assert_outcomes(passed=4)


@pytest.mark.slow
def test_processes_share_one_comparison(files: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    files.makepyfile(
        """
import pytest

@pytest.mark.parametrize("time", range(4))
@pytest.mark.compat("old.csv", "same.csv", gates="gates.yaml")
def test_same(compat, time):
    assert compat.passed
    assert len(list(compat.path.parent.glob("*/comparison.json"))) == 1

@pytest.mark.compat("old.csv", "same.csv", gates="gates.yaml")
def test_slice(compat_slice):
    assert compat_slice.nfr <= 0.1
"""
    )

    done = files.runpytest_inprocess(*LOADED, "-n", "2")

    done.assert_outcomes(passed=6)


def test_pytest_starts_without_what_is_heavy() -> None:
    script = (
        "import pytest, sys; before = set(sys.modules)\n"
        "import compat_eval.pytest_plugin\n"
        "print(sorted(set(sys.modules) - before - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(pytest_plugin.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "['compat_eval', 'compat_eval.pytest_plugin']"


UPDATE = "--compat-update-baseline"
AGAINST = """
def test_update(compare_models):
    limit = LIMIT
    gates = [{"quantity": "nfr", "at_most": limit}]
    assert compare_models("baseline:prod", "better.csv", gates=gates).verdict
    assert "fails" not in locals()
"""


@pytest.fixture
def baseline(files: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What production answered is new.csv, with 20 wrong; `better` mends 10."""
    monkeypatch.setenv("COMPAT_EVAL_BASELINES", str(files.path / "baselines"))
    rows = files.path.joinpath("new.csv").read_text().splitlines()
    mended = [row.replace("yes,no", "yes,yes") for row in rows[:11]]
    files.path.joinpath("better.csv").write_text("\n".join(mended + rows[11:]))
    source = str(files.path / "new.csv")
    return save_baseline("prod", source, Options()).path


@pytest.mark.parametrize(
    ("limit", "words", "told"),
    [
        ("0.05", (UPDATE,), "*prod.baseline: answers of *better.csv, written*"),
        ("0.05", (), "*1 passed*"),
        ("0.0001", (UPDATE,), "*prod: unchanged: *verdict is inconclusive*"),
        ("0.05; fails = True", (UPDATE,), "*prod: unchanged, since not every test*"),
    ],
)
def test_a_baseline_is_replaced_only_when_asked_and_after_a_pass(
    files: pytest.Pytester,
    baseline: Path,
    limit: str,
    words: tuple[str, ...],
    told: str,
) -> None:
    before = baseline.read_bytes()

    done = outcome(files, AGAINST.replace("LIMIT", limit), *words)

    done.stdout.fnmatch_lines([told])
    assert (baseline.read_bytes() != before) == ("written" in told)


def test_no_baseline_is_replaced_by_several_processes(files: pytest.Pytester) -> None:
    pytest.importorskip("xdist")

    done = outcome(files, "", UPDATE, "-n", "2")

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*changes files: give it without -n*"])
