"""Gates as a file writes them, and the demands that they make."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from compat_eval.core.errors import CompatEvalError
from compat_eval.gates import Demands, Gate
from compat_eval.suite.data.source import Texts
from compat_eval.suite.yaml.strict import Number, OrPercent, Problem, Strict

Fraction = Annotated[float, Field(ge=0, le=1), OrPercent()]


class Loss(Strict):
    """A change for the worse, in the metric's own direction."""

    of: str
    """The metric, such as accuracy or macro_f1."""
    at_most: Annotated[float, Field(ge=0), OrPercent()]
    """How much worse it may become."""


class GateRule(Strict):
    """One demand on the update."""

    quantity: str | None = None
    """What is limited, such as nfr, nfi, accuracy_change or accuracy_new; of the task's
    own statistics such as macro_f1_new or macro_f1_change."""
    at_most: Number | None = None
    """The upper limit; a rate is a fraction, 0.005, or a percentage, 0.5%."""
    at_least: Number | None = None
    """The lower limit."""
    loss: Loss | None = None
    """In place of quantity: how much worse a metric may become."""
    semantics: Literal["certify", "detect"] | None = None
    """certify passes only where the evidence proves the limit; detect fails only
    where it proves a breach. The default is certify for nfr and nfi."""
    level: str | None = None
    """The level that is judged; the default is the task's first."""
    slice: str | None = None
    """One slice only, as name=value, such as oos=yes."""
    relative: bool = False
    """Whether the limit is a share of the old model's value."""

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        """Yield a gate that limits nothing, or twice."""
        has_loss = raw.get("loss") is not None
        has_quantity = raw.get("quantity") is not None
        if has_loss == has_quantity:
            have = "both" if has_loss else "neither"
            yield (), f"needs exactly one of quantity and loss; got {have}"
        limits = [k for k in ("at_most", "at_least") if raw.get(k) is not None]
        if has_quantity and len(limits) != 1:
            have = "both" if limits else "neither"
            yield (), f"needs exactly one of at_most and at_least; got {have}"
        if has_loss and limits:
            yield (limits[0],), "stands inside loss: {of: …, at_most: …}"

    def defects(self) -> Iterator[Problem]:
        """Yield what the gate itself refuses."""
        if self.slice is not None and "=" not in self.slice:
            yield ("slice",), f"must be name=value, such as oos=yes; got {self.slice!r}"
        try:
            self.gate()
        except (CompatEvalError, ValueError, TypeError) as error:
            yield (), str(error)

    def gate(self) -> Gate:
        """Return the gate that judges."""
        given = self.model_dump(exclude_none=True, exclude_defaults=True)
        return Gate(**given)


class Protected(Strict):
    """Examples that may not break at all."""

    ids: Texts = ()
    """Names of examples."""
    slices: Texts = ()
    """Whole slices, each as name=value."""


class GatesFile(Strict):
    """What is demanded of an update; a gates file, or part of a suite."""

    elsewhere: ClassVar[tuple[str, ...]] = ("include",)

    gates: Annotated[tuple[GateRule, ...], Field(strict=False)] = ()
    """The demands. Without gates nothing is judged."""
    correction: Literal["holm", "none"] = "holm"
    """How the gates share the allowed error: holm, or none (each by itself)."""
    confidence: Annotated[float, Field(gt=0.5, lt=1), OrPercent()] = 0.95
    """Confidence of intervals and gates, between 0.5 and 1."""
    protected: Protected = Protected()
    """Examples with zero tolerance and no statistics."""

    def demands(self) -> Demands:
        """Return what is demanded."""
        return Demands(
            gates=tuple(rule.gate() for rule in self.gates),
            protected_ids=self.protected.ids,
            protected_slices=self.protected.slices,
            correction=self.correction,
            confidence=self.confidence,
            config=self.model_dump(
                mode="json", exclude_defaults=True, include=set(GatesFile.model_fields)
            ),
        )
