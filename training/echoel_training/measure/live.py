"""`echoel play` on a JACK server without a sound card: what comes out of it is what `echoel render` writes.

Held to bounds where the server waits for the player (freewheeling): there no machine is too slow. In real time, what comes
late is concealed, and how much that is is this machine's affair: figures without a bound.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from .. import TrainingError
from .report import Figure
from .tool import Echoel

PERIOD = 128
SECONDS = 15.0
SEGMENT_SAMPLES = 2048
EQUAL = 2e-6
"""Of full scale: the recorder's and the file's 24 bits."""

LEAST_EQUAL = 90.0
"""Percent of the segments when freewheeling. What began before, or what the recorder dropped, may differ."""

_LOOK_AHEAD = 8192
_QUIET = 1e-3
_MOST_PERIODS = 512  # dropped at once
_QUIETLY = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


CONCERT_VOICES = 16
EVERYBODY = "piano,2=strings,3=trumpet,4=synth"
IDLE_PLUGIN = "http://lv2plug.in/plugins/eg-amp"


def concert(echoel: Echoel, song: Path, folder: Path, duration: float) -> list[Figure]:
    """Plays `song`, which is longer than so many seconds, as a musician would: with the look-ahead that `play` has, in real
    time. Beside it, in the same way, a `jalv` host with an idle plugin: what it suffers is the server's and the machine's.

    All without a bound: these are figures of a machine.
    """
    _needs("jackd", "jack_rec", "jack_lsp", "jalv")
    group = "Concert: 16 voices in real time"
    with _server() as (environment, faults):
        host = subprocess.Popen(
            ["jalv", IDLE_PLUGIN], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        try:
            _wait_for(lambda: "Amplifier" in (_ports(environment) or ""), "jalv does not start")
            before, stalls = faults(), _stalls(duration)
            beside = faults() - before
        finally:
            host.kill()
            host.wait()
    return [
        Figure(group, "faults of the server beside an idle host", float(beside), ""),
        Figure(group, "stalls of the machine meanwhile", float(stalls), ""),
        *_performed(group, echoel, song, folder, duration),
    ]


def rehearsal(echoel: Echoel, song: Path, folder: Path, duration: float) -> list[Figure]:
    """As ``concert``, by itself and held to bounds, which say nothing of the machine: all voices are heard, and unless it was
    late, or the server was, everything that is heard is what is rendered."""
    _needs("jackd", "jack_rec", "jack_lsp")
    return held_to_bounds(_performed("Rehearsal: 16 voices in real time", echoel, song, folder, duration))


def held_to_bounds(figures: list[Figure]) -> list[Figure]:
    """The figures of a performance with the bounds of those that tell of ours and not of the machine."""
    value = {figure.name: figure.value for figure in figures}
    bounds = {"voices at most": (float(CONCERT_VOICES), True), "samples that are no number": (0.0, False)}
    if value["slices that were late"] == value["frames concealed"] == value["faults of the server"] == 0:
        bounds["recorded segments that equal the rendering"] = (LEAST_EQUAL, True)
    return [
        replace(figure, bound=bounds[figure.name][0], at_least=bounds[figure.name][1]) if figure.name in bounds else figure
        for figure in figures
    ]


def _performed(group: str, echoel: Echoel, song: Path, folder: Path, duration: float) -> list[Figure]:
    """The song, played in real time by everybody and recorded for so many seconds, beside the rendering."""
    rendered = folder / "rendered.wav"
    echoel.render(song.read_bytes(), rendered, EVERYBODY)
    expected, _ = soundfile.read(rendered, always_2d=True)
    with _server() as (environment, faults):
        player = _player(echoel, song, environment, "--instrument", EVERYBODY)
        before = faults()
        recorder = _recorder(folder / "concert.wav", duration, environment)
        stalls = _stalls(duration)
        recorder.wait(timeout=60)
        ours = faults() - before
        player.send_signal(signal.SIGINT)
        report = echoel.report_of(player)
    played, _ = soundfile.read(folder / "concert.wav", always_2d=True)
    share, farthest = equal_share(played, expected)
    details = {"report": report, "seconds": duration, "period": PERIOD}
    return [
        Figure(group, "faults of the server", float(ours), "", details=details),
        Figure(group, "stalls of the machine", float(stalls), ""),
        Figure(group, "voices at most", float(report["voicesPeak"]), ""),
        Figure(group, "latency", float(report["latencySamples"]), "samples"),
        Figure(group, "slices that were late", float(report["lateSlices"]), ""),
        Figure(group, "frames concealed", float(report["missedFrames"]), "frames"),
        Figure(group, "recorded segments that equal the rendering", share, "%"),
        Figure(group, "largest difference in those", farthest, ""),
        Figure(group, "samples that are no number", float(np.count_nonzero(~np.isfinite(played))), ""),
    ]


def _needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise TrainingError(f"there is no {program}: apt-get install jackd2 jalv lv2-examples")


def _stalls(seconds: float) -> int:
    """How often, in so many seconds, a process that only wakes up every half a millisecond does so over a millisecond
    late; as urgent as a device, where the system permits it."""
    code = """
import os, sys, time
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(70))
except (AttributeError, OSError): pass
late, end = 0, time.monotonic() + float(sys.argv[1])
while (now := time.monotonic()) < end:
    time.sleep(0.0005)
    late += time.monotonic() - now > 0.0015
print(late)
"""
    watched = subprocess.run([sys.executable, "-S", "-c", code, str(seconds)], capture_output=True, text=True, check=True)
    return int(watched.stdout)


def live(echoel: Echoel, song: Path, folder: Path, duration: float = SECONDS) -> list[Figure]:
    """Plays `song` on all instruments and records so many seconds of it, once freewheeling and once in real time."""
    _needs("jackd", "jack_rec", "jack_lsp", "jack_freewheel")
    rendered = folder / "rendered.wav"
    echoel.render(song.read_bytes(), rendered, None)
    expected, _ = soundfile.read(rendered, always_2d=True)
    figures = []
    for group, freewheel in (("Live, freewheeling", True), ("Live, in real time", False)):
        played, report = _recorded(echoel, song, folder, duration, freewheel)
        share, farthest = equal_share(played, expected)
        details = {"report": report, "seconds": duration, "period": PERIOD, "lookAhead": _LOOK_AHEAD}
        bounds = (LEAST_EQUAL, EQUAL) if freewheel else (None, None)
        figures += [
            Figure(group, "recorded segments that equal the rendering", share, "%", bounds[0], True, details),
            Figure(group, "largest difference in those", farthest, "", bounds[1]),
            Figure(group, "frames concealed", float(report["missedFrames"]), "frames"),
            Figure(group, "xruns of the server", float(report["xruns"]), ""),
        ]
    return figures


def _recorded(
    echoel: Echoel, song: Path, folder: Path, duration: float, freewheel: bool
) -> tuple[np.ndarray, dict[str, object]]:
    """What jack_rec heard ``[samples, 2]``, and what `echoel play` reported."""
    with _server() as (environment, _):
        player = _player(echoel, song, environment, "--look-ahead", _LOOK_AHEAD)
        if freewheel:  # not before: a client is told only of changes
            subprocess.run(["jack_freewheel", "y"], check=True, timeout=60, env=environment, **_QUIETLY)
        recording = folder / "live.wav"
        _recorder(recording, duration, environment).wait(timeout=duration * 10 + 60)
        played, _ = soundfile.read(recording, always_2d=True)
        if len(played) < SEGMENT_SAMPLES:
            raise TrainingError("jack_rec recorded nothing")
        player.send_signal(signal.SIGINT)
        return played, echoel.report_of(player)


@contextmanager
def _server() -> Iterator[tuple[dict[str, str], Callable[[], int]]]:
    """A JACK server without a sound card: the environment of its clients, and how often it has said so far that it or a
    client was late."""
    environment = os.environ | {"JACK_DEFAULT_SERVER": f"echoel-measure-{os.getpid()}"}
    server = ["jackd", "-n", environment["JACK_DEFAULT_SERVER"], "-r", "--no-mlock", "-S", "-d", "dummy"]
    with tempfile.TemporaryFile("w+") as said:
        jackd = subprocess.Popen([*server, "-r", "48000", "-p", str(PERIOD)], stdout=said, stderr=said, env=environment)

        def faults() -> int:
            said.seek(0)
            return sum("XRun" in line or "Process error" in line for line in said)

        try:
            _wait_for(lambda: _ports(environment) is not None, "jackd does not start")
            yield environment, faults
        finally:
            jackd.terminate()
            jackd.wait()


def _player(echoel: Echoel, song: Path, environment: dict[str, str], *options: object) -> subprocess.Popen:
    """`echoel play`, from when on it plays: its name is there twice then, once where it is connected."""
    player = echoel.start("play", song, *options, environment=environment)
    _wait_for(lambda: (_ports(environment) or "").count("echoel:out_left") > 1, "echoel play does not begin to play")
    return player


def _recorder(file: Path, duration: float, environment: dict[str, str]) -> subprocess.Popen:
    """Room for all of it: a freewheeling server does not wait for the disk."""
    room = str(round(48_000 * (duration + 1)))
    record = ["jack_rec", "-f", file, "-d", str(round(duration)), "-b", "24", "-B", room]
    return subprocess.Popen([*record, "echoel:out_left", "echoel:out_right"], env=environment, **_QUIETLY)


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
