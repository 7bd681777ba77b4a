"""Measures trained instruments: pitch, distance from the recordings, silence after release, steadiness, level.
Only held-out notes are compared. *Mel distance*: STFT 2048/512 Hann, power in 64 mel bands from 40 Hz to 20 kHz,
averaged over 4 frames, dB with a floor 70 dB below the note's loudest band, root mean square over bands and time.
"""

from __future__ import annotations

import numpy as np
import torch
from tqdm import tqdm

from .dataset import measure_f0, nominal_hertz
from .decoder import Decoder
from .encoder import LATENT_SAMPLES
from .excitation import SAMPLE_RATE, SLOT_SAMPLES
from .export import MAXIMUM_SLOTS, Models
from .module import latents_per_slot, unit_noise

SILENCE_DECIBELS = -60.0
"""Relative to the note's peak: from here on a released note counts as silent."""

NOTE_DECIBELS = -18.0
"""Full-scale peak of a single note of velocity 100 at an instrument's own gain: chords of eight stay below clipping."""

LOWEST_STRAY_HERTZ = 100.0
"""Below, partials lie too close to tell what is between them."""

VELOCITY_EXPONENT = 2.0
MEL_BANDS, MEL_LOW, MEL_HIGH, MEL_FLOOR = 64, 40.0, 20_000.0, 70.0


@torch.no_grad()
def decode_latents(decoder: Decoder, latent: torch.Tensor, hertz: torch.Tensor, seed: int = 0) -> np.ndarray:
    """Runs ``latent [B, 128, K]`` at ``hertz [B, K]`` through the decoder in runs of 16 slots, as a host does.

    Audio ``[B, 128 K - delay]``, starting at the onset.
    """
    batch, _, slots = latent.shape
    noise = unit_noise(batch, slots, torch.Generator().manual_seed(seed))
    states, audio = decoder.fresh_states(batch), []
    for first in range(0, slots, MAXIMUM_SLOTS):
        some = slice(first, first + MAXIMUM_SLOTS)
        part, *states = decoder(
            latent[:, :, some], hertz[:, None, some], noise[:, :, 8 * first : 8 * (first + MAXIMUM_SLOTS)], *states
        )
        audio.append(part[:, 0])
    return torch.cat(audio, dim=1)[:, Decoder.DELAY_SAMPLES :].numpy()


@torch.no_grad()
def play(
    models: Models,
    instrument: str,
    keys: np.ndarray,
    velocities: np.ndarray,
    off_samples: np.ndarray,
    samples: int,
    hertz: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Notes through prior and decoder, level-normalised ``[B, samples]``; ``hertz`` is each note's pitch, by
    default the key's in equal temperament."""
    prior, batch = models.prior, len(keys)
    slots = -(-(samples + Decoder.DELAY_SAMPLES) // SLOT_SAMPLES)
    slot = torch.arange(slots)
    notes = torch.zeros(batch, slots, len(prior.columns))
    notes[..., 0] = torch.tensor(keys, dtype=torch.float32)[:, None]
    notes[..., 1] = torch.tensor(velocities, dtype=torch.float32)[:, None]
    notes[..., 2] = slot * SLOT_SAMPLES / SAMPLE_RATE
    released = slot * SLOT_SAMPLES - Decoder.DELAY_SAMPLES - torch.tensor(off_samples)[:, None]
    notes[..., 3] = released.clamp(min=0) / SAMPLE_RATE
    notes[..., 4 + prior.instruments.index(instrument)] = 1.0
    latent = prior(notes.flatten(0, 1)).reshape(batch, slots, -1).transpose(1, 2)
    if hertz is None:
        hertz = nominal_hertz(np.asarray(keys, dtype=float))
    pitch = torch.tensor(hertz, dtype=torch.float32)[:, None].expand(-1, slots)
    return decode_latents(models.decoder, latent, pitch, seed)[:, :samples]


@torch.no_grad()
def resynthesise(models: Models, audio: np.ndarray, hertz: np.ndarray, seed: int = 0) -> np.ndarray:
    """Recordings ``[B, S]`` through encoder and decoder."""
    frames = -(-audio.shape[1] // LATENT_SAMPLES) + 1
    padded = np.zeros((len(audio), 1, frames * LATENT_SAMPLES), np.float32)
    padded[:, 0, : audio.shape[1]] = audio
    latent = models.encoder(torch.from_numpy(padded), *models.encoder.fresh_states(len(audio)))[0]
    slots = latents_per_slot(latent)
    pitch = torch.tensor(hertz, dtype=torch.float32)[:, None].expand(-1, slots.shape[2])
    return decode_latents(models.decoder, slots, pitch, seed)[:, : audio.shape[1]]


def _mel_matrix() -> np.ndarray:
    edges = np.linspace(*(2595 * np.log10(1 + np.array([MEL_LOW, MEL_HIGH]) / 700)), MEL_BANDS + 2)
    edges = 700 * (10 ** (edges / 2595) - 1)
    bins = np.arange(1025) * SAMPLE_RATE / 2048
    low, middle, high = (edges[first : first + MEL_BANDS, None] for first in range(3))
    return np.maximum(0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))


def mel_spectrum(audio: np.ndarray) -> np.ndarray:
    """Power ``[64, frames]`` of one note, averaged over 4 frames of 512 samples."""
    starts = np.arange(0, len(audio) - 2048, 512)
    frames = audio[starts[:, None] + np.arange(2048)] * np.hanning(2049)[:-1]
    power = _mel_matrix() @ (np.abs(np.fft.rfft(frames, axis=1)) ** 2).T
    groups = power.shape[1] // 4
    return power[:, : groups * 4].reshape(MEL_BANDS, groups, 4).mean(axis=2)


def mel_distance(audio: np.ndarray, reference: np.ndarray) -> float:
    """dB between two notes of equal length: see the module's text."""
    ours, theirs = mel_spectrum(audio), mel_spectrum(reference)
    floor = theirs.max() * 10 ** (-MEL_FLOOR / 10)
    difference = 10 * np.log10(np.maximum(ours, floor) / np.maximum(theirs, floor))
    return float(np.sqrt(np.mean(difference**2)))


def _decibels(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-9)))


def _levels(audio: np.ndarray, window: int = 2400) -> np.ndarray:
    """Root mean square of consecutive windows of 50 ms."""
    whole = audio[: len(audio) // window * window].reshape(-1, window)
    return np.sqrt((whole.astype(np.float64) ** 2).mean(axis=1))


def silent_after(audio: np.ndarray, off_sample: int) -> float:
    """Seconds from the note-off until the sound stays below SILENCE_DECIBELS of its peak."""
    loud = np.flatnonzero(np.abs(audio) > np.abs(audio).max() * 10 ** (SILENCE_DECIBELS / 20))
    return max(0.0, (int(loud[-1]) + 1 - off_sample) / SAMPLE_RATE)


def stray_decibels(audio: np.ndarray, hertz: float) -> float:
    """The strongest line of a steady note that lies between its partials (of `hertz` Hz), relative to the strongest
    partial. Lines nearer to a partial than an eighth of `hertz` are not told apart."""
    spectrum = np.abs(np.fft.rfft(audio * np.blackman(len(audio))))
    order = np.arange(len(spectrum)) * SAMPLE_RATE / len(audio) / hertz
    between = (np.abs(order - np.round(order)) > 0.125) & (order > 0.125)
    return _decibels(spectrum[between].max() / spectrum[~between].max())


def _released(models: Models, instrument: str, keys: np.ndarray, velocity: float) -> np.ndarray:
    """Five seconds of notes that are released after one."""
    off = np.full(len(keys), SAMPLE_RATE)
    return play(models, instrument, keys, np.full(len(keys), velocity), off, 5 * SAMPLE_RATE)


def measure_levels(models: Models, ranges: dict[str, tuple[int, int]]) -> dict[str, dict]:
    """``gain`` and ``releaseSeconds`` of each instrument, from notes over its range of keys (both ends played)."""
    measured = {}
    for name in models.prior.instruments:
        low, high = ranges[name]
        keys = np.unique(np.append(np.arange(low, high, 3), high))
        audio = _released(models, name, keys, 100.0)
        peaks = np.abs(audio).max(axis=1) * (100 / 127) ** VELOCITY_EXPONENT
        soft_and_loud = np.concatenate([_released(models, name, keys, velocity) for velocity in (30.0, 120.0)])
        release = max(silent_after(note, SAMPLE_RATE) for note in soft_and_loud)
        measured[name] = {
            "gain": round(float(10 ** (NOTE_DECIBELS / 20) / np.median(peaks)), 3),
            "releaseSeconds": round(1.1 * release + 0.05, 2),
        }
    return measured


def measure_quality(models: Models, notes: dict[str, np.ndarray], notes_per_instrument: int = 24) -> dict[str, dict]:
    """Figures by instrument, over held-out notes and the instrument's whole range."""
    quality = {}
    for index, name in enumerate(models.prior.instruments):
        chosen = np.flatnonzero(notes["held_out"] & (notes["instrument"] == index))
        chosen = chosen[np.linspace(0, len(chosen) - 1, min(notes_per_instrument, len(chosen))).astype(int)]
        told, heard, other = [], [], []
        for row in tqdm(chosen, desc=f"{name}: held-out notes", disable=None):
            length = int(notes["samples"][row]) if "samples" in notes else notes["audio"].shape[1]
            reference = notes["audio"][row, : max(length, 8192)]
            key, velocity, off, hertz = (notes[part][row : row + 1] for part in ("key", "velocity", "off_sample", "f0"))
            told.append(mel_distance(play(models, name, key, velocity, off, len(reference), hertz)[0], reference))
            heard.append(mel_distance(resynthesise(models, reference[None], hertz)[0], reference))
            same = (notes["instrument"] == index) & (notes["key"] == key[0]) & (abs(notes["off_sample"] - off[0]) < 600)
            velocities = notes["velocity"][same]
            nearest = np.argmin(np.where(velocities == velocity[0], 999, abs(velocities - velocity[0])))
            neighbour = notes["audio"][np.flatnonzero(same)[nearest], : len(reference)]
            other.append(mel_distance(neighbour, reference))
        keys = np.unique(notes["key"][notes["instrument"] == index])
        held = _released(models, name, keys, 90.0)
        cents = [
            abs(1200 * np.log2(measure_f0(note[9600:SAMPLE_RATE], nominal_hertz(key)) / nominal_hertz(key)))
            for key, note in zip(keys, held)
        ]
        quarter_tones = nominal_hertz(keys + 0.5)
        bent = play(models, name, keys, np.full(len(keys), 90.0), np.full(len(keys), SAMPLE_RATE), SAMPLE_RATE, quarter_tones)
        steady = [*zip(held, nominal_hertz(keys.astype(float))), *zip(bent, quarter_tones)]
        stray = [stray_decibels(note[12_000:SAMPLE_RATE], hertz) for note, hertz in steady if hertz > LOWEST_STRAY_HERTZ]
        releases = [silent_after(note, SAMPLE_RATE) for note in held]
        rest = [_decibels(np.abs(note[4 * SAMPLE_RATE :]).max() / np.abs(note).max()) for note in held]
        long_keys = keys[:: max(1, len(keys) // 4)]
        endless = np.full(len(long_keys), 100 * SAMPLE_RATE)
        long = play(models, name, long_keys, np.full(len(long_keys), 90.0), endless, 20 * SAMPLE_RATE)
        drift = [_decibels(np.median(_levels(note)[-40:]) / np.median(_levels(note)[40:80])) for note in long]
        quality[name] = {
            "melDistancePriorDecibels": round(float(np.mean(told)), 2),
            "melDistanceEncoderDecibels": round(float(np.mean(heard)), 2),
            "melDistanceOtherVelocityDecibels": round(float(np.mean(other)), 2),
            "pitchErrorMedianCents": round(float(np.median(cents)), 2),
            "pitchError95Cents": round(float(np.percentile(cents, 95)), 2),
            "strayMedianDecibels": round(float(np.median(stray)), 1),
            "strayMaximumDecibels": round(max(stray), 1),
            "releaseMaximumSeconds": round(max(releases), 3),
            "restDecibels": round(max(rest), 1),
            "holdDriftMaximumDecibels": round(max(np.abs(drift)), 2),
        }
    return quality
