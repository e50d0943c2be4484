"""What the run ended with, and why."""

from dataclasses import dataclass

from compat_eval.report import words
from compat_eval.report.results import Results
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.sentences import (
    accuracy_sentence,
    coverage_problem,
    errors_said,
    gates_said,
    verdict_sentence,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """What the run ended with.

    Attributes:
        kind: `pass`, `fail`, `inconclusive` or `none`.
        word: The same for people.
        symbol: The same as one character.
        sentence: The finding that decided.
        context: What happened to accuracy; empty where units have scores.
        tally: How many gates ended how; empty without gates.
        errors: How many answers of each side are errors; empty where none is.
        coverage: What is wrong with the coverage, in a sentence; empty for nothing.
        notes: What a reader must know, in sentences.

    """

    kind: str
    word: str
    symbol: str
    sentence: str
    context: str
    tally: str
    errors: str
    coverage: str
    notes: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What follows the sentence, without the notes."""
        every = (self.context, self.errors, self.tally, self.coverage)
        return tuple(line for line in every if line)


def verdict(results: Results) -> VerdictView:
    """Return the verdict of a comparison in words."""
    kind, problem = results.verdict, coverage_problem(results)
    return VerdictView(
        kind=kind,
        word=words.VERDICTS[kind],
        symbol=words.SYMBOLS[kind],
        sentence=verdict_sentence(results),
        context=accuracy_sentence(results),
        tally=gates_said(results.gates),
        errors=errors_said(results),
        coverage=f"Coverage: {problem}." if problem else "",
        notes=results.notes,
    )


def _view(reported: ReportedRun) -> VerdictView:
    return verdict(reported.results)


SECTION = Section(title="Verdict", view=_view, template="verdict.html.j2", framed=False)
