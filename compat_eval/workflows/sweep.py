"""Many simulations of one stream: methods, budgets and random seeds, each with each.

Every simulation is a federation in a folder of its own, as `federate` makes one. All of
them have one model, one training and as many steps: only what clients keep differs, and
the seed. A sweep that was interrupted goes on where it was, and one that asks for more
finds what is there.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from compat_eval.core.errors import UsageError
from compat_eval.core.files import write_whole
from compat_eval.core.fingerprint import digest
from compat_eval.core.option_text import parts_of
from compat_eval.core.progress import Progress
from compat_eval.core.text import did_you_mean
from compat_eval.federated.replay.keeping import UNLIMITED, Replay
from compat_eval.federated.simulation import FederationSettings
from compat_eval.federated.stream import RESULTS, SELF
from compat_eval.federated.sweep import SWEEP, SweepResults, SweptFederation, swept
from compat_eval.gates import Demands
from compat_eval.models.training.train import settings_from
from compat_eval.suite.load import load_suite
from compat_eval.workflows.federate import (
    FederationRequest,
    RenderFederation,
    federate,
)

RenderSweep: TypeAlias = Callable[[SweepResults], dict[str, bytes]]
"""Makes the reports of a sweep, by the names of their files."""

_OF_REPLAY = {one.name for one in fields(Replay)} - {"method", "budget"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """What is simulated.

    Attributes:
        base: What all simulations have in common; its `out` is the sweep's directory.
        methods: How clients choose, `METHOD[:setting=value,…]` each.
        budgets: How many documents they keep.
        seeds: Random seeds.
        orders: Orders of the periods, each with each seed; an empty one is sorted.
        reference: The method that all others are compared with.

    """

    base: FederationRequest
    methods: Sequence[str]
    budgets: Sequence[int]
    seeds: Sequence[int]
    orders: Sequence[tuple[str, ...]]
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """One simulation: how it is called, and what it is."""

    method: str
    budget: int | None
    request: FederationRequest

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.request.out.name


def sweep(
    request: SweepRequest,
    *,
    render: RenderSweep,
    render_each: RenderFederation = lambda _: {},
    progress: Progress,
) -> SweepResults:
    """Simulate what is not there yet, and compare all; write the tables and reports.

    Raises:
        UsageError: A method or setting makes no sense, the reference is not among the
            methods, or a folder holds another federation.
        CompatEvalError: As `federate`.

    """
    out = request.base.out
    if (out / RESULTS).is_file():
        raise UsageError(
            f"{out} holds a single federation; give --out another directory"
        )
    planned = list(_planned(request))
    found = []
    for at, one in enumerate(planned, start=1):
        label = f"{one.name} ({at} of {len(planned)})"
        content = federate(one.request, _Labelled(progress, label), render=render_each)
        found.append(SweptFederation.of(content, method=one.method, budget=one.budget))
    results = swept(
        load_suite(request.base.suite).name, found, reference=request.reference
    )
    made = [
        {"folder": one.name, "method": one.method, "budget": one.budget}
        for one in planned
    ]
    _write_sweep(out, results, request, render, federations=made)
    return results


def _write_sweep(
    out: Path,
    results: SweepResults,
    request: SweepRequest,
    render: RenderSweep,
    *,
    federations: Sequence[Mapping[str, Any]],
) -> None:
    """Write sweep.json, and beside it the reports.

    Args:
        out: The sweep's directory.
        results: What was found.
        request: What was simulated.
        render: Makes the reports.
        federations: Folder, method and budget of each, in the order of comparison.

    """
    settings = request.base.settings.model_dump(mode="json")
    common = {k: v for k, v in settings.items() if k not in {*_OF_REPLAY, "replay"}}
    common.pop("budget")
    content = {
        **results.to_dict(),
        "settings": common,
        "federations": [*federations],
    }
    content[SELF] = digest(content)
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    for name, file in render(results).items():
        write_whole(out / name, file)
    write_whole(out / SWEEP, f"{text}\n".encode())


def methods_of(texts: Sequence[str]) -> list[str]:
    """Return methods that are joined by commas, as their settings are.

    Examples:
        >>> methods_of(["uniform,coordinated:iterations=4,sketch=64", "none"])
        ['uniform', 'coordinated:iterations=4,sketch=64', 'none']

    """
    found: list[str] = []
    for part in (one for text in texts for one in parts_of(text)):
        goes_on = "=" in part and ":" not in part
        if goes_on and found:
            found[-1] += f",{part}"
        elif part:
            found.append(part)
    return list(dict.fromkeys(found))


def personal_settings(text: str) -> dict[str, Any]:
    """Return settings of a federation for `METHOD[:setting=value,…]`.

    Raises:
        UsageError: A part is no `setting=value`.

    Examples:
        >>> personal_settings("self-fl:window=0.5,weights=size")["personal_settings"]
        {'window': 0.5, 'weights': 'size'}

    """
    name, parts = _taken_apart(text)
    own: dict[str, Any] = {}
    for part, key, value in parts:
        if value is None or not key:
            raise UsageError(f"--personal {text}: {part!r} is no setting=value")
        own[key] = yaml.safe_load(value)
    return {"personal": name.strip(), "personal_settings": own}


def _taken_apart(method: str) -> tuple[str, list[tuple[str, str, str | None]]]:
    """Take `METHOD[:setting=value,…]` apart.

    Returns:
        The name, and each part as it is written, its setting, and its value; `None`
        where a part has no `=`.

    """
    name, _, rest = method.partition(":")
    parts: list[tuple[str, str, str | None]] = []
    for part in filter(None, parts_of(rest)):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        parts.append((part, key, value if equals else None))
    return name, parts


def _name_of(method: str, budget: int | None, *more: str) -> str:
    """Return the folder of a simulation; two methods may have one."""
    parts = (_safe(method), "" if budget is None else str(budget), *more)
    return "-".join(filter(None, parts))


def _planned(request: SweepRequest) -> Iterator[_Planned]:
    """Yield the simulations: those of one seed beside each other, the seeds in turn."""
    if request.reference not in request.methods:
        raise UsageError(
            f"--reference {request.reference} is not among the methods; add it to "
            f"--replay, or name one of {', '.join(request.methods)}"
        )
    made = {name: with_replay(name, request.base.settings) for name in request.methods}
    places: dict[str, str] = {}
    for seed in dict.fromkeys(request.seeds):
        for at, order in enumerate(request.orders, start=1):
            for method, settings in made.items():
                unlimited = settings.replay in UNLIMITED
                budgets = [None] if unlimited else [*dict.fromkeys(request.budgets)]
                for budget in budgets:
                    ordered = f"order{at}" if len(request.orders) > 1 else ""
                    name = _name_of(method, budget, f"seed{seed}", ordered)
                    if places.setdefault(name, method) != method:
                        name = f"{name}-{digest(method)[:6]}"
                    own = settings.model_dump()
                    own |= {} if budget is None else {"budget": budget}
                    yield _Planned(
                        method=method,
                        budget=budget,
                        request=replace(
                            request.base,
                            out=request.base.out / name,
                            seed=seed,
                            order=order,
                            gates=Demands(),
                            settings=settings_from(FederationSettings, own),
                        ),
                    )


def with_replay(method: str, base: FederationSettings) -> FederationSettings:
    """Return the settings with a method `METHOD[:setting=value,…]` of replay.

    Raises:
        UsageError: There is no such method or setting of replay.

    """
    name, parts = _taken_apart(method)
    given: dict[str, Any] = {}
    for part, key, value in parts:
        if value is None or key not in _OF_REPLAY:
            raise UsageError(
                f"--replay {method}: {part!r} is no setting of replay; "
                f"{did_you_mean(key, sorted(_OF_REPLAY))}"
            )
        given[key] = None if value == "null" else value
    common = {**base.model_dump(), **given, "replay": name}
    made = settings_from(FederationSettings, common)
    made.made_replay()  # refuses an unknown method before anything is simulated
    made.made_algorithm()
    return made


def _safe(method: str) -> str:
    return re.sub(r"[^\w.=-]+", "-", method)


class _Labelled:
    """A progress that says which simulation it is about."""

    def __init__(self, inner: Progress, label: str) -> None:
        self._inner, self._label = inner, label

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Begin a stretch."""
        self._inner.start(f"{self._label}: {label}", total=total, done=done)

    def advance(self, count: int) -> None:
        """Go on."""
        self._inner.advance(count)

    def note(self, message: str) -> None:
        """Say something."""
        self._inner.note(f"{self._label}: {message}")

    def stop(self) -> None:
        """End the stretch."""
        self._inner.stop()
