"""The measures see the faults that they are for, and see none where there is none."""

import io
import math

import mido
import numpy as np
import pytest

from echoel_training.measure.continuity import boundaries
from echoel_training.measure.midi import SAMPLE_RATE, Bend, Note, key_frequency, midi_file
from echoel_training.measure.pieces import chords
from echoel_training.measure.pitch import SHARED_PARTIALS, cents_statistics, chord_cents, tone_cents
from echoel_training.measure.steadiness import held_note, release

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


@pytest.mark.parametrize("inharmonicity", [1e-4, 4e-4])
def test_the_fundamental_of_a_stretched_tone_is_measured(inharmonicity):
    for key in range(36, 85, 6):
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


def test_noise_and_silence_have_no_pitch():
    for seed in range(5):
        assert math.isnan(tone_cents(noise(1.0, 0.1, seed=seed), SAMPLE_RATE, 440.0))
    assert math.isnan(tone_cents(np.zeros(SAMPLE_RATE), SAMPLE_RATE, 440.0))


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
    assert -110.0 < humming.residual_db < -85.0 and humming.seconds_to_60_db <= 0.5
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
