"""`compat-eval publish RUN`: a result where reviewers look, in a CI of their choice."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from compat_eval.workflows.comments import CommentThread

app = typer.Typer(rich_markup_mode=None)

_MOST_SUMMARY = 2**20
"""GitHub shows no job summary with more bytes."""

_ENDS = {
    "pass": (0,),
    "none": (0,),
    "fail": (1,),
    "inconclusive": (0, 3),
    "blocked": (2, 4),
}
"""The exit codes of each verdict: a directory of another run is not shown."""

_HELP = """Show a run or a release in CI: job summary, annotations, one comment.

In GitHub Actions the summary of RUN goes to the job's page, what did not pass becomes
annotations, and one comment on the pull request is written, or written again. In
GitLab CI it is a note on the merge request. Without a token there is no comment, only
a notice.

\b
Examples:
  compat-eval publish runs/v2
  compat-eval publish runs/v2 --exit-code "$code" --key nightly
  compat-eval publish runs/v2 --pull-request 12 --to github

\b
Environment:
  GitHub: GITHUB_TOKEN, with `permissions: pull-requests: write`
  GitLab: COMPAT_EVAL_GITLAB_TOKEN, a project access token of scope `api`

\b
Exit codes:
  that of --exit-code; without it 0, or 2 where RUN holds no result
"""


class _CiHost(StrEnum):
    """Where comments are written."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What a CI says of the job that runs here.

    Attributes:
        number: Of the pull or merge request; `None` where the job is about none.
        commit: What was checked out; may be empty.
        job: Address of the job's page; may be empty.
        token: May be empty.
        thread: Opens the comments of a request, with a token.

    """

    number: int | None
    commit: str
    job: str
    token: str
    thread: "Callable[[int, str], CommentThread]"


@app.command(help=_HELP)
def publish(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run or release directory.")
    ],
    to: Annotated[
        _CiHost | None, typer.Option(help="Where. [default: the CI that runs this]")
    ] = None,
    key: Annotated[
        str,
        typer.Option(
            help="Name of the comment, where several are kept on one request. "
            "[default: the suite]"
        ),
    ] = "",
    exit_code: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=255,
            help="Exit code of the command that wrote RUN. This one ends with it too; "
            "where it is no verdict, RUN is not shown.",
        ),
    ] = None,
    pull_request: Annotated[
        int | None,
        typer.Option(help="Number of the pull or merge request. [default: the job's]"),
    ] = None,
    comment: Annotated[
        bool, typer.Option("--comment/--no-comment", help="Write the comment.")
    ] = True,
) -> None:
    """Show a run or a release in CI."""
    from compat_eval.report.annotations import comment_body

    environ = os.environ
    host = to or _detected(environ)
    job = (_github if host is _CiHost.GITHUB else _gitlab)(environ)
    found = _read(run, exit_code)
    body = comment_body(found.summary, key=key, footer=_footer(job))
    if host is _CiHost.GITHUB:
        for line in found.commands:
            typer.echo(line)
        _summarise(environ.get("GITHUB_STEP_SUMMARY"), body)
    if comment:
        number = job.number if pull_request is None else pull_request
        said = _commented(job, number, body)
        typer.echo(f"::notice::{said}" if host is _CiHost.GITHUB else said)
    raise typer.Exit(exit_code or (0 if found.judged else 2))


def _detected(environ: Mapping[str, str]) -> _CiHost:
    for host, name in (
        (_CiHost.GITHUB, "GITHUB_ACTIONS"),
        (_CiHost.GITLAB, "GITLAB_CI"),
    ):
        if environ.get(name) == "true":
            return host
    raise UsageError(
        "this is neither GitHub Actions nor GitLab CI; say which with --to. "
        "Elsewhere, compat-eval report RUN --format md --out - prints the comment, "
        "and junit.xml in RUN holds every gate"
    )


def _github(environ: Mapping[str, str]) -> _Request:
    from compat_eval.workflows.comments import github_thread

    event = _event(environ.get("GITHUB_EVENT_PATH"))
    request = event.get("pull_request") or {}
    number = request.get("number")
    reference = environ.get("GITHUB_REF", "").split("/")
    if number is None and reference[:2] == ["refs", "pull"]:
        number = reference[2]
    repository = environ.get("GITHUB_REPOSITORY", "")
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    run = environ.get("GITHUB_RUN_ID", "")
    return _Request(
        number=None if number is None else int(number),
        commit=(request.get("head") or {}).get("sha") or environ.get("GITHUB_SHA", ""),
        job=f"{server}/{repository}/actions/runs/{run}" if run else "",
        token=(environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip(),
        thread=lambda asked, token: github_thread(
            api=environ.get("GITHUB_API_URL") or "https://api.github.com",
            repository=repository,
            number=asked,
            token=token,
        ),
    )


def _gitlab(environ: Mapping[str, str]) -> _Request:
    from compat_eval.workflows.comments import gitlab_thread

    number = environ.get("CI_MERGE_REQUEST_IID", "")
    return _Request(
        number=int(number) if number.isdecimal() else None,
        commit=environ.get("CI_COMMIT_SHA", ""),
        job=environ.get("CI_JOB_URL", ""),
        token=environ.get("COMPAT_EVAL_GITLAB_TOKEN", "").strip(),
        thread=lambda asked, token: gitlab_thread(
            api=environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4",
            project=environ.get("CI_PROJECT_ID", ""),
            number=asked,
            token=token,
        ),
    )


def _event(path: str | None) -> Mapping[str, Any]:
    """Return what happened; nothing where nobody says."""
    from compat_eval.core.files import parse_json

    with suppress(OSError, ValueError):
        found = parse_json(Path(path or "").read_bytes())
        if isinstance(found, dict):
            return found
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What there is to show.

    Attributes:
        summary: Markdown.
        commands: Workflow commands of GitHub.
        judged: Whether a run has been written, with whatever verdict.

    """

    summary: str
    commands: list[str]
    judged: bool


def _read(run: Path, exit_code: int | None) -> _Shown:
    """Return what a directory says; that there is no verdict, where there is none."""
    from compat_eval.report.annotations import (
        Annotation,
        annotations,
        unfinished,
        workflow_commands,
    )

    verdict = _verdict(run)
    fits = bool(verdict) and (exit_code is None or exit_code in _ENDS.get(verdict, ()))
    if fits and _is_as_written(run):
        commands = workflow_commands(annotations((run / "junit.xml").read_bytes()))
        text = (run / "summary.md").read_text("utf-8")
        return _Shown(summary=text, commands=commands, judged=True)
    text = unfinished(exit_code, changed=fits)
    said = text.splitlines()[-1].removeprefix("> ").replace("*", "").replace("\\", "")
    failed = Annotation("error", "compat-eval", said)
    return _Shown(summary=text, commands=workflow_commands([failed]), judged=False)


def _verdict(run: Path) -> str:
    """Return the verdict of a run or a release; nothing where none can be read."""
    from compat_eval.core.files import read_json

    for name in ("release.json", "comparison.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(read_json(run / name)["verdict"])
    return ""


def _is_as_written(run: Path) -> bool:
    """Say whether a directory is whole, and no file was changed after it was made."""
    from compat_eval.core.files import read_json
    from compat_eval.runs.seal import MANIFEST, changed_files, is_sealed

    with suppress(OSError, ValueError, DataError):
        manifest = read_json(run / MANIFEST)
        return is_sealed(manifest) and not any(changed_files(run, manifest))
    return False


def _footer(job: _Request) -> str:
    from compat_eval.report.text import code

    parts = [f"commit {code(job.commit[:10])}"] if job.commit else []
    parts += [f"[job]({job.job})"] if job.job else []
    text = " · ".join(parts)
    return f"*{text[:1].upper()}{text[1:]}*" if text else ""


def _summarise(path: str | None, body: str) -> None:
    """Add to the page of the job; a file that is too long would not be shown at all."""
    if not path:
        return
    file, content = Path(path), body.encode("utf-8")
    try:
        before = file.stat().st_size if file.exists() else 0
        if before + len(content) >= _MOST_SUMMARY:
            typer.echo("::notice::the job summary is full, so this run is not in it")
            return
        with file.open("ab") as summary:
            summary.write(content)
    except OSError as error:
        typer.echo(f"::notice::the job summary cannot be written: {error.strerror}")


def _commented(job: _Request, number: int | None, body: str) -> str:
    """Write the comment; return what became of it. No trouble changes a verdict."""
    from compat_eval.core.errors import CompatEvalError
    from compat_eval.core.text import printable
    from compat_eval.workflows.comments import upsert

    if number is None:
        return "no pull or merge request belongs to this job, so no comment was written"
    if not job.token:
        return (
            "no token is given, as for a pull request from a fork, so no comment was "
            "written; the verdict is the same"
        )
    try:
        thread = job.thread(number, job.token)
        done = upsert(thread, body, mark=body.partition("\n")[0])
    except CompatEvalError as error:
        return f"{printable(str(error))}; the verdict is the same"
    return f"the comment on {number} was {done}"
