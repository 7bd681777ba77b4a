"""The card of an instrument, `<name>.md`: what it is, how to play it, how it was trained and measured, its limits."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..catalogue import CatalogueInstrument
from ..dataset import note_requests
from ..measure.midi import BEND_SEMITONES
from ..measure.report import Figure, told
from .text import key_name, listed, measured, paragraph, points, runs, shell, table


@dataclass(frozen=True)
class Subject:
    """Everything that a card tells of."""

    instrument: dict
    """The fields of `<name>.instrument.json`."""
    prior: dict
    """The manifest of its prior."""
    sizes: dict[str, int]
    """Bytes of its models, by file."""
    shared: dict[str, list[str]]
    """The other instruments that a model is shared with, by file."""
    origin: CatalogueInstrument
    """What it was trained on."""
    held_out_velocities: tuple[int, ...]
    held_out_keys: tuple[int, ...]
    """Those of the zones that were kept from training."""
    catalogue_file: str
    """As the commands name it."""
    figures: Sequence[Figure]
    together: Sequence[Figure]
    quick: bool
    dataset: str
    """The fingerprint of the dataset that the figures are from."""
    score_command: str
    preview_seconds: float


def card(subject: Subject) -> str:
    """The card, lines of text wrapped at 100."""
    title, name = subject.instrument["title"], subject.instrument["name"]
    picture = (
        f"![Waveform and spectrogram of the preview of {title}](previews/{name}.png)",
        paragraph(
            f"[Hear it](previews/{name}.ogg): {subject.preview_seconds:.0f} seconds that `echoel` rendered from MIDI, "
            "without any effect."
        ),
    )
    parts = [f"# {title}", paragraph(_what(subject)), *picture, _facts(subject)]
    parts += ["## How to play it", *_playing(subject)]
    parts += ["## How it was trained", *_training(subject)]
    parts += ["## Measured", *_measured(subject)]
    parts += ["## Limits", points(_limits(subject))]
    return "\n\n".join(parts) + "\n"


def dataset_file(training: dict) -> str | None:
    """The dataset that a manifest's training command names, or None."""
    words = shlex.split(training.get("command", ""))
    return words[2] if len(words) > 2 and words[1] == "train" else None


def _what(subject: Subject) -> str:
    instrument, origin = subject.instrument, subject.origin
    what = origin.description or f"an instrument of the family {instrument['family']}."
    held = (
        "A note decays from its onset on, held or not"
        if origin.articulation == "struck"
        else "A note sounds for as long as it is held"
    )
    release = f"is silent {instrument['releaseSeconds']:g} s after its release at the latest"
    return f"`{instrument['name']}`: {what} {held}, and {release}."


def _facts(subject: Subject) -> str:
    instrument = subject.instrument
    low, high = instrument["lowKey"], instrument["highKey"]
    models = []
    for part in ("prior", "decoder", "encoder"):
        if part in instrument:
            file = instrument[part]["file"]
            others = subject.shared.get(file)
            with_whom = f", shared with {listed(others)}" if others else ""
            models.append(f"`{file.removesuffix('.onnx')}` ({subject.sizes[file] / 1000:.0f} kB{with_whom})")
    rows = [
        ("family", instrument["family"]),
        ("range", f"MIDI keys {low}–{high} ({key_name(low)}–{key_name(high)})"),
        ("programs", f"General MIDI {listed(runs(instrument['programs']))} (counted from 0)"),
        ("models", "<br>".join(models)),
        ("licence", instrument["licence"]),
        ("authors", listed(instrument["authors"])),
        ("attribution", "; ".join(instrument["attribution"])),
    ]
    return table(rows, ("", ""))


def _playing(subject: Subject) -> Iterable[str]:
    instrument = subject.instrument
    name = instrument["name"]
    yield shell(f"echoel render song.mid --instrument {name} --out song.wav")
    words = (
        f"From a clone, `script/play song.mid --instrument {name}` does the same. Without `--instrument` it plays the "
        f"channels whose program is {listed(runs(instrument['programs']))}. Velocity is loudness: a note's level goes "
        f"with `(velocity/127)^{instrument['velocityExponent']:g}`. A pitch bend reaches {BEND_SEMITONES} semitones "
        "either way."
    )
    if "temperature" in subject.prior["columns"]:
        words += (
            f" `temperature` scales the movement of held notes, 0 to 2; it is {instrument.get('temperature', 1):g} here, "
            "and 1 is as recorded."
        )
    yield paragraph(words)


def _training(subject: Subject) -> Iterable[str]:
    training, origin = subject.prior["training"], subject.origin
    words = training.get("summary", "")
    if "minutes" in training and "steps" in training:
        words += f" It took {training['minutes']:g} minutes ({training['steps']} steps)."
    yield paragraph(words.strip() or "Its manifest does not say how.")
    if dataset := dataset_file(training):
        yield shell(f"echoel_training render {subject.catalogue_file} --out {dataset}", training["command"])
    keys = origin.high_key - origin.low_key + 1
    notes = len(note_requests(0, origin))
    yield paragraph(
        f"Its notes: {notes} of the SoundFont's program {origin.program}, which are {keys} keys at velocities "
        f"{listed([str(velocity) for velocity in origin.velocities])}, held for about "
        f"{listed([f'{seconds:g}' for seconds in origin.note_seconds])} s, with their releases."
    )
    yield paragraph(f"Kept from training: {_held_out(subject)}.")


def _held_out(subject: Subject) -> str:
    parts = []
    if subject.held_out_velocities:
        velocities = listed([str(velocity) for velocity in subject.held_out_velocities])
        parts.append(f"every note of velocity {velocities}")
    if subject.held_out_keys:
        ranges = listed(runs(subject.held_out_keys))
        parts.append(f"all notes of keys {ranges}, with the whole recordings that sound there")
    return listed(parts) if parts else "nothing"


def _measured(subject: Subject) -> Iterable[str]:
    judged = [figure.passed for figure in subject.figures if figure.passed is not None]
    failing = len(judged) - sum(judged)
    words = f"As `echoel` plays it: {sum(judged)} of {len(judged)} bounds are kept"
    words += f", {failing} {'is' if failing == 1 else 'are'} **not**." if failing else "."
    if subject.quick:
        words += " This was a quick look, at fewer notes than a full score has."
    yield paragraph(words)
    yield shell(subject.score_command)
    yield table(_rows([*subject.figures, *subject.together]), ("", "measured", "bound", ""), right=(1, 2))
    yield paragraph(f"The notes are those of the dataset {subject.dataset[:12]}.")


def _rows(figures: Iterable[Figure]) -> Iterable[Sequence[str]]:
    measure = None
    for figure in figures:
        if figure.measure != measure:
            measure = figure.measure
            yield f"**{measure}**", "", "", ""
        verdict = {None: "", True: "pass", False: "**FAIL**"}[figure.passed]
        yield _cell(figure.name), measured(figure.value, figure.unit), _bound(figure), verdict


def _bound(figure: Figure) -> str:
    return "" if figure.bound is None else f"{'≥' if figure.at_least else '≤'} {told(figure.bound)}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _limits(subject: Subject) -> Iterable[str]:
    instrument, origin = subject.instrument, subject.origin
    for figure in subject.figures:
        if figure.passed is False:
            value = measured(figure.value, figure.unit)
            asked = f"at {'least' if figure.at_least else 'most'} {measured(figure.bound, figure.unit)}"
            yield f"Fails: {figure.measure}, {figure.name}: {value}, where {asked} is asked."
    yield from origin.limits
    low, high = instrument["lowKey"], instrument["highKey"]
    yield f"Keys below {low} and above {high} sound, at their own pitch, but nothing like them was trained."
    soft, loud = min(origin.velocities), max(origin.velocities)
    yield f"Velocities below {soft} and above {loud} are guessed from those between."
    if origin.articulation != "struck":
        longest = max(origin.note_seconds)
        if "variation" not in subject.prior["columns"]:
            yield f"A note that is held for more than about {longest:g} s, as long as in the training, does not change any more."
        else:
            yield f"No note of the training was held for more than about {longest:g} s; what comes later is made from that."
