"""One comment on a pull or merge request, written again and not beside the last.

It is found by its first line, a hidden mark, among the comments of those who may write
here: anybody can put our mark on a comment of their own, and could edit it later.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Literal, TypeAlias
from urllib.parse import quote, urlsplit

from compat_eval.core.errors import OutputError, UsageError
from compat_eval.core.text import clipped, words_of

_TRIES = 3
TIMEOUT_SECONDS = 15.0
_LONGEST_WAIT = 60.0
"""How many seconds a full rate limit is waited for."""

_MOST_PAGES = 100
_MOST_BYTES = 2**25
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_REFUSED, _NOT_FOUND = (401, 403), 404
_TRUSTED = {"OWNER", "MEMBER", "COLLABORATOR"}

_Comment: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentThread:
    """The comments of one request, as a REST API has them.

    Attributes:
        every: Address at which they are listed, and a new one is posted.
        one: Address of one of them, with `{id}` in it.
        change: The method that changes one.
        headers: What is sent with each request; the token is among it.
        is_ours: Whether a comment may be written over.
        cure: What to do where the token may not write.

    """

    every: str
    one: str
    change: Literal["PATCH", "PUT"]
    headers: Mapping[str, str]
    is_ours: Callable[[_Comment], bool]
    cure: str


class _TryAgain(Exception):  # noqa: N818
    """The next try may succeed.

    Attributes:
        seconds: How long the server asks to wait; `None` where it says nothing.

    """

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


def github_thread(
    *, api: str, repository: str, number: int, token: str
) -> CommentThread:
    """Return the comments of a pull request on GitHub, or on a server alike."""
    issues = f"{_checked(api)}/repos/{quote(repository)}/issues"
    return CommentThread(
        every=f"{issues}/{number}/comments",
        one=f"{issues}/comments/{{id}}",
        change="PATCH",
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
        },
        is_ours=_may_write,
        cure="give the job `permissions: pull-requests: write`; the token of a pull "
        "request from a fork may only read",
    )


def _may_write(comment: _Comment) -> bool:
    author = comment.get("user") or {}
    said = author.get("type"), comment.get("author_association")
    return said == (None, None) or said[0] == "Bot" or said[1] in _TRUSTED


def gitlab_thread(*, api: str, project: str, number: int, token: str) -> CommentThread:
    """Return the notes of a merge request on GitLab."""
    api = _checked(api)
    headers = {"PRIVATE-TOKEN": token}
    notes = f"{api}/projects/{quote(project, safe='')}/merge_requests/{number}/notes"

    def is_ours(note: _Comment) -> bool:
        author = note.get("author") or {}
        return "id" in author and author["id"] == _owner(f"{api}/user", headers)

    return CommentThread(
        every=notes,
        one=f"{notes}/{{id}}",
        change="PUT",
        headers=headers,
        is_ours=is_ours,
        cure="give a project access token with the scope `api`; the token of a job "
        "may not write notes",
    )


def _owner(url: str, headers: Mapping[str, str]) -> object:
    found, _ = _answer("GET", url, headers)
    return found.get("id") if isinstance(found, Mapping) else None


def upsert(
    thread: CommentThread,
    body: str,
    *,
    mark: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Literal["created", "updated"]:
    """Write the comment that begins with `mark`, in place of an earlier one.

    A try that may have failed half-way looks for the comment once more, so that
    none is posted twice.

    Raises:
        OutputError: It cannot be written; the message says why, and what to do.

    """
    for attempt in range(1, _TRIES + 1):
        try:
            return _upsert(thread, body, mark)
        except _TryAgain as error:
            wait = 2.0 ** (attempt - 1) if error.seconds is None else error.seconds
            if attempt == _TRIES or wait > _LONGEST_WAIT:
                raise OutputError(f"no comment was written: {error}") from error
            sleep(wait)
        except urllib.error.HTTPError as error:
            raise OutputError(_refusal(thread, error)) from error
    raise AssertionError  # the last try returns or raises


def _upsert(
    thread: CommentThread, body: str, mark: str
) -> Literal["created", "updated"]:
    for comment in _comments(thread):
        text = str(comment.get("body") or "").lstrip()
        if text.startswith(mark) and thread.is_ours(comment):
            url = thread.one.format(id=int(comment["id"]))
            try:
                _answer(thread.change, url, thread.headers, body)
            except urllib.error.HTTPError as error:
                if error.code == _NOT_FOUND:  # deleted since it was listed
                    break
                raise
            return "updated"
    _answer("POST", thread.every, thread.headers, body)
    return "created"


def _comments(thread: CommentThread) -> Iterator[_Comment]:
    url: str | None = f"{thread.every}?per_page=100"
    for _ in range(_MOST_PAGES):
        if url is None:
            return
        found, links = _answer("GET", url, thread.headers)
        if not isinstance(found, list):
            raise OutputError(
                f"no comment was written: {thread.every} is no list of comments"
            )
        yield from (one for one in found if isinstance(one, Mapping) and "id" in one)
        url = _next_page(links, thread.every)


def _next_page(links: str, of: str) -> str | None:
    """Return the address of the next page; only one of the same server."""
    for part in links.split(","):
        address, _, relation = part.partition(";")
        url = address.strip().strip("<>")
        if 'rel="next"' in relation and _server(url) == _server(of):
            return url
    return None


def _answer(
    method: str, url: str, headers: Mapping[str, str], body: str | None = None
) -> tuple[Any, str]:
    """Return what a server answers, and its links to further pages.

    Raises:
        HTTPError: It refuses.
        _TryAgain: It cannot answer now.

    """
    data = None if body is None else json.dumps({"body": body}).encode()
    kind = {"Content-Type": "application/json", "User-Agent": "compat-eval"}
    request = urllib.request.Request(  # noqa: S310 - see _checked
        url, data=data, headers={**kind, **headers}, method=method
    )
    opener = urllib.request.build_opener(_SameServer)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            content = response.read(_MOST_BYTES)
            links = response.headers.get("Link", "")
        return (json.loads(content) if content else None), links
    except urllib.error.HTTPError as error:
        _raise_if_later(error)
        raise
    except (OSError, HTTPException) as error:  # timeouts are among them
        raise _TryAgain(f"{_server(url)} does not answer: {words_of(error)}") from error
    except ValueError as error:
        raise _TryAgain(f"{_server(url)} answers with no JSON") from error


def _raise_if_later(error: urllib.error.HTTPError) -> None:
    """Tell a full rate limit and a busy server from a refusal."""
    limited = "Retry-After" in error.headers or (
        error.headers.get("X-RateLimit-Remaining") == "0"
    )
    if error.code not in _AGAIN and not (error.code in _REFUSED and limited):
        return
    why = f"{_server(error.url)} says {error.code}"
    if error.code in (*_REFUSED, 429):
        why = f"the rate limit of {_server(error.url)} is reached"
    raise _TryAgain(why, _wait(error.headers)) from error


def _wait(headers: Message) -> float | None:
    after, reset = headers.get("Retry-After"), headers.get("X-RateLimit-Reset")
    if after is not None and after.isdecimal():
        return float(after)
    if reset is not None and reset.isdecimal():
        return max(float(reset) - time.time(), 0.0)
    return None


def _refusal(thread: CommentThread, error: urllib.error.HTTPError) -> str:
    try:
        said = json.loads(error.read(_MOST_BYTES))
        message = str(said.get("message") or said.get("error") or "")
    except (ValueError, OSError, AttributeError):
        message = ""
    told = f" ({clipped(message, 200)})" if message else ""
    known = error.code in (*_REFUSED, _NOT_FOUND)
    cure = f"; {thread.cure}" if known else ""
    where = _server(thread.every)
    return f"no comment was written: {where} says {error.code}{told}{cure}"


def _checked(api: str) -> str:
    """Return the address of an API without its last slash.

    Raises:
        UsageError: It is no address of a web server.

    """
    if urlsplit(api).scheme not in ("https", "http") or not urlsplit(api).netloc:
        raise UsageError(f"the address of the API must begin with https://; got {api}")
    return api.rstrip("/")


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class _SameServer(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where the token is known already."""

    def redirect_request(  # noqa: PLR0917 - as urllib declares it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the next request; none where the server changes."""
        if _server(newurl) != _server(req.full_url):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)
