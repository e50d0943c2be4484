"""`report.html`: one file that needs no network, storage or script to be read."""

from markupsafe import Markup

from compat_eval import __version__
from compat_eval.report.templates import content_hash, environment, template_text
from compat_eval.report.view.page import Page


def render_html(page: Page) -> bytes:
    """Return the page as UTF-8.

    The policy in its head allows the one style and the one script by their
    hashes, and nothing else: no network, no eval, no inline handlers.
    """
    style, script = template_text("report.css"), template_text("report.js")
    policy = (
        "default-src 'none'; "
        f"style-src {content_hash(style)}; script-src {content_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    text = (
        environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            policy=policy,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            version=__version__,
        )
    )
    return text.encode("utf-8")
