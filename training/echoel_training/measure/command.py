"""`echoel_training measure`: which measures there are, and running them one after another."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import product
from .live import CONCERT_VOICES, concert, live, rehearsal
from .midi import midi_file
from .pieces import many_voices
from .report import Figure
from .tool import Echoel, Instrument

MEASURES = ("tune", "steady", "repeat", "parity", "memory", "speed", "live")
LONG_MEASURES = ("rehearsal", "concert")
"""Those that are run only when they are asked for."""

REHEARSAL_SECONDS = 30.0
CONCERT_SECONDS = 300.0
SONG = Path(__file__).resolve().parents[3] / "Examples" / "first-light.mid"
_KEPT = ("notes", "chords", "bends", "held")


def run_measures(
    echoel: Echoel,
    instruments: Sequence[Instrument],
    measures: Sequence[str] = MEASURES,
    out: Path | None = None,
    announce: Callable[[str], None] = lambda what: None,
) -> Iterator[Figure]:
    """Yields the figures of the chosen measures; with `out`, pictures of the sounds come to lie there."""

    def keep(name: str, file: Path) -> None:
        if out is not None and name.endswith(_KEPT):
            from .plots import write_spectrogram

            write_spectrogram(file, out / f"{name}.png", name.replace("-", ": "))

    with tempfile.TemporaryDirectory(prefix="echoel-measure-") as folder:
        bench = product.Bench(echoel, Path(folder), keep)
        each = {"tune": product.in_tune, "steady": product.steady, "memory": product.memory, "speed": product.fast}
        for measure in (*MEASURES, *LONG_MEASURES):
            if measure not in measures:
                continue
            if measure == "repeat":
                announce("repeat")
                yield from product.repeatable(bench, list(instruments))
            elif measure == "parity":
                announce("parity")
                yield from product.parity(bench)
            elif measure == "live":
                announce("live")
                yield from live(echoel, SONG, Path(folder))
            elif measure in LONG_MEASURES:
                lasting = CONCERT_SECONDS if measure == "concert" else REHEARSAL_SECONDS
                announce(f"{measure}: {lasting:.0f} s are played")
                song = Path(folder) / f"{measure}.mid"
                song.write_bytes(midi_file(many_voices(lasting + 10, CONCERT_VOICES)))
                yield from (concert if measure == "concert" else rehearsal)(echoel, song, Path(folder), lasting)
            else:
                for instrument in instruments:
                    announce(f"{measure}: {instrument.name}")
                    figures = each[measure](bench, instrument)
                    if out is not None and measure == "steady":
                        from .plots import write_courses

                        title = f"{instrument.name}, held for 20 s"
                        [followed] = [figure.details for figure in figures if "courses" in figure.details]
                        write_courses(followed, out / f"{instrument.name}-courses.png", title)
                    yield from figures
