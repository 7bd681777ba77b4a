"""The measures measure: each gives the known answer for a sound made to have it."""

import numpy as np

from echoel_training.evaluate import mel_distance, silent_after, stray_decibels

TIME = np.arange(48_000) / 48_000


def tone(hertz, level=1.0):
    return level * np.sin(2 * np.pi * hertz * TIME)


def test_a_line_between_partials_is_found_with_its_level():
    note = tone(440) + tone(880, 0.5) + tone(1_603, 0.01)
    assert abs(stray_decibels(note, 440.0) + 40) < 0.5
    assert stray_decibels(tone(440) + tone(880, 0.5), 440.0) < -80


def test_silence_after_a_release_is_timed():
    audio = np.concatenate([tone(440), np.exp(-np.arange(48_000) / 4_800) * tone(440)])
    # exp(-t / 0.1 s) reaches -60 dB after 0.691 s.
    assert abs(silent_after(audio, 48_000) - 0.691) < 0.01


def test_mel_distance_of_a_level_is_that_level():
    noise = np.random.default_rng(1).standard_normal(48_000)
    assert mel_distance(noise, noise) == 0
    assert abs(mel_distance(0.5 * noise, noise) - 6.02) < 0.1
