import socket
from collections.abc import Iterator

import pytest

from compat_eval.core.errors import OutputError, UsageError
from compat_eval.workflows import comments
from compat_eval.workflows.comments import (
    CommentThread,
    github_thread,
    gitlab_thread,
    upsert,
)
from tests.comment_server import CommentServer, serving

MARK = "<!-- compat-eval:toy -->"
ISSUES = "/repos/us/models/issues"


@pytest.fixture
def server() -> Iterator[CommentServer]:
    with serving() as found:
        yield found


def thread(server: CommentServer, **changed: str) -> CommentThread:
    given = {"api": server.url, "repository": "us/models", "token": "t0ken"}
    return github_thread(number=12, **{**given, **changed})


def written(server: CommentServer, text: str = "now") -> str:
    return upsert(thread(server), f"{MARK}\n{text}", mark=MARK, sleep=waits(()))


def waits(expected: tuple[float, ...]) -> "Waits":
    return Waits(list(expected))


class Waits:
    """Takes the place of sleeping; says how long was waited for."""

    def __init__(self, left: list[float]) -> None:
        self.left = left

    def __call__(self, seconds: float) -> None:
        assert self.left.pop(0) == pytest.approx(seconds, abs=2)


def test_the_first_comment_is_posted(server: CommentServer) -> None:
    server.post("something else")

    assert written(server) == "created"
    assert server.bodies == ["something else", f"{MARK}\nnow"]
    assert server.tokens == {"Bearer t0ken"}


def test_a_later_one_takes_its_place(server: CommentServer) -> None:
    server.post(f"{MARK}\nbefore")

    assert written(server) == "updated"
    assert server.bodies == [f"{MARK}\nnow"]
    assert server.asked == [
        f"GET {ISSUES}/12/comments",
        f"PATCH {ISSUES}/comments/1",
    ]


def test_it_is_found_on_the_third_page(server: CommentServer) -> None:
    server.page = 2
    for text in ("a", "b", "c", "d", f"{MARK}\nbefore"):
        server.post(text)

    assert written(server) == "updated"
    assert len(server.asked) == 4


def test_a_quote_of_the_mark_is_not_it(server: CommentServer) -> None:
    server.post(f"> {MARK}\nlook at this")

    assert written(server) == "created"


def test_an_outsiders_comment_with_our_mark_is_not_written_over(
    server: CommentServer,
) -> None:
    server.post(
        f"{MARK}\nPASS, believe me", user={"type": "User"}, author_association="NONE"
    )

    assert written(server) == "created"


def test_a_comment_that_is_deleted_meanwhile_is_posted_anew(
    server: CommentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.post(f"{MARK}\nbefore")
    asked = comments._answer

    def answer(method: str, *rest: object) -> object:
        if method == "PATCH":
            server.comments.clear()
        return asked(method, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(comments, "_answer", answer)

    assert written(server) == "created"
    assert len(server.comments) == 1


def test_notes_of_a_merge_request_are_those_of_the_tokens_owner(
    server: CommentServer,
) -> None:
    server.post(f"{MARK}\nnot ours", author={"id": 8})
    server.post(f"{MARK}\nours")
    notes = gitlab_thread(api=server.url, project="us/models", number=3, token="t")

    assert upsert(notes, f"{MARK}\nnow", mark=MARK) == "updated"
    assert server.bodies == [f"{MARK}\nnot ours", f"{MARK}\nnow"]
    assert server.asked[-1] == "PUT /projects/us%2Fmodels/merge_requests/3/notes/2"
    assert server.tokens == {"t"}


def test_a_token_that_may_only_read_is_told_with_the_cure(
    server: CommentServer,
) -> None:
    server.refusals = [(403, {})]

    with pytest.raises(OutputError, match=r"says 403 .*pull-requests: write.* fork"):
        written(server)


def test_a_request_that_does_not_exist_is_told(server: CommentServer) -> None:
    server.refusals = [(404, {})]

    with pytest.raises(OutputError, match="says 404"):
        written(server)


def test_a_busy_server_is_asked_again_and_posts_once(server: CommentServer) -> None:
    server.refusals = [(502, {}), (503, {})]
    sleep = waits((1, 2))

    upsert(thread(server), MARK, mark=MARK, sleep=sleep)

    assert (sleep.left, len(server.comments)) == ([], 1)


def test_three_failures_are_the_end(server: CommentServer) -> None:
    server.refusals = [(502, {})] * 3

    with pytest.raises(OutputError, match="says 502"):
        upsert(thread(server), MARK, mark=MARK, sleep=waits((1, 2)))


def test_a_short_rate_limit_is_waited_for(server: CommentServer) -> None:
    server.refusals = [(403, {"Retry-After": "7"})]
    sleep = waits((7,))

    upsert(thread(server), MARK, mark=MARK, sleep=sleep)

    assert sleep.left == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "3600"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"},
    ],
)
def test_a_long_one_is_not(server: CommentServer, headers: dict[str, str]) -> None:
    server.refusals = [(403, headers)]

    with pytest.raises(OutputError, match="rate limit"):
        written(server)


def test_a_server_that_does_not_answer_is_an_error_without_the_token() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    gone = github_thread(api=url, repository="a/b", number=1, token="s3cret")

    with pytest.raises(OutputError, match="does not answer") as error:
        upsert(gone, MARK, mark=MARK, sleep=waits((1, 2)))

    assert "s3cret" not in str(error.value)


def test_a_server_that_is_silent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "TIMEOUT_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        mute = github_thread(api=url, repository="a/b", number=1, token="t")

        with pytest.raises(OutputError, match="does not answer"):
            upsert(mute, MARK, mark=MARK, sleep=waits((1, 2)))


def test_the_token_is_not_sent_to_another_server(server: CommentServer) -> None:
    with serving() as other:
        server.refusals = [(302, {"Location": f"{other.url}/elsewhere"})]

        with pytest.raises(OutputError, match="says 302"):
            written(server)

        assert other.asked == []


def test_an_address_that_is_none_is_refused(server: CommentServer) -> None:
    with pytest.raises(UsageError, match="https://"):
        thread(server, api="file:///etc")
