"""Notes come from FluidSynth with exact times."""

import json
import platform

import numpy as np
import pytest
import soundfile

from echoel_training import TrainingError, rendering
from echoel_training.rendering import BUFFER_SAMPLES, SAMPLE_RATE, Synthesizer, off_sample_for, write_notes
from echoel_training.tuning import measure_f0, nominal_hertz

STRINGS, TRUMPET, PIANO = 48, 56, 0


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    if platform.system() == "Darwin" and not any(map(_there, rendering.SOUNDFONT_CANDIDATES)):
        pytest.skip("Homebrew has no FluidR3 GM; put it in ~/Library/Audio/Sounds/Banks to run this")
    return Synthesizer()


def _there(candidate: str) -> bool:
    return rendering.Path(candidate).expanduser().is_file()


def decibels(value: float) -> float:
    return 20 * np.log10(max(value, 1e-12))


@pytest.mark.parametrize("program", [STRINGS, TRUMPET, PIANO])
def test_a_note_starts_on_its_first_sample(synthesizer, program):
    note = synthesizer.render(program, 60, 100, off_sample_for(0.5))
    audible = np.flatnonzero(np.abs(note.audio) > 1e-3 * np.abs(note.audio).max())[0]
    assert audible < 0.003 * SAMPLE_RATE
    assert note.audio.dtype == np.float32 and note.audio.ndim == 1


def test_a_note_is_released_on_its_sample(synthesizer):
    early = synthesizer.render(TRUMPET, 65, 100, 24_000)
    late = synthesizer.render(TRUMPET, 65, 100, 24_000 + BUFFER_SAMPLES)
    assert np.array_equal(early.audio[:24_000], late.audio[:24_000])
    after = slice(24_000, 24_000 + BUFFER_SAMPLES)
    assert not np.array_equal(early.audio[after], late.audio[after])


@pytest.mark.parametrize("program", [STRINGS, TRUMPET])
def test_a_note_ends_in_silence(synthesizer, program):
    note = synthesizer.render(program, 67, 80, off_sample_for(0.3))
    peak = np.abs(note.audio).max()
    assert len(note.audio) > note.off_sample
    assert note.audio[-1] == 0
    assert decibels(np.abs(note.audio[-240:]).max() / peak) < -70


def test_a_note_does_not_depend_on_the_note_before(synthesizer):
    first = synthesizer.render(STRINGS, 60, 90, 9_600)
    synthesizer.render(TRUMPET, 72, 120, 9_600)
    assert np.array_equal(first.audio, synthesizer.render(STRINGS, 60, 90, 9_600).audio)


def test_level_goes_with_the_square_of_velocity(synthesizer):
    loud, soft = (synthesizer.render(STRINGS, 60, velocity, 48_000).audio for velocity in (120, 60))
    assert decibels(np.abs(loud).max() / np.abs(soft).max()) == pytest.approx(decibels(4), abs=0.1)


@pytest.mark.parametrize("key", [54, 69, 82])
def test_the_key_is_the_pitch(synthesizer, key):
    note = synthesizer.render(TRUMPET, key, 90, 48_000)
    hertz = measure_f0(note.audio[9_600:48_000], nominal_hertz(key))
    assert 1200 * abs(np.log2(hertz / nominal_hertz(key))) < 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((128, 60, 90, 6_400), "program 128"),
        ((48, 128, 90, 6_400), "key 128"),
        ((48, 60, 0, 6_400), "velocity 0"),
        ((48, 60, 128, 6_400), "velocity 128"),
        ((48, 60, 90, 6_401), "multiple of 64"),
        ((48, 60, 90, 0), "multiple of 64"),
    ],
)
def test_what_is_no_note_is_named(synthesizer, arguments, said):
    with pytest.raises(TrainingError, match=said):
        synthesizer.render(*arguments)


def test_a_bank_that_the_soundfont_lacks_is_named(synthesizer):
    with pytest.raises(TrainingError, match="no program 48 in bank 77"):
        synthesizer.render(STRINGS, 60, 90, 6_400, bank=77)


def test_a_key_without_sound_is_named(synthesizer):
    # The standard drum kit has nothing on the lowest keys.
    with pytest.raises(TrainingError, match="no sound at key 0"):
        synthesizer.render(0, 0, 90, 6_400, bank=128)


def test_a_missing_soundfont_is_named(monkeypatch, tmp_path):
    with pytest.raises(TrainingError, match="none.sf2.*--soundfont"):
        Synthesizer(tmp_path / "none.sf2")
    monkeypatch.delenv("ECHOEL_SOUNDFONT", raising=False)
    monkeypatch.setattr(rendering, "SOUNDFONT_CANDIDATES", (str(tmp_path / "none.sf2"),))
    with pytest.raises(TrainingError, match="fluid-soundfont-gm"):
        Synthesizer()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVE", b"x" * 1000])
def test_what_is_no_soundfont_is_named(tmp_path, content):
    path = tmp_path / "broken.sf2"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="broken.sf2 is not a SoundFont"):
        Synthesizer(path)


def test_a_truncated_soundfont_is_named(tmp_path, synthesizer):
    path = tmp_path / "short.sf2"
    with open(synthesizer.soundfont, "rb") as file:
        path.write_bytes(file.read(4096))
    with pytest.raises(TrainingError, match="cannot read .*short.sf2"):
        Synthesizer(path).render(STRINGS, 60, 90, 6_400)


def test_a_missing_fluidsynth_is_named(monkeypatch, tmp_path, synthesizer):
    monkeypatch.setenv("ECHOEL_FLUIDSYNTH", str(tmp_path / "libfluidsynth.so.3"))
    with pytest.raises(TrainingError, match="cannot be loaded.*libfluidsynth3"):
        Synthesizer()


def test_notes_are_written_with_their_times(synthesizer, tmp_path):
    described = write_notes(tmp_path, program=TRUMPET, keys=[60, 64], velocities=[50, 100], seconds=0.2)
    assert len(described) == 4
    saved = json.loads((tmp_path / "notes.json").read_text())
    assert saved["notes"] == described
    for note in described:
        audio, rate = soundfile.read(tmp_path / note["file"], dtype="float32")
        assert rate == SAMPLE_RATE and len(audio) == note["samples"] and note["offSample"] == 9_600
        assert np.abs(audio).max() == pytest.approx(note["peak"])
    assert len(list(tmp_path.iterdir())) == 5
