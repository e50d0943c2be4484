"""A suite: what is asked, what is right, what is counted, and what is demanded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from compat_eval.core.errors import SuiteError
from compat_eval.core.fingerprint import digest
from compat_eval.core.grades import names
from compat_eval.core.protocols import Task
from compat_eval.gates import Demands
from compat_eval.suite.catalogue import shipped_suites
from compat_eval.suite.data.source import Source
from compat_eval.suite.yaml.gates import GatesFile
from compat_eval.suite.yaml.schema import Corpus, Fields, Labels, Slice, SuiteFile
from compat_eval.tasks import task as task_of

DEV_NAMES = ("dev", "validation", "val")
"""What suites call the split by which trainings stop and settings are chosen."""

_FOR_PEOPLE = ("description", "licence", "homepage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A validated suite.

    Attributes:
        name: Short and stable, such as `clinc150`.
        version: As the file says; raised when examples or gates change.
        task: What is right at each level.
        levels: The levels to compare; a subset of the task's.
        data: Split name to the sources that are joined in order; `test` is there.
        fields: Which columns mean what.
        judgements: Split name to the sources of its judgements, if these stand apart.
        corpus: The documents that queries are asked of, or `None`.
        repeats: Whether exact repeats of an example without id are numbered.
        slices: Slice name to its rule.
        demands: The gates; without any nothing is judged.
        labels: Label names and aliases of a classification suite, or `None`.
        config: JSON-ready, fully resolved, without secrets or absolute paths;
            `from_config` makes the same suite of it.
        base: Folder that `file:` and `bundled:` are relative to; no part of what
            the suite is. `None` where it is not known.

    """

    name: str
    version: str
    task: Task
    levels: tuple[str, ...]
    data: Mapping[str, tuple[Source, ...]]
    fields: Fields
    judgements: Mapping[str, tuple[Source, ...]]
    corpus: Corpus | None
    repeats: Literal["number", "error"]
    slices: Mapping[str, Slice]
    demands: Demands
    labels: Labels | None
    config: Mapping[str, Any] = field(repr=False)
    base: Path | None = field(default=None, repr=False, compare=False)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, `test` first."""
        return ("test", *(name for name in self.data if name != "test"))

    def dev_split(self, *, besides: str | None = None) -> str | None:
        """Return the first of `DEV_NAMES` that the suite has, `None` where it has none.

        Args:
            besides: A split with another use, so that it cannot be this one.

        """
        found = (name for name in DEV_NAMES if name in self.data and name != besides)
        return next(found, None)

    def fingerprint(self) -> str:
        """Return a SHA-256 of everything that decides a result.

        Descriptions and licences do not count. Bytes of files without a declared
        `sha256` do not either: fingerprint the loaded examples for those.
        """
        counted = {k: v for k, v in self.config.items() if k not in _FOR_PEOPLE}
        return digest(counted)

    def with_demands(self, demands: Demands) -> "Suite":
        """Return the suite with other demands, as `--gates FILE` asks for."""
        rest = {k: v for k, v in self.config.items() if k not in GatesFile.model_fields}
        return replace(self, demands=demands, config={**rest, **demands.config})

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], *, base: Path | None = None
    ) -> "Suite":
        """Make a suite again from what a manifest stored.

        Args:
            config: What `Suite.config` held.
            base: The suite file's folder. Where it is not given, a shipped suite
                of that name is taken; other suites then find their files in the
                data directory only.

        Raises:
            SuiteError: The config does not describe a suite.

        """
        try:
            file = SuiteFile.model_validate(dict(config))
        except ValidationError as error:
            raise SuiteError(f"not a suite's config: {error}") from error
        if base is None and file.name in (shipped := shipped_suites()):
            base = shipped[file.name].path.parent
        return cls.from_file(file, base=base)

    @classmethod
    def from_file(cls, file: SuiteFile, *, base: Path | None) -> "Suite":
        """Make a suite of a validated suite file.

        Raises:
            UsageError: The task kind is unknown.

        """
        task = task_of(file.task.kind, **file.task.options)
        return cls(
            name=file.name,
            version=file.version,
            task=task,
            levels=file.levels or names(task.levels),
            data=file.data,
            fields=file.fields,
            judgements=file.judgements,
            corpus=file.corpus,
            repeats=file.repeats,
            slices=file.slices,
            demands=file.demands(),
            labels=file.labels,
            config=file.model_dump(mode="json", exclude_defaults=True),
            base=base,
        )
