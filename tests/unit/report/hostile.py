"""Text that tries to be more than text."""

import re

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b]0;title\x07",
    "nul\x00 and \x08 and \x7f and \x85",
    "\u202egnp.exe\u2066",
    "\ufeff\u200b\u2028",
    "lone \ud800 surrogate \udfff",
    "a|b|c `code` **bold** [link](http://evil.example) ![i](x)",
    "@everyone #1 www.evil.example https://evil.example a@evil.example",
    "]]> <!-- --> --> &amp; \"'",
    "[bold red]markup[/] [link=http://evil.example]x[/link]",
    "{{ page }} {% raw %}",
    "=HYPERLINK(1)",
    "\ufffe\uffff",
)

ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""Characters that must not reach any output."""
