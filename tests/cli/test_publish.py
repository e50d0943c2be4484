import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from compat_eval.cli.publish import app
from compat_eval.cli.release import app as release_app
from compat_eval.core.errors import UsageError
from tests.comment_server import CommentServer, serving
from tests.unit.report.made_run import gate, made_run, varied_rows
from tests.unit.report.runs_on_disk import written

RUNNER = CliRunner()


@pytest.fixture
def server() -> Iterator[CommentServer]:
    with serving() as found:
        yield found


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made(tmp_path / "run", "fail")


def made(path: Path, verdict: str) -> Path:
    rows = varied_rows(200, broken=3, fixed=4, missed=5)
    return written(made_run(rows, gates=[gate(verdict)], verdict=verdict), path)


@pytest.fixture
def github(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: CommentServer
) -> Path:
    """The environment of a job on a pull request; returns the job's summary."""
    for name in ("GITLAB_CI", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    event, head = tmp_path / "event.json", {"sha": "0123456789abcdef"}
    event.write_text(json.dumps({"pull_request": {"number": 12, "head": head}}))
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": server.url,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REF": "refs/pull/12/merge",
        "GITHUB_REPOSITORY": "us/models",
        "GITHUB_RUN_ID": "99",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_SHA": "fedcba",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_TOKEN": "t",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "summary"


def published(run: Path, *words: str) -> Result:
    return RUNNER.invoke(app, [str(run), *words])


def test_summary_annotations_and_comment_of_a_failed_gate(
    run: Path, github: Path, server: CommentServer
) -> None:
    done = published(run, "--exit-code", "1")

    assert done.exit_code == 1
    assert done.output.startswith("::error title=toy-intents%3A nfr")
    assert "::notice::the comment on 12 was created" in done.output
    assert server.bodies == [github.read_text()]
    assert server.bodies[0].startswith("<!-- compat-eval:toy-intents -->\n\n> [!CAU")
    assert server.bodies[0].endswith(
        "*Commit `0123456789` · "
        "[job](https://github.example/us/models/actions/runs/99)*\n"
    )


@pytest.mark.usefixtures("github")
def test_a_second_time_the_comment_is_written_again(
    run: Path, server: CommentServer
) -> None:
    published(run)
    done = published(run)

    assert done.exit_code == 0
    assert "the comment on 12 was updated" in done.output
    assert len(server.comments) == 1


@pytest.mark.usefixtures("github")
def test_keys_keep_comments_apart(run: Path, server: CommentServer) -> None:
    published(run, "--key", "a")
    published(run, "--key", "b")

    assert len(server.comments) == 2


@pytest.mark.parametrize("code", [1, 2, 3, 4, 70, 127])
@pytest.mark.usefixtures("github")
def test_a_command_without_a_verdict_does_not_leave_an_earlier_pass_standing(
    tmp_path: Path, server: CommentServer, code: int
) -> None:
    run = made(tmp_path / "passed", "pass")
    published(run, "--exit-code", "0", "--key", "toy")
    assert "PASS" in server.bodies[0]
    done = published(run, "--exit-code", str(code), "--key", "toy")

    (body,) = server.bodies
    assert done.exit_code == code
    assert "NO VERDICT" in body
    assert "::error title=compat-eval::NO VERDICT – compat-eval ended with exit " in (
        done.output
    )


@pytest.mark.usefixtures("github")
def test_without_a_run_nothing_is_a_pass(tmp_path: Path, server: CommentServer) -> None:
    assert published(tmp_path / "none").exit_code == 2
    assert published(tmp_path / "none", "--exit-code", "0").exit_code == 2
    assert "NO VERDICT" in server.bodies[0]


def test_a_pull_request_from_a_fork_has_no_token_and_the_same_verdict(
    run: Path, github: Path, server: CommentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "")

    done = published(run, "--exit-code", "1")

    assert done.exit_code == 1
    assert "no token is given, as for a pull request from a fork" in done.output
    assert (server.asked, github.exists()) == ([], True)


@pytest.mark.usefixtures("github")
def test_a_token_that_may_not_write_changes_no_verdict(
    run: Path, server: CommentServer
) -> None:
    server.refusals = [(403, {})]

    done = published(run, "--exit-code", "1")

    assert done.exit_code == 1
    assert "pull-requests: write" in done.output
    assert "the verdict is the same" in done.output


@pytest.mark.usefixtures("github")
def test_a_push_has_no_comment(
    run: Path, server: CommentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_EVENT_PATH", "/nowhere/at/all")

    assert "no pull or merge request" in published(run).output
    assert "was created" in published(run, "--pull-request", "3").output
    assert server.asked[-1] == "POST /repos/us/models/issues/3/comments"


@pytest.mark.usefixtures("github")
def test_no_comment_where_none_is_wanted(run: Path, server: CommentServer) -> None:
    published(run, "--no-comment")

    assert server.asked == []


@pytest.mark.usefixtures("server")
def test_a_full_job_summary_stays_as_it_is(
    run: Path,
    github: Path,
) -> None:
    github.write_bytes(b"x" * (2**20 - 100))

    done = published(run)

    assert "the job summary is full" in done.output
    assert github.stat().st_size == 2**20 - 100


def test_a_merge_request_gets_its_note(
    run: Path, server: CommentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    environment = {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": server.url,
        "CI_PROJECT_ID": "41",
        "CI_MERGE_REQUEST_IID": "5",
        "CI_COMMIT_SHA": "abc",
        "CI_JOB_URL": "https://gitlab.example/jobs/1",
        "COMPAT_EVAL_GITLAB_TOKEN": "t",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    done = published(run)

    assert done.output == "the comment on 5 was created\n"
    assert server.asked[-1] == "POST /projects/41/merge_requests/5/notes"


def test_elsewhere_it_says_what_to_do(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)

    done = published(run)

    assert isinstance(done.exception, UsageError)
    assert "--format md --out -" in str(done.exception)


@pytest.mark.usefixtures("github")
def test_a_release_that_lacks_a_suite_is_shown_with_all_that_it_says(
    tmp_path: Path, server: CommentServer
) -> None:
    rows = "".join(f"e{n},yes,yes\n" for n in range(400))
    (tmp_path / "old.csv").write_text("id,gold,prediction\n" + rows)
    gates = "gates: [{quantity: nfr, at_most: 0.05}]"
    (tmp_path / "policy.yaml").write_text(
        f"suites:\n  a: {{old: old.csv, new: old.csv, {gates}}}\n"
        f"  b: {{old: old.csv, new: gone.csv, {gates}}}\n"
    )
    words = [str(tmp_path / "policy.yaml"), "--out", str(tmp_path / "out"), "-q"]
    ended = RUNNER.invoke(release_app, words).exit_code

    done = published(tmp_path / "out", "--exit-code", str(ended))

    assert (done.exit_code, ended) == (4, 4)
    assert "::error title=b%3A suite::gone.csv is not there" in done.output
    assert "MISSING" in server.bodies[0]
