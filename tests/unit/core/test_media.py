import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.media import Media, is_media, media_of, read_media, shown_input
from tests.media import image_uri, tone_uri

ODD = "a b;c,é\"'<x>/7.png"


@pytest.mark.parametrize("name", ["", "greek/07.png", ODD])
def test_a_uri_holds_the_bytes_and_the_name(name: str) -> None:
    media = Media(mime="image/png", name=name, content=b"\x00\xffbytes")

    assert read_media(media.uri) == media
    assert is_media(media.uri)
    assert not set(" \"'<>\n") & set(media.uri)


@pytest.mark.parametrize("letter", ["a", "é", "文", "𝄞"])
def test_the_end_of_a_long_name_stands_in_a_uri(letter: str) -> None:
    media = Media(mime="image/png", name=letter * 700 + "/7.png", content=b"1")

    found = read_media(media.uri)

    assert found.content == media.content
    assert found.name.endswith(f"{letter}/7.png")


def test_other_inputs_are_no_media() -> None:
    assert not any(map(is_media, ["text", "data:text/html,x", None, {"a": 1}]))
    assert shown_input("text") == "text"


def test_media_are_shown_by_name_and_size() -> None:
    assert shown_input(Media(mime="audio/wav", name="", content=b"123").uri) == (
        "recording without a name (audio/wav, 3 bytes)"
    )
    assert shown_input(image_uri(0, "a.png")).startswith("a.png (image/png, ")


@pytest.mark.parametrize(
    "uri", ["data:image/png,abc", "data:image/png;base64,a b", "data:image/<x>;base64,"]
)
def test_a_damaged_uri_is_told(uri: str) -> None:
    with pytest.raises(DataError, match=r"expected an image|is no base64"):
        read_media(uri)
    assert shown_input(uri).startswith("data:image/")


def test_a_file_is_known_by_its_first_bytes() -> None:
    assert media_of(read_media(tone_uri(440)).content, "x.png").mime == "audio/wav"
    with pytest.raises(DataError, match=r"x\.png: is neither an image nor a recording"):
        media_of(b"#!/bin/sh", "x.png")
