"""SQL as text: two spellings of one query are the same."""

import re

_LONGEST = 100_000
_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?(?:\*/|\Z)"
    r"|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]\n]{0,200}\]"
    r"|[A-Za-z_\u0080-\uffff][\w$]*|[0-9]+(?:\.[0-9]+)?|\.[0-9]+"
    r"|<>|[!<>=]=|\|\||\S",
    re.DOTALL,
)


def normalised_query(text: str) -> tuple[str, ...] | None:
    """Return the tokens of a query; `None` where there is none.

    Case (of values too), blanks, comments, a last semicolon and the kind of quotation
    marks make no query another one.

    Examples:
        >>> one = 'SELECT  Name FROM t WHERE a = "x" ;'
        >>> normalised_query(one) == normalised_query("select name from t where a='x'")
        True

    """
    if len(text) > _LONGEST:
        return None
    tokens = [_plain(token) for token in _TOKEN.findall(query_of(text))]
    tokens = [token for token in tokens if token]
    while tokens and tokens[-1] == ";":
        tokens.pop()
    return tuple(tokens) or None


def _plain(token: str) -> str:
    if token.startswith(("--", "/*")):
        return ""
    if token[0] in "'\"`[" and len(token) > 1:
        inner = token[1:-1].replace(token[0] * 2, token[0])
        return f"'{inner.lower()}'"
    return token.lower()


_FENCE = re.compile(r"```(?:\w+)?[ \t]*\n(.*?)```", re.DOTALL)


def query_of(text: str) -> str:
    """Return what stands in the first code block of an answer, where there is one."""
    found = _FENCE.search(text)
    return found[1] if found else text
