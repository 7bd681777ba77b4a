"""Who plays a held-out note: the product, bent to the note's pitch, and the three baselines."""

import math
import sys

import numpy as np
import pytest

from echoel_training import TrainingError
from echoel_training.dataset import nominal_hertz
from echoel_training.measure.midi import key_frequency
from echoel_training.measure.pitch import tone_cents
from echoel_training.score.additive import AdditiveSynth
from echoel_training.score.command import choose_instruments
from echoel_training.score.envelope import onset_seconds, release_t60_seconds
from echoel_training.score.mel import mel_distance
from echoel_training.score.notes import AFTER_SECONDS, SAMPLE_RATE
from echoel_training.score.origin import Origin
from echoel_training.score.playing import Request, play, resynthesize
from echoel_training.score.recordings import Recordings
from echoel_training.score.sampler import play_other_velocity, play_with_zone_missing
from echoel_training.score.selection import held_out_notes, level_notes

from sounds import envelope, noise, tone
from test_measure import bench  # noqa: F401, a fixture

CENTS_OFF = 7.0
VELOCITIES, SECONDS = (40, 80, 120), (0.3, 1.5)


def fields(keys, zone_of, audio_of, *, missing_zones=(1,), missing_velocity=80, struck=False):
    """A dataset of one instrument, as `echoel_training render` makes one."""
    rows = [(key, velocity, seconds) for key in keys for velocity in VELOCITIES for seconds in SECONDS]
    sounds = [audio_of(*row).astype(np.float32) for row in rows]
    key, velocity, seconds = (np.array(column) for column in zip(*rows, strict=True))
    zone, samples = np.array([zone_of(k) for k in key]), np.array([len(sound) for sound in sounds])
    return {
        "audio": np.concatenate(sounds),
        "start": np.cumsum(samples) - samples,
        "samples": samples,
        "key": key,
        "velocity": velocity,
        "off_sample": np.round(seconds * SAMPLE_RATE / 64).astype(int) * 64,
        "f0": np.array([nominal_hertz(k) * 2 ** (CENTS_OFF / 1200) for k in key]),
        "inharmonicity": np.zeros(len(rows)),
        "instrument": np.zeros(len(rows), int),
        "zone": zone,
        "held_out": np.isin(zone, missing_zones) | (velocity == missing_velocity),
        "instruments": np.array(["tones"]),
        "struck": np.array([struck]),
        "instrument_gain": np.array([2.0]),
    }


def tone_of(key, velocity, seconds):
    sound = tone(nominal_hertz(key), seconds + 0.5, cents=CENTS_OFF, slope=1.5) + noise(seconds + 0.5, 2e-3, seed=key)
    return sound * envelope(seconds, 0.5, attack=0.02, t60=0.3)


@pytest.fixture(scope="module")
def tones():
    return Recordings.of(fields(range(55, 67), lambda key: (key - 55) // 4, tone_of), "tones")


# -- selection -------------------------------------------------------------------------------------------------


def test_what_is_scored_was_kept_from_training(tones):
    notes = held_out_notes(tones)
    zones = [note for note in notes if note.why == "zone"]
    velocities = [note for note in notes if note.why == "velocity"]
    assert len(zones) == 12 and {note.key for note in zones} == {59, 60, 61, 62}
    assert {note.velocity for note in zones} == set(VELOCITIES) and len({note.off_sample for note in zones}) == 2
    assert len(velocities) == 8 and {note.velocity for note in velocities} == {80}
    assert not {note.key for note in velocities} & {59, 60, 61, 62}
    assert len({(note.key, note.velocity, note.off_sample) for note in notes}) == len(notes)
    for note in notes:
        assert not note.reference[-round(AFTER_SECONDS * SAMPLE_RATE) :].any() and note.reference.dtype == np.float32
        assert note.hertz == pytest.approx(nominal_hertz(note.key) * 2 ** (CENTS_OFF / 1200))
    assert len(held_out_notes(tones, quick=True)) == 8


def test_every_velocity_has_its_level_measured_at_the_same_keys(tones):
    notes = level_notes(tones)
    keys = {velocity: {note.key for note in notes if note.velocity == velocity} for velocity in VELOCITIES}
    assert len(keys[40]) == 6 and keys[40] == keys[80] == keys[120] and len(keys[40] & {59, 60, 61, 62}) == 3
    assert {note.off_sample for note in notes} == {72_000}


def test_a_dataset_that_keeps_nothing_back_is_refused():
    all_heard = Recordings.of(fields([60, 61], lambda key: 0, tone_of, missing_zones=(), missing_velocity=0), "tones")
    with pytest.raises(TrainingError, match="held_out_zones"):
        held_out_notes(all_heard)
    with pytest.raises(TrainingError, match="no instrument 'oboe'; it has tones"):
        Recordings.of(all_heard.fields, "oboe")


# -- the additive synthesizer ----------------------------------------------------------------------------------


def test_the_additive_synth_plays_steady_tones_nearly_as_they_are(tones):
    """It is no straw man: where an instrument is one waveform with noise and one envelope, it is that instrument."""
    synth = AdditiveSynth.learn(tones)
    assert synth.decay_decibels_per_second == 0
    assert synth.release_t60 == pytest.approx(0.3, rel=0.1) and synth.attack == pytest.approx(0.016, rel=0.3)
    distances = []
    for note in held_out_notes(tones, quick=True):
        audio = synth.play(note)
        assert len(audio) == len(note.reference)
        assert np.sqrt(np.mean(audio**2)) == pytest.approx(np.sqrt(np.mean(note.reference**2)), rel=1e-3)
        distances.append(mel_distance(audio, note.reference))
    assert np.mean(distances) < 2


def test_the_additive_synth_follows_a_fixed_filter():
    """Partials near 1 kHz are 20 dB louder at every key: a formant, not a waveform."""

    def voiced(key, velocity, seconds):
        time = np.arange(round((seconds + 0.5) * SAMPLE_RATE)) / SAMPLE_RATE
        sound = np.zeros(len(time))
        for number in range(1, 30):
            place = number * nominal_hertz(key) * 2 ** (CENTS_OFF / 1200)
            if place < 20_000:
                formant = 1 + 9 * math.exp(-2 * math.log2(place / 1_000) ** 2)
                sound += 0.02 * formant * np.sin(2 * np.pi * place * time + number)
        return sound * envelope(seconds, 0.5, attack=0.02, t60=0.3)

    recordings = Recordings.of(fields(range(40, 70, 4), lambda key: (key - 40) // 12, voiced), "tones")
    synth = AdditiveSynth.learn(recordings)
    held_out = held_out_notes(recordings, quick=True)
    assert np.mean([mel_distance(synth.play(note), note.reference) for note in held_out]) < 4


def test_the_additive_synth_of_a_struck_instrument_decays():
    def struck(key, velocity, seconds):
        return tone(nominal_hertz(key), seconds + 0.5, cents=CENTS_OFF) * envelope(seconds, 0.5, t60_held=3.0)

    notes = fields(range(60, 66), lambda key: (key - 60) // 2, struck, struck=True)
    synth = AdditiveSynth.learn(Recordings.of(notes, "tones"))
    assert synth.decay_decibels_per_second == pytest.approx(-20, rel=0.1)


# -- the SoundFont ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trumpet():
    from echoel_training.rendering import Synthesizer, find_soundfont

    try:
        player = Synthesizer(find_soundfont())
    except TrainingError as error:
        pytest.skip(str(error))

    def audio_of(key, velocity, seconds):
        off_sample = round(seconds * SAMPLE_RATE / 64) * 64
        return 2 * (127 / velocity) ** 2 * player.render(56, key, velocity, off_sample).audio

    # Keys 72 to 75 share a recording; those below share another.
    recordings = Recordings.of(fields([68, 70, 71, 72, 74], lambda key: int(key >= 72), audio_of), "tones")
    return recordings, Origin(recordings, [48, 56], player), player


def test_the_soundfont_plays_a_note_of_the_dataset_as_it_is(trumpet):
    recordings, origin, player = trumpet
    played = origin.play(70, 120, int(recordings.off_sample[-1]))
    assert np.abs(played - recordings.audio(recordings.find(70, 120, 1))).max() < 1e-5
    with pytest.raises(TrainingError, match="no program of tones .48."):
        Origin(recordings, [48], player)


def test_the_sampler_repitches_the_nearest_zone_that_was_heard(trumpet):
    recordings, origin, _ = trumpet
    for note in held_out_notes(recordings):
        audio = play_with_zone_missing(origin, recordings, note)
        if note.why == "velocity":
            assert audio is None
            continue
        nearest = int(np.flatnonzero((recordings.key == 71) & ~recordings.held_out)[0])
        apart = 1200 * math.log2(note.hertz / recordings.hertz(nearest))
        if note.off_sample > 60_000:
            held = audio[20_000 : note.off_sample]
            own = recordings.audio(recordings.find(71, 120, 1))[20_000:60_000]
            detuned = tone_cents(own, SAMPLE_RATE, key_frequency(71))
            expected = key_frequency(71) * 2 ** ((apart + detuned) / 1200)
            assert abs(tone_cents(held, SAMPLE_RATE, expected)) < 0.5
        # Its release is its own, and begins with the note's note-off.
        assert release_t60_seconds(audio, note.off_sample) == pytest.approx(
            release_t60_seconds(note.reference, note.off_sample), rel=0.1
        )
        assert 1 < mel_distance(audio, note.reference) < 10


def test_the_floor_is_another_velocity_at_the_same_level(trumpet):
    recordings, origin, _ = trumpet
    for note in held_out_notes(recordings):
        audio = play_other_velocity(origin, recordings, note)
        assert np.mean(audio**2) == pytest.approx(np.mean(note.reference**2), rel=1e-3)
        assert 0 < mel_distance(audio, note.reference) < 6


# -- the product -----------------------------------------------------------------------------------------------


def test_the_product_plays_a_note_at_its_pitch_from_its_first_sample(bench):  # noqa: F811
    [instrument] = bench.echoel.instruments()
    requests = [Request(key, 90, 24_000, 40_000, key_frequency(key) * 2 ** (cents / 1200)) for key, cents in
                ((60, 0), (62, 17.3), (60, -150), (75, 42.0))]  # fmt: skip
    requests.append(Request(64, 90, 24_000, 36_000))
    for request, audio in zip(requests, play(bench, instrument, requests), strict=True):
        assert len(audio) == request.samples and onset_seconds(audio) == 0
        hertz = request.hertz or key_frequency(request.key)
        assert abs(tone_cents(audio[:24_000], SAMPLE_RATE, hertz)) < 0.05
        # The player's three sines are as loud at any velocity; the product's own gain is taken out.
        level = np.sqrt(np.mean(audio[:24_000] ** 2)) * (90 / 127) ** 2
        assert level == pytest.approx(0.02 * math.sqrt(49 / 72) / 10 ** (-18 / 20), rel=0.02)
    with pytest.raises(TrainingError, match="semitones"):
        play(bench, instrument, [Request(60, 90, 4_800, 4_800, 440.0)])


RESYNTHESIZER = """#!{python}
import json, os, sys, soundfile
rest = dict(zip(sys.argv[2::2], sys.argv[3::2]))
folder = os.path.dirname(rest["--list"])
for job in json.load(open(rest["--list"])):
    sound, rate = soundfile.read(os.path.join(folder, job["file"]))
    soundfile.write(os.path.join(folder, job["out"]), sound * job["hertz"] / 1000, rate, subtype="FLOAT")
print("{{}}")
"""


def test_a_reference_goes_through_the_encoder_with_its_pitch_and_its_level(bench, tones):  # noqa: F811
    bench.echoel.path.write_text(RESYNTHESIZER.format(python=sys.executable))
    notes = held_out_notes(tones, quick=True)
    for note, sound in zip(notes, resynthesize(bench, *bench.echoel.instruments(), notes), strict=True):
        assert np.abs(sound - note.reference * note.hertz / 1000).max() < 1e-6
    assert not list(bench.folder.glob("*.wav"))


def test_instruments_are_those_that_are_installed_and_in_the_dataset(bench, tones):  # noqa: F811
    known = {"instruments": np.array(["oboe", "sines"])}
    assert [each.name for each in choose_instruments(bench.echoel, known, [])] == ["sines"]
    with pytest.raises(TrainingError, match="none of the dataset's instruments .tones."):
        choose_instruments(bench.echoel, tones.fields, [])
    with pytest.raises(TrainingError, match="no instrument 'oboe'"):
        choose_instruments(bench.echoel, known, ["oboe"])
