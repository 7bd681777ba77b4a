"""A player with one fault fails the line that is for it, and one without any fails none."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from echoel_training.measure.report import Figure
from echoel_training.score import compare
from echoel_training.score.command import overall_figures
from echoel_training.score.levels import level_figures
from echoel_training.score.notes import SAMPLE_RATE, Rendering
from echoel_training.score.sustain import steadiness_figures

from sounds import envelope, noise, note, played, tone

KEYS = {48: 130.81, 55: 196.0, 62: 293.66, 69: 440.0}
SHAPE = {"onset": 0.002, "attack": 0.03, "t60_held": 4.0, "t60": 0.3}


def sound(scored, *, cents=0.0, gain=1.0, **changed):
    """What a player makes of a note: the same tone with other phases, and with what is changed."""
    length, held = len(scored.reference) / SAMPLE_RATE, scored.off_sample / SAMPLE_RATE
    return gain * tone(scored.hertz, length, cents=cents, seed=5) * envelope(held, length - held, **(SHAPE | changed))


@cache
def asked() -> list[Rendering]:
    """The notes, and what a synthesizer with another envelope makes of them."""
    notes = [note(hertz, key=key, held=1.5, after=1.0, **SHAPE) for key, hertz in KEYS.items()]
    return [Rendering(each, played(each, sound(each, t60_held=9, attack=0.1)).audio) for each in notes]


def renderings(**changed) -> list[Rendering]:
    return [played(each.note, sound(each.note, **changed), additive=each.audio["prior"]) for each in asked()]


def figures(**changed) -> list[Figure]:
    found = renderings(**changed)
    return [
        *compare.distance_figures("tones", found),
        *compare.partial_figures("tones", found),
        *compare.onset_figures("tones", found),
        *compare.attack_figures("tones", found),
        *compare.decay_figures("tones", found, is_struck=True),
        *level_figures("tones", [each.note for each in found], [each.audio["prior"] for each in found]),
    ]


def failed(found: list[Figure]) -> set[str]:
    return {figure.measure.split(":")[0] for figure in found if figure.passed is False}


def test_a_player_without_a_fault_fails_nothing():
    found = figures()
    assert failed(found) == set()
    assert {figure.measure.split(":")[0] for figure in found if figure.passed} == {
        "Mel distance", "Partials", "Onset", "Attack time", "T60", "Level"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ({"cents": 10}, "Partials"),
        ({"onset": 0.006}, "Onset"),
        ({"attack": 0.05}, "Attack time"),
        ({"attack": 0.02}, "Attack time"),
        ({"t60_held": 3.0}, "T60"),
        ({"t60": 0.4}, "T60"),
        ({"gain": 10 ** (3 / 20)}, "Level"),
    ],
)
def test_a_player_with_a_fault_fails_its_line(fault, line):
    assert failed(figures(**fault)) == {line}


def test_silence_fails_every_line():
    silent = [Rendering(e.note, e.audio | {"prior": np.zeros_like(e.note.reference)}) for e in renderings()]
    found = [
        *compare.distance_figures("tones", silent),
        *compare.partial_figures("tones", silent),
        *compare.onset_figures("tones", silent),
        *compare.attack_figures("tones", silent),
        *compare.decay_figures("tones", silent, is_struck=True),
    ]
    assert failed(found) == {"Mel distance", "Partials", "Onset", "Attack time", "T60"}


def test_noise_in_the_place_of_a_note_fails_its_mel_distance():
    noisy = [Rendering(e.note, e.audio | {"prior": noise(2.5, 0.05).astype(np.float32)}) for e in renderings()]
    assert failed(compare.distance_figures("tones", noisy)) == {"Mel distance"}


def test_a_note_that_was_heard_at_another_velocity_is_not_judged_by_its_mel_distance():
    """A SoundFont may have one recording for all velocities: then it is not a held-out note."""
    judged = renderings()
    easy = [
        played(note(hertz, key=key, why="velocity"), tone(hertz, 2.5), additive=noise(2.5, 0.1))
        for key, hertz in KEYS.items()
    ]
    [alone] = [f for f in compare.distance_figures("tones", judged) if f.name.startswith("through the prior, mean")]
    [both, velocity] = [
        f for f in compare.distance_figures("tones", judged + easy) if f.name.startswith("through the prior, mean")
    ]
    assert both.value == alone.value and both.bound == alone.bound and velocity.bound is None


def test_bounds_follow_the_additive_synth_where_it_is_far():
    far = [Rendering(e.note, e.audio | {"additive": noise(2.5, 0.1).astype(np.float32)}) for e in renderings()]
    [additive] = [f for f in compare.distance_figures("tones", far) if f.name.startswith("additive")]
    [prior] = [f for f in compare.distance_figures("tones", far) if f.name.startswith("through the prior, mean")]
    assert additive.value > 10 and prior.bound == pytest.approx(0.6 * additive.value, abs=0.01)
    near = [Rendering(e.note, e.audio | {"additive": e.audio["prior"]}) for e in renderings()]
    [prior] = [f for f in compare.distance_figures("tones", near) if f.name.startswith("through the prior, mean")]
    assert prior.bound == 6


def test_two_of_four_instruments_must_be_no_worse_than_the_sampler():
    def instrument(name, better):
        scored = note(440.0)
        near, far = scored.reference, noise(2.5, 0.1).astype(np.float32)
        object.__setattr__(scored, "instrument", name)
        return Rendering(scored, {"prior": near if better else far, "sampler": far if better else near})

    for count, passed in ((0, False), (1, False), (2, True), (4, True)):
        [figure] = overall_figures([instrument(f"i{n}", n < count) for n in range(4)])
        assert figure.value == count and figure.passed is passed
    assert overall_figures([instrument("alone", True)]) == []


# -- held notes ------------------------------------------------------------------------------------------------

TIME = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
SOUNDFONT = (tone(220, 30.0) * (1 + 0.1 * np.sin(2 * np.pi * 2 * TIME)) + noise(30.0, 1e-3)).astype(np.float32)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (np.ones(len(TIME)), None),
        (10 ** (-4 * TIME / 30 / 20), "level"),
        (np.where((TIME > 12) & (TIME < 13), 0.2, 1), "dip"),
        (1 + 0.2 * np.sin(2 * np.pi * 3.3 * TIME), "periods"),
    ],
)
def test_a_held_note_that_drifts_breaks_off_or_repeats_fails(change, line):
    found = steadiness_figures("tones", [57], [(SOUNDFONT * change).astype(np.float32)], [SOUNDFONT])
    names = [figure.name for figure in found if figure.passed is False]
    assert (names == []) if line is None else any(line in name for name in names)


def test_a_held_note_that_gets_duller_fails():
    dull = tone(220, 30.0, slope=2)
    sound = (SOUNDFONT * (1 - TIME / 30) + dull * TIME / 30).astype(np.float32)
    names = [f.name for f in steadiness_figures("tones", [57], [sound], [SOUNDFONT]) if f.passed is False]
    assert any("centroid" in name for name in names)


def test_what_cannot_be_measured_is_infinitely_wrong():
    [middle, most] = compare.onset_figures("tones", [Rendering(note(), {"prior": np.zeros(120_000, np.float32)})])
    assert middle.value == math.inf and middle.passed is False and most.bound is None


def test_no_more_is_asked_of_an_unheard_recording_than_its_neighbour_tells():
    """Attacks half as long again fail where the sampler's are right, and pass where its are as wrong; those of heard
    recordings fail whatever the sampler does."""
    slow = [played(each.note, sound(each.note, attack=0.045)) for each in asked()]

    def attacks(sampler, why="zone"):
        heard = {each.note: sound(each.note, attack=sampler).astype(np.float32) for each in slow}
        found = [Rendering(replace(e.note, why=why), e.audio | {"sampler": heard[e.note]}) for e in slow]
        return compare.attack_figures("tones", found)[0]

    assert attacks(sampler=0.03).passed is False and attacks(sampler=0.03).bound == 20
    assert attacks(sampler=0.05).passed is True and attacks(sampler=0.05).bound > 40
    assert attacks(sampler=0.05, why="velocity").passed is False


def test_the_same_is_asked_of_decays():
    quick = [played(each.note, sound(each.note, t60=0.2)) for each in asked()]

    def release(t60, why="zone"):
        heard = {each.note: sound(each.note, t60=t60).astype(np.float32) for each in quick}
        found = [Rendering(replace(e.note, why=why), e.audio | {"sampler": heard[e.note]}) for e in quick]
        return compare.decay_figures("tones", found, is_struck=False)[0]

    assert release(t60=0.3).passed is False and release(t60=0.15).passed is True
    assert release(t60=0.15, why="velocity").passed is False
