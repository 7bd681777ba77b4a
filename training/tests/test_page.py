"""The page of a score: complete in itself, readable without colours and without pictures."""

import base64
import io
import math
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from PIL import Image

from echoel_training.measure.report import Figure
from echoel_training.score import media, page
from echoel_training.score.notes import Rendering, ScoredNote

FIGURES = [
    Figure("Mel distance: piano", "through the prior", 5.5, "dB", 6.0),
    Figure("Mel distance: piano", "through <encoder> latents", 5.51, "dB", 5.0),
    Figure("Attack time: piano", "median", math.nan, "%", 20.0),
    Figure("Mel distance: strings", "through the prior", 4.0, "dB", 6.0),
    Figure("Cost: strings", "the sampler", 1.0, "dB"),
    Figure("All together", "no worse than the sampler", 2, "", 2, True),
]


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    """Which take a fifth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(media, "_COLUMNS", 88)
        yield


def tone(hertz, seconds=0.5, level=0.1):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(48_000 * seconds)) / 48_000)).astype(np.float32)


def rendering(instrument="piano", key=69, seconds=0.5):
    note = ScoredNote(instrument, key, 80, 12_000, 440.0, 0.0, tone(440, seconds), "zone")
    return Rendering(note, {"prior": tone(440, seconds, 0.05), "additive": tone(450, seconds)})


class Page(HTMLParser):
    """Every element's attributes, and every address."""

    def __init__(self, path):
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.elements, self.words = [], []
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, wanted):
        return [attributes for tag, attributes in self.elements if tag == wanted]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "score.html"
    page.write_page(path, FIGURES, [rendering(), rendering("strings", 60)], "Four & more")
    return Page(path)


def test_nothing_is_fetched(written):
    found = [attributes.get(name) for _, attributes in written.elements for name in ("src", "href")]
    addresses = [address for address in found if address]
    assert addresses and all(address.startswith(("data:", "#")) for address in addresses)
    assert not {"link", "script", "iframe", "object"} & {tag for tag, _ in written.elements}
    assert "url(" not in written.text and "@import" not in written.text


def test_every_picture_and_player_says_what_it_is(written):
    pictures, players = written.all("img"), written.all("audio")
    assert len(pictures) == len(players) == 6
    for picture in pictures:
        assert "Spectrogram" in picture["alt"] and "velocity 80" in picture["alt"]
    assert len({picture["alt"] for picture in pictures}) == 6
    assert all("controls" in player and player["aria-label"] for player in players)


def test_tables_have_headers_and_captions(written):
    assert len(written.all("table")) == len(written.all("caption")) == 4
    scopes = [attributes.get("scope") for attributes in written.all("th")]
    assert set(scopes) == {"col", "row", "rowgroup"}
    # A row of figures has its name, three cells, and nothing else.
    assert scopes.count("row") == 3 + len(FIGURES)


def test_verdicts_are_words(written):
    said = [word.strip() for word in written.words]
    assert said.count("FAIL") == 4  # two figures of the piano, and their measures in the summary
    assert said.count("pass") == 4
    assert "4 of 5 bounds kept." not in said and "3 of 5 bounds kept." in said
    assert "none" in said and "through <encoder> latents" in said and "Four & more" in said


def test_it_is_light_and_dark(written):
    assert "prefers-color-scheme:dark" in written.text


def test_a_note_is_heard_as_it_was_at_one_gain(written):
    peaks, rates = [], set()
    for player in written.all("audio")[:3]:
        sound, rate = soundfile.read(io.BytesIO(base64.b64decode(player["src"].split(",")[1])))
        peaks.append(np.abs(sound[4800:-4800]).max())
        rates.add((rate, round(len(sound) / rate, 2)))
    assert rates == {(48_000, 0.5)}
    assert peaks == pytest.approx([0.7, 0.35, 0.7], rel=0.05)


def test_pictures_share_one_scale():
    """A tone shows at its frequency; 20 dB less is a quarter of the 80 dB darker."""
    loud, soft = media.power(tone(1000, 1.0)), media.power(tone(1000, 1.0, 0.01))
    levels = []
    for power in (loud, soft):
        picture = Image.open(io.BytesIO(media.spectrogram(power, loud.max())))
        levels.append(np.asarray(picture)[:, picture.width // 2].astype(float))
    row = np.argmax(levels[0])
    octaves = 1 - (row + 0.5) / len(levels[0])
    assert media.LOW_HERTZ * (media.HIGH_HERTZ / media.LOW_HERTZ) ** octaves == pytest.approx(1000, rel=0.03)
    assert (levels[0].max() - levels[1].max()) / (media.COLOURS - 1) == pytest.approx(20 / 80, abs=0.02)


def test_long_notes_are_cut_and_it_is_said(tmp_path):
    page.write_page(tmp_path / "score.html", [], [rendering(seconds=page.SHOWN_SECONDS + 1)])
    written = Page(tmp_path / "score.html")
    sound, _ = soundfile.read(io.BytesIO(base64.b64decode(written.all("audio")[0]["src"].split(",")[1])))
    assert len(sound) == page.SHOWN_SECONDS * 48_000
    assert any("the first 6 s are shown" in words for words in written.words)


def test_a_page_that_would_be_too_large_shows_fewer_notes(tmp_path, monkeypatch):
    path = tmp_path / "score.html"
    every = [rendering(key=key) for key in (60, 64, 67, 72)]
    page.write_page(path, FIGURES, every)
    assert len(Page(path).all("article")) == page.MOST_NOTES
    monkeypatch.setattr(page, "MOST_BYTES", path.stat().st_size - 1)
    page.write_page(path, FIGURES, every)
    assert len(Page(path).all("article")) == page.MOST_NOTES - 1
    assert path.stat().st_size <= page.MOST_BYTES
    monkeypatch.setattr(page, "MOST_BYTES", 20_000)
    page.write_page(path, FIGURES, every)
    assert not Page(path).all("article") and Page(path).all("table")
