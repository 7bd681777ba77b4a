"""Single notes from a SoundFont, rendered by FluidSynth with exact times.

FluidSynth computes sound in buffers of 64 frames and applies events at the start of a buffer. A note here
therefore starts on sample 0 of its own array, and its note-off falls on a multiple of 64, kept with it.
Reverb and chorus are off. Every note gets a synthesizer of its own: one that is merely reset keeps traces of
the note before, so that the order of the notes would change their samples.
"""

import ctypes
import ctypes.util
import os
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import TrainingError
from .files import atomic_path
from .manifest import write_json

SAMPLE_RATE = 48_000
"""Hz, of everything rendered for training."""

BUFFER_SAMPLES = 64
"""FluidSynth's internal buffer: the grid on which note-offs lie."""

SILENCE_DECIBELS = -75.0
"""A note has ended when it stays this far below its own peak."""

SOUNDFONT_CANDIDATES = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/opt/homebrew/share/soundfonts/FluidR3_GM.sf2",
    "/opt/homebrew/share/fluid-synth/sf2/FluidR3_GM.sf2",
    "/usr/local/share/soundfonts/FluidR3_GM.sf2",
    "~/Library/Audio/Sounds/Banks/FluidR3_GM.sf2",
    "~/.local/share/soundfonts/FluidR3_GM.sf2",
)

_LIBRARY_CANDIDATES = (
    "libfluidsynth.so.3",
    "libfluidsynth.so.2",
    "/opt/homebrew/lib/libfluidsynth.dylib",
    "/usr/local/lib/libfluidsynth.dylib",
)

_SILENT_SAMPLES = 2_400  # 50 ms
_FADE_SAMPLES = 480  # 10 ms, at the very end, already inaudible
_MAXIMUM_TAIL_SECONDS = 12.0
_OK, _FAILED = 0, -1
_COARSE_TUNE, _FINE_TUNE = 51, 52  # generators of the SoundFont specification, in semitones and cents


class NoSound(TrainingError):
    """The SoundFont has nothing to play there."""


@dataclass(frozen=True)
class RenderedNote:
    """One note, mono at 48 kHz; sample 0 is the note-on."""

    audio: np.ndarray
    """float32 [samples], as loud as FluidSynth plays it at gain 0.8."""
    off_sample: int
    """The sample at which the note was released, a multiple of 64."""


def find_soundfont(path: str | os.PathLike | None = None) -> Path:
    """The SoundFont at `path`, else `ECHOEL_SOUNDFONT`, else FluidR3 GM where Debian or Homebrew put it."""
    wanted = path or os.environ.get("ECHOEL_SOUNDFONT")
    if wanted:
        found = Path(wanted).expanduser()
        if not found.is_file():
            raise TrainingError(f"there is no SoundFont at {found}; give another path with --soundfont")
        return found
    for candidate in SOUNDFONT_CANDIDATES:
        if (found := Path(candidate).expanduser()).is_file():
            return found
    raise TrainingError(
        "no SoundFont was found; install FluidR3 GM (Debian and Ubuntu: sudo apt-get install fluid-soundfont-gm) "
        "or give a .sf2 file with --soundfont"
    )


def write_notes(
    folder: Path,
    *,
    program: int,
    keys: list[int],
    velocities: list[int],
    seconds: float,
    bank: int = 0,
    soundfont: str | os.PathLike | None = None,
) -> list[dict]:
    """Render notes as float WAV files into `folder`, with `notes.json`; what that file says of each."""
    import soundfile

    synthesizer = Synthesizer(soundfont)
    off_sample = off_sample_for(seconds)
    described = []
    requests = [(key, velocity) for key in keys for velocity in velocities]
    for key, velocity in tqdm(requests, unit="note", desc="render", disable=None):
        note = synthesizer.render(program, key, velocity, off_sample, bank)
        name = f"program{program:03d}_key{key:03d}_velocity{velocity:03d}.wav"
        with atomic_path(folder / name) as partial:
            soundfile.write(partial, note.audio, SAMPLE_RATE, subtype="FLOAT", format="WAV")
        described.append(
            {
                "file": name,
                "program": program,
                "bank": bank,
                "key": key,
                "velocity": velocity,
                "offSample": off_sample,
                "samples": len(note.audio),
                "peak": float(np.abs(note.audio).max()),
            }
        )
    summary = {"soundfont": synthesizer.soundfont.name, "sampleRate": SAMPLE_RATE, "notes": described}
    write_json(summary, folder / "notes.json")
    return described


def off_sample_for(seconds: float) -> int:
    """The note-off on FluidSynth's grid that lies nearest to `seconds` after the note-on, at least one buffer."""
    return max(1, round(seconds * SAMPLE_RATE / BUFFER_SAMPLES)) * BUFFER_SAMPLES


class Synthesizer:
    """FluidSynth with one SoundFont, rendering one note at a time."""

    def __init__(self, soundfont: str | os.PathLike | None = None):
        self.soundfont = find_soundfont(soundfont)
        with open(self.soundfont, "rb") as file:
            header = file.read(12)
        if header[:4] != b"RIFF" or header[8:] != b"sfbk":
            raise TrainingError(f"{self.soundfont} is not a SoundFont 2 file; give another one with --soundfont")
        self._library = _load_library()
        self._font: _Font | None = None

    @property
    def version(self) -> str:
        """FluidSynth's own version: another one may render other samples."""
        return self._library.fluid_version_str().decode()

    def render(
        self,
        program: int,
        key: int,
        velocity: int,
        off_sample: int,
        bank: int = 0,
        repitched_cents: float = 0.0,
        tail_seconds: float | None = None,
    ) -> RenderedNote:
        """One note with its whole release, or the first `tail_seconds` of it, mono (the mean of left and right).

        `key` 0…127, `velocity` 1…127, `off_sample` a positive multiple of 64. `repitched_cents` plays the key's
        recording so much higher, −12 700 to 12 700: what a sampler does with a recording that is not the key's own.
        """
        if not 0 <= key <= 127:
            raise TrainingError(f"key {key} is not a MIDI key; they are 0 to 127")
        if not 1 <= velocity <= 127:
            raise TrainingError(f"velocity {velocity} is not a note-on velocity; they are 1 to 127")
        if off_sample <= 0 or off_sample % BUFFER_SAMPLES:
            raise TrainingError(
                f"a note of {off_sample} samples cannot be rendered exactly; "
                f"its length must be a positive multiple of {BUFFER_SAMPLES}"
            )
        if not 0 <= program <= 127:
            raise TrainingError(f"program {program} is not a General MIDI program; they are 0 to 127")
        self._font = self._font or _Font(self._library, self.soundfont)
        with _Synth(self._library, self._font) as synth:
            synth.select(program, bank)
            if repitched_cents:
                synth.repitch(repitched_cents)
            audio = synth.play(key, velocity, off_sample, tail_seconds)
        if audio is None:
            raise NoSound(
                f"program {program} of {self.soundfont.name} has no sound at key {key}, velocity {velocity}; "
                "choose keys that the program has"
            )
        return RenderedNote(audio, off_sample)


class _Font:
    """Owns a SoundFont that FluidSynth has read, and lends it to one synthesizer after another.

    Reading it takes several times as long as playing a note.
    """

    def __init__(self, library: ctypes.CDLL, path: Path):
        self.path = path
        settings = library.new_fluid_settings()
        library.fluid_settings_setint(settings, b"synth.dynamic-sample-loading", 1)
        reader = library.new_fluid_synth(settings)
        number = library.fluid_synth_sfload(reader, os.fsencode(path), 0) if reader else _FAILED
        if number == _FAILED:
            _free(library, reader, settings)
            raise TrainingError(f"FluidSynth cannot read {path}; give another SoundFont with --soundfont")
        self.pointer = library.fluid_synth_get_sfont_by_id(reader, number)
        library.fluid_synth_remove_sfont(reader, self.pointer)
        # It reads samples through its first synthesizer for as long as it lives.
        weakref.finalize(self, self._delete, library, self.pointer, reader, settings)

    @staticmethod
    def _delete(library: ctypes.CDLL, pointer: int, reader: int, settings: int) -> None:
        library.delete_fluid_sfont(pointer)
        _free(library, reader, settings)


class _Synth:
    """Owns one `fluid_synth_t` and its settings, for the life of one note."""

    def __init__(self, library: ctypes.CDLL, font: _Font):
        self._library, self._font, self._synth, self._font_number = library, font, None, _FAILED
        self._settings = library.new_fluid_settings()
        try:
            self._open()
        except BaseException:
            self._close()
            raise

    def _open(self) -> None:
        library = self._library
        for name, value in {
            "synth.reverb.active": 0,
            "synth.chorus.active": 0,
            "synth.dynamic-sample-loading": 1,
            "synth.cpu-cores": 1,
        }.items():
            self._check(library.fluid_settings_setint(self._settings, name.encode(), value), f"set {name}")
        for name, value in {"synth.sample-rate": float(SAMPLE_RATE), "synth.gain": 0.8}.items():
            self._check(library.fluid_settings_setnum(self._settings, name.encode(), value), f"set {name}")
        self._synth = library.new_fluid_synth(self._settings)
        if not self._synth:
            raise TrainingError("FluidSynth could not be started")
        self._font_number = library.fluid_synth_add_sfont(self._synth, self._font.pointer)
        if self._font_number == _FAILED:
            raise TrainingError(f"FluidSynth could not take {self._font.path.name}")
        # Seventh order is FluidSynth's best interpolation: transposed samples alias least.
        self._check(library.fluid_synth_set_interp_method(self._synth, -1, 7), "set the interpolation")

    def _close(self) -> None:
        if self._font_number != _FAILED:
            self._library.fluid_synth_remove_sfont(self._synth, self._font.pointer)
        _free(self._library, self._synth, self._settings)
        self._synth, self._settings, self._font_number = None, None, _FAILED

    def __enter__(self) -> "_Synth":
        return self

    def __exit__(self, *exception) -> None:
        self._close()

    def select(self, program: int, bank: int) -> None:
        if self._library.fluid_synth_program_select(self._synth, 0, self._font_number, bank, program) != _OK:
            raise NoSound(f"{self._font.path.name} has no program {program} in bank {bank}")

    def repitch(self, cents: float) -> None:
        """Moves every note that begins from now on."""
        coarse = round(cents / 100)
        for generator, value in ((_COARSE_TUNE, coarse), (_FINE_TUNE, cents - 100 * coarse)):
            self._check(self._library.fluid_synth_set_gen(self._synth, 0, generator, value), "repitch a note")

    def play(self, key: int, velocity: int, off_sample: int, tail_seconds: float | None) -> np.ndarray | None:
        """The note until it is silent, or None where the SoundFont has nothing at this key and velocity."""
        library = self._library
        library.fluid_synth_noteon(self._synth, 0, key, velocity)
        parts = [self._write(off_sample)]
        peak = float(np.abs(parts[0]).max())
        if peak == 0.0:
            return None
        library.fluid_synth_noteoff(self._synth, 0, key)
        threshold = peak * 10 ** (SILENCE_DECIBELS / 20)
        tail = 0
        while True:
            parts.append(part := self._write(_round_up(_SILENT_SAMPLES)))
            tail += len(part)
            if np.abs(part).max() < threshold or (tail_seconds and tail >= tail_seconds * SAMPLE_RATE):
                break
            if tail > _MAXIMUM_TAIL_SECONDS * SAMPLE_RATE:
                raise TrainingError(
                    f"key {key} still sounds {_MAXIMUM_TAIL_SECONDS:.0f} s after its release; "
                    "such a program cannot be rendered note by note"
                )
        audio = np.concatenate(parts)
        last = int(np.flatnonzero(np.abs(audio) >= threshold)[-1])
        audio = audio[: max(last + 1, off_sample + 1) + _FADE_SAMPLES].copy()
        fade = min(_FADE_SAMPLES, len(audio))
        audio[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        return audio

    def _write(self, samples: int) -> np.ndarray:
        stereo = np.zeros((samples, 2), np.float32)
        base = stereo.ctypes.data
        status = self._library.fluid_synth_write_float(self._synth, samples, base, 0, 2, base, 1, 2)
        self._check(status, "render")
        return stereo.mean(axis=1, dtype=np.float32)

    @staticmethod
    def _check(status: int, action: str) -> None:
        if status != _OK:
            raise TrainingError(f"FluidSynth could not {action}")


def _free(library: ctypes.CDLL, synth: int | None, settings: int | None) -> None:
    if synth:
        library.delete_fluid_synth(synth)
    if settings:
        library.delete_fluid_settings(settings)


def _round_up(samples: int) -> int:
    return -(-samples // BUFFER_SAMPLES) * BUFFER_SAMPLES


def _load_library() -> ctypes.CDLL:
    named = os.environ.get("ECHOEL_FLUIDSYNTH")
    candidates = [named] if named else [ctypes.util.find_library("fluidsynth"), *_LIBRARY_CANDIDATES]
    for candidate in filter(None, candidates):
        try:
            library = ctypes.CDLL(candidate)
            break
        except OSError:
            continue
    else:
        raise TrainingError(
            (f"ECHOEL_FLUIDSYNTH names {named}, which cannot be loaded" if named else "FluidSynth was not found")
            + "; install it (Debian and Ubuntu: sudo apt-get install libfluidsynth3; macOS: brew install fluid-synth)"
        )
    pointer, text, integer, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_double
    for name, result, arguments in (
        ("fluid_version_str", text, ()),
        ("fluid_set_log_function", pointer, (integer, pointer, pointer)),
        ("new_fluid_settings", pointer, ()),
        ("delete_fluid_settings", None, (pointer,)),
        ("fluid_settings_setint", integer, (pointer, text, integer)),
        ("fluid_settings_setnum", integer, (pointer, text, number)),
        ("new_fluid_synth", pointer, (pointer,)),
        ("delete_fluid_synth", None, (pointer,)),
        ("fluid_synth_sfload", integer, (pointer, text, integer)),
        ("fluid_synth_get_sfont_by_id", pointer, (pointer, integer)),
        ("fluid_synth_add_sfont", integer, (pointer, pointer)),
        ("fluid_synth_remove_sfont", integer, (pointer, pointer)),
        ("delete_fluid_sfont", integer, (pointer,)),
        ("fluid_synth_set_interp_method", integer, (pointer, integer, integer)),
        ("fluid_synth_program_select", integer, (pointer, integer, integer, integer, integer)),
        ("fluid_synth_noteon", integer, (pointer, integer, integer, integer)),
        ("fluid_synth_set_gen", integer, (pointer, integer, integer, ctypes.c_float)),
        ("fluid_synth_noteoff", integer, (pointer, integer, integer)),
        (
            "fluid_synth_write_float",
            integer,
            (pointer, integer, pointer, integer, integer, pointer, integer, integer),
        ),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    for level in range(5):
        # We report its failures ourselves.
        library.fluid_set_log_function(level, None, None)
    return library
