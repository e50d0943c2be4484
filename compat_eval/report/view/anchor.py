"""The address of an example on the page."""

import hashlib
import re

_LONGEST = 80
_PLAIN = re.compile(r"[A-Za-z0-9._-]")


def anchor(example_id: str) -> str:
    """Return the fragment for an id; different ids have different ones.

    Letters, digits, dots, dashes and underscores stay; other characters are
    spelled out. Very long ids are replaced by a digest.

    Examples:
        >>> anchor("test-12"), anchor("a b")
        ('ex-test-12', 'ex-a~20~b')

    """
    spelled = "".join(
        c if _PLAIN.fullmatch(c) else f"~{ord(c):x}~"
        for c in example_id[: _LONGEST + 1]
    )
    if len(spelled) <= _LONGEST:
        return f"ex-{spelled}"
    raw = example_id.encode("utf-8", "surrogatepass")
    return f"ex-~~{hashlib.sha256(raw).hexdigest()[:24]}"
