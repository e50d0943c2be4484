"""`compat-eval plan`: how many examples a gate needs, and what a number can prove."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import rate
from compat_eval.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None)

_SMALLEST_LIMIT = 1e-8


class Metric(StrEnum):
    """A quantity that can be certified."""

    NFR = "nfr"
    NFI = "nfi"
    ACCURACY_CHANGE = "accuracy_change"

    @property
    def unit(self) -> str:
        """What has to be counted."""
        return "errors of the new model" if self is Metric.NFI else "examples"

    @property
    def is_share(self) -> bool:
        """Whether it is a share of what broke; else a change with a lower limit."""
        return self is not Metric.ACCURACY_CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is planned.

    Attributes:
        metric: The quantity.
        limit: The gate's limit.
        expected: Its value that is believed to be true; `None` where nobody says.
        flips: Share of examples that flip either way, for a change in accuracy.
        n: How many examples there are; `None` where nobody says.
        power: The chance to pass.
        confidence: That of the run.
        gates: How many certifying gates share its error (Holm).
        design_effect: How many examples are worth one independent example.
        cluster_size: How many examples a cluster holds; `None` where nobody says.
        icc: Intra-cluster correlation; likewise.

    """

    metric: Metric
    limit: float
    expected: float | None = None
    flips: float | None = None
    n: int | None = None
    power: float = 0.8
    confidence: float = 0.95
    gates: int = 1
    design_effect: float = 1.0
    cluster_size: float | None = None
    icc: float | None = None

    @property
    def alpha(self) -> float:
        """The level of a gate that is proven before any other of the run."""
        return round(1 - self.confidence, 12) / self.gates

    def found(self) -> dict[str, Any]:
        """Return what the gate needs, and what `n` examples are good for."""
        from compat_eval.statistics.power import SamplePlan

        found = SamplePlan(
            limit=self.limit,
            alpha=self.alpha,
            power=self.power,
            expected=self.expected,
            flips=self.flips,
            design_effect=self.design_effect,
        ).found(self.n)
        return found if self.design_effect <= 1 else self._of_clusters(found)

    def _of_clusters(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return what was found with what the bounds know of clusters.

        Few of them prove little, however large they are, and a gate does not know the
        design effect but estimates it.
        """
        from compat_eval.statistics.planned_clusters import PlannedClusters
        from compat_eval.statistics.power import smallest_n

        if self.metric.is_share:
            found["fewest_clusters"] = smallest_n(0, self.limit, alpha=self.alpha)
            fewest = found["fewest_clusters"] * (self.cluster_size or 1)
            found["smallest"] = [max(k, math.ceil(fewest)) for k in found["smallest"]]
        size, icc, expected = self.cluster_size, self.icc, self.expected
        if size is None or icc is None or expected is None:
            return found
        if (expected >= self.limit) == self.metric.is_share:
            return found
        flips = self.flips if self.flips is not None else expected
        clusters = PlannedClusters(
            size=size,
            icc=icc,
            broken=flips if self.metric.is_share else (flips - expected) / 2,
            fixed=0.0 if self.metric.is_share else (flips + expected) / 2,
            change=not self.metric.is_share,
        )
        found["needed"] = clusters.needed(self.limit, self.alpha, self.power)
        found["first"] = found["needed"]
        if self.n is not None and self.metric.is_share:
            found["given"]["chance"] = clusters.chance(self.n, self.limit, self.alpha)
        return found


@app.command(
    epilog=examples(
        "compat-eval plan --limit 0.005 --expected 0.002",
        "compat-eval plan --limit 0.005 --n 2000",
        "compat-eval plan --metric accuracy_change --limit -0.01 --flips 0.04",
    )
)
def plan(
    limit: Annotated[
        float,
        typer.Option(
            help="The gate's limit: 0.005 or 0.5%.", parser=rate, metavar="RATE"
        ),
    ],
    *,
    metric: Annotated[
        Metric,
        typer.Option(
            help="nfr: broken of all; nfi: broken of new's errors; accuracy_change: "
            "its limit is the least that is allowed, such as -0.01."
        ),
    ] = Metric.NFR,
    expected: Annotated[
        float | None,
        typer.Option(
            help="The value you believe to be true.", parser=rate, metavar="RATE"
        ),
    ] = None,
    flips: Annotated[
        float | None,
        typer.Option(
            help="For accuracy_change: the share of examples that flip either way.",
            parser=rate,
            metavar="RATE",
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option(help="Say what this many examples can prove.")
    ] = None,
    power: Annotated[
        float,
        typer.Option(
            help="Probability to pass if the expected value is the true one.",
            parser=rate,
            metavar="RATE",
        ),
    ] = 0.8,
    confidence: Annotated[
        float,
        typer.Option(
            help="One-sided confidence of the run's bounds.",
            parser=rate,
            metavar="RATE",
        ),
    ] = 0.95,
    gates: Annotated[
        int,
        typer.Option(help="Number of certifying gates among which Holm divides alpha."),
    ] = 1,
    cluster_size: Annotated[
        float | None,
        typer.Option(
            help="Number of examples in a cluster (document, user, dialogue)."
        ),
    ] = None,
    icc: Annotated[
        float | None,
        typer.Option(help="Intra-cluster correlation, from 0 to 1."),
    ] = None,
    design_effect: Annotated[
        float | None,
        typer.Option(
            help="Design effect, as reports show it; in place of cluster size and icc."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """How many fresh examples does a `certify` gate need?"""
    asked = Plan(
        metric=metric,
        limit=limit,
        expected=expected,
        flips=flips,
        n=n,
        power=power,
        confidence=confidence,
        gates=gates,
        design_effect=_design_effect(design_effect, cluster_size, icc),
        cluster_size=cluster_size,
        icc=icc,
    )
    _check(asked)
    found = asked.found()
    if as_json:
        _print_json({**_asked_fields(asked), **found})
        return
    _print_smallest(asked, found["smallest"])
    if expected is not None:
        typer.echo(_needed_text(asked, found))
    if found["given"] is not None:
        typer.echo(_given_text(asked, found["given"]))
    typer.echo(_CAUTION)


_CAUTION = (
    "Decide the number before you look: adding examples to a sample that has been "
    "judged, and judging it again, errs more often than its confidence says."
)


def _design_effect(
    given: float | None, cluster_size: float | None, icc: float | None
) -> float:
    """Return Kish's design effect of clusters of one size.

    Raises:
        UsageError: It is given twice, by half, or below 1.

    """
    if given is not None and (cluster_size is not None or icc is not None):
        raise UsageError("give --design-effect, or --cluster-size and --icc, not both")
    if (cluster_size is None) != (icc is None):
        raise UsageError(
            "--cluster-size and --icc belong together: 1 + (size − 1) · icc"
        )
    if cluster_size is not None and icc is not None:
        if cluster_size < 1 or not 0 <= icc <= 1:
            raise UsageError(
                "--cluster-size must be a number from 1, and --icc one from 0 to 1; "
                f"got {cluster_size:g} and {icc:g}"
            )
        return 1 + (cluster_size - 1) * icc
    if given is not None and not 1 <= given < math.inf:
        raise UsageError(f"--design-effect must be a number from 1; got {given:g}")
    return 1.0 if given is None else given


def _check(asked: Plan) -> None:
    _check_fractions(power=asked.power, confidence=asked.confidence)
    if asked.gates < 1:
        raise UsageError(f"--gates must be a number from 1; got {asked.gates}")
    if asked.n is not None and asked.n < 1:
        raise UsageError(f"--n must be a number from 1; got {asked.n}")
    if not asked.metric.is_share:
        _check_change(asked)
        return
    if asked.flips is not None:
        raise UsageError("--flips belongs to --metric accuracy_change")
    _check_fractions(limit=asked.limit)
    if asked.expected is not None and not 0 <= asked.expected <= 1:
        raise UsageError(
            f"--expected must be a fraction in [0, 1]; got {asked.expected}"
        )


def _check_change(asked: Plan) -> None:
    if asked.flips is None or not 0 <= asked.flips <= 1:
        raise UsageError(
            "a change in accuracy needs --flips, the share of examples that break or "
            "are fixed, such as 0.04; an earlier report shows it as NFR + PFR"
        )
    if not -1 < asked.limit < 1:
        raise UsageError(
            "--limit must be a fraction above -1 and below 1, such as -0.01 for a loss "
            f"of one point; got {asked.limit}"
        )
    if asked.expected is not None and abs(asked.expected) > asked.flips:
        raise UsageError(
            f"--expected {asked.expected:g} cannot be: only {asked.flips:g} flip"
        )


def _check_fractions(**fractions: float) -> None:
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


def _asked_fields(asked: Plan) -> dict[str, Any]:
    fields = ("limit", "expected", "flips", "n", "power", "confidence", "gates")
    return {
        **{name: getattr(asked, name) for name in fields},
        "metric": asked.metric.value,
        "unit": asked.metric.unit,
        "design_effect": asked.design_effect,
        "alpha": asked.alpha,
    }


def _print_smallest(asked: Plan, smallest: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table

    sign = "≤" if asked.metric.is_share else "≥"
    head = f"{asked.metric.value} {sign} {asked.limit:.4g} at "
    head += f"{1 - asked.alpha:.4g} one-sided confidence"
    if asked.gates > 1:
        head += f", the first of {asked.gates} gates"
    if asked.design_effect > 1:
        head += f", design effect {asked.design_effect:.3g}"
    typer.echo(head)
    if not smallest:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("broken", justify="right")
    table.add_column(f"{asked.metric.unit} needed", justify="right")
    effect = asked.design_effect
    for k, needed in enumerate(smallest):
        if needed not in smallest[k + 1 :]:  # so many clusters allow more
            table.add_row(f"{k * effect:.0f}", f"{needed:,}")
    Console().print(table)


def _needed_text(asked: Plan, found: dict[str, Any]) -> str:
    expected, limit = asked.expected, asked.limit
    first, needed = found["first"], found["needed"]
    assert expected is not None
    reached = expected >= limit if asked.metric.is_share else expected <= limit
    if reached:
        side = "below" if asked.metric.is_share else "above"
        return (
            f"A true value of {expected:.4g} is not {side} the limit {limit:.4g}: no "
            "number of examples certifies it."
        )
    if needed is None or first is None:
        return (
            f"A true value of {expected:.4g} is so near the limit that more than a "
            "billion would be needed."
        )
    text = (
        f"From {needed:,} {asked.metric.unit} on the gate passes with a chance "
        f"of at least {asked.power:.4g} where the true value is {expected:.4g}."
    )
    if first < needed:
        text += (
            f" ({first:,} have that chance too, but some samples between do not: "
            "the chance falls until one more may break.)"
        )
    if asked.cluster_size is not None:
        return text + f" That is {math.ceil(needed / asked.cluster_size):,} clusters."
    if "fewest_clusters" in found:
        text += (
            f" It takes {found['fewest_clusters']:,} clusters besides, however large "
            "they are; with --cluster-size and --icc the plan knows them."
        )
    return text


def _given_text(asked: Plan, given: dict[str, Any]) -> str:
    assert asked.n is not None
    lines = [f"{asked.n:,} {asked.metric.unit}:"]
    if asked.metric.is_share:
        lines += _given_share(asked, given)
    else:
        breach = given["detectable_change"]
        lines.append(
            f"  prove a loss where the change found is {breach:.4g} or less"
            if breach is not None
            else "  prove no loss, however bad the answers"
        )
    return "\n".join(lines)


def _given_share(asked: Plan, given: dict[str, Any]) -> list[str]:
    limit, power, most = asked.limit, asked.power, given["most_flips"]
    if most < 0:
        bound = given["bound_without_flips"]
        said = f"even without one broken the bound is {bound:.4g}"
        lines = [f"  cannot certify {limit:.4g}: {said}"]
    else:
        most, rate = int(most * asked.design_effect), given["largest_certifiable_rate"]
        lines = [
            f"  certify {limit:.4g} with at most {most:,} broken",
            f"  do so with a chance of {power:.4g} up to a true rate of {rate:.4g}",
        ]
    breach = given["smallest_detectable_rate"]
    if breach is not None:
        lines.append(
            f"  prove a breach with a chance of {power:.4g} from a true rate of "
            f"{breach:.4g}"
        )
    if given["chance"] is not None:
        lines.append(
            f"  pass with a chance of {given['chance']:.4g} at the expected rate"
        )
    return lines


def _print_json(value: object) -> None:
    import json

    typer.echo(json.dumps(value, indent=1, sort_keys=True))
