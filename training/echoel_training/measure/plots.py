"""Pictures of sounds: a spectrogram over a logarithmic frequency axis with the waveform above it, and courses."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from .. import TrainingError
from ..files import atomic_path

_WIDTH, _HEIGHT, _DOTS = 16.0, 7.0, 100  # inches, inches, pixels per inch
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.83, 1.04, 0.525, 0.6  # inches around a spectrogram
_LOW_HZ, _HIGH_HZ = 40.0, 18_000.0
_RANGE_DB = 80.0
_BACKGROUND, _PANEL, _TEXT, _FAINT, _LINE = "#0d1017", "#000004", "#d7dce5", "#8b93a3", "#f0a35e"
# Where each window length (in seconds) is seen: long ones below, short ones above, blended over an octave.
_WINDOWS = [(0.34, 0.0), (0.17, 250.0), (0.085, 1000.0), (0.043, 4000.0)]


def write_spectrogram(
    sound: Path,
    out: Path,
    title: str | None = None,
    most_bytes: int = 400_000,
    size: tuple[int, int] = (1600, 700),
) -> None:
    """Writes a PNG of a sound file: its waveform, and its spectrogram.

    The title is the file's name without its ending unless another is given; `size` is in pixels, width and height.
    Colours are reduced until the picture takes at most `most_bytes`.
    """
    pyplot = _pyplot()
    if not sound.is_file():
        raise TrainingError(f"there is no file {sound}")
    try:
        samples, rate = soundfile.read(sound, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise TrainingError(f"{sound} is not a sound file that can be read: {error}") from error
    x = samples.mean(axis=1)
    if len(x) < rate // 10 or not np.any(x):
        raise TrainingError(f"{sound} is too short or silent: there is nothing to see")
    width, height = size[0] / _DOTS, size[1] / _DOTS
    figure, (wave, picture) = pyplot.subplots(
        2, 1, figsize=(width, height), height_ratios=[1, 5.2], sharex=True, facecolor=_BACKGROUND
    )
    try:
        left, right, top = _LEFT / width, 1 - _RIGHT / width, 1 - _TOP / height
        figure.subplots_adjust(left=left, right=right, top=top, bottom=_BOTTOM / height, hspace=0.05)
        seconds = len(x) / rate
        figure.text(left, top + 0.19 / height, title or sound.stem, color=_TEXT, fontsize=15, weight="bold")
        facts = f"{seconds:.1f} s · {rate / 1000:g} kHz"
        figure.text(right, top + 0.2 / height, facts, color=_FAINT, fontsize=11, ha="right")
        _draw_wave(wave, x, seconds)
        image = _draw_spectrogram(picture, x, rate, seconds, *size)
        box = picture.get_position()
        bar = figure.colorbar(image, cax=figure.add_axes((box.x1 + 0.16 / width, box.y0, 0.144 / width, box.height)))
        bar.set_label("dB below the loudest", color=_FAINT, fontsize=10)
        bar.set_ticks([-80, -60, -40, -20, 0], labels=["80", "60", "40", "20", "0"])
        bar.ax.tick_params(colors=_FAINT, labelsize=9, length=3)
        bar.outline.set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=_DOTS, facecolor=_BACKGROUND, format="png", metadata={"Software": None})
    finally:
        pyplot.close(figure)
    _write_small(buffer, out, most_bytes)


def write_courses(details: dict[str, Any], out: Path, title: str) -> None:
    """Writes a PNG of what `steady` followed: level, centroid and pitch of each held note over time."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(3, 1, figsize=(_WIDTH, 9.0), sharex=True, facecolor=_BACKGROUND)
    try:
        figure.subplots_adjust(left=0.06, right=0.98, top=0.94, bottom=0.07, hspace=0.1)
        figure.suptitle(title, color=_TEXT, fontsize=15, weight="bold", x=0.06, ha="left")
        tracks = [("level, dBFS", "seconds", "levelDb"), ("centroid, Hz", "seconds", "centroidHz")]
        tracks += [("cents from the pitch", "pitchSeconds", "pitchCents")]
        for axis, (label, time, values) in zip(axes, tracks, strict=True):
            for key, course in zip(details["keys"], details["courses"], strict=True):
                axis.plot(course[time], course[values], label=f"MIDI {key}", linewidth=1.2)
            _style(axis)
            axis.set_ylabel(label, color=_FAINT)
            axis.grid(color="#232936", linewidth=0.6)
        axes[0].legend(facecolor=_PANEL, edgecolor="none", labelcolor=_TEXT, ncols=4)
        axes[-1].set_xlabel("seconds", color=_FAINT)
        with atomic_path(out) as partial:
            figure.savefig(partial, dpi=_DOTS, facecolor=_BACKGROUND, format="png", metadata={"Software": None})
    finally:
        pyplot.close(figure)


def _draw_wave(axis: Any, x: np.ndarray, seconds: float) -> None:
    columns = min(3000, len(x))
    edges = np.linspace(0, len(x), columns + 1).astype(int)
    low, high = np.minimum.reduceat(x, edges[:-1]), np.maximum.reduceat(x, edges[:-1])
    peak = max(float(np.abs(x).max()), 1e-9)
    axis.fill_between(np.linspace(0, seconds, columns), low / peak, high / peak, color=_LINE, linewidth=0)
    _style(axis)
    axis.set_ylim(-1.05, 1.05)
    axis.set_yticks([])
    axis.tick_params(labelbottom=False, bottom=False)


def _draw_spectrogram(axis: Any, x: np.ndarray, rate: float, seconds: float, width: int, height: int) -> Any:
    columns, rows = width * 71 // 80, height * 4 // 5
    hz = np.geomspace(_LOW_HZ, min(_HIGH_HZ, 0.49 * rate), rows)
    level = 10.0 * np.log10(log_power(x, rate, hz, columns) + 1e-20)
    level -= level.max()
    image = axis.pcolormesh(
        np.linspace(0, seconds, columns), hz, level, cmap="inferno", vmin=-_RANGE_DB, vmax=0, shading="gouraud"
    )
    image.set_rasterized(True)
    axis.set_yscale("log")
    axis.set_ylim(hz[0], hz[-1])
    axis.set_xlim(0, seconds)
    _style(axis)
    ticks = [50, 100, 200, 500, 1000, 2000, 5000, 10_000]
    axis.set_yticks(ticks, labels=[str(tick) if tick < 1000 else f"{tick // 1000} k" for tick in ticks])
    axis.set_yticks([], minor=True)
    axis.set_ylabel("Hz", color=_FAINT, fontsize=11, labelpad=2)
    axis.set_xlabel("seconds", color=_FAINT, fontsize=11, labelpad=2)
    return image


def log_power(x: np.ndarray, rate: float, hz: np.ndarray, columns: int) -> np.ndarray:
    """Power at each of `hz`, from windows that grow shorter upwards; the level of a sine is the same in all."""
    centres = np.linspace(0, len(x) - 1, columns).astype(int)
    total = np.zeros((len(hz), columns), dtype=np.float32)
    octaves = np.log2(hz)
    for index, (length, low) in enumerate(_WINDOWS):
        weight = np.ones(len(hz))
        if index > 0:
            weight *= np.clip(octaves - np.log2(low) + 0.5, 0, 1)
        if index + 1 < len(_WINDOWS):
            weight *= 1 - np.clip(octaves - np.log2(_WINDOWS[index + 1][1]) + 0.5, 0, 1)
        used = np.flatnonzero(weight)
        size = round(length * rate)
        padded = np.pad(x, size)
        window = np.hanning(size).astype(np.float32)
        window /= window.sum()
        transform = 1 << (2 * size - 1).bit_length()
        bins = hz[used] * transform / rate
        below = np.floor(bins).astype(int)
        blend = (bins - below).astype(np.float32)[:, None]
        for start in range(0, columns, 128):
            part = centres[start : start + 128] + size - size // 2
            frames = padded[part[:, None] + np.arange(size)] * window
            power = (np.abs(np.fft.rfft(frames, transform, axis=1)) ** 2).T
            mixed = (1 - blend) * power[below] + blend * power[below + 1]
            total[used, start : start + 128] += weight[used, None] * mixed
    return total


def _style(axis: Any) -> None:
    axis.set_facecolor(_PANEL)
    axis.tick_params(colors=_FAINT, labelsize=10, length=3)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _write_small(picture: io.BytesIO, out: Path, most_bytes: int) -> None:
    """Writes a PNG of a palette: ramps of what is drawn beside the spectrogram, and as many of its colours as fit."""
    from matplotlib import colormaps
    from PIL import Image

    full = Image.open(picture).convert("RGB")
    ramps = [(_BACKGROUND, _TEXT), (_BACKGROUND, _FAINT), (_PANEL, _LINE)]
    fixed = np.concatenate([np.linspace(_rgb(start), _rgb(end), 12) for start, end in ramps])
    for colours in (220, 160, 110, 80, 56, 40, 28):
        spectrum = 255 * colormaps["inferno"](np.linspace(0, 1, colours))[:, :3]
        palette = Image.new("P", (1, 1))
        palette.putpalette(np.concatenate([fixed, spectrum]).round().astype(np.uint8).tobytes())
        small = io.BytesIO()
        full.quantize(palette=palette, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() <= most_bytes:
            break
    with atomic_path(out) as partial:
        partial.write_bytes(small.getvalue())


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise TrainingError("pictures need matplotlib; install it with: pip install 'training[measure]'") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    return pyplot
