"""`report.html`: one file that needs no network, storage or script to be read."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from os.path import commonprefix
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

import compat_eval
from compat_eval.core.errors import OutputError
from compat_eval.core.picture import SYMBOLS
from compat_eval.report import words
from compat_eval.report.drawing import place
from compat_eval.report.numbers import count, counted
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section, sections
from compat_eval.report.text import shortened, visible

_LENGTH = 120
_LONG_FOLDER = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageHead:
    """What stands above the sections.

    Attributes:
        verdict: What the run ended with, in a word.
        suite: Name of the suite.
        old: Reference of the old model.
        new: Reference of the new model.
        created: When the run was made, as the manifest says; empty if it does not.
        examples: How many examples were compared, in words.
        kind: The task kind.

    """

    verdict: str
    suite: str
    old: str
    new: str
    created: str
    examples: str
    kind: str


@dataclass(frozen=True, slots=True)
class _DrawnSection:
    """A section of this page: its address, its heading and its content."""

    name: str
    title: str
    framed: bool
    body: Markup


def render_html(reported: ReportedRun) -> bytes:
    """Return the page as UTF-8.

    The policy in its head allows the one style and the one script by their
    hashes, and nothing else: no network, no eval, no inline handlers.
    """
    style, script = template_text("report.css"), template_text("report.js")
    policy = (
        "default-src 'none'; "
        f"style-src {content_hash(style)}; script-src {content_hash(script)}; "
        f"img-src data:; {_recordings(reported)}base-uri 'none'; form-action 'none'"
    )
    text = (
        environment()
        .get_template("report.html.j2")
        .render(
            head=page_head(reported.results),
            sections=tuple(drawn(sections(reported.results), reported)),
            policy=policy,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            version=compat_eval.__version__,
        )
    )
    return text.encode("utf-8")


def _recordings(reported: ReportedRun) -> str:
    """Return the part of the policy that lets recordings be heard, where any are."""
    heard = any(card.flip.media_kind == "audio" for card in reported.deck.cards)
    return "media-src data:; " if heard else ""


def drawn(every: Mapping[str, Section], subject: object) -> Iterator[_DrawnSection]:
    """Yield the sections that apply to what a page is about, drawn."""
    for name, section in every.items():
        view = section.view(subject)
        if view is None:
            continue
        made = environment()
        foreign = "<" in section.template
        template = (made.from_string if foreign else made.get_template)(
            section.template
        )
        body = Markup(template.render(view=view))  # noqa: S704 - it escapes
        yield _DrawnSection(name, section.title, section.framed, body)


def page_head(results: Results) -> _PageHead:
    """Return what stands above the sections."""
    old, new = references(results)
    return _PageHead(
        verdict=words.VERDICTS[results.verdict],
        suite=shortened(results.suite, _LENGTH),
        old=old,
        new=new,
        created=when(results.run.manifest.get("created")),
        examples=counted(results.task.n_examples, "example"),
        kind=shortened(results.task.kind, _LENGTH).replace("_", " "),
    )


def references(results: Results) -> tuple[str, str]:
    """Return what the user wrote for old and new, without a long folder of both.

    A side of which nothing is known is called by its role; two sides of one file by
    what was chosen of it.
    """
    roles = results.run.manifest["roles"]
    known = [_reference(role, roles) for role in results.run.judged]
    shared = commonprefix(known).rpartition("/")[0]  # noqa: RUF071 - cut at a slash
    start = len(shared) + 1 if len(shared) > _LONG_FOLDER else 0
    old, new = (shortened(one[start:], _LENGTH) for one in known)
    if old != new:
        return old, new
    options = results.run.manifest.get("options", {})
    chosen = (_chosen(options, side) for side in ("old", "new"))
    old, new = (f"{old}: {one}" if one else old for one in chosen)
    return old, new


def _chosen(options: Mapping[str, Any], side: str) -> str:
    """Return the rows or columns of a file that are one side's."""
    given = (options.get(f"{side}_{name}") or {} for name in ("keep", "fields"))
    values = (str(value) for one in given for value in one.values())
    return shortened(", ".join(values), _LENGTH)


def _reference(role: str, roles: Mapping[str, Any]) -> str:
    """Return what the user wrote for a role, or for the first of its training runs."""
    runs = [name for name in roles if name.startswith(f"{role}.")]
    found = (roles.get(runs[0] if runs else role) or {}).get("reference") or role
    return f"{found} and {len(runs) - 1} more" if len(runs) > 1 else str(found)


def when(created: object) -> str:
    """Return a time in ISO form as people read it; other text as it is."""
    if not created:
        return ""
    try:
        moment = datetime.fromisoformat(str(created))
    except ValueError:
        return shortened(created, _LENGTH)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return moment.strftime("%Y-%m-%d %H:%M")


def _template_folder() -> Traversable:
    """Return the folder of the templates: inside a wheel, or in a checkout.

    Raises:
        OutputError: There is none; the installation is damaged.

    """
    packaged = files("compat_eval") / "_templates"
    if packaged.is_dir():
        return packaged
    checkout = Path(compat_eval.__file__).parents[1] / "reports" / "templates"
    if checkout.is_dir():
        return checkout
    raise OutputError(
        "the report templates are missing from this installation; "
        "install compat-eval again"
    )


def template_text(name: str) -> str:
    """Return the text of one file in the template folder."""
    return (_template_folder() / name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Return the environment: everything is escaped, nothing may be undefined.

    Whatever a template prints is made visible first, so that no control
    character of the data reaches a page.
    """
    made = Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters["place"] = place
    made.filters["count"] = count
    made.globals["symbols"] = SYMBOLS
    return made


def content_hash(text: str) -> str:
    """Return a Content-Security-Policy source that allows just this text."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _shown(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value)
