# ruff: noqa: INP001 - part of a script, no package
"""Run what a page shows, and write down what really came out.

In a page's fenced blocks

- a block whose first line is `# some/file.ext`, or before which stands
  `<!-- file: some/file.ext -->`, is that file,
- a `console` block holds commands after `$`, with their output below each,
- a `python` block without a file name is run; a `text` block after it is its output.

Everything of one page runs in order in one directory. A line `…` in an output stands
for lines left out. A block after `<!-- not run: why -->` or `<!-- output varies -->`
is not run, or run without regard to its output.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docs import warm

WIDTH = 80
_FILE = re.compile(r"# ([\w./-]+\.\w+)")
_NAMED = re.compile(r"<!-- file: ([\w./-]+) -->")
_PROGRESS = re.compile(r": [\d,]+ (inputs|of [\d,]+, ).*")
_LEFT_OUT = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        kind: What follows the fence, such as `console`.
        lines: Its lines, without the fences.
        start: Number of its first line in the page, from 0.
        remark: The HTML comment on the line before it; empty without one.

    """

    kind: str
    lines: tuple[str, ...]
    start: int
    remark: str

    @property
    def file(self) -> str | None:
        """Name of the file that the block is; `None` where it is none."""
        first = self.lines[0] if self.lines else ""
        match = _NAMED.fullmatch(self.remark) or _FILE.fullmatch(first)
        return match[1] if match else None


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    lines, fence = page.split("\n"), -1
    for at, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if fence < 0:
            fence = at
            continue
        before = lines[fence - 1] if fence else ""
        yield Block(
            kind=lines[fence][3:].strip(),
            lines=tuple(lines[fence + 1 : at]),
            start=fence + 1,
            remark=before.strip() if before.startswith("<!--") else "",
        )
        fence = -1


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Return the commands of a `console` block, each with its output."""
    found: list[tuple[str, list[str]]] = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif found:
            found[-1][1].append(line)
    return found


def run(page: str, folder: Path) -> str:
    """Run a page in an empty folder; return it with the output that came out.

    Raises:
        RuntimeError: A command did not end with 0, or a program failed.

    """
    lines, grown, produced = page.split("\n"), 0, None
    for block in blocks(page):
        now: list[str] | None = None
        if block.kind == "text" and produced is not None:
            now = _kept(list(block.lines), produced)
        produced = None
        if block.remark.startswith("<!-- not run"):
            continue
        if block.file is not None:
            _write(folder / block.file, block.lines)
        elif block.kind == "python":
            source = "\n".join(block.lines)
            produced = _python(source, folder)
        elif block.kind == "console":
            now = _console(block, folder)
        if now is not None:
            start = block.start + grown
            lines[start : start + len(block.lines)] = now
            grown += len(now) - len(block.lines)
    return "\n".join(lines)


def _console(block: Block, folder: Path) -> list[str]:
    made = []
    for command, old in commands(block):
        new = _output(["bash", "-c", command], folder, shown=command)
        varies = block.remark.startswith("<!-- output varies")
        made += [f"$ {command}".split("\n"), old if varies else _kept(old, new)]
    return [line for part in made for line in part]


def _python(source: str, folder: Path) -> list[str]:
    """Run a block of Python, from a file that no other program of the page sees."""
    with tempfile.TemporaryDirectory() as apart:
        path = Path(apart, "block.py")
        lines = ("import sys", "sys.path[0] = ''", source)
        _write(path, lines)
        return _output(["python", str(path)], folder, shown=source)


def _output(command: list[str], folder: Path, *, shown: str) -> list[str]:
    surroundings = environment(os.environ, folder)
    program = shutil.which(command[0], path=surroundings["PATH"]) or command[0]
    done = subprocess.run(  # noqa: S603 - our own pages
        [program, *command[1:]],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    said = [line for line in done.stderr.split("\n") if not _PROGRESS.search(line)]
    if done.returncode:
        raise RuntimeError(
            f"{shown!r} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
    text = (done.stdout + "\n".join(said)).replace(f"{folder}/", "")
    lines = [line.rstrip() for line in text.split("\n")]
    return _without_edges(lines)


def environment(own: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of a reader who has just installed compat-eval.

    `pip install` puts packages below the folder and asks no network.
    """
    kept = {k: v for k, v in own.items() if not k.startswith(("COMPAT_EVAL", "GIT"))}
    installed = str(Path(sys.executable).parent)
    programs = os.pathsep.join([str(warm.programs()), installed, own["PATH"]])
    modules = os.pathsep.join([str(folder / ".site"), own.get("PYTHONPATH", "")])
    return {
        **kept,
        "PATH": programs,
        "COLUMNS": str(WIDTH),
        "NO_COLOR": "1",
        "TERM": "dumb",
        "OMP_NUM_THREADS": "1",
        "COMPAT_EVAL_CACHE": str(folder / ".cache"),
        "COMPAT_EVAL_OFFLINE": "1",
        "PYTHONPATH": modules.strip(os.pathsep),
        "PIP_TARGET": str(folder / ".site"),
        "PIP_NO_BUILD_ISOLATION": "0",  # sic: this is how pip spells "no isolation"
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_QUIET": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def _kept(old: list[str], new: list[str]) -> list[str]:
    """Return the new output, with the parts left out that were left out before."""
    if _LEFT_OUT not in old:
        return new
    at = old.index(_LEFT_OUT)
    last = len(old) - 1 - at
    return [*new[:at], _LEFT_OUT, *(new[-last:] if last else [])]


def _without_edges(lines: list[str]) -> list[str]:
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def _write(path: Path, lines: tuple[str, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
