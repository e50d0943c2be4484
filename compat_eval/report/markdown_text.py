"""Foreign text in Markdown: shown as it is, with nothing in it that acts.

Markdown of pull requests turns names after @ into notifications, addresses into
links and numbers after # into references, even where punctuation is escaped;
only code spans and an unseen character in between prevent that.
"""

import re

from compat_eval.report.text import visible

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>()#+!|~^$&:=-])")
_NAMED = re.compile(r"([@#])(?=\w)")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")
_BACKTICKS = re.compile("`+")
_UNSEEN = "\u200b"


def plain(text: str) -> str:
    r"""Return running text whose every character stands for itself.

    Examples:
        >>> plain("a|b <script>")
        'a\\|b \\<script\\>'

    """
    shown = visible(text, one_line=True)
    held = _NAMED.sub(rf"\1{_UNSEEN}", _ADDRESS.sub(rf"\1{_UNSEEN}", shown))
    return _ACTIVE.sub(r"\\\1", held)


def code(text: str, *, cell: bool = False) -> str:
    """Return text as a code span: no link, mention, markup or HTML acts in it.

    Args:
        text: Foreign text.
        cell: Whether the span stands in a table, where a pipe would end the cell.

    Examples:
        >>> code("a`b"), code("")
        ('``a`b``', '*(empty)*')

    """
    shown = visible(text, one_line=True)
    if not shown.strip():
        return "*(empty)*"
    longest = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    inside = shown.replace("|", "\\|") if cell else shown
    return f"{fence}{edge}{inside}{edge}{fence}"
