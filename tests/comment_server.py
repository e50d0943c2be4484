"""A server with the comments of one pull or merge request, as both hosts have them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

BOT = {"user": {"type": "Bot"}, "author": {"id": 7}, "author_association": "NONE"}


@dataclass
class CommentServer:
    """What is asked of it, and what it says.

    Attributes:
        comments: In the order in which they were posted.
        refusals: Status and headers of the next answers, before it answers as asked.
        asked: Method and path of each request.
        tokens: What came with them.
        page: How many comments it lists at once.

    """

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    page: int = 100

    def post(self, body: str, **author: Any) -> None:
        number = 1 + max((one["id"] for one in self.comments), default=0)
        self.comments.append({"id": number, "body": body, **(author or BOT)})

    @property
    def bodies(self) -> list[str]:
        return [one["body"] for one in self.comments]


class _Handler(BaseHTTPRequestHandler):
    comments: ClassVar[CommentServer]

    def log_message(self, *_: object) -> None:
        return

    def _say(self, status: int, content: object, **headers: str) -> None:
        raw = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else {}
        parts = urlsplit(self.path)
        self.comments.asked.append(f"{self.command} {parts.path}")
        said = self.headers.get("Authorization") or self.headers["PRIVATE-TOKEN"]
        self.comments.tokens.add(said)
        if self.comments.refusals:
            status, headers = self.comments.refusals.pop(0)
            names = {k.replace("-", "_"): v for k, v in headers.items()}
            self._say(status, {"message": "refused"}, **names)
        elif parts.path.endswith("/user"):
            self._say(200, {"id": 7})
        elif self.command == "GET":
            self._list(int(parse_qs(parts.query).get("page", ["1"])[0]), parts.path)
        elif self.command == "POST":
            self.comments.post(sent["body"])
            self._say(201, self.comments.comments[-1])
        else:
            self._change(int(parts.path.rpartition("/")[2]), sent["body"])

    def _list(self, page: int, path: str) -> None:
        start = (page - 1) * self.comments.page
        found = self.comments.comments[start : start + self.comments.page]
        more = start + self.comments.page < len(self.comments.comments)
        link = f'<{self.comments.url}{path}?page={page + 1}>; rel="next"'
        self._say(200, found, **({"Link": link} if more else {}))

    def _change(self, number: int, body: str) -> None:
        for one in self.comments.comments:
            if one["id"] == number:
                one["body"] = body
                self._say(200, one)
                return
        self._say(404, {"message": "Not Found"})

    do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815


@contextmanager
def serving() -> Iterator[CommentServer]:
    server = CommentServer()
    handler = type("Handler", (_Handler,), {"comments": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        server.url = f"http://127.0.0.1:{httpd.server_port}"
        thread = Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        httpd.shutdown()
        thread.join()
