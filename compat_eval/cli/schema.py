"""`compat-eval schema`: what a file may say, for editors and other programs."""

from enum import StrEnum
from typing import Annotated

import typer

from compat_eval.cli.help import examples

app = typer.Typer(rich_markup_mode=None)


class What(StrEnum):
    """What is described."""

    SUITE = "suite"
    GATES = "gates"
    POLICY = "policy"
    MITIGATIONS = "mitigations"


@app.command(
    epilog=examples(
        "compat-eval schema > suite.schema.json",
        "compat-eval schema --what gates",
    )
    + "\n\nAn editor knows the schema of a file that begins with "
    "# yaml-language-server: $schema=suite.schema.json"
)
def schema(
    what: Annotated[What, typer.Option(help="What to describe.")] = What.SUITE,
) -> None:
    """Print the JSON Schema of suites, gates, policies or mitigations' settings."""
    import json

    if what is What.MITIGATIONS:
        from compat_eval.mitigations import MITIGATIONS
        from compat_eval.mitigations.mitigation import schema_of

        every = {name: MITIGATIONS.load(name) for name in MITIGATIONS.names()}
        schemas = {name: schema_of(one) for name, one in every.items()}
        typer.echo(json.dumps(schemas, indent=2, ensure_ascii=False))
        return
    from compat_eval.suite.yaml.json_schema import (
        gates_schema,
        policy_schema,
        suite_schema,
    )

    made = {
        What.SUITE: suite_schema,
        What.GATES: gates_schema,
        What.POLICY: policy_schema,
    }[what]()
    typer.echo(json.dumps(made, indent=2, ensure_ascii=False))
