"""The measures see the faults that they are for, and see none where there is none."""

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from PIL import Image

from echoel_training import TrainingError
from echoel_training.measure.continuity import boundaries
from echoel_training.measure.midi import SAMPLE_RATE, Bend, Note, key_frequency, midi_file
from echoel_training.measure.pieces import chords
from echoel_training.measure.pitch import SHARED_PARTIALS, cents_statistics, chord_cents, strongest_spur, tone_cents
from echoel_training.measure.plots import write_spectrogram
from echoel_training.measure.product import Bench, in_tune, memory, steady
from echoel_training.measure.report import Figure, table, worst
from echoel_training.measure.steadiness import held_note, release
from echoel_training.measure.tool import Echoel

RNG_SEED = 2048


def tone(key: float, seconds: float, *, cents=0.0, inharmonicity=0.0, partials=12, rate=SAMPLE_RATE, slope=1.0):
    """A tone of exactly known pitch, its partials falling with 1/k^slope, with random phases."""
    rng = np.random.default_rng(RNG_SEED + round(key))
    time = np.arange(round(seconds * rate)) / rate
    base = key_frequency(key + cents / 100.0) / math.sqrt(1.0 + inharmonicity)
    x = np.zeros_like(time)
    for k in range(1, partials + 1):
        hz = k * base * math.sqrt(1.0 + inharmonicity * k**2)
        if hz < 0.45 * rate:
            x += 0.1 / k**slope * np.sin(2 * np.pi * (hz * time + rng.random()))
    return x


def noise(seconds: float, rms: float, rate=SAMPLE_RATE, seed=RNG_SEED):
    return rms * np.random.default_rng(seed).standard_normal(round(seconds * rate))


# -- pitch -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("cents", [0.0, 10.0, -37.0])
def test_a_clean_tone_is_measured_within_a_fifth_of_a_cent(cents, rate):
    for key in range(36, 97, 4):
        assert tone_cents(tone(key, 1.0, cents=cents, rate=rate), rate, key_frequency(key)) == pytest.approx(
            cents, abs=0.2
        ), key


@pytest.mark.parametrize(
    ("inharmonicity", "keys"),
    [(1e-4, range(28, 60, 4)), (4e-4, range(48, 85, 4)), (2e-3, range(78, 90, 4)), (7e-3, range(88, 97, 4))],
)
def test_the_fundamental_of_a_stretched_tone_is_measured(inharmonicity, keys):
    for key in keys:
        x = tone(key, 1.0, cents=3.0, inharmonicity=inharmonicity)
        assert tone_cents(x, SAMPLE_RATE, key_frequency(key)) == pytest.approx(3.0, abs=0.3), key


def test_noise_and_vibrato_do_not_move_the_measured_pitch():
    for key in range(48, 85, 6):
        x = tone(key, 1.0, cents=-5.0)
        x += noise(1.0, 0.1 * np.std(x))  # 20 dB below
        assert tone_cents(x, SAMPLE_RATE, key_frequency(key)) == pytest.approx(-5.0, abs=0.5), key
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    hz = 440.0 * 2.0 ** (10.0 / 1200.0 * np.sin(2 * np.pi * 5.0 * time))
    x = np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE)
    assert abs(tone_cents(x, SAMPLE_RATE, 440.0)) < 1.0


def test_a_tone_without_a_fundamental_still_has_its_pitch():
    x = tone(60, 1.0, cents=7.0) - tone(60, 1.0, cents=7.0, partials=1)
    assert tone_cents(x, SAMPLE_RATE, key_frequency(60)) == pytest.approx(7.0, abs=0.2)


@pytest.mark.parametrize("semitones", [-24, -12, -1, 1, 12, 24])
def test_a_wrong_note_is_not_found(semitones):
    assert math.isnan(tone_cents(tone(60 + semitones, 1.0), SAMPLE_RATE, key_frequency(60)))


def test_one_foreign_line_halfway_between_partials_does_not_make_a_tone_an_octave_lower():
    x = tone(86, 1.0)
    x += 0.015 * np.sin(2 * np.pi * 1825.0 * np.arange(len(x)) / SAMPLE_RATE)
    assert tone_cents(x, SAMPLE_RATE, key_frequency(86)) == pytest.approx(0.0, abs=0.2)


def test_noise_and_silence_have_no_pitch():
    for seed in range(5):
        assert math.isnan(tone_cents(noise(1.0, 0.1, seed=seed), SAMPLE_RATE, 440.0))
    assert math.isnan(tone_cents(np.zeros(SAMPLE_RATE), SAMPLE_RATE, 440.0))


def test_a_line_between_the_partials_is_found_and_noise_is_none():
    time = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    clean = tone(60, 4.0, cents=5.0, slope=0.5) + noise(4.0, 0.003)
    assert strongest_spur(clean, SAMPLE_RATE, key_frequency(60)) == (-240.0, 0.0)
    for hz in (70.0, 400.0, 2751.0):
        x = clean + 1e-3 * np.sin(2 * np.pi * hz * time)
        level, where = strongest_spur(x, SAMPLE_RATE, key_frequency(60))
        assert level == pytest.approx(-40.0, abs=1.0) and where == pytest.approx(hz, abs=0.2)


CHORD = chords()[0]


def test_every_note_of_a_chord_is_measured_and_a_missing_one_is_missed():
    cents = [(-1) ** i * 1.5 * i for i in range(12)]
    x = sum(tone(key, 4.0, cents=c) for key, c in zip(CHORD, cents)) + noise(4.0, 0.002)
    assert chord_cents(x, SAMPLE_RATE, CHORD) == pytest.approx(cents, abs=0.3)
    for silent in (0, 5, 8, 11):
        x = sum(tone(key, 4.0) for i, key in enumerate(CHORD) if i != silent) + noise(4.0, 0.002)
        found = chord_cents(x, SAMPLE_RATE, CHORD)
        assert [i for i, c in enumerate(found) if math.isnan(c)] == [silent]


def test_a_chord_whose_notes_hide_each_other_is_refused():
    for semitones in SHARED_PARTIALS:
        with pytest.raises(ValueError, match="hides"):
            chord_cents(np.zeros(SAMPLE_RATE), SAMPLE_RATE, [48, 48 + semitones])


def test_a_note_that_is_not_found_counts_as_out_of_tune():
    assert cents_statistics([1.0, -2.0, 3.0]) == (2.0, 3.0, 0)
    assert cents_statistics([0.0] * 19 + [math.nan]) == (0.0, 0.0, 1)
    assert cents_statistics([0.0] * 18 + [math.nan] * 2) == (0.0, 1200.0, 2)


# -- held and released notes -----------------------------------------------------------------------------------


def test_a_steady_note_shows_no_drift():
    held = held_note(tone(57, 20.0) + noise(20.0, 1e-3), SAMPLE_RATE, key_frequency(57))
    assert abs(held.level_drift_db) < 0.05 and held.level_dip_db < 0.05
    assert abs(held.centroid_drift_octaves) < 0.01
    assert abs(held.pitch_drift_cents) < 0.1 and held.worst_cents < 0.2


def test_a_note_that_fades_dips_dulls_or_goes_flat_shows_it():
    seconds, nominal = 20.0, key_frequency(57)
    x = tone(57, seconds)
    time = np.arange(len(x)) / SAMPLE_RATE

    fading = held_note(x * 10.0 ** (-6.0 * time / seconds / 20.0), SAMPLE_RATE, nominal)
    assert fading.level_drift_db == pytest.approx(-6.0 * 0.975, abs=0.1)
    collapsing = held_note(np.where((time > 12.0) & (time < 13.0), 0.05, 1.0) * x, SAMPLE_RATE, nominal)
    assert collapsing.level_dip_db == pytest.approx(26.0, abs=0.5)
    dull = tone(57, seconds, partials=1)
    dulling = held_note(x * (1 - time / seconds) + dull * (time / seconds), SAMPLE_RATE, nominal)
    assert dulling.centroid_drift_octaves < -0.3
    hz = nominal * 2.0 ** (-10.0 * time / seconds / 1200.0)
    phase = np.cumsum(hz) / SAMPLE_RATE
    flat = held_note(sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 8)), SAMPLE_RATE, nominal)
    assert flat.pitch_drift_cents == pytest.approx(-9.5, abs=0.3)
    assert flat.worst_cents == pytest.approx(9.75, abs=0.3)


def test_a_note_that_is_lost_has_no_pitch_drift():
    x = tone(57, 10.0)
    x[5 * SAMPLE_RATE :] = noise(5.0, 0.1)
    assert math.isnan(held_note(x, SAMPLE_RATE, key_frequency(57)).pitch_drift_cents)


def test_a_release_is_silent_or_is_not():
    x = tone(60, 3.0)
    fade = np.clip(1.0 - (np.arange(len(x)) - SAMPLE_RATE) / (0.5 * SAMPLE_RATE), 0.0, 1.0)
    silent = release(x * fade, SAMPLE_RATE, SAMPLE_RATE, 0.5)
    assert silent.residual_db == -240.0 and 0.45 < silent.seconds_to_60_db <= 0.5
    early = release(x * fade, SAMPLE_RATE, SAMPLE_RATE, 0.4)
    assert early.residual_db > -40.0
    humming = release(x * np.maximum(fade, 1e-4), SAMPLE_RATE, SAMPLE_RATE, 0.5)
    assert humming.residual_db == pytest.approx(-80.0, abs=1.0) and humming.seconds_to_60_db <= 0.5
    stuck = release(x, SAMPLE_RATE, SAMPLE_RATE, 0.5)
    assert stuck.residual_db > -20.0 and stuck.seconds_to_60_db == math.inf
    with pytest.raises(ValueError, match="ends before"):
        release(x, SAMPLE_RATE, SAMPLE_RATE, 2.0)


# -- continuity ------------------------------------------------------------------------------------------------


def sound() -> np.ndarray:
    return tone(55, 5.0, partials=30) + noise(5.0, 0.003)


@pytest.mark.parametrize(("period", "phase"), [(128, 5), (256, 77)])
def test_a_continuous_sound_has_no_boundaries(period, phase):
    found = boundaries(sound(), period, phase)
    assert found.is_continuous
    assert found.share_above < 0.005 and found.energy_ratio == pytest.approx(1.0, abs=0.2)
    assert found.count == pytest.approx(5 * SAMPLE_RATE / period, abs=period)


@pytest.mark.parametrize(("period", "phase"), [(128, 5), (256, 77)])
def test_a_click_in_every_slice_is_seen_on_its_grid_only(period, phase):
    x = sound()
    x[phase::period] += 0.02
    found = boundaries(x, period, phase)
    assert not found.is_continuous and found.share_above > 0.1 and found.energy_ratio > 2.0
    assert boundaries(x, period, phase + period // 2).is_continuous


def test_steps_and_kinks_between_slices_are_seen():
    rng = np.random.default_rng(RNG_SEED)
    slices = np.repeat(rng.standard_normal(5 * SAMPLE_RATE // 128 + 1), 128)[: 5 * SAMPLE_RATE]
    steps = boundaries(sound() + 0.02 * slices, 128, 0)
    assert not steps.is_continuous and steps.largest > 1.0
    kinks = boundaries(sound() + 0.02 * np.cumsum(slices), 128, 0)
    assert not kinks.is_continuous


def test_the_texture_of_a_filter_bank_hides_no_seam():
    time = np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE
    texture = 0.002 * np.sin(2 * np.pi * 3000.0 * time) + 0.002 * np.sin(2 * np.pi * 9000.0 * time)
    smooth = boundaries(sound() + texture, 128, 5)
    assert smooth.is_continuous and smooth.energy_limit < 1.2
    x = sound() + texture
    x[5::128] += 0.01
    assert not boundaries(x, 128, 5).is_continuous


def test_silence_is_continuous():
    assert boundaries(np.zeros(SAMPLE_RATE), 128, 0).is_continuous


# -- the pieces ------------------------------------------------------------------------------------------------


def test_a_midi_file_says_what_is_asked_on_its_sample():
    notes = [Note(77, 48_000, 60, 90), Note(48_077, 1, 60, 1, channel=3)]
    data = midi_file(notes, [Bend(500, 2.0), Bend(600, -2.0), Bend(700, 0.5)], end=1_000_000)
    piece = mido.MidiFile(file=io.BytesIO(data))
    assert piece.type == 0 and piece.length * SAMPLE_RATE == pytest.approx(1_000_000)
    now, told = 0, []
    for message in piece.tracks[0]:
        now += message.time
        if message.type == "pitchwheel":
            told.append((now, message.pitch))
        elif not message.is_meta:
            told.append((now, message.type, message.channel, message.note, message.velocity))
    assert told == [
        (77, "note_on", 0, 60, 90),
        (500, 8191),
        (600, -8192),
        (700, 2048),
        (48_077, "note_off", 0, 60, 64),
        (48_077, "note_on", 3, 60, 1),
        (48_078, "note_off", 3, 60, 64),
        (1_000_000, 0),
    ]
    assert Bend(0, 2.0).exact_semitones == pytest.approx(1.99976, abs=1e-5)


# -- the tool ----------------------------------------------------------------------------------------------------

# Plays sines instead of a network, with a fault that the environment asks for.
PLAYER = """#!{python}
import json, os, sys, mido, numpy as np, soundfile
song, rest = sys.argv[2], dict(zip(sys.argv[3::2], sys.argv[4::2]))
fault = os.environ.get("FAULT", "")
if fault == "refuse":
    sys.exit("echoel: there is no such instrument")
now, started, bend, ends, x = 0, {{}}, [(0, 0.0)], [], np.zeros(1)
notes = []
for message in mido.MidiFile(song).tracks[0]:
    now += message.time
    if message.type == "pitchwheel": bend.append((now, message.pitch / 4096))
    if message.type == "note_on": started[message.note] = now
    if message.type == "note_off": notes.append((started.pop(message.note), now, message.note))
RELEASE = 9600
x = np.zeros(max([now] + [end for _, end, _ in notes]) + RELEASE + 1)
semitones = np.zeros(len(x))
for time, value in bend: semitones[time:] = value
for start, end, key in notes:
    if fault == "missing" and key == 61: continue
    cents = 12.0 if fault == "sharp" else 0.0
    stop = end + RELEASE
    hz = 440 * 2 ** ((key - 69 + semitones[start:stop] + cents / 100) / 12)
    phase = np.cumsum(hz) / 48000
    level = np.clip((end - np.arange(start, stop)) / RELEASE + 1, 0, 1)
    note = 0.02 * sum(np.sin(2 * np.pi * k * phase) / k for k in (1, 2, 3)) * level
    if fault == "click": note[::128] += 0.002
    if fault == "collapse" and end - start > 200000: note[140000:] *= 0.1
    if fault == "hum": note = np.concatenate([note, np.full(960, 1e-3)])
    x[start : start + len(note)] += note[: len(x) - start]
x += np.random.default_rng(1).standard_normal(len(x)) * 1e-5 * (x != 0)
soundfile.write(rest["--out"], np.stack([x, x], 1), 48000, subtype="PCM_24")
print(json.dumps(dict(peak=float(abs(x).max()), notes=len(notes), realTimeFactor=9.0, voicesPeak=12)))
"""


@pytest.fixture
def bench(tmp_path):
    player = tmp_path / "echoel"
    player.write_text(PLAYER.format(python=sys.executable))
    player.chmod(0o755)
    folder = tmp_path / "Models" / "NeuralSynth"
    folder.mkdir(parents=True)
    (folder / "sines.instrument.json").write_text(
        json.dumps(
            {"lowKey": 50, "highKey": 80, "releaseSeconds": 0.2, "decoder": {"file": "sines.onnx", "sha256": "0" * 64}}
            | {"gain": 1.0, "velocityExponent": 2.0, "programs": [80]}
        )
    )
    (folder / "sines.json").write_text(json.dumps({"slotSamples": 128, "delaySamples": 0}))
    return Bench(Echoel(player, tmp_path / "Models"), tmp_path)


def failed(figures: list[Figure]) -> list[str]:
    return [figure.name for figure in figures if figure.passed is False]


@pytest.mark.parametrize("fault", ["", "sharp", "missing"])
def test_a_player_that_is_out_of_tune_or_leaves_out_a_note_fails(bench, monkeypatch, fault):
    monkeypatch.setenv("FAULT", fault)
    [instrument] = bench.echoel.instruments(["sines"])
    names = failed(in_tune(bench, instrument, range(60, 67), 2))
    if fault == "":
        assert names == []
    elif fault == "sharp":
        assert len([name for name in names if "median" in name or "95 %" in name]) == 8
    else:
        assert len([name for name in names if "not found" in name]) >= 2


@pytest.mark.parametrize("fault", ["", "click", "collapse", "hum"])
def test_a_player_that_clicks_collapses_or_hums_fails(bench, monkeypatch, fault):
    monkeypatch.setenv("FAULT", fault)
    names = failed(steady(bench, *bench.echoel.instruments(), 2, 6.0))
    said = {"click": "slots", "collapse": "level", "hum": "after the release"}.get(fault)
    assert names == [] if said is None else any(said in name for name in names)


@pytest.mark.parametrize(("bytes_per_note", "fixed", "said"), [(0, 50e6, []), (20_000, 0, ["three minutes more"]),
                                                               (0, 350e6, ["peak"])])  # fmt: skip
def test_a_player_whose_memory_grows_or_is_large_fails(bench, bytes_per_note, fixed, said):
    bench.echoel.path.write_text(
        f"""#!{sys.executable} -S
import json, os, sys, wave
notes = (os.path.getsize(sys.argv[2]) - 30) // 9
memory = b"x" * int({fixed} + notes * {bytes_per_note})
open(sys.argv[sys.argv.index("--out") + 1], "w").close()
print(json.dumps(dict(notes=notes)))
"""
    )
    names = failed(memory(bench, *bench.echoel.instruments()))
    assert len(names) == len(said) and all(name.startswith(start) for name, start in zip(names, said))


def test_what_the_tool_refuses_is_told(bench, monkeypatch):
    monkeypatch.setenv("FAULT", "refuse")
    with pytest.raises(TrainingError, match="no such instrument"):
        in_tune(bench, *bench.echoel.instruments())
    with pytest.raises(TrainingError, match="no instrument 'oboe'.*sines"):
        bench.echoel.instruments(["oboe"])
    with pytest.raises(TrainingError, match="no program at"):
        Echoel(Path("nowhere"))
    (bench.echoel.models / "NeuralSynth" / "sines.json").write_text("{")
    with pytest.raises(TrainingError, match="sines.instrument.json"):
        bench.echoel.instruments()


# -- reports and pictures ----------------------------------------------------------------------------------------


def test_a_figure_passes_within_its_bound_and_never_without_a_value():
    assert Figure("m", "a", 3.0, "dB", 3.0).passed and not Figure("m", "a", 3.1, "dB", 3.0).passed
    assert Figure("m", "a", 5.0, "×", 5.0, at_least=True).passed
    assert not Figure("m", "a", 4.9, "×", 5.0, at_least=True).passed
    assert Figure("m", "a", math.nan, "dB", 3.0).passed is False
    assert Figure("m", "a", math.nan, "dB", 3.0, at_least=True).passed is False
    assert Figure("m", "a", 1.0, "dB").passed is None
    assert math.isnan(worst([1.0, math.nan])) and math.isnan(worst([])) and worst([1.0, -2.0]) == 2.0
    lines = table([Figure("m", "a", 3.1, "dB", 3.0), Figure("m", "b", 1.0, "dB", 3.0), Figure("n", "c", 1.0, "dB")])
    assert lines[0] == "m" and "FAIL" in lines[1] and "pass" in lines[2] and lines[-1] == "1 of 2 bounds kept"
    told = json.loads(json.dumps(Figure("m", "a", math.inf, "s", 3.0, details={"x": [math.nan]}).as_json()))
    assert told["value"] is None and told["passed"] is False and told["details"] == {"x": [None]}


def test_a_tone_is_drawn_at_its_frequency(tmp_path):
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    for name, hz in [("low", 200.0), ("high", 5000.0)]:
        soundfile.write(tmp_path / f"{name}.wav", 0.5 * np.sin(2 * np.pi * hz * time), SAMPLE_RATE)
        write_spectrogram(tmp_path / f"{name}.wav", tmp_path / f"{name}.png")
        picture = Image.open(tmp_path / f"{name}.png")
        assert picture.size == (1600, 700)
        assert (tmp_path / f"{name}.png").stat().st_size < 400_000
        # The spectrogram's area, as `subplots_adjust` places it; its axis is 40 Hz to 18 kHz, logarithmic.
        column = np.asarray(picture.convert("L"), dtype=float)[:, 700]
        top, bottom = 160, 640
        row = top + int(np.argmax(column[top:bottom]))
        share = math.log(hz / 40.0) / math.log(18_000.0 / 40.0)
        assert row == pytest.approx(bottom - share * (bottom - top), abs=6)


def test_what_cannot_be_drawn_is_told_and_leaves_nothing(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "silent.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    for name, said in [("text", "not a sound file"), ("silent", "silent"), ("none", "no file")]:
        with pytest.raises(TrainingError, match=said):
            write_spectrogram(tmp_path / f"{name}.wav", tmp_path / "out.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["silent.wav", "text.wav"]


def command(*arguments) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    line = [sys.executable, "-m", "echoel_training", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env=environment)


def test_the_command_reports_and_fails_if_a_bound_is_not_kept(bench, monkeypatch, tmp_path):
    where = ["--echoel", bench.echoel.path, "--models", bench.echoel.models]
    done = command("measure", *where, "--only", "steady", "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] and report == json.loads((tmp_path / "out" / "figures.json").read_text())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "figures.json",
        "sines-courses.png",
        "sines-held.png",
    ]
    monkeypatch.setenv("FAULT", "collapse")
    done = command("measure", *where, "--only", "steady")
    assert done.returncode == 1 and "FAIL" in done.stdout and "not every bound" in done.stderr
    wrong = command("measure", *where, "--only", "loudness")
    assert wrong.returncode == 64 and "'loudness' is none of tune" in wrong.stderr
