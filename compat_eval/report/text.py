"""Foreign text made visible and harmless, before any format escapes it.

What the models, the data and file names say is foreign. Characters that cannot
be seen, or that act on a terminal, on the direction of writing or on a parser,
are replaced by symbols that can be seen: nothing is hidden and nothing acts.

Markdown of pull requests turns names after @ into notifications, addresses into
links and numbers after # into references, even where punctuation is escaped;
only code spans and an unseen character in between prevent that.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from operator import itemgetter

_C0_SYMBOLS = 0x2400
_DELETE, _DELETE_SYMBOL = 0x7F, 0x2421
_ODD = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 control characters, escape among them
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2060-\u206f\ufeff"  # unseen format marks
    "\u2028-\u202e"  # line separators, embeddings and overrides of direction
    "\ud800-\udfff"  # lone surrogates
    "\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff"  # noncharacters
    "\U000e0000-\U000e0fff"  # tags: text that nobody sees
)
_INVISIBLE = re.compile(f"[{_ODD}]|[\\U0001fffe\\U0001ffff\\U0010fffe\\U0010ffff]")
_LINE_BREAKS = re.compile(r"[\n\t]")
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>()#+!|~^$&:=-])")
_NAMED = re.compile(r"([@#])(?=\w)")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")
_BACKTICKS = re.compile("`+")
_UNSEEN = "\u200b"
_LONGEST_ANCHOR = 80
_PLAIN = re.compile(r"[A-Za-z0-9._-]")
_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_LINES = re.compile(r"[^\n.!?]*[\n.!?]+\s*|[^\n.!?]+")
_SHORT, _MOST_WORDS = 40, 400
_FOLD, _AROUND, _ALIKE = 600, 120, 0.2
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class _Clipped:
    """The beginning of a text, and how much of it is missing.

    Attributes:
        text: What is left.
        missing: How many characters were cut off; 0 where nothing was.

    """

    text: str
    missing: int


def visible(text: object, *, one_line: bool = False) -> str:
    r"""Return a text in which every character can be seen and none of them acts.

    Line breaks and tabs stay, unless `one_line` asks for symbols in their place.

    Examples:
        >>> visible("a\x1b[31m\x00")
        'a␛[31m␀'
        >>> visible("one\ntwo", one_line=True)
        'one␊two'
        >>> visible("\u202egnp.exe")
        '⟨U+202E⟩gnp.exe'

    """
    written = str(text)
    if written.isascii() and written.isprintable():
        return written
    plain = _INVISIBLE.sub(_symbol, written.replace("\r\n", "\n"))
    return _LINE_BREAKS.sub(_symbol, plain) if one_line else plain


def clip(text: str, limit: int) -> _Clipped:
    """Return the first `limit` characters, and how many were left out.

    Examples:
        >>> clip("abcdef", 4)
        _Clipped(text='abcd', missing=2)

    """
    end = limit
    while 0 < end < len(text) and unicodedata.combining(text[end]):
        end -= 1
    return _Clipped(text[:end], max(0, len(text) - end))


def shortened(text: object, limit: int) -> str:
    """Return one visible line of at most about `limit` characters."""
    head = clip(str(text)[: 4 * limit], limit)
    missing = len(str(text)) > len(head.text)
    return visible(head.text, one_line=True) + (ELLIPSIS if missing else "")


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
        for c in example_id[: _LONGEST_ANCHOR + 1]
    )
    if len(spelled) <= _LONGEST_ANCHOR:
        return f"ex-{spelled}"
    raw = example_id.encode("utf-8", "surrogatepass")
    return f"ex-~~{hashlib.sha256(raw).hexdigest()[:24]}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text: whether the other text lacks it, and whether it is folded."""

    text: str
    differs: bool
    folded: bool = False


def whole(text: str) -> tuple[Passage, ...]:
    """Return a text in one piece."""
    return (Passage(text, differs=False),) if text else ()


def compared(one: str, other: str) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """Cut two texts where they differ: word by word, long ones by sentence or line.

    Short texts such as labels stay whole, and texts that share next to nothing.

    Examples:
        >>> old = "SELECT name FROM singer WHERE age > 20 ORDER BY age"
        >>> _, new = compared(old, old.replace("singer", "band"))
        >>> [p.text for p in new if p.differs]
        ['band ']

    """
    if max(len(one), len(other)) < _SHORT or one == other:
        return whole(one), whole(other)
    head, inner, tail = _ends(_WORDS, one, other)
    if max(map(len, inner)) > _MOST_WORDS:
        head, inner, tail = _ends(_LINES, one, other)
    if max(map(len, inner)) > _MOST_WORDS:
        ours, theirs = [(inner[0], True)], [(inner[1], True)]
    else:
        steps = SequenceMatcher(None, *inner, autojunk=False).get_opcodes()
        ours = [(inner[0][a:b], tag != "equal") for tag, a, b, _, _ in steps]
        theirs = [(inner[1][c:d], tag != "equal") for tag, _, _, c, d in steps]
    ends = (head, False), (tail, False)
    same = sum(len(word) for word in (*head, *tail))
    same += sum(len(w) for run, differs in ours if not differs for w in run)
    if 2 * same < _ALIKE * (len(one) + len(other)):
        return whole(one), whole(other)
    return _joined([ends[0], *ours, ends[1]]), _joined([ends[0], *theirs, ends[1]])


def folded(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Return passages whose long stretches are folded, so that differences are seen.

    Of a long text the beginning stays; of one in which words differ, what stands around
    these.

    Examples:
        >>> [(len(p.text), p.folded) for p in folded(whole("a" * 1000))]
        [(600, False), (400, True)]

    """
    if sum(len(one.text) for one in passages) <= _FOLD + _AROUND:
        return tuple(passages)
    found: list[Passage] = []
    for at, one in enumerate(passages):
        marked = len(passages) > 1 and not one.differs
        head = _FOLD if not marked else _AROUND if at else 0
        tail = _AROUND if marked and at < len(passages) - 1 else 0
        rest = len(one.text) - head - tail
        if rest <= _AROUND:
            found.append(one)
            continue
        parts = one.text[:head], one.text[head : head + rest], one.text[head + rest :]
        found += [
            Passage(text, one.differs, folded=which == 1)
            for which, text in enumerate(parts)
            if text
        ]
    return tuple(found)


def _ends(
    pieces: re.Pattern[str], one: str, other: str
) -> tuple[list[str], tuple[list[str], list[str]], list[str]]:
    """Cut two texts into pieces: shared ones in front, what is between, shared ones."""
    left, right = pieces.findall(one), pieces.findall(other)
    start = _shared(left, right)
    end = _shared(left[start:][::-1], right[start:][::-1])
    inner = left[start : len(left) - end], right[start : len(right) - end]
    return left[:start], inner, left[len(left) - end :]


def _shared(one: list[str], other: list[str]) -> int:
    """Return with how many of the same words two texts begin."""
    differs = (at for at, (a, b) in enumerate(zip(one, other)) if a != b)  # noqa: B905 - the shorter
    return next(differs, min(len(one), len(other)))


def _joined(pieces: list[tuple[list[str], bool]]) -> tuple[Passage, ...]:
    runs = groupby(
        ((words, differs) for words, differs in pieces if words), key=itemgetter(1)
    )
    return tuple(
        Passage("".join(word for words, _ in run for word in words), differs)
        for differs, run in runs
    )


def _symbol(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == _DELETE:
        return chr(_DELETE_SYMBOL)
    return chr(_C0_SYMBOLS + code) if code < ord(" ") else f"⟨U+{code:04X}⟩"
