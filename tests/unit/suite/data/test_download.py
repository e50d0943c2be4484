import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, OutputError
from compat_eval.suite.data.download import TRIES, download
from compat_eval.suite.data.places import DataPlaces, locate, present
from compat_eval.suite.data.source import Location

BODY = b"text,intent\nhello,greet\n"
SHA = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """Answers with a list of (status, headers, body), the last one again and again."""

    answers: list[tuple[int, dict[str, str], bytes]]
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/a.csv", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[Server]:
    server = Server(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.requests.append((self.path, self.headers.get("Authorization")))
            last = len(server.answers) == 1
            status, headers, body = server.answers[0] if last else server.answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        server.port = httpd.server_port
        thread = threading.Thread(
            target=httpd.serve_forever, kwargs={"poll_interval": 0.01}
        )
        thread.start()
        try:
            yield server
        finally:
            httpd.shutdown()
            thread.join()


OK: tuple[int, dict[str, str], bytes] = (200, {}, BODY)


def fetch(url: str, places: DataPlaces, **options: object) -> Path:
    location = Location.model_validate({"url": url, "sha256": SHA, **options})
    return download(location, places, sleep=lambda _: None)


def left_over(places: DataPlaces) -> list[str]:
    return sorted(path.name for path in places.cache.iterdir())


def test_a_file_is_fetched_once(places: DataPlaces) -> None:
    with serving(OK) as server:
        location = Location(url=server.url(), sha256=SHA)

        first = locate(location, places)
        second = locate(location, places)

    assert first.read_bytes() == BODY
    assert second == first
    assert len(server.requests) == 1
    assert left_over(places) == [SHA]


def test_other_bytes_are_refused_and_not_kept(places: DataPlaces) -> None:
    changed = serving((200, {}, b"changed"))
    with changed as server, pytest.raises(DataError, match="other bytes than the"):
        fetch(server.url(), places)

    assert left_over(places) == []


def test_a_busy_server_is_asked_again(places: DataPlaces) -> None:
    with serving((503, {}, b""), (429, {}, b""), OK) as server:
        assert fetch(server.url(), places).read_bytes() == BODY

    assert len(server.requests) == 3


def test_a_cut_connection_is_tried_again(places: DataPlaces) -> None:
    cut = (200, {"Content-Length": str(len(BODY) + 5)}, BODY)
    with serving(cut, OK) as server:
        assert fetch(server.url(), places).read_bytes() == BODY


def test_after_some_tries_it_gives_up(places: DataPlaces) -> None:
    broken = serving((500, {}, b""))
    with broken as server, pytest.raises(DataError, match=f"after {TRIES} tries: HTTP"):
        fetch(server.url("/a.csv?key=secret"), places)

    assert len(server.requests) == TRIES
    assert left_over(places) == []


def test_a_wrong_address_is_not_tried_again(places: DataPlaces) -> None:
    gone = serving((404, {}, b""))
    with gone as server, pytest.raises(DataError, match="HTTP 404") as caught:
        fetch(server.url("/a.csv?key=secret"), places)

    assert len(server.requests) == 1
    assert "secret" not in str(caught.value)


def test_no_server_at_all_is_an_error(places: DataPlaces) -> None:
    with serving(OK) as server:
        url = server.url()

    with pytest.raises(DataError, match="cannot be fetched"):
        fetch(url, places)


def test_a_file_that_never_ends_is_refused(places: DataPlaces) -> None:
    with serving(OK) as server:
        location = Location(url=server.url(), sha256=SHA)
        with pytest.raises(DataError, match="larger than 10 bytes"):
            download(location, places, max_bytes=10)

    assert left_over(places) == []


@pytest.mark.parametrize("length", ["many", "-5", "0x10", "9" * 5000])
def test_a_content_length_that_is_none_leaves_it_to_the_checksum(
    places: DataPlaces, length: str
) -> None:
    with serving((200, {"Content-Length": length}, BODY)) as server:
        assert fetch(server.url(), places).read_bytes() == BODY


def test_a_file_that_is_declared_too_large_is_not_fetched(places: DataPlaces) -> None:
    with (
        serving((200, {"Content-Length": str(2**40)}, BODY)) as server,
        pytest.raises(DataError, match="is larger than"),
    ):
        fetch(server.url(), places)

    assert left_over(places) == []


def test_a_server_that_trickles_is_given_up(
    places: DataPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compat_eval.suite.data.download.DEADLINE_SECONDS", 0.0)

    with (
        serving(OK) as server,
        pytest.raises(DataError, match="took longer than 0 seconds"),
    ):
        fetch(server.url(), places)

    assert left_over(places) == []


def test_a_link_out_of_the_suites_folder_is_not_followed(
    places: DataPlaces, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "secret.csv"
    outside.write_bytes(BODY)
    assert places.base is not None
    (places.base / "data.csv").symlink_to(outside)
    (places.base / "folder").symlink_to(outside.parent)
    (places.base / "inside.csv").symlink_to(places.base / "test.csv")

    for name in ("data.csv", "folder/secret.csv"):
        with pytest.raises(DataError, match="leads out of the suite's folder"):
            locate(Location(file=name), places)
    assert locate(Location(file="inside.csv"), places).name == "inside.csv"
    mirror = replace(places, data_dir=places.base)
    assert locate(Location(file="data.csv"), mirror).read_bytes() == BODY


def test_headers_take_their_secret_from_the_environment(places: DataPlaces) -> None:
    places = replace(places, environ={"TOKEN": "s3"})
    with serving(OK) as server:
        fetch(server.url(), places, headers={"Authorization": "Bearer ${TOKEN}"})

    assert server.requests == [("/a.csv", "Bearer s3")]


def test_a_secret_does_not_follow_to_another_host(places: DataPlaces) -> None:
    places = replace(places, environ={"TOKEN": "s3"})
    with serving(OK) as other:
        away = (302, {"Location": other.url(host="localhost")}, b"")
        with serving(away) as server:
            fetch(server.url(), places, headers={"Authorization": "${TOKEN}"})

    assert server.requests == [("/a.csv", "s3")]
    assert other.requests == [("/a.csv", None)]


def test_a_secret_does_not_travel_in_plain_text(places: DataPlaces) -> None:
    places = replace(places, environ={"TOKEN": "s3"})

    with pytest.raises(DataError, match="use https") as caught:
        fetch("http://example.org/a", places, headers={"Authorization": "${TOKEN}"})

    assert "s3" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_an_error(places: DataPlaces) -> None:
    places.cache.write_text("a file, no folder")

    with serving(OK) as server, pytest.raises(OutputError, match="cannot be written"):
        fetch(server.url(), places)


def test_offline_names_the_cure(places: DataPlaces) -> None:
    location = Location(url="https://example.org/a.csv?key=secret", sha256=SHA)

    with pytest.raises(DataError, match="compat-eval data fetch") as caught:
        locate(location, replace(places, offline=True))

    assert "secret" not in str(caught.value)


def test_the_mirror_is_looked_in_first_and_verified(places: DataPlaces) -> None:
    assert places.base is not None
    mirror = places.base / "mirror"
    mirror.mkdir()
    places = replace(places, data_dir=mirror, offline=True)
    location = Location(url="https://example.org/a", sha256=SHA, mirror="b.csv")
    (mirror / "b.csv").write_bytes(BODY)

    assert locate(location, places) == mirror / "b.csv"

    (mirror / "b.csv").write_bytes(b"changed")
    with pytest.raises(DataError, match="other bytes than the suite declares"):
        locate(location, places)


def test_a_damaged_cache_is_noticed(places: DataPlaces) -> None:
    places.cache.mkdir()
    (places.cache / SHA).write_bytes(b"half")

    with pytest.raises(DataError, match="Remove the file"):
        locate(Location(url="https://example.org/a", sha256=SHA), places)


def test_the_data_directory_comes_before_the_suites_folder(places: DataPlaces) -> None:
    assert places.base is not None
    mirror = places.base / "mirror"
    mirror.mkdir()
    (mirror / "test.csv").write_text("x")
    location = Location(file="test.csv")

    assert present(location.place, places) == places.base / "test.csv"
    assert (
        present(location.place, replace(places, data_dir=mirror)) == mirror / "test.csv"
    )


def test_a_missing_file_says_where_it_was_looked_for(places: DataPlaces) -> None:
    with pytest.raises(DataError, match=r"no file 'none.csv'; looked for .*none.csv"):
        locate(Location(file="none.csv"), places)
    with pytest.raises(DataError, match="looked for it nowhere"):
        locate(Location(file="none.csv"), replace(places, base=None))


def test_a_declared_checksum_of_a_file_is_checked(places: DataPlaces) -> None:
    with pytest.raises(DataError, match="other bytes"):
        locate(Location(file="test.csv", sha256=SHA), places)
