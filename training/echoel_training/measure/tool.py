"""`echoel`, run as a musician runs it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from .. import TrainingError

_REPOSITORY = Path(__file__).resolve().parents[3]
_LONGEST_RUN_SECONDS = 3600

# The peak of a process' memory begins with what its parent had when it forked, so a small parent runs it.
_MEMORY_OF = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(sys.argv[1], "w") as file: file.write(str(peak * (1 if sys.platform == "darwin" else 1024)))
sys.exit(code)
"""


@dataclass(frozen=True)
class Rendering:
    """What `echoel render` made and said."""

    file: Path
    report: dict[str, Any]
    peak_memory_bytes: int

    def mono(self) -> tuple[np.ndarray, int]:
        """The left channel (the right one is equal: nothing is panned) and the sample rate."""
        samples, rate = soundfile.read(self.file, dtype="float64", always_2d=True)
        return samples[:, 0], rate


@dataclass(frozen=True)
class Instrument:
    """What is measured of an instrument: its manifest's fields, and its decoder's."""

    name: str
    low_key: int
    high_key: int
    release_seconds: float
    slot_samples: int
    delay_samples: int
    decoder: Path
    gain: float
    velocity_exponent: float
    """A note is gain · (velocity / 127) ^ velocity_exponent times what the decoder makes."""
    programs: tuple[int, ...]
    """The General MIDI programs that it answers to."""
    has_encoder: bool
    is_struck: bool
    """Its notes decay while they are held."""
    models: dict[str, str]
    """The SHA-256 of its decoder, prior and encoder, by role."""


MODEL_PARTS = ("decoder", "prior", "encoder")
"""What an instrument's manifest names models for."""


class Echoel:
    """The tool and the models that it plays.

    Without a path, `script/echoel` of this clone, else the `echoel` on the PATH; without models,
    ECHOEL_MODELS, else `Models` of this clone.
    """

    def __init__(self, path: Path | None = None, models: Path | None = None):
        if path is None:
            script = _REPOSITORY / "script" / "echoel"
            found = str(script) if script.is_file() else shutil.which("echoel")
            if found is None:
                raise TrainingError("there is no echoel on the PATH; give it with --echoel")
            path = Path(found)
        elif not path.is_file():
            raise TrainingError(f"there is no program at {path}; give echoel's path with --echoel")
        self.path = path.resolve()
        if models is None:
            models = Path(os.environ.get("ECHOEL_MODELS") or _REPOSITORY / "Models")
        self.models = models.resolve()

    def instruments(self, names: Sequence[str] = ()) -> list[Instrument]:
        """The named instruments, or all of them."""
        folder = self.models / "NeuralSynth"
        every = {path.name.removesuffix(".instrument.json"): path for path in sorted(folder.glob("*.instrument.json"))}
        if not every:
            raise TrainingError(f"there are no instruments in {folder}; give the folder above with --models")
        unknown = [name for name in names if name not in every]
        if unknown:
            raise TrainingError(f"there is no instrument {unknown[0]!r} in {folder}; there is {', '.join(every)}")
        found = []
        for name in names or every:
            try:
                manifest = json.loads(every[name].read_text())
                decoder = folder / manifest["decoder"]["file"]
                model = json.loads(decoder.with_suffix(".json").read_text())
                found.append(
                    Instrument(
                        name=name,
                        low_key=manifest["lowKey"],
                        high_key=manifest["highKey"],
                        release_seconds=manifest["releaseSeconds"],
                        slot_samples=model["slotSamples"],
                        delay_samples=model["delaySamples"],
                        decoder=decoder,
                        gain=manifest["gain"],
                        velocity_exponent=manifest["velocityExponent"],
                        programs=tuple(manifest["programs"]),
                        has_encoder="encoder" in manifest,
                        is_struck=manifest.get("articulation") == "struck",
                        models={part: manifest[part]["sha256"] for part in MODEL_PARTS if part in manifest},
                    )
                )
            except (KeyError, ValueError, TypeError) as error:
                raise TrainingError(f"{every[name]} or its decoder's manifest is not right: {error!r}") from error
        return found

    def render(self, song: bytes, out: Path, instrument: str | None, *options: object) -> Rendering:
        """Renders a MIDI file into `out` (its song is kept beside it); without an instrument on all there are."""
        midi = out.with_suffix(".mid")
        midi.write_bytes(song)
        who = [] if instrument is None else ["--instrument", instrument]
        arguments = ["render", midi, *who, "--out", out, "--models", self.models, *options]
        report, peak = self._run(arguments, memory_file=out.with_suffix(".memory"))
        return Rendering(out, report, peak)

    def resynthesize(
        self, recordings: Sequence[tuple[np.ndarray, float]], instrument: str, folder: Path
    ) -> list[np.ndarray]:
        """Notes, mono at 48 kHz, each with its pitch in Hz, through the instrument's encoder and decoder; as long."""
        jobs = []
        for number, (sound, hertz) in enumerate(recordings):
            soundfile.write(folder / f"recording-{number}.wav", sound, 48_000, subtype="FLOAT")
            jobs.append({"file": f"recording-{number}.wav", "hertz": hertz, "out": f"again-{number}.wav"})
        (folder / "notes.json").write_text(json.dumps(jobs))
        options = ["--list", folder / "notes.json", "--instrument", instrument, "--models", self.models]
        self._run(["resynthesize", *options])
        sounds = [soundfile.read(folder / job["out"], dtype="float32")[0] for job in jobs]
        for job in jobs:
            for file in (job["file"], job["out"]):
                (folder / file).unlink()
        return sounds

    def bench(self, model: Path, batch: int, slots: int, seconds: float) -> dict[str, Any]:
        """How long a run of a streaming model takes on one thread."""
        options = ["--batch", batch, "--dim", f"slots={slots}", "--threads", 1, "--seconds", seconds]
        return self._run(["bench", model, *options])[0]

    def run(self, model: Path, inputs: dict[str, np.ndarray], outputs: Sequence[str], folder: Path) -> list[np.ndarray]:
        """Runs a model once on one thread."""
        arguments: list[object] = ["run", model, "--threads", 1]
        for name, value in inputs.items():
            np.save(folder / f"in-{name}.npy", value)
            arguments += ["--input", f"{name}={folder / f'in-{name}.npy'}"]
        for name in outputs:
            arguments += ["--output", f"{name}={folder / f'out-{name}.npy'}"]
        self._run(arguments)
        return [np.load(folder / f"out-{name}.npy") for name in outputs]

    def start(self, command: str, *arguments: object, environment: dict[str, str]) -> subprocess.Popen:
        """A command that goes on until it is ended; `report_of` waits for its report."""
        line = [str(self.path), command, *map(str, arguments), "--models", str(self.models), "--json"]
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    @staticmethod
    def report_of(process: subprocess.Popen) -> dict[str, Any]:
        """What a command that `start` began has to report."""
        out, said = process.communicate(timeout=_LONGEST_RUN_SECONDS)
        if process.returncode != 0:
            lines = said.strip().splitlines()
            raise TrainingError(f"echoel failed: {lines[-1] if lines else f'exit code {process.returncode}'}")
        return json.loads(out)

    def _run(self, arguments: Sequence[object], memory_file: Path | None = None) -> tuple[dict[str, Any], int]:
        command = [str(self.path), *map(str, arguments), "--json"]
        if memory_file is not None:
            command = [sys.executable, "-S", "-c", _MEMORY_OF, str(memory_file), *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_RUN_SECONDS)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise TrainingError(f"echoel {arguments[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}")
        peak = 0
        if memory_file is not None:
            peak = int(memory_file.read_text())
            memory_file.unlink()
        try:
            return json.loads(done.stdout), peak
        except ValueError as error:
            raise TrainingError(f"echoel {arguments[0]} --json does not print JSON: {error}") from error
