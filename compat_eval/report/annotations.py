"""What a run or a release says outside its page: remarks of a CI, and one comment.

Both are read from what a run and a release directory have in common, `summary.md` and
`junit.xml`: they say nothing that those do not say.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Literal, TypeAlias

from compat_eval.core.errors import DataError
from compat_eval.report.markdown import MOST_CHARACTERS, comment_mark
from compat_eval.report.text import clip, plain, shortened

Severity: TypeAlias = Literal["error", "warning", "notice"]

_MOST_OF_A_KIND = 10
"""GitHub shows no more errors, warnings and notices of one step than this, each."""

_LENGTH = 1000
_ENDED: Mapping[int, str] = MappingProxyType(
    {
        2: "wrong usage, suite or data",
        4: "old and new did not answer the same examples",
        70: "a crash",
        130: "an interruption",
    }
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark that a CI shows beside a change."""

    severity: Severity
    title: str
    message: str


def annotations(junit: bytes) -> tuple[Annotation, ...]:
    """Return what did not pass, the worst first; nothing where everything did.

    Raises:
        DataError: It is no JUnit file.

    """
    try:
        root = ET.fromstring(junit)  # noqa: S314 - expat bounds what entities expand to
    except ET.ParseError as error:
        raise DataError(f"junit.xml cannot be read: {error}") from error
    found = [one for case in root.iter("testcase") for one in _of_case(case)]
    order: Sequence[Severity] = ("error", "warning", "notice")
    return tuple(sorted(found, key=lambda one: order.index(one.severity)))


def _of_case(case: ET.Element) -> Iterator[Annotation]:
    severities: Mapping[str, Severity] = {
        "error": "error",
        "failure": "error",
        "skipped": "notice",
    }
    for child in case:
        if child.tag in severities:
            severity = severities[child.tag]
            if child.get("type") == "inconclusive":
                severity = "warning"
            title = f"{case.get('classname', '')}: {case.get('name', '')}"
            yield Annotation(severity, title, child.get("message", ""))


def workflow_commands(found: Sequence[Annotation]) -> list[str]:
    """Return the lines that make GitHub show annotations, as many as it shows.

    The last of too many says how many are left out.
    """
    lines = []
    for severity, group in groupby(found, key=attrgetter("severity")):
        every = list(group)
        shown = every
        if len(every) > _MOST_OF_A_KIND:
            shown = every[: _MOST_OF_A_KIND - 1]
            rest = f"{len(every) - len(shown)} more; the summary has them all"
            shown.append(Annotation(severity, "compat-eval", rest))
        lines += [_command(one) for one in shown]
    return lines


def _command(one: Annotation) -> str:
    title, message = shortened(one.title, 200), shortened(one.message, _LENGTH)
    title = _data(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{one.severity} title={title}::{_data(message)}"


def _data(text: str) -> str:
    """Escape what would end a workflow command or begin another."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def comment_body(summary: str, *, key: str = "", footer: str = "") -> str:
    """Return a summary as a comment: its mark first, its origin last, not too long.

    Args:
        summary: The content of `summary.md`.
        key: A name of the comment that takes the place of the suite's.
        footer: One line of our own Markdown.

    """
    mark, _, text = summary.partition("\n")
    if not mark.startswith("<!-- compat-eval:"):
        mark, text = comment_mark(key), summary
    if key:
        mark = comment_mark(key)
    text = clip(text.strip("\n"), MOST_CHARACTERS).text
    return "\n\n".join(filter(None, (mark, text, footer))) + "\n"


def unfinished(exit_code: int | None, *, changed: bool = False) -> str:
    """Return the text of a comment on a command that came to no verdict.

    Args:
        exit_code: How it ended; `None` where it did not run.
        changed: Whether it wrote a verdict, but files are no longer as it wrote them.

    """
    ended = "did not run"
    if changed:
        ended = "wrote files that were changed or lost since: verify names them"
    elif exit_code is not None:
        why = _ENDED.get(exit_code, "no run directory was written")
        ended = f"ended with exit code {exit_code}: {why}"
    said = plain(f"compat-eval {ended}. Nothing was judged; the log says more.")
    return f"> [!CAUTION]\n> **NO VERDICT** – {said}"
