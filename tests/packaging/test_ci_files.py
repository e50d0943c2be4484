"""What other repositories use of this one: the action, the template, the hook."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.comment_server import CommentServer, serving

ROOT = Path(__file__).resolve().parents[2]
ROWS = [f"e{at},text {at},yes,yes" for at in range(400)]
HEAD = "id,input,gold,prediction"
GATES = "gates:\n  - {quantity: nfr, at_most: 0.02}\n"


@pytest.fixture
def server() -> Iterator[CommentServer]:
    with serving() as found:
        yield found


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A checkout with answers, and a `compat-eval` that is this one."""
    broken = [row.replace("yes,yes", "yes,no") for row in ROWS[:40]]
    for name, rows in (("old", ROWS), ("same", ROWS), ("new", broken + ROWS[40:])):
        (tmp_path / f"{name}.csv").write_text("\n".join([HEAD, *rows, ""]))
    (tmp_path / "gates.yaml").write_text(GATES)
    programs = tmp_path / "bin"
    programs.mkdir()
    script = f'#!/bin/sh\nexec "{sys.executable}" -m compat_eval "$@"\n'
    (programs / "compat-eval").write_text(script)
    (programs / "compat-eval").chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    event = {"pull_request": {"number": 12, "head": {"sha": "0123456789abcdef"}}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    return tmp_path


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def shell(script: str, folder: Path, environment: Mapping[str, str]) -> Any:
    kept = {k: v for k, v in os.environ.items() if "COMPAT_EVAL" not in k}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    python = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**kept, "PATH": path, "PYTHONPATH": python, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def ran_action(
    folder: Path, server: CommentServer, **given: str
) -> tuple[int, str, str]:
    """Run the two steps that hold our shell, as GitHub would; code, log, output."""
    action = read("action.yml")
    inputs = {k: v["default"] for k, v in action["inputs"].items()} | given
    by_name = {step.get("name"): step for step in action["runs"]["steps"]}
    output = folder / "output"
    output.write_text("")
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": server.url,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_REPOSITORY": "us/models",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "RUNNER_TEMP": str(folder),
    }

    def value(text: str) -> str:
        found = {
            "inputs.token": "t",
            "steps.compare.outputs.exit-code": output.read_text().partition("=")[2],
            "github.workspace": str(folder),
        }
        found |= {f"inputs.{k}": v for k, v in inputs.items() if k != "token"}
        key = inputs["key"] or inputs["suite"] or inputs["policy"] or "compat-eval"
        return re.sub(
            r"\$\{\{ (.*?) \}\}",
            lambda match: found.get(match[1], key).strip(),
            text,
        )

    log, code = "", 0
    for name in ("Compare", "Publish"):
        step = by_name[name]
        own = {k: value(v) for k, v in step["env"].items()}
        done = shell(step["run"], folder, environment | own)
        log, code = log + done.stdout + done.stderr, done.returncode
    return code, log, output.read_text()


def test_the_action_passes_what_is_safe(workplace: Path, server: CommentServer) -> None:
    code, log, output = ran_action(
        workplace, server, old="old.csv", new="same.csv", gates="gates.yaml"
    )

    assert (code, output) == (0, "exit-code=0\n"), log
    assert "PASS" in server.bodies[0]
    assert (workplace / "summary").read_text() == server.bodies[0]
    assert (workplace / "compat-eval-run" / "report.html").exists()


def test_the_action_fails_where_a_gate_does_and_a_mistake_follows_no_pass(
    workplace: Path, server: CommentServer
) -> None:
    given = {"old": "old.csv", "new": "new.csv", "gates": "gates.yaml"}

    failed, log, _ = ran_action(workplace, server, **given, args="--seed 3")
    paused = re.findall(r"^::stop-commands::(\w+)$", log, re.MULTILINE)

    assert failed == 1
    assert f"\n::{paused[0]}::\n" in log
    assert log.index(f"\n::{paused[0]}::\n") < log.index("::error title=")
    assert "FAIL" in server.bodies[0]

    wrong, _, output = ran_action(workplace, server, **given, args="--sed 'a b")

    assert (wrong, output) == (2, "exit-code=2\n")
    assert "NO VERDICT" in server.bodies[0]
    assert len(server.bodies) == 1


def test_no_value_of_a_workflow_is_written_into_shell_code() -> None:
    for step in read("action.yml")["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_the_action_says_what_github_asks_for() -> None:
    action = read("action.yml")

    assert action["runs"]["using"] == "composite"
    assert all(
        set(one) == {"description", "default"} for one in action["inputs"].values()
    )
    assert all(
        set(one) == {"description", "value"} for one in action["outputs"].values()
    )
    for step in action["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step and step["shell"] == "bash")
    named = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert named == set(action["inputs"])


def test_the_template_ends_as_the_comparison_did_and_keeps_its_junit(
    workplace: Path, server: CommentServer
) -> None:
    job = read("ci/gitlab.yml")[".compat-eval"]
    given = {"OLD": "old.csv", "NEW": "new.csv", "GATES": "gates.yaml"}
    variables = {k: v for k, v in job["variables"].items() if "$" not in v}
    environment = {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": server.url,
        "CI_JOB_NAME": "models",
        "CI_MERGE_REQUEST_IID": "5",
        "CI_PROJECT_ID": "41",
        "COMPAT_EVAL_GITLAB_TOKEN": "t",
    }

    done = shell(job["script"][0], workplace, {**variables, **environment, **given})

    assert done.returncode == 1, done.stderr
    assert server.bodies[0].startswith("<!-- compat-eval:models -->")
    assert (workplace / "compat-eval-run" / "junit.xml").exists()
    assert job["artifacts"]["reports"]["junit"] == "$OUT/junit.xml"
    assert job["artifacts"]["when"] == "always"


def test_the_hook_checks_the_files_that_changed(workplace: Path) -> None:
    (hook,) = read(".pre-commit-hooks.yaml")
    (workplace / "bad.yaml").write_text("gates:\n  - {quantity: nfr, at_mots: 0.1}\n")

    (workplace / "policy.yaml").write_text(
        "suites:\n  a:\n    gates: [{quantity: nfr, at_most: 0.1}]\n"
    )

    good = shell(f"{hook['entry']} gates.yaml policy.yaml", workplace, {})
    bad = shell(f"{hook['entry']} gates.yaml bad.yaml", workplace, {})

    assert (good.returncode, bad.returncode) == (0, 2)
    assert "bad.yaml:2: gates[0].at_mots" in bad.stderr
    for name in ("suite.yaml", "evals/gates-nightly.yml", "policy.yaml"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "docker-compose.yaml")
