"""Each measure gives the known answer for a sound made to have it, and none is moved by what it is not about."""

import math

import numpy as np
import pytest

from echoel_training.score.envelope import (
    attack_seconds,
    decay_range,
    held_decay_decibels_per_second,
    level_decibels,
    onset_seconds,
    release_t60_seconds,
)
from echoel_training.score.mel import mel_distance
from echoel_training.score.movement import (
    band_levels,
    deepest_dip,
    modulation_lines,
    movement_decibels,
    new_lines,
    window_centroids,
    window_levels,
)
from echoel_training.score.notes import SAMPLE_RATE
from echoel_training.score.partials import partial_errors
from echoel_training.score.pitches import praat_cents, pyin_cents
from echoel_training.score.tuning import ideal_tone

from sounds import SEED, envelope, noise, note, tone

# -- mel distance ----------------------------------------------------------------------------------------------


def test_mel_distance_of_a_level_is_that_level():
    sound = noise(1.0, 0.1)
    assert mel_distance(sound, sound) == 0
    assert abs(mel_distance(0.5 * sound, sound) - 6.02) < 0.1
    with pytest.raises(ValueError, match="not compared"):
        mel_distance(sound, sound[1:])


def test_two_takes_of_one_noise_are_near_and_another_spectrum_is_far():
    assert mel_distance(noise(2.0, 0.1, seed=1), noise(2.0, 0.1, seed=2)) < 2
    assert mel_distance(tone(440, 1.0, slope=2), tone(440, 1.0)) > 5


def test_sound_in_the_silence_after_a_note_counts():
    scored = note(held=0.5, after=1.5, t60=0.1)
    hum = scored.reference + np.where(np.arange(len(scored.reference)) > 48_000, noise(2.0, 1e-3), 0)
    assert mel_distance(hum, scored.reference) > 5


def test_a_click_is_seen_and_what_is_70_decibels_down_is_not():
    sound = tone(440, 1.0)
    assert mel_distance(sound + 1e-6 * noise(1.0, 1.0), sound) < 0.5
    clicking = sound.copy()
    clicking[::128] += 0.02
    assert mel_distance(clicking, sound) > 5


# -- onset, attack, decay, level -------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [0.0, 0.002, 0.005, 0.05])
def test_an_onset_is_found_within_a_millisecond(late):
    sound = tone(220, 1.0) * envelope(1.0, 0, onset=late, attack=0.005) + noise(1.0, 1e-4)
    assert abs(onset_seconds(sound) - late) <= 0.0011


def test_what_is_silent_has_neither_onset_nor_attack():
    assert math.isnan(onset_seconds(np.zeros(48_000))) and math.isnan(attack_seconds(np.zeros(48_000), 440))


@pytest.mark.parametrize("hertz", [82.0, 440.0])
@pytest.mark.parametrize("attack", [0.05, 0.1, 0.3])
def test_the_attack_of_a_straight_rise_is_eight_tenths_of_it(attack, hertz):
    sound = tone(hertz, 1.5) * envelope(1.5, 0, attack=attack)
    assert attack_seconds(sound, hertz) == pytest.approx(0.8 * attack, rel=0.2)


def test_a_longer_attack_measures_longer_however_short():
    times = [attack_seconds(tone(440, 1.0) * envelope(1.0, 0, attack=a), 440) for a in (0.001, 0.005, 0.01, 0.02, 0.04)]
    assert times == sorted(times) and times[0] < 0.004


def test_oscillators_that_drift_into_step_are_no_attack():
    # The second one is 0.8 Hz away, and loudest together with the first after half a second.
    time = np.arange(48_000) / SAMPLE_RATE
    beating = np.sin(2 * np.pi * 220 * time) + 0.5 * np.sin(2 * np.pi * 220.8 * time + 1.2 * np.pi)
    assert attack_seconds(beating * envelope(1.0, 0, attack=0.01), 220) < 0.03


@pytest.mark.parametrize("t60", [0.5, 2.0, 8.0])
def test_the_decay_of_a_held_note_is_its_t60(t60):
    sound = tone(220, 4.0) * envelope(4.0, 0, t60_held=t60)
    span = decay_range(sound, len(sound))
    if t60 == 0.5:
        assert span is None  # 50 dB are gone before there is a second to measure
    else:
        assert -60 / held_decay_decibels_per_second(sound, span) == pytest.approx(t60, rel=0.02)
    assert decay_range(sound, SAMPLE_RATE // 2) is None


@pytest.mark.parametrize("t60", [0.1, 0.5, 1.5])
def test_a_release_is_measured_to_three_per_cent(t60):
    sound = tone(220, 4.0) * envelope(1.0, 3.0, t60=t60)
    assert release_t60_seconds(sound, SAMPLE_RATE) == pytest.approx(t60, rel=0.03)


def test_a_note_that_stops_at_once_or_never_or_was_gone_before():
    sound = tone(220, 3.0)
    assert release_t60_seconds(np.where(np.arange(len(sound)) < 48_000, sound, 0), 48_000) < 0.01
    stuck = release_t60_seconds(sound, 48_000)
    assert math.isnan(stuck) or stuck > 2
    gone = sound * envelope(3.0, 0, t60_held=0.5)
    assert math.isnan(release_t60_seconds(gone, 48_000))


def test_the_level_is_of_the_first_second_or_of_a_shorter_note():
    sound = np.concatenate([tone(440, 1.0), 0.1 * tone(440, 1.0)])
    assert level_decibels(2 * sound, 96_000) - level_decibels(sound, 96_000) == pytest.approx(6.02, abs=0.01)
    assert level_decibels(sound, 96_000) == level_decibels(sound[:48_000], 48_000)


# -- partials --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inharmonicity", [0.0, 1e-4, 1e-3])
@pytest.mark.parametrize("cents", [0.0, 7.0, -12.0])
def test_partials_out_of_place_are_measured_within_a_cent(cents, inharmonicity):
    for hertz in (82.4, 261.6, 880.0):
        scored = note(hertz, inharmonicity=inharmonicity)
        sound = tone(hertz, 2.5, cents=cents, inharmonicity=inharmonicity, seed=2)
        errors = partial_errors(sound + noise(2.5, 1e-4), scored)
        assert list(errors) == list(range(2, 11)) and list(errors.values()) == pytest.approx([cents] * 9, abs=1)


def test_harmonic_partials_are_not_those_of_a_piano():
    scored = note(261.6, inharmonicity=4e-4)
    errors = partial_errors(tone(261.6, 2.5), scored)
    # 1200 log2 sqrt((1 + B) / (1 + 100 B)) is -34 cents.
    assert errors[10] == math.inf or errors[10] == pytest.approx(-34, abs=2)
    assert abs(errors[5]) > 5


def test_a_missing_partial_is_seen_and_a_weak_one_is_not_asked_for():
    scored = note(440.0)
    assert partial_errors(tone(440, 2.5, partials=4), scored)[5] == math.inf
    assert set(partial_errors(tone(440, 2.5), note(440.0, partials=6))) == {2, 3, 4, 5, 6}
    assert partial_errors(tone(440, 2.5), note(440.0, held=0.3)) == {}


def test_vibrato_moves_no_partial():
    time = np.arange(120_000) / SAMPLE_RATE
    phase = np.cumsum(440 * 2 ** (8 / 1200 * np.sin(2 * np.pi * 5 * time))) / SAMPLE_RATE
    sound = sum(0.2 / k * np.sin(2 * np.pi * k * phase) for k in range(1, 13))
    errors = partial_errors(sound, note(440.0))
    assert max(map(abs, errors.values())) < 1


# -- pitch -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimate", [pyin_cents, praat_cents])
@pytest.mark.parametrize("hertz", [41.2, 220.0, 1046.5, 2093.0])
def test_known_estimators_hear_a_tone_within_a_cent(estimate, hertz):
    # pYIN interpolates between samples, of which there are 23 in the shortest period here.
    within = 2 if estimate is pyin_cents and hertz > 2_000 else 1.01
    for cents in (0.0, 10.0, -4.0):
        assert estimate(tone(hertz, 0.9, cents=cents), hertz) == pytest.approx(cents, abs=within), cents
    assert abs(abs(estimate(tone(2 * hertz, 0.9), hertz)) - 1200) < 30


@pytest.mark.parametrize("estimate", [pyin_cents, praat_cents])
@pytest.mark.parametrize("slope", [0.5, 1.5])
def test_a_piano_in_tune_is_heard_as_sharp_as_the_ideal_tone(estimate, slope):
    """And one that is 6 cents off is heard 6 cents farther off, whatever its timbre."""
    for cents in (0.0, 6.0):
        sound = tone(220, 0.9, cents=cents, inharmonicity=3e-4, slope=slope) * envelope(0.9, 0, t60_held=4)
        heard, expected = estimate(sound, 220), estimate(ideal_tone(sound, 220, 3e-4), 220)
        assert expected > 3 and heard - expected == pytest.approx(cents, abs=1)


@pytest.mark.parametrize("estimate", [pyin_cents, praat_cents])
def test_noise_and_silence_have_no_pitch(estimate):
    assert math.isnan(estimate(noise(0.9, 0.1), 220.0)) and math.isnan(estimate(np.zeros(43_200), 220.0))


# -- a held note -----------------------------------------------------------------------------------------------

TIME = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
HELD = (tone(220, 30.0) + noise(30.0, 1e-3)).astype(np.float32)


def wandering(seconds, seed=SEED, repeats=1):
    """A level that wanders slowly about 1, `repeats` times the same."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(round(8 * seconds))
    samples, places = np.arange(round(seconds * SAMPLE_RATE)), np.arange(len(steps)) * 6_000
    loop = np.interp(samples, places, steps, period=6_000 * len(steps))
    return 10 ** (1.5 * np.tile(loop, repeats) / 20)


def test_a_note_that_fades_dulls_or_breaks_off_shows_it():
    level = window_levels(HELD * 10 ** (-3 * TIME / 30 / 20))
    assert level[0] - level[-1] == pytest.approx(2, abs=0.1)
    centroid = window_centroids(HELD * (1 - TIME / 30) + tone(220, 30.0, partials=1) * TIME / 30)
    assert centroid[-1] < 0.8 * centroid[0]
    assert deepest_dip(HELD) < 0.2
    assert deepest_dip(np.where((TIME > 12) & (TIME < 12.6), 0.1, 1) * HELD) > 6


@pytest.mark.parametrize("hertz", [0.3, 1.7, 6.0, 15.0])
def test_a_period_is_found_with_its_rate_and_depth(hertz):
    swinging = HELD * 10 ** (1.0 * np.sin(2 * np.pi * hertz * TIME) / 20)
    lines = modulation_lines(band_levels(swinging))
    assert lines[0].hertz == pytest.approx(hertz, rel=0.06)
    # The 43 ms of a spectrum's window smooth what is fast.
    assert lines[0].depth_decibels == pytest.approx(1, abs=0.3 if hertz > 10 else 0.15)
    assert not modulation_lines(band_levels(HELD))
    # What the SoundFont does as well is no fault, and a little faster it is.
    assert not new_lines(lines, lines)
    faster = modulation_lines(band_levels(HELD * 10 ** (1.0 * np.sin(2 * np.pi * 1.1 * hertz * TIME) / 20)))
    assert new_lines(faster, lines)


def test_a_movement_that_repeats_has_periods_and_one_that_does_not_has_none():
    free, looped = HELD * wandering(30.0), HELD * wandering(3.0, repeats=10)
    assert not modulation_lines(band_levels(free))
    lines = modulation_lines(band_levels(looped))
    assert len(lines) > 2 and all(abs(3 * line.hertz - round(3 * line.hertz)) < 0.15 for line in lines)
    assert movement_decibels(band_levels(free)) == pytest.approx(movement_decibels(band_levels(looped)), rel=0.6)
    assert movement_decibels(band_levels(HELD)) < 0.1
