import struct

import numpy as np
import pytest

from compat_eval.core.errors import CapabilityError, DataError
from compat_eval.core.media import Media
from compat_eval.models.encoders.media_features import (
    MediaFeatures,
    MediaFeaturesSource,
    pixels_of,
    samples_of,
)
from tests.media import image_uri, png, tone_uri, wav

PIXELS = MediaFeatures(kind="pixels", size=4)
LOG_MEL = MediaFeatures(kind="log-mel", n_mels=8, n_frames=16)


def test_an_image_is_averaged_over_areas() -> None:
    lines = np.zeros((8, 8), np.uint8)
    lines[:2, 2:4] = 255
    uri = Media(mime="image/png", name="", content=png(lines)).uri

    [item] = PIXELS.encode([uri])

    assert item.array.shape == (1, 4, 4)
    assert item.array[0, 0].tolist() == [0, 1, 0, 0]
    assert item.array.sum() == 1


def test_colours_are_read_where_asked_for() -> None:
    lines = np.tile(np.array([255, 0, 0], np.uint8), (4, 4))
    uri = Media(mime="image/png", name="", content=png(lines, colour=2)).uri

    grey = PIXELS.encode([uri])[0].array
    colour = MediaFeatures(kind="pixels", size=4, colour=True).encode([uri])[0].array

    assert np.allclose(grey, 0.299)
    assert colour.shape == (3, 4, 4)
    assert colour[0].min() == 1
    assert colour[1:].max() == 0


def test_a_tone_is_loudest_in_its_band_however_loud_it_is() -> None:
    low, high = (LOG_MEL.encode([tone_uri(hertz)])[0].array[0] for hertz in (200, 3000))
    quiet = wav(0.01 * np.sin(2 * np.pi * 200 * np.arange(1600) / 8000))
    uri = Media(mime="audio/wav", name="", content=quiet).uri

    assert low.mean(axis=1).argmax() < high.mean(axis=1).argmax()
    loudest = LOG_MEL.encode([uri])[0].array[0].mean(axis=1).argmax()
    assert loudest == low.mean(axis=1).argmax()


def test_recordings_are_padded_by_zeros_and_cut() -> None:
    short, long = LOG_MEL.encode([tone_uri(440, seconds=0.1), tone_uri(440, seconds=1)])

    assert not short.truncated
    assert not short.array[0, :, 5:].any()
    assert short.array[0, :, :5].any()
    assert long.truncated


def test_another_rate_is_brought_to_the_models() -> None:
    at = np.arange(16000) / 16000
    content = wav(0.5 * np.sin(2 * np.pi * 440 * at), rate=16000)

    found = samples_of(Media(mime="audio/wav", name="", content=content), 8000)

    assert len(found) == 8000
    peak = np.abs(np.fft.rfft(found)).argmax()
    assert peak == 440


def test_one_byte_a_sample_is_read_around_zero() -> None:
    content = wav(np.array([0.0, 0.5]), size=1)

    found = samples_of(Media(mime="audio/wav", name="", content=content), 8000)

    assert np.allclose(found, [0, 0.5], atol=0.01)


@pytest.mark.parametrize(
    "given",
    [
        "a text",
        tone_uri(440),
        Media(mime="image/png", name="", content=png(np.eye(3, dtype="u1"))[:40]).uri,
    ],
)
def test_what_is_no_image_is_an_error_of_its_own(given: str) -> None:
    good, bad = PIXELS.encode([image_uri(255), given])

    vectors = PIXELS.embed([good, bad])

    assert good.error is None
    assert bad.error
    assert np.isnan(vectors[1]).all()
    assert vectors[0].tolist() == [1.0] * 16


def test_damaged_recordings_are_told() -> None:
    content = wav(np.zeros(100))

    for damaged in (content[:20], content[:44], b"RIFF"):
        with pytest.raises(DataError):
            samples_of(Media(mime="audio/wav", name="", content=damaged), 8000)


@pytest.mark.parametrize(("at", "value"), [(24, 2**31 - 1), (24, 1), (34, 64)])
def test_absurd_rates_and_widths_of_recordings_are_refused(at: int, value: int) -> None:
    content = bytearray(wav(np.zeros(100)))
    struct.pack_into("<I" if at == 24 else "<H", content, at, value)

    with pytest.raises(DataError, match="is refused"):
        samples_of(Media(mime="audio/wav", name="", content=bytes(content)), 8000)


def test_other_formats_need_pillow() -> None:
    image = pytest.importorskip("PIL.Image")
    import io

    file = io.BytesIO()
    image.new("RGB", (3, 2), (255, 0, 0)).save(file, "BMP")

    found = pixels_of(Media(mime="image/bmp", name="", content=file.getvalue()))

    assert found.tolist() == [[[255, 0, 0]] * 3] * 2


def test_features_have_an_identity_and_no_answers() -> None:
    other = MediaFeatures(kind="pixels", size=5)

    sources = [MediaFeaturesSource(features=one) for one in (PIXELS, other)]

    assert sources[0].fingerprint() != sources[1].fingerprint()
    with pytest.raises(CapabilityError):
        sources[0].load().predict([])
