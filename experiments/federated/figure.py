"""The published figure's form: samples retained on x, relative perplexity on y."""

from collections.abc import Callable, Mapping, Sequence

from experiments.federated.analysis import Change

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 250, 34, 48
_STROKES = ("#1b6ca8", "#c8553d", "#3c7a3c", "#7a5195", "#b8860b", "#444444", "#d45087")
_Y = "past perplexity relative to uniform, %"
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "12 4", "4 4")


def figure(
    lines: Mapping[str, Mapping[int, Change]], budgets: Sequence[int], title: str
) -> str:
    """Return an SVG: a line a method, with intervals; 0 is the reference.

    Args:
        lines: Of each method, the change at the budgets that were run.
        budgets: Places on x, the smallest first.
        title: Above it.

    """
    ends = [
        end
        for line in lines.values()
        for change in line.values()
        for end in (change.low, change.high)
    ]
    low, high = min([*ends, 0.0]) - 0.5, max([*ends, 0.0]) + 0.5
    wide = _WIDTH - _LEFT - _RIGHT
    tall = _HEIGHT - _TOP - _BOTTOM

    def x(budget: int) -> float:
        return _LEFT + wide * (budgets.index(budget) + 0.5) / len(budgets)

    def y(value: float) -> float:
        return _TOP + tall * (high - value) / (high - low)

    middle = _LEFT + wide / 2
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12"'
    across = f'x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y(0):.1f}" y2="{y(0):.1f}"'
    turned = f'transform="translate(14 {_TOP + tall / 2:.0f}) rotate(-90)"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{title}</text>',
        f'<line {across} stroke="#999"/>',
        *_ticks(low, high, y),
        *(_label(x(n), _TOP + tall + 18, str(n)) for n in budgets),
        _label(middle, _HEIGHT - 8, "samples retained by each client, N"),
        f'<text {turned} text-anchor="middle">{_Y}</text>',
    ]
    for at, (name, line) in enumerate(lines.items()):
        stroke, dash = _STROKES[at % len(_STROKES)], _DASHES[at % len(_DASHES)]
        shift = 5 * (at - (len(lines) - 1) / 2)
        points = [(x(n) + shift, change) for n, change in sorted(line.items())]
        path = " ".join(f"{px:.1f},{y(one.value):.1f}" for px, one in points)
        style = f'stroke="{stroke}" stroke-dasharray="{dash}"'
        parts.append(
            f'<polyline points="{path}" fill="none" stroke-width="2" {style}/>'
        )
        for px, one in points:
            parts.append(
                f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{y(one.low):.1f}" '
                f'y2="{y(one.high):.1f}" stroke="{stroke}"/>'
                f'<circle cx="{px:.1f}" cy="{y(one.value):.1f}" r="3" fill="{stroke}"/>'
            )
        row = _TOP + 12 + 22 * at
        left = _LEFT + wide + 16
        parts.append(
            f'<line x1="{left}" x2="{left + 26}" y1="{row}" y2="{row}" '
            f'stroke-width="2" {style}/>'
            f'<text x="{left + 32}" y="{row + 4}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.0f}" text-anchor="middle">{text}</text>'


def _ticks(low: float, high: float, y: Callable[[float], float]) -> list[str]:
    step = next(one for one in (1, 2, 5, 10, 20, 50) if (high - low) / one <= 10)  # noqa: PLR2004
    first = int(low // step) * step
    found = []
    for value in range(first, int(high) + 1, step):
        if low <= value <= high:
            at = y(value)
            found.append(
                f'<line x1="{_LEFT - 4}" x2="{_LEFT}" y1="{at:.1f}" y2="{at:.1f}" '
                'stroke="#333"/>'
                f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{value:+d}'
                "</text>"
            )
    return found
