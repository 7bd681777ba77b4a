"""What a note is heard as: the programs of FluidR3 GM, found among their neighbours' keys."""

import numpy as np
import pytest

from echoel_training.rendering import Synthesizer
from echoel_training.score import gallery, timbre
from echoel_training.score.gallery import VELOCITIES, Gallery, open_gallery, render_note
from echoel_training.score.identity import Judge, Query, identity_figures, query_notes, soundfont_queries

KEY, NEAR = 64, (62, 63, 66)
PIANO, BRIGHT_PIANO, VIOLIN, STRINGS, SLOW_STRINGS, TRUMPET, SAW, FIDDLE = 0, 1, 40, 48, 49, 56, 81, 110
SOME = (PIANO, BRIGHT_PIANO, VIOLIN, STRINGS, SLOW_STRINGS, TRUMPET, SAW, FIDDLE)
CROWD = tuple(sorted({*SOME, *range(0, 120, 2), 7, 53, 59, 67, 79, 111}))
"""Half of all programs: the fewer there are, the easier it is to be nearest to one."""


def small_gallery(synthesizer, programs=CROWD, keys=NEAR) -> Gallery:
    """Some programs at one velocity instead of all; the others have no sound."""
    features = np.zeros((len(keys), 128, len(VELOCITIES), timbre.SIZE), np.float32)
    sounds = np.zeros(features.shape[:3], bool)
    likeness = np.zeros((len(keys), 128, 128), np.float32)
    for at, key in enumerate(keys):
        held = np.zeros((128, timbre.OFF_SAMPLE), np.float32)
        for program in programs:
            if (audio := render_note(synthesizer, program, key, VELOCITIES[0])) is None:
                continue
            features[at, program, 0], sounds[at, program, 0] = timbre.describe(audio), True
            held[program] = audio[: timbre.OFF_SAMPLE] / np.linalg.norm(audio[: timbre.OFF_SAMPLE])
        likeness[at] = held @ held.T
    return Gallery(np.array(keys), features, sounds, likeness)


@pytest.fixture(scope="module")
def synthesizer():
    return Synthesizer()


@pytest.fixture(scope="module")
def some(synthesizer):
    return small_gallery(synthesizer)


@pytest.fixture(scope="module")
def notes(synthesizer):
    return {program: render_note(synthesizer, program, KEY, 96) for program in SOME}


@pytest.mark.parametrize("program", [PIANO, STRINGS, TRUMPET, SAW])
def test_a_recording_is_heard_as_itself_at_any_level(some, notes, program):
    judge = Judge(some)
    for level in (1.0, 0.003, 40.0):
        answer = judge.answer(Query("any", program, KEY, 96, level * notes[program]))
        assert answer.right and answer.heard_as == program, (level, answer.nearest)


@pytest.mark.parametrize("program", [STRINGS, TRUMPET, SAW])  # a piano of another colour is the bright piano
def test_another_colour_of_two_decibels_does_not_hide_it(some, notes, program):
    audio = notes[program]
    rng = np.random.default_rng(5)
    spectrum = np.fft.rfft(audio)
    octaves = np.log2(np.fft.rfftfreq(len(audio), 1 / 48_000) + 20)
    colour = np.interp(octaves, np.linspace(4, 15, 18), rng.normal(0, 2, 18))
    assert Judge(some).answer(Query("any", program, KEY, 96, np.fft.irfft(spectrum * 10 ** (colour / 20)))).right


@pytest.mark.parametrize("program", [PIANO, STRINGS, TRUMPET, SAW])
def test_its_steady_partials_are_not_enough(some, notes, program):
    """The right partials at the right mean levels, as an additive synthesizer plays them."""
    audio = notes[program][: timbre.OFF_SAMPLE].astype(float)
    hertz = 440 * 2 ** ((KEY - 69) / 12)
    spectrum = np.abs(np.fft.rfft(audio[9_600:42_368] * np.hanning(32_768)))
    time = np.arange(round(1.5 * 48_000)) / 48_000
    rng = np.random.default_rng(1)
    tone = np.zeros(len(time))
    for number in range(1, int(20_000 / hertz)):
        middle = round(number * hertz * 32_768 / 48_000)
        tone += spectrum[middle - 8 : middle + 9].max() * np.sin(2 * np.pi * (number * hertz * time + rng.random()))
    envelope = np.minimum(1, time / 0.02) * np.where(time < 1.2, 1, np.exp((1.2 - time) / 0.03))
    assert not Judge(some).answer(Query("any", program, KEY, 96, tone * envelope)).right


def test_a_note_of_the_asked_key_is_never_compared(synthesizer, notes):
    """The asked note itself, put under another program at its own key, changes nothing; a semitone away it does."""
    for place, expected in ((KEY, TRUMPET), (KEY + 1, SAW)):
        every = small_gallery(synthesizer, (TRUMPET, SAW), (62, place, 66))
        every.features[1, SAW] = timbre.describe(notes[TRUMPET])
        assert Judge(every).answer(Query("trumpet", TRUMPET, KEY, 96, notes[TRUMPET])).heard_as == expected


def test_a_recording_of_its_own_can_be_kept_out(synthesizer, notes):
    """The asked note itself a semitone away, under its own program: found, unless it is told to be the same recording."""
    every = small_gallery(synthesizer, (TRUMPET, SAW), (62, KEY + 1))
    every.features[:, TRUMPET] = 1e3
    every.features[1, TRUMPET] = timbre.describe(notes[TRUMPET])
    query = Query("trumpet", TRUMPET, KEY, 96, notes[TRUMPET], frozenset({KEY, KEY + 1}))
    judge = Judge(every)
    assert judge.answer(query).right and judge.answer(query, apart=True).heard_as == SAW
    assert judge.answer(query._replace(recording=frozenset({KEY})), apart=True).right


def test_what_lies_farther_than_four_semitones_is_never_compared(synthesizer, notes):
    every = small_gallery(synthesizer, (TRUMPET, SAW), (KEY - 5, KEY + 4, KEY + 5))
    every.features[[0, 2], SAW] = timbre.describe(notes[TRUMPET])
    assert Judge(every).answer(Query("trumpet", TRUMPET, KEY, 96, notes[TRUMPET])).heard_as == TRUMPET


def test_programs_that_are_there_twice_are_one(some):
    same = some.same()
    assert same[STRINGS] == same[SLOW_STRINGS] and same[VIOLIN] == same[FIDDLE]
    assert len({same[program] for program in (PIANO, BRIGHT_PIANO, VIOLIN, STRINGS, TRUMPET, SAW)}) == 6


def test_asked_notes_take_turns_at_velocities():
    assert query_notes([60]) == [(60, velocity) for velocity in VELOCITIES]
    eight = query_notes(range(60, 68))
    assert len(eight) == 16 and {key for key, _ in eight} == set(range(60, 68))
    assert [sum(velocity == each for _, velocity in eight) for each in VELOCITIES] == [4, 4, 4, 4]


def test_silence_is_described(some):
    assert not timbre.describe(np.zeros(70_000, np.float32)).any()


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Three programs and one velocity, in a cache of their own."""
    monkeypatch.setenv("ECHOEL_CACHE", str(tmp_path))
    monkeypatch.setattr(gallery, "PROGRAMS", range(3))
    monkeypatch.setattr(gallery, "VELOCITIES", (96,))
    return tmp_path / "timbre"


def test_keys_are_rendered_once(few, monkeypatch):
    rendered = []
    render = gallery.render_programs

    def watched(soundfont, programs, key, velocity):
        rendered.append(key)
        return render(soundfont, programs, key, velocity)

    monkeypatch.setattr(gallery, "render_programs", watched)
    first = open_gallery([62, 60, 62], workers=1)
    assert rendered == [60, 62] and list(first.keys) == [60, 62] and first.features.shape == (2, 3, 1, 136)
    again = open_gallery([60, 62, 63], workers=1)
    assert rendered == [60, 62, 63]
    assert np.array_equal(again.features[:2], first.features)

    next(few.glob("*-062.npz")).write_bytes(b"PK half a file")
    assert np.array_equal(open_gallery([62], workers=1).features[0], first.features[1])
    monkeypatch.setattr(timbre, "VERSION", timbre.VERSION + 1)
    open_gallery([60], workers=1)
    assert rendered == [60, 62, 63, 62, 60] and len(list(few.iterdir())) == 4


def test_processes_render_the_same(few):
    one = gallery.render_programs(Synthesizer().soundfont, range(3), 60, 96)
    with gallery._renderer(Synthesizer().soundfont, 2) as rendered:
        [other] = rendered([60], [96])
    for ours, theirs in zip(one, other, strict=True):
        assert np.array_equal(ours, theirs)


def test_a_program_without_sound_at_a_key_is_left_out(synthesizer):
    contrabass, too_high = 43, 84
    assert render_note(synthesizer, contrabass, too_high, 96) is None
    assert soundfont_queries([Query("bass", contrabass, too_high, 96, np.zeros(1))]) == []


def test_figures_say_what_was_heard_and_what_can_be(monkeypatch, some, notes):
    monkeypatch.setattr("echoel_training.score.identity.open_gallery", lambda keys, soundfont: some)
    ours = [Query("lead", SAW, *note, notes[SAW]) for note in query_notes([KEY])]
    wrong = [query._replace(audio=notes[TRUMPET]) for query in ours]
    share, own, baseline = identity_figures(ours, wrong)
    assert (share.value, share.passed, share.measure) == (100, True, "Identity: lead")
    assert own.value == 100 and own.bound is None
    assert (baseline.value, baseline.passed) == (0, True)  # it has to fail

    known = [query._replace(recording=frozenset({KEY - 1, KEY, KEY + 1})) for query in ours]
    names = [figure.name for figure in identity_figures(known)]
    assert sum("without the notes' own recordings" in name for name in names) == 2

    share, _ = identity_figures([*ours[:2], *wrong[2:]])
    assert (share.value, share.passed) == (50, False)
    assert share.details["takenFor"] == [{"program": TRUMPET, "notes": 2}]
    assert identity_figures(wrong, ours)[2].passed is False
