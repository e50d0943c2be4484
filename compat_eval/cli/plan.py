"""`compat-eval plan`: how many examples a gate needs, and what a number can prove."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from compat_eval.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None)

_FLIPS_SHOWN = 6
_SMALLEST_LIMIT = 1e-8


class Metric(StrEnum):
    """A share that can be certified, and of what it is a share."""

    NFR = "nfr"
    NFI = "nfi"

    @property
    def unit(self) -> str:
        """What has to be counted."""
        return "examples" if self is Metric.NFR else "errors of the new model"

    @property
    def flips(self) -> str:
        """What is counted."""
        return "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a gate needs, or what a number of examples is good for.

    Attributes:
        smallest: Smallest number that certifies with 0, 1, 2, … broken.
        needed: Number with which the gate passes with the chance `power` where
            the true rate is `expected`; `None` where that was not asked, or no
            number is enough.
        given: What `n` examples can show; `None` where that was not asked.

    """

    smallest: tuple[int, ...]
    needed: int | None
    given: dict[str, Any] | None


@app.command(
    epilog="Examples:  compat-eval plan --limit 0.005 --expected 0.002"
    "  ·  compat-eval plan --limit 0.005 --n 2000"
)
def plan(
    limit: Annotated[float, typer.Option(help="The gate's limit; 0.005 is 0.5 %.")],
    *,
    metric: Annotated[
        Metric, typer.Option(help="nfr: broken of all; nfi: broken of new's errors.")
    ] = Metric.NFR,
    expected: Annotated[
        float | None, typer.Option(help="The rate you believe to be true.")
    ] = None,
    n: Annotated[int | None, typer.Option(help="Say what this many can prove.")] = None,
    power: Annotated[
        float, typer.Option(help="Chance to pass, where the expected rate is true.")
    ] = 0.8,
    confidence: Annotated[
        float, typer.Option(help="One-sided confidence of the gate's bound.")
    ] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """How many independent examples does a `certify` gate need?"""
    _check(limit=limit, power=power, confidence=confidence)
    if expected is not None and not 0 <= expected <= 1:
        raise UsageError(f"--expected must be a fraction in [0, 1]; got {expected}")
    if n is not None and n < 1:
        raise UsageError(f"--n must be a number from 1; got {n}")
    found = planned(
        limit, expected=expected, n=n, power=power, alpha=round(1 - confidence, 12)
    )
    if as_json:
        asked = {
            "metric": metric.value,
            "unit": metric.unit,
            "limit": limit,
            "expected": expected,
            "n": n,
            "power": power,
            "confidence": confidence,
        }
        _print_json({**asked, **_fields(found)})
        return
    _print_smallest(metric, limit, confidence, found.smallest)
    if expected is not None:
        typer.echo(_needed_text(metric, limit, expected, power, found.needed))
    if n is not None and found.given is not None:
        typer.echo(_given_text(metric, limit, n, power, found.given))
    typer.echo(
        "Numbers are of independent examples: where some share a document or a "
        "dialogue, multiply by the design effect that a report shows."
    )


def planned(
    limit: float, *, expected: float | None, n: int | None, power: float, alpha: float
) -> Planned:
    """Work out the sample sizes by search over the binomial distribution."""
    from compat_eval.stats.power import smallest_n, smallest_n_with_power

    needed = None
    if expected is not None:
        needed = smallest_n_with_power(expected, limit, power=power, alpha=alpha)
    return Planned(
        smallest=tuple(smallest_n(k, limit, alpha=alpha) for k in range(_FLIPS_SHOWN)),
        needed=needed,
        given=None if n is None else _given(n, limit, expected, power, alpha),
    )


def _given(
    n: int, limit: float, expected: float | None, power: float, alpha: float
) -> dict[str, Any]:
    from compat_eval.stats import power as of
    from compat_eval.stats.proportion import upper_bound

    return {
        "most_flips": of.most_flips(n, limit, alpha=alpha),
        "bound_without_flips": float(upper_bound(0, n, alpha=alpha)),
        "largest_certifiable_rate": of.largest_certifiable_rate(
            n, limit, power=power, alpha=alpha
        ),
        "smallest_detectable_rate": of.smallest_detectable_rate(
            n, limit, power=power, alpha=alpha
        ),
        "chance": None
        if expected is None
        else of.chance_to_certify(n, expected, limit, alpha=alpha),
    }


def _check(**fractions: float) -> None:
    for name, value in fractions.items():
        if name == "limit" and 0 < value < _SMALLEST_LIMIT:
            raise UsageError(
                f"--limit must be at least {_SMALLEST_LIMIT:g}; got {value:g}, which "
                "more than a billion examples would have to prove"
            )
        if not 0 < value < 1:
            raise UsageError(
                f"--{name} must be a fraction above 0 and below 1; got {value}. "
                "For 2 % write 0.02."
            )


def _fields(found: Planned) -> dict[str, Any]:
    from compat_eval.core.estimate import defined

    given = found.given and {
        name: defined(value) if isinstance(value, float) else value
        for name, value in found.given.items()
    }
    return {"smallest": list(found.smallest), "needed": found.needed, "given": given}


def _print_smallest(
    metric: Metric, limit: float, confidence: float, smallest: tuple[int, ...]
) -> None:
    from rich.console import Console
    from rich.table import Table

    typer.echo(f"{metric.value} ≤ {limit:.4g} at {confidence:.4g} one-sided confidence")
    table = Table(box=None, pad_edge=False)
    table.add_column(metric.flips, justify="right")
    table.add_column(f"certified from so many {metric.unit}", justify="right")
    for k, needed in enumerate(smallest):
        table.add_row(str(k), f"{needed:,}")
    Console().print(table)


def _needed_text(
    metric: Metric, limit: float, expected: float, power: float, needed: int | None
) -> str:
    if needed is None and expected >= limit:
        return (
            f"A true rate of {expected:.4g} is not below the limit {limit:.4g}: no "
            "number of examples certifies it."
        )
    if needed is None:
        return (
            f"A true rate of {expected:.4g} is so near the limit that more than a "
            "billion would be needed."
        )
    return (
        f"With {needed:,} {metric.unit} the gate passes with a chance of at least "
        f"{power:.4g} where the true rate is {expected:.4g}."
    )


def _given_text(
    metric: Metric, limit: float, n: int, power: float, given: dict[str, Any]
) -> str:
    lines = [f"{n:,} {metric.unit}:"]
    most = given["most_flips"]
    if most < 0:
        bound = given["bound_without_flips"]
        lines.append(
            f"  cannot certify {limit:.4g}: even without one {metric.flips} the bound "
            f"is {bound:.4g}"
        )
    else:
        rate = given["largest_certifiable_rate"]
        lines.append(f"  certify {limit:.4g} with at most {most:,} {metric.flips}")
        lines.append(
            f"  do so with a chance of {power:.4g} up to a true rate of {rate:.4g}"
        )
    breach = given["smallest_detectable_rate"]
    if breach == breach:  # noqa: PLR0124 - nan is unlike itself
        lines.append(
            f"  prove a breach with a chance of {power:.4g} from a true rate of "
            f"{breach:.4g}"
        )
    if given["chance"] is not None:
        lines.append(
            f"  pass with a chance of {given['chance']:.4g} at the expected rate"
        )
    return "\n".join(lines)


def _print_json(value: object) -> None:
    import json

    typer.echo(json.dumps(value, indent=1, sort_keys=True))
