"""`echoel resynthesize` computes what the shipped models do when Python runs them: encoder, a line from each latent to
the next, decoder at a constant pitch, the engine's noise."""

import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile

from echoel_training.manifest import read_json

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "Models" / "NeuralSynth"
LATENT_SAMPLES, SLOT, LATENT_SLOTS = 2048, 128, 16
BANDS, SLOT_FRAMES = 16, 8


@cache
def echoel() -> Path:
    """The newest program that was built from this clone; `script/test` has built it before it comes here."""
    built = [ROOT / "Tool" / ".build" / kind / "echoel" for kind in ("release", "debug")]
    built = [path for path in built if path.is_file()]
    if not built:
        pytest.skip("echoel is not built; script/build builds it")
    return max(built, key=lambda path: path.stat().st_mtime)


def counter_noise(positions: np.ndarray, seed: int = 0) -> np.ndarray:
    """Sources/Signal/CounterNoise.swift: SplitMix64's finaliser of a counter, the upper 24 bits, in ±√3."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (positions.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    unit = (z >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)
    return (2 * unit - 1) * np.float32(1.7320508)


def test_the_noise_is_white_and_of_unit_variance():
    noise = counter_noise(np.arange(100_000), seed=7)
    assert abs(noise.mean()) < 0.02 and abs(noise.var() - 1) < 0.02
    assert np.abs(noise).max() <= 1.7320509


def zero_states(model: onnxruntime.InferenceSession) -> dict[str, np.ndarray]:
    states = [value for value in model.get_inputs() if value.name.startswith("state_")]
    return {value.name: np.zeros((1, *value.shape[1:]), np.float32) for value in states}


def resynthesise(description: dict, audio: np.ndarray, hertz: float) -> np.ndarray:
    """As long as `audio`; the encoder runs once over everything, the decoder slot by slot."""
    encoder = onnxruntime.InferenceSession(FOLDER / description["encoder"]["file"])
    decoder = onnxruntime.InferenceSession(FOLDER / description["decoder"]["file"])
    delay = read_json((FOLDER / description["decoder"]["file"]).with_suffix(".json"))["delaySamples"]
    frames = -(-len(audio) // LATENT_SAMPLES)
    padded = np.zeros((1, 1, frames * LATENT_SAMPLES), np.float32)
    padded[0, 0, : len(audio)] = audio
    latents = encoder.run(["latent"], {"audio": padded, **zero_states(encoder)})[0][0]
    channels = read_json((FOLDER / description["encoder"]["file"]).with_suffix(".json")).get("noteChannels", [])
    # Zero before the first latent, the last one held for the decoder's delay.
    latents = np.concatenate([np.zeros_like(latents[:, :1]), latents, latents[:, -1:]], axis=1)
    states, outputs, parts = zero_states(decoder), [value.name for value in decoder.get_outputs()], []
    for slot in range(-(-(len(audio) + delay) // SLOT)):
        frame, way = slot // LATENT_SLOTS, np.float32((slot % LATENT_SLOTS + 1) / LATENT_SLOTS)
        latent = latents[:, frame] + (latents[:, frame + 1] - latents[:, frame]) * way
        latent[channels] = whole_note(description, hertz)[channels]
        noise = counter_noise(slot * BANDS * SLOT_FRAMES + np.arange(BANDS * SLOT_FRAMES))
        feeds = {
            "latent": latent.reshape(1, -1, 1),
            "pitch": np.full((1, 1, 1), hertz, np.float32),
            "noise": noise.reshape(1, BANDS, SLOT_FRAMES),
        }
        result = dict(zip(outputs, decoder.run(outputs, feeds | states)))
        parts.append(result["audio"][0, 0])
        states = {name: result[name.replace("state_", "next_")] for name in states}
    return np.concatenate(parts)[delay : delay + len(audio)]


def whole_note(description: dict, hertz: float) -> np.ndarray:
    """What the prior says of the nearest key, one second after its note-on."""
    prior = onnxruntime.InferenceSession(FOLDER / description["prior"]["file"])
    columns = read_json((FOLDER / description["prior"]["file"]).with_suffix(".json"))["columns"]
    key = np.clip(round(69 + 12 * np.log2(hertz / 440)), description["lowKey"], description["highKey"])
    said = {"pitch": key, "velocity": 90, "secondsOn": 1, f"instrument.{description.get('instrument')}": 1}
    row = np.array([[said.get(column, 0) for column in columns]], np.float32)
    return prior.run(["latent"], {"note": row})[0][0]


def note(hertz: float, samples: int, seed: int) -> np.ndarray:
    """A decaying harmonic tone with some breath."""
    time = np.arange(samples) / 48_000
    partials = sum(np.sin(2 * np.pi * k * hertz * time + k) / k**1.5 for k in range(1, 12) if k * hertz < 20_000)
    breath = np.random.default_rng(seed).standard_normal(samples)
    return (0.3 * np.exp(-1.5 * time) * (partials + 0.02 * breath)).astype(np.float32)


@pytest.mark.parametrize(
    "name", sorted(path.name.removesuffix(".instrument.json") for path in FOLDER.glob("*.instrument.json"))
)
def test_the_program_equals_python(name, tmp_path):
    description = read_json(FOLDER / f"{name}.instrument.json")
    if "encoder" not in description:
        pytest.skip(f"{name} has no encoder")
    keys, notes = (55.0, 62.12, 70.4), []
    for index, (key, samples) in enumerate(zip(keys, (24_000, 2048 * 5, 7_001))):
        hertz = 440 * 2 ** ((key - 69) / 12)
        soundfile.write(tmp_path / f"{index}.wav", note(hertz, samples, index), 48_000, subtype="FLOAT")
        notes.append({"file": f"{index}.wav", "key": key})
    (tmp_path / "notes.json").write_text(json.dumps(notes))
    command = [echoel(), "resynthesize", "--list", tmp_path / "notes.json", "--instrument", name]
    command += ["--out", tmp_path / "out", "--models", FOLDER.parent, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for index, reported in enumerate(json.loads(done.stdout)["notes"]):
        recording, _ = soundfile.read(tmp_path / f"{index}.wav", dtype="float32")
        sound, rate = soundfile.read(reported["file"], dtype="float32")
        expected = resynthesise(description, recording, reported["hertz"])
        assert rate == 48_000 and len(sound) == len(recording)
        assert np.abs(expected).max() > 0.01
        assert np.abs(sound - expected).max() < 1e-4, index
