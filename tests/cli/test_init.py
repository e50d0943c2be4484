import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from compat_eval.cli.compare import app as compare_app
from compat_eval.cli.init import app
from compat_eval.cli.suites import app as suites_app
from compat_eval.core.errors import OutputError, UsageError

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    rows = [f"q{n},text {n},yes,yes,{'de' if n % 2 else 'en'}" for n in range(600)]
    write(rows)


def write(rows: list[str], head: str = "id,input,gold,prediction,language") -> None:
    for name in ("old", "new"):
        Path(f"{name}.csv").write_text("\n".join([head, *rows, ""]))


def made(*words: str, ok: bool = True) -> Result:
    done = RUNNER.invoke(app, list(words))
    if ok:
        assert done.exit_code == 0, done.output
    return done


def proposed(output: str) -> list[str]:
    """Return the arguments of the command that it says to run."""
    line = output.strip().splitlines()[-1]
    return shlex.split(line)[2:]


def test_what_it_writes_is_valid_and_the_command_that_it_names_passes() -> None:
    done = made("old.csv", "new.csv")

    command = proposed(done.output)
    files = ["compat-eval/suite.yaml", "compat-eval/gates.yaml"]
    checked = RUNNER.invoke(suites_app, ["validate", *files])
    run = RUNNER.invoke(compare_app, [*command, "--out", "run"])

    assert checked.exit_code == 0, checked.output
    assert "--suite" in command
    assert run.exit_code == 0, run.output
    assert "PASS" in run.output


@pytest.mark.parametrize(
    ("n", "limit"), [(2400, 0.005), (600, 0.02), (60, 0.2), (12, 0.2)]
)
def test_the_limit_is_one_that_so_many_examples_decide(n: int, limit: float) -> None:
    # plan --limit L --expected L/4 --n N says a chance of at least .8 for these.
    write([f"q{at},text {at},yes,yes,de" for at in range(n)])

    done = made("old.csv", "new.csv")

    gates = yaml.safe_load(Path("compat-eval/gates.yaml").read_text())["gates"]
    assert gates[0] == {"quantity": "nfr", "at_most": limit, "semantics": "certify"}
    assert ("prove no limit" in done.output) == (n == 12)


def test_limits_do_not_depend_on_what_new_broke() -> None:
    made("old.csv", "new.csv", "--into", "a")
    text = Path("new.csv").read_text()
    Path("new.csv").write_text(text.replace("yes,yes", "yes,no", 60))
    made("old.csv", "new.csv", "--into", "b")

    assert Path("a/gates.yaml").read_text() == Path("b/gates.yaml").read_text()


def test_large_slices_get_a_gate_of_their_own() -> None:
    made("old.csv", "new.csv")

    gates = yaml.safe_load(Path("compat-eval/gates.yaml").read_text())["gates"]
    assert {gate.get("slice") for gate in gates[2:]} == {"language=de", "language=en"}


def test_options_of_compare_say_how_files_are_read() -> None:
    write([f"q{n};yes;yes" for n in range(400)], head="qid;label;answer")
    fields = "id=qid,gold=label,prediction=answer"

    done = made("--read", "delimiter=;", "old.csv", "new.csv", f"--fields={fields}")

    run = RUNNER.invoke(compare_app, [*proposed(done.output), "--out", "run"])
    assert run.exit_code == 0, run.output


def test_a_gold_file_becomes_part_of_the_suite() -> None:
    write([f"q{n},yes" for n in range(400)], head="id,prediction")
    rows = [f"q{n},text {n},yes" for n in range(400)]
    Path("gold.csv").write_text("\n".join(["id,input,gold", *rows, ""]))

    done = made("old.csv", "new.csv", "--gold", "gold.csv")

    command = proposed(done.output)
    assert "--gold" not in command
    assert RUNNER.invoke(compare_app, [*command, "--out", "run"]).exit_code == 0


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_workflow_runs_the_same_command(ci: str) -> None:
    done = made("old.csv", "new.csv", "--ci", ci)

    command = proposed(done.output)
    if ci == "github":
        flow = yaml.safe_load(Path(".github/workflows/compat-eval.yml").read_text())
        given = flow["jobs"]["compare"]["steps"][-1]["with"]
        assert [given["old"], *shlex.split(given["args"])] == command
        assert flow["permissions"]["pull-requests"] == "write"
    else:
        job = yaml.safe_load(Path(".gitlab-ci.yml").read_text())["compat-eval"]
        assert f"compat-eval compare {shlex.join(command)} --out" in job["script"][0]
        assert job["artifacts"]["reports"]["junit"] == "compat-eval-run/junit.xml"


def test_what_is_there_is_not_replaced_unasked() -> None:
    made("old.csv", "new.csv")
    before = Path("compat-eval/gates.yaml")
    before.write_text("mine")

    done = made("old.csv", "new.csv", ok=False)

    assert isinstance(done.exception, OutputError)
    assert "--overwrite" in str(done.exception)
    assert before.read_text() == "mine"
    made("old.csv", "new.csv", "--overwrite")
    assert before.read_text() != "mine"


def test_a_suite_that_is_there_is_used() -> None:
    made("old.csv", "new.csv")

    done = made(
        "old.csv", "new.csv", "--suite", "compat-eval/suite.yaml", "--into", "b"
    )

    assert not Path("b/suite.yaml").exists()
    assert proposed(done.output)[2:4] == ["--suite", "compat-eval/suite.yaml"]


@pytest.mark.parametrize(
    "words",
    [["old.csv", "new.csv", "--gates", "g.yaml"], ["old.csv", "new.csv", "old.csv"]],
)
def test_it_takes_one_old_and_one_new(words: list[str]) -> None:
    done = made(*words, ok=False)

    assert isinstance(done.exception, UsageError)
    assert not Path("compat-eval").exists()


def test_a_mistyped_option_is_told_as_by_compare() -> None:
    done = made("old.csv", "new.csv", "--feilds", "id=x", ok=False)

    assert done.exit_code == 2
    assert "--feilds" in done.output
