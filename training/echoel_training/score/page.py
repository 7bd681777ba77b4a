"""A score as one HTML file that needs nothing else: tables of figures, spectrograms beside each other, and players."""

import base64
import html
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..files import atomic_path
from ..measure.report import Figure, told
from . import media
from .mel import mel_distance
from .notes import SAMPLE_RATE, Rendering, Way

MOST_BYTES = 8_000_000
MOST_NOTES = 3
"""Of each instrument, at most so many notes are shown: as many as fit."""

SHOWN_SECONDS = 6.0
"""Longer notes are shown and heard until then."""

_PEAK = 0.7  # of the loudest of the sounds that are compared
_WAYS: dict[Way, tuple[str, str]] = {
    "prior": ("Ours", "through the prior, as it is played"),
    "encoder": ("Ours, encoded", "through latents of the recording"),
    "sampler": ("Sampler", "without this zone’s recording"),
    "additive": ("Additive synth", "and filtered noise"),
    "velocity": ("Another velocity", "of the same recording"),
}
_TOGETHER = "All together"
_NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


def write_page(path: Path, figures: Sequence[Figure], pairs: Sequence[Rendering], title: str = "Score") -> None:
    """Writes the page, at most 8 MB.

    A figure's measure is named `measure: instrument`; those without an instrument are about all together. Of the
    renderings, up to three of each instrument are shown, spread evenly over those that there are.
    """
    instruments = list(dict.fromkeys([*(_instrument(figure) for figure in figures), *(e.note.instrument for e in pairs)]))
    instruments = [name for name in instruments if name != _TOGETHER]
    notes = {name: [each for each in pairs if each.note.instrument == name] for name in instruments}
    blocks: dict[int, str] = {}
    for most in range(MOST_NOTES, -1, -1):
        shown = {name: _spread(found, most) for name, found in notes.items()}
        for each in (each for found in shown.values() for each in found):
            if id(each) not in blocks:
                blocks[id(each)] = _note(each)
        sections = [
            _section(name, _of(figures, name), [blocks[id(each)] for each in shown[name]]) for name in instruments
        ]
        page = _document(title, _summary(figures, instruments), sections).encode()
        if len(page) <= MOST_BYTES:
            break
    with atomic_path(path) as partial:
        partial.write_bytes(page)


def _instrument(figure: Figure) -> str:
    return figure.measure.rsplit(": ", 1)[1] if ": " in figure.measure else _TOGETHER


def _measure(figure: Figure) -> str:
    return figure.measure.rsplit(": ", 1)[0]


def _of(figures: Iterable[Figure], instrument: str) -> list[Figure]:
    return [figure for figure in figures if _instrument(figure) == instrument]


def _spread(found: list[Rendering], most: int) -> list[Rendering]:
    if len(found) <= most:
        return found
    return [found[int(place)] for place in np.linspace(0, len(found) - 1, most).round()] if most else []


# -- tables ----------------------------------------------------------------------------------------------------


def _summary(figures: Sequence[Figure], instruments: list[str]) -> str:
    """Measures by instruments: how many bounds are kept."""
    measures = list(dict.fromkeys(_measure(figure) for figure in figures if _instrument(figure) != _TOGETHER))
    rows = []
    for measure in measures:
        cells = []
        for name in instruments:
            judged = [f.passed for f in _of(figures, name) if _measure(f) == measure and f.passed is not None]
            cells.append(f"<td>{_kept(judged)}</td>")
        rows.append(f'<tr><th scope="row">{_text(measure)}</th>{"".join(cells)}</tr>')
    heads = "".join(f'<th scope="col"><a href="#{_anchor(name)}">{_text(name)}</a></th>' for name in instruments)
    judged = [figure.passed for figure in figures if figure.passed is not None]
    together = _of(figures, _TOGETHER)
    return (
        f'<p class="lead">{sum(judged)} of {len(judged)} bounds kept.</p>'
        '<div class="wide"><table class="summary"><caption>Bounds kept, by measure and instrument</caption>'
        f'<thead><tr><th scope="col">Measure</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        + (_figures(together, _TOGETHER) if together else "")
    )


def _kept(judged: list[bool]) -> str:
    if not judged:
        return '<span class="none">no bound</span>'
    kind, word = ("pass", "pass") if all(judged) else ("fail", "FAIL")
    return f'<span class="{kind}">{word}</span> <span class="count">{sum(judged)} of {len(judged)}</span>'


def _figures(figures: Sequence[Figure], caption: str) -> str:
    """Every figure, under its measure."""
    bodies = []
    for measure in dict.fromkeys(_measure(figure) for figure in figures):
        rows = "".join(_row(figure) for figure in figures if _measure(figure) == measure)
        head = f'<tr class="measure"><th colspan="4" scope="rowgroup">{_text(measure)}</th></tr>'
        bodies.append(f"<tbody>{head}{rows}</tbody>")
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Figure", "Value", "Bound", "Verdict"))
    return (
        f'<div class="wide"><table class="figures"><caption>{_text(caption)}: figures and bounds</caption>'
        f"<thead><tr>{heads}</tr></thead>{''.join(bodies)}</table></div>"
    )


def _row(figure: Figure) -> str:
    verdict = {
        None: '<span class="none">no bound</span>',
        True: '<span class="pass">pass</span>',
        False: '<span class="fail">FAIL</span>',
    }[figure.passed]
    bound = "" if figure.bound is None else f"{'≥' if figure.at_least else '≤'} {told(figure.bound)}"
    unit = "" if math.isnan(figure.value) else f" <small>{_text(figure.unit)}</small>"
    value = told(figure.value) + unit
    return f'<tr><th scope="row">{_text(figure.name)}</th><td>{value}</td><td>{bound}</td><td>{verdict}</td></tr>'


# -- notes -----------------------------------------------------------------------------------------------------


def _section(name: str, figures: Sequence[Figure], notes: Sequence[str]) -> str:
    heard = f"<h3>Held-out notes</h3>{''.join(notes)}" if notes else ""
    table = _figures(figures, name) if figures else ""
    return f'<section id="{_anchor(name)}"><h2>{_text(name)}</h2>{table}{heard}</section>'


def _note(each: Rendering) -> str:
    """The reference and every way it was played, at one scale of colours and one gain."""
    note, samples = each.note, round(SHOWN_SECONDS * SAMPLE_RATE)
    sounds = {"SoundFont": ("the note to be learned", note.reference, "")}
    for way, (name, words) in _WAYS.items():
        if way in each.audio:
            distance = f"{mel_distance(each.audio[way], note.reference):.1f} dB away"
            sounds[name] = (words, each.audio[way], distance)
    powers = {name: media.power(audio[:samples]) for name, (_, audio, _) in sounds.items()}
    loudest = float(powers["SoundFont"].max())
    gain = _PEAK / max(max(float(np.abs(audio).max()) for _, audio, _ in sounds.values()), 1e-9)
    key = f"{_NAMES[note.key % 12]}{note.key // 12 - 1}"
    why = "its whole zone was" if note.why == "zone" else "its velocity was"
    title = f"{key} (key {note.key}), velocity {note.velocity}, held {note.off_sample / SAMPLE_RATE:.1f} s"
    seconds = min(len(note.reference), samples) / SAMPLE_RATE
    cut = f"; the first {SHOWN_SECONDS:g} s are shown" if len(note.reference) > samples else ""
    boxes = []
    for name, (words, audio, distance) in sounds.items():
        picture = _data("image/png", media.spectrogram(powers[name], loudest))
        sound = _data("audio/ogg", media.ogg(audio[:samples], gain))
        what = f"{name}, {words}: {note.instrument} {title}"
        boxes.append(
            f"<figure><figcaption><b>{_text(name)}</b><span>{_text(distance)}</span><small>{_text(words)}</small></figcaption>"
            f'<div class="plot"><img src="{picture}" width="440" height="220" alt="{_text(_seen(what, seconds))}">'
            f'{_axes(seconds)}</div><audio controls preload="metadata" src="{sound}" aria-label="{_text(what)}"></audio>'
            "</figure>"
        )
    return (
        f'<article><h4>{_text(title)}</h4><p class="why">Kept from training: {why}{cut}.</p>'
        f'<div class="sounds">{"".join(boxes)}</div></article>'
    )


def _seen(what: str, seconds: float) -> str:
    return f"Spectrogram, {seconds:.1f} s, {media.LOW_HERTZ:g} Hz to {media.HIGH_HERTZ / 1000:g} kHz, of {what}"


def _axes(seconds: float) -> str:
    octaves = np.log(media.HIGH_HERTZ / media.LOW_HERTZ)
    hertz = "".join(
        f'<i style="bottom:{100 * np.log(value / media.LOW_HERTZ) / octaves:.2f}%">{words}</i>'
        for value, words in ((100, "100 Hz"), (1000, "1 kHz"), (10_000, "10 kHz"))
    )
    step = next(step for step in (0.5, 1, 2) if seconds / step <= 6)
    times = "".join(
        f'<i style="left:{100 * value / seconds:.2f}%">{value:g}{" s" if value == 0 else ""}</i>'
        for value in np.arange(0, 0.97 * seconds, step)
    )
    return f'<span class="hertz" aria-hidden="true">{hertz}</span><span class="times" aria-hidden="true">{times}</span>'


# -- the document ----------------------------------------------------------------------------------------------


def _document(title: str, summary: str, sections: Sequence[str]) -> str:
    stops = ", ".join(f"rgb({' '.join(str(round(255 * part)) for part in row)})" for row in media.colours(9))
    key = (
        f'<p class="key"><span>{media.RANGE_DECIBELS:g} dB below</span><i style="background:linear-gradient(90deg, '
        f'{stops})"></i><span>the loudest of the SoundFont’s note: one scale for the pictures of a note</span></p>'
    )
    explained = (
        "<p>Every sound marked <b>ours</b> came out of <code>echoel</code>, the product itself. Beside each stands its "
        "mel distance from the SoundFont’s recording; all sounds of a note are played at one gain.</p>"
    )
    style = _STYLE.replace("\n", "")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><style>{style}</style></head><body><main><header><h1>{_text(title)}</h1>{summary}'
        f"{explained}{key}</header>{''.join(sections)}</main></body></html>\n"
    )


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _anchor(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _text(text: str) -> str:
    return html.escape(text)


_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--ink:#22252b;--faint:#666b74;--rule:#dedbd4;--pass:#17683f;--fail:#b3261e;
--accent:#8a4a12}
@media(prefers-color-scheme:dark){:root{--paper:#14161b;--ink:#dfe2e8;--faint:#9096a2;--rule:#2c3038;--pass:#6cc492;
--fail:#ff8a80;--accent:#f0a35e}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:3rem 1.5rem 6rem}
h1{font-size:1.9rem;font-weight:650;letter-spacing:-.02em;margin:0}
h2{font-size:1.4rem;font-weight:650;letter-spacing:-.01em;margin:4rem 0 1rem;padding-top:1rem;border-top:1px solid var(--rule);
text-transform:capitalize}
h3{font-size:1.05rem;margin:2.5rem 0 .5rem}
h4{font-size:.95rem;font-weight:600;margin:1.8rem 0 0}
a{color:var(--accent)}
p{max-width:46rem}
code{font-size:.92em}
.lead{font-size:1.15rem;margin:.4rem 0 2rem;color:var(--faint)}
.why{margin:0 0 .8rem;color:var(--faint);font-size:.85rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--faint);font-size:.85rem;padding-bottom:.4rem}
th,td{padding:.32rem 1.4rem .32rem 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--rule)}
tbody th{font-weight:400}
thead th{font-weight:600;border-bottom-color:var(--faint)}
.summary{margin-bottom:1.5rem}
.summary thead a{text-transform:capitalize}
.figures{width:100%}
.figures td{white-space:nowrap}
.figures td:nth-child(2),.figures td:nth-child(3),.figures th:nth-child(2),.figures th:nth-child(3){text-align:right}
.figures tr.measure th{font-weight:600;padding-top:1.1rem;border-bottom-color:var(--faint)}
small,.count,.none{color:var(--faint);font-size:.85em}
.count{white-space:nowrap}
.pass{color:var(--pass);font-weight:600}
.fail{color:var(--fail);font-weight:700}
caption::first-letter{text-transform:uppercase}
.key{display:flex;flex-wrap:wrap;max-width:none;gap:.2rem .6rem;align-items:center;color:var(--faint);font-size:.85rem}
.key i{display:block;width:11rem;height:.7rem;border-radius:2px}
.sounds{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(21rem,100%),1fr));gap:1.4rem 1.6rem}
figure{margin:0;min-width:0}
figcaption{font-size:.9rem;display:grid;grid-template-columns:1fr auto;margin-bottom:.35rem;line-height:1.35}
figcaption b{font-weight:600}
figcaption small{grid-column:1/-1}
.plot{position:relative;padding:0 0 1.25rem 3.1rem}
.plot img{display:block;width:100%;height:auto;aspect-ratio:2;border-radius:3px}
.plot i{position:absolute;font-style:normal;font-size:.7rem;line-height:1;color:var(--faint);white-space:nowrap}
.hertz{position:absolute;left:0;width:2.8rem;top:0;bottom:1.25rem}
.hertz i{right:0;transform:translateY(50%)}
.times{position:absolute;left:3.1rem;right:0;bottom:0;height:1rem}
audio{display:block;width:100%;height:2.2rem;margin-top:.3rem}
@media print{audio{display:none}section{break-before:page}}
"""
