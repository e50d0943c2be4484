"""A SuperLink and SuperNodes as processes on loopback, ended whatever happens."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 900
"""Seconds after which a test gives up."""

_CONFIG = "[tool.flwr.app.config]\n"


def shown_app() -> str:
    """Return the file of an app that the page shows."""
    page = Path(__file__).resolve().parents[2] / "docs" / "federated.md"
    shown = re.search(
        r"```toml\n(\[project\].*?)```", page.read_text("utf-8"), re.DOTALL
    )
    assert shown
    return shown[1]


def free_ports(n: int) -> list[int]:
    """Return ports on loopback that nobody uses."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass
class FlowerProcesses:
    """Processes of Flower, and where they write."""

    folder: Path
    address: str
    nodes: Mapping[str, subprocess.Popen[bytes]]
    running: list[subprocess.Popen[bytes]]

    def run(self, config: str) -> subprocess.Popen[bytes]:
        """Start a run as `flwr run` does, and follow its log."""
        app = self.folder / "chats"
        app.mkdir(exist_ok=True)
        (app / "pyproject.toml").write_text(
            shown_app().partition(_CONFIG)[0] + _CONFIG + config
        )
        process = started(
            ["flwr", "run", str(app), "here", "--stream"], self.folder, "run"
        )
        self.running.append(process)
        return process

    def log(self) -> str:
        """Return what everybody wrote."""
        return "\n".join(
            path.read_text(errors="replace") for path in self.folder.glob("*.log")
        )

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait for something to be there."""
        end = time.monotonic() + _LONGEST
        while not until():
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)


@contextmanager
def flower(folder: Path, nodes: Mapping[str, str]) -> Iterator[FlowerProcesses]:
    """Yield a SuperLink with SuperNodes, each with a `--node-config`."""
    link, *ports = free_ports(1 + len(nodes))
    address = f"127.0.0.1:{link}"
    home = folder / "flower"
    home.mkdir()
    (home / "config.toml").write_text(
        '[superlink]\ndefault = "here"\n'
        f'[superlink.here]\naddress = "{address}"\ninsecure = true\n'
    )
    running: list[subprocess.Popen[bytes]] = []
    try:
        running.append(
            started(
                [
                    *("flower-superlink", "--insecure", "--host", "127.0.0.1"),
                    *("--port", str(link)),
                    "--disable-runtime-dependency-installation",
                ],
                folder,
                "link",
            )
        )
        found = {}
        for (name, config), port in zip(nodes.items(), ports, strict=True):
            found[name] = started(
                [
                    *("flower-supernode", "--insecure", "--superlink", address),
                    *("--host", "127.0.0.1", "--port", str(port)),
                    *("--node-config", config),
                ],
                folder,
                name,
            )
            running.append(found[name])
        processes = FlowerProcesses(
            folder=folder, address=address, nodes=found, running=running
        )
        processes.wait(lambda: listens(link))
        yield processes
    finally:
        for process in reversed(running):
            ended(process)


def listens(port: int) -> bool:
    """Say whether somebody listens on a port of loopback."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def started(command: Sequence[str], folder: Path, name: str) -> subprocess.Popen[bytes]:
    """Start a command of Flower in a process group of its own."""
    beside = Path(sys.executable).with_name(command[0])
    found = str(beside) if beside.exists() else shutil.which(command[0])
    assert found, f"{command[0]} is not installed"
    environment = {
        **os.environ,
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_HOME": str(folder / "flower"),
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(map(str, filter(None, sys.path))),
    }
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [found, *command[1:]],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def ended(process: subprocess.Popen[bytes], *, patience: float = 10.0) -> None:
    """End a command and all that it started, in so many seconds if it lets us."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
