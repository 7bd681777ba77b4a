"""`echoel play` on a JACK server without a sound card: what comes out of it is what `echoel render` writes."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import soundfile

from .. import TrainingError
from .report import Figure
from .tool import Echoel

PERIOD = 128
SECONDS = 30.0
SEGMENT_SAMPLES = 2048
EQUAL = 2e-6
"""Of full scale: the recorder's and the file's 24 bits."""

LEAST_EQUAL = 80.0
"""Percent of the segments. A busy machine's server drops periods, and the recorder some more; a player that is not exact
has none."""

_LOOK_AHEAD = 8192
_QUIET = 1e-3
_MOST_PERIODS = 512  # dropped at once


def live(echoel: Echoel, song: Path, folder: Path, duration: float = SECONDS) -> list[Figure]:
    """Plays `song` on all instruments for so many seconds and records it."""
    for program in ("jackd", "jack_rec", "jack_lsp"):
        if shutil.which(program) is None:
            raise TrainingError(f"there is no {program}: apt-get install jackd2")
    environment = os.environ | {"JACK_DEFAULT_SERVER": f"echoel-measure-{os.getpid()}"}
    server = ["jackd", "-n", environment["JACK_DEFAULT_SERVER"], "-r", "--no-mlock", "-S", "-d", "dummy"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    jackd = subprocess.Popen([*server, "-r", "48000", "-p", str(PERIOD)], **quiet)
    try:
        _wait_for(lambda: _ports(environment) is not None, "jackd does not start")
        options = ["--look-ahead", _LOOK_AHEAD, "--seconds", duration + 5]
        player = echoel.start("play", song, *options, environment=environment)
        # Once with its own name and once where it is connected: then it plays.
        _wait_for(
            lambda: (_ports(environment) or "").count("echoel:out_left") > 1, "echoel play does not begin to play"
        )
        recording = folder / "live.wav"
        record = ["jack_rec", "-f", recording, "-d", str(round(duration)), "-b", "24"]
        subprocess.run([*record, "echoel:out_left", "echoel:out_right"], timeout=duration + 60, **quiet)
        if len(soundfile.read(recording)[0]) < SEGMENT_SAMPLES:
            raise TrainingError("jack_rec recorded nothing")
        player.send_signal(signal.SIGINT)
        report = echoel.report_of(player)
    finally:
        jackd.terminate()
        jackd.wait()
    rendered = folder / "rendered.wav"
    echoel.render(song.read_bytes(), rendered, None)
    (played, _), (expected, _) = (soundfile.read(file, always_2d=True) for file in (recording, rendered))
    share, farthest = equal_share(played, expected)
    details = {"report": report, "seconds": duration, "period": PERIOD, "lookAhead": _LOOK_AHEAD}
    return [
        Figure("Live", "recorded segments that equal the rendering", share, "%", LEAST_EQUAL, True, details),
        Figure("Live", "largest difference in those", farthest, "", EQUAL),
        Figure("Live", "frames concealed", float(report["missedFrames"]), "frames"),
        Figure("Live", "xruns of the server", float(report["xruns"]), ""),
    ]


def equal_share(played: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """How many percent of the segments of what was played ``[samples, 2]`` are in what was expected, in order and to
    EQUAL, those left out in which nothing sounds; and the largest difference in them. NaN where none is."""
    at = _first_place(played, expected)
    equal, heard, farthest = 0, 0, 0.0
    for first in range(0, len(played) - SEGMENT_SAMPLES, SEGMENT_SAMPLES):
        part = played[first : first + SEGMENT_SAMPLES]
        if np.abs(part).max() < _QUIET:
            continue
        heard += 1
        for periods in sorted(range(-_MOST_PERIODS, _MOST_PERIODS), key=abs):
            place = first + at + periods * PERIOD
            if place < 0 or place + SEGMENT_SAMPLES > len(expected):
                continue
            # Most places are seen to be wrong by their first few frames.
            if np.abs(part[:16] - expected[place : place + 16]).max() > EQUAL:
                continue
            difference = float(np.abs(part - expected[place : place + SEGMENT_SAMPLES]).max())
            if difference <= EQUAL:
                equal, at, farthest = equal + 1, at + periods * PERIOD, max(farthest, difference)
                break
    return (100 * equal / heard if heard else float("nan")), farthest if equal else float("nan")


def _first_place(played: np.ndarray, expected: np.ndarray) -> int:
    """How much later the recording begins than the rendering, in samples, as its loudest second has it."""
    second = 48_000
    power = np.convolve((played[:, 0] ** 2), np.ones(second), mode="valid")
    loudest = int(np.argmax(power))
    part = played[loudest : loudest + second, 0]
    size = 1 << (len(expected) + second).bit_length()
    product = np.fft.irfft(np.fft.rfft(expected[:, 0], size) * np.conj(np.fft.rfft(part, size)), size)[: len(expected)]
    squares = np.concatenate([[0.0], np.cumsum(expected[:, 0] ** 2)])
    ends = np.minimum(np.arange(len(expected)) + second, len(expected))
    return int(np.argmax(product / np.sqrt(squares[ends] - squares[: len(expected)] + 1e-3))) - loudest


def _ports(environment: dict[str, str]) -> str | None:
    """The names of the server's ports and of what they are connected to; None where there is no server."""
    said = subprocess.run(["jack_lsp", "-c"], capture_output=True, text=True, env=environment)
    return said.stdout if said.returncode == 0 and said.stdout else None


def _wait_for(condition, otherwise: str) -> None:
    for _ in range(100):
        if condition():
            return
        time.sleep(0.1)
    raise TrainingError(f"{otherwise} within ten seconds")
