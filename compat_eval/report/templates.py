"""Where the page templates are, and the environment that fills them."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

import compat_eval
from compat_eval.core.errors import OutputError
from compat_eval.report.text import visible


def template_folder() -> Traversable:
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
    return (template_folder() / name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Return the environment: everything is escaped, nothing may be undefined.

    Whatever a template prints is made visible first, so that no control
    character of the data reaches a page.
    """
    return Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def content_hash(text: str) -> str:
    """Return a Content-Security-Policy source that allows just this text."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _shown(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value)
