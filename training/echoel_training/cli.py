"""The command line: results on stdout, progress and errors on stderr; exit codes 0, 1 (failed) and 64 (usage)."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from . import TrainingError, __version__
from .files import atomic_path

_PROGRAM = "echoel_training"
_FILE = click.Path(path_type=Path)
_SOUNDFONT = click.option(
    "--soundfont",
    type=_FILE,
    help="A SoundFont 2 file. Default: ECHOEL_SOUNDFONT, else FluidR3 GM where the system keeps it.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Report as JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name=_PROGRAM)
def cli() -> None:
    """Render data for, train, export and score Echoelmusic's neural instruments."""


@cli.command()
@click.argument("catalogue", type=_FILE)
@click.option("--out", type=_FILE, help="The .npz to write. Default: a file in the user's cache folder.")
@click.option("--workers", type=click.IntRange(1, 256), help="Notes rendered at a time. Default: one per core.")
@_SOUNDFONT
@_JSON
def render(catalogue: Path, out: Path | None, workers: int | None, soundfont: Path | None, as_json: bool) -> None:
    """Render the notes of CATALOGUE (a TOML file) into one dataset.

    A dataset that is there already and up to date is left as it is.

    \b
    Example:
      echoel_training render catalogue/ensemble.toml --out cache/ensemble.npz
    """
    from .catalogue import read_catalogue
    from .dataset import describe_dataset, prepare_dataset

    path, rendered = prepare_dataset(read_catalogue(catalogue), out, soundfont, workers)
    report = {"file": str(path), "rendered": rendered, **describe_dataset(path)}
    if as_json:
        _print_json(report)
        return
    click.echo(f"{path}: {report['notes']} notes, {report['seconds'] / 60:.1f} minutes")
    for instrument in report["instruments"]:
        click.echo(
            f"  {instrument['name']}: {instrument['notes']} notes, {instrument['heldOut']} held out, "
            f"silent {instrument['releaseSeconds']:.2f} s after the note-off"
        )
        for zone in instrument["zones"]:
            keys = f"{zone['lowKey']}–{zone['highKey']}"
            click.echo(
                f"    zone {zone['zone']:2}: keys {keys:6}  {zone['cents']:+6.1f} cents  "
                f"inharmonicity {zone['inharmonicity']:.2e}{'  held out' if zone['heldOut'] else ''}"
            )
    if not rendered:
        click.echo("It was up to date.", err=True)


@cli.command()
@click.option("--program", type=click.IntRange(0, 127), required=True, help="General MIDI program, 0 to 127.")
@click.option("--bank", type=click.IntRange(0, 16_383), default=0, show_default=True, help="SoundFont bank.")
@click.option("--keys", required=True, help="MIDI keys, such as 60 or 48-72 or 60,64,67.")
@click.option("--velocities", default="90", show_default=True, help="Velocities, written like the keys.")
@click.option("--seconds", type=click.FloatRange(0.01, 60), default=1.0, show_default=True, help="Until the note-off.")
@click.option("--out", type=_FILE, required=True, help="The folder to write to.")
@_SOUNDFONT
@_JSON
def notes(
    program: int,
    bank: int,
    keys: str,
    velocities: str,
    seconds: float,
    out: Path,
    soundfont: Path | None,
    as_json: bool,
) -> None:
    """Render single notes to 48 kHz WAV files.

    Sample 0 is the note-on; notes.json in the folder keeps the sample of every note-off.

    \b
    Example:
      echoel_training notes --program 56 --keys 60-72 --seconds 1.5 --out trumpet
    """
    from .rendering import write_notes

    written = write_notes(
        out,
        program=program,
        bank=bank,
        keys=_numbers(keys, "--keys", 0, 127),
        velocities=_numbers(velocities, "--velocities", 1, 127),
        seconds=seconds,
        soundfont=soundfont,
    )
    _report({"folder": str(out), "notes": written}, [str(out / note["file"]) for note in written], as_json)


@cli.command()
@click.option("--program", type=click.IntRange(0, 127), required=True, help="General MIDI program, 0 to 127.")
@click.option("--bank", type=click.IntRange(0, 16_383), default=0, show_default=True, help="SoundFont bank.")
@_SOUNDFONT
@_JSON
def zones(program: int, bank: int, soundfont: Path | None, as_json: bool) -> None:
    """List the recordings of a SoundFont's program: where each sounds, its root key, tuning and loop.

    \b
    Example:
      echoel_training zones --program 0
    """
    from .rendering import find_soundfont
    from .soundfont import describe_recordings, read_zones

    described = describe_recordings(read_zones(find_soundfont(soundfont), program, bank))
    lines = []
    for row in described:
        (low, high), (soft, loud), loop = row["keys"], row["velocities"], row["loopSeconds"]
        lines.append(
            f"{row['sample']:20}  keys {low:3}–{high:<3}  velocities {soft:3}–{loud:<3}  root {row['rootKey']:3} "
            f"{row['cents']:+7.1f} cents  {row['seconds']:6.3f} s  "
            + (f"loop {loop[0]:.3f}–{loop[1]:.3f} s" if loop else "no loop")
        )
    _report({"recordings": described}, lines, as_json)


@cli.command()
@click.argument("notes", type=_FILE, metavar="DATASET")
@click.option("--out", type=_FILE, required=True, help="The folder for checkpoints and logs.")
@click.option("--minutes", type=click.FloatRange(0.1, 100_000), help="Time budget, with the minutes before a resumption. Default without --steps: 60.")
@click.option("--steps", type=click.IntRange(1, 100_000_000), help="Budget of steps, the same on every machine, with those before a resumption.")
@click.option("--resume", is_flag=True, help="Go on from OUT/last.ckpt as if the run had never stopped.")
@click.option("--batch", type=click.IntRange(4, 4096), default=48, show_default=True, help="Segments per step.")
@click.option("--threads", type=click.IntRange(1, 256), default=2, show_default=True, help="Threads of PyTorch on a CPU.")
@click.option("--accelerator", default="auto", show_default=True, help="cpu, cuda, mps or auto.")
@click.option("--devices", default="auto", show_default=True, help="How many devices to use, or which (0,1).")
@click.option("--nodes", type=click.IntRange(1, 1024), default=1, show_default=True, help="Machines that train together.")
@click.option(
    "--precision", type=click.Choice(["32-true", "bf16-mixed", "16-mixed"]), default="32-true", show_default=True,
    help="Mixed precision is for GPUs.",
)
@click.option(
    "--adversary-from", type=click.FloatRange(0, 1),
    help="An adversary takes part from this share of the budget on, such as 0.6. Default: none. For GPUs.",
)
@_JSON
def train(notes: Path, out: Path, resume: bool, as_json: bool, **options) -> None:
    """Train decoder, encoder and priors on a DATASET that `render` made.

    Checkpoints are kept as the training goes; TensorBoard reads the logs beside them, with sounds and pictures.

    \b
    Example:
      echoel_training train cache/ensemble.npz --out runs/ensemble --minutes 60
    """
    from .dataset import load_dataset

    if resume and not (out / "last.ckpt").is_file():
        raise TrainingError(f"there is no {out / 'last.ckpt'} to resume; train without --resume first")
    fields = load_dataset(notes)
    from .train import TrainingOptions
    from .train import train as train_ensemble

    out.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(sys.stderr):
        checkpoint = str(train_ensemble(fields, out, TrainingOptions(resume=resume, **options)))
    _report({"checkpoint": checkpoint}, [checkpoint], as_json)


@cli.command()
@click.option("--checkpoint", type=_FILE, help="A checkpoint that `train` wrote.")
@click.option("--untrained", is_flag=True, help="Repeatable random weights instead, to test an engine with.")
@click.option("--catalogue", type=_FILE, help="What the instruments are called. Default: catalogue/ensemble.toml.")
@click.option("--dataset", type=_FILE, help="The notes of the training: what sustained notes do is learned from them.")
@click.option("--out", type=_FILE, required=True, help="The folder to write to.")
@_JSON
def export(
    checkpoint: Path | None,
    untrained: bool,
    catalogue: Path | None,
    dataset: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Export decoder, encoder and priors to ONNX, with their manifests and instruments.

    \b
    Example:
      echoel_training export --checkpoint runs/ensemble/last.ckpt --dataset cache/ensemble.npz \\
        --out ../Models/NeuralSynth
    """
    if (checkpoint is None) != untrained:
        raise click.UsageError("Give either --checkpoint or --untrained.")
    if untrained and dataset is not None:
        raise click.UsageError("--dataset goes with --checkpoint: untrained models have nothing to learn from it.")
    if checkpoint is not None and not checkpoint.is_file():
        raise TrainingError(f"there is no checkpoint at {checkpoint}; make one with `{_PROGRAM} train`")
    from .catalogue import DEFAULT_CATALOGUE, read_catalogue
    from .export import Provenance, write_models
    from .models import Models, load_models

    described = read_catalogue(catalogue or DEFAULT_CATALOGUE)
    levels: dict[str, dict] = {}
    if checkpoint is None:
        models = Models.untrained(described)
        provenance = Provenance(training={"summary": "Untrained: repeatable random weights."})
    else:
        from .dataset import load_dataset
        from .movement import fit_movement
        from .playing import measure_levels

        models, training = load_models(checkpoint)
        provenance = Provenance(attribution=described.attribution, training=training)
        if dataset is not None:
            click.echo("learning the movement of sustained notes …", err=True)
            fit_movement(models, load_dataset(dataset))
        click.echo("measuring levels …", err=True)
        levels = measure_levels(models, {one.name: (one.low_key, one.high_key) for one in described.instruments})
    with redirect_stdout(sys.stderr):
        write_models(models, described, out, provenance, levels)
    names = sorted(path.name for path in out.iterdir() if path.suffix in (".onnx", ".json"))
    _report({"folder": str(out), "files": names}, [str(out / name) for name in names], as_json)


@cli.command(short_help="Score instruments as `echoel` plays them, against the SoundFont.")
@click.argument("notes", type=_FILE, metavar="[DATASET]", required=False)
@click.option("--instrument", "names", multiple=True, help="An instrument to score; repeatable. Default: all.")
@click.option("--models", type=_FILE, help="The folder of models. Default: ECHOEL_MODELS, else Models of this clone.")
@click.option("--echoel", type=_FILE, help="The program. Default: script/echoel of this clone, else the PATH's.")
@click.option("--out", type=_FILE, help="A folder for score.json and score.html, which shows and plays the notes.")
@click.option("--quick", is_flag=True, help="Fewer notes of everything: to see where a training stands.")
@_SOUNDFONT
@_JSON
def score(
    notes: Path | None,
    names: tuple[str, ...],
    models: Path | None,
    echoel: Path | None,
    out: Path | None,
    quick: bool,
    soundfont: Path | None,
    as_json: bool,
) -> None:
    """Score instruments as `echoel` plays them, on the notes of DATASET that were kept from training.

    Mel distance beside an additive synthesizer, a sampler without the zone and another velocity; pitch, partials,
    onset, attack, T60, level, half a minute held, slices, cost. Without DATASET, that of catalogue/ensemble.toml is rendered
    where it is not in the cache. Exits with 1 if a bound is not kept.

    \b
    Example:
      echoel_training score cache/ensemble.npz --instrument trumpet --out scored
    """
    from .catalogue import DEFAULT_CATALOGUE, read_catalogue
    from .dataset import load_dataset, prepare_dataset
    from .measure.report import table
    from .measure.tool import Echoel
    from .rendering import Synthesizer
    from .score.command import Scorer, choose_instruments
    from .score.page import write_page

    if notes is None:
        notes = prepare_dataset(read_catalogue(DEFAULT_CATALOGUE), soundfont=soundfont)[0]
    fields = load_dataset(notes)
    tool = Echoel(echoel, models)
    instruments = choose_instruments(tool, fields, names)

    def announce(what: str) -> None:
        click.echo(f"scoring {what} …", err=True)

    found = Scorer(tool, fields, Synthesizer(soundfont), quick, announce).score(instruments)
    report = {
        "dataset": str(fields["fingerprint"]),
        "quick": quick,
        "models": {instrument.name: instrument.models for instrument in instruments},
        "figures": [figure.as_json() for figure in found.figures],
        "passed": all(figure.passed is not False for figure in found.figures),
    }
    if out is not None:
        with atomic_path(out / "score.json") as partial:
            partial.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        write_page(out / "score.html", found.figures, found.renderings)
    _report(report, table(found.figures), as_json)
    if not report["passed"]:
        raise TrainingError("not every bound is kept")


@cli.command(short_help="Write the cards, previews and measured figures of a folder of instruments.")
@click.option("--models", type=_FILE, help="The folder of models. Default: ECHOEL_MODELS, else Models of this clone.")
@click.option("--scores", type=_FILE, multiple=True, required=True, help="A score.json that `score --out` wrote; repeatable.")
@click.option("--catalogue", type=_FILE, help="What they were trained on. Default: catalogue/ensemble.toml.")
@click.option("--echoel", type=_FILE, help="The program. Default: script/echoel of this clone, else the PATH's.")
@_SOUNDFONT
@_JSON
def cards(
    models: Path | None,
    scores: tuple[Path, ...],
    catalogue: Path | None,
    echoel: Path | None,
    soundfont: Path | None,
    as_json: bool,
) -> None:
    """Write what lies beside the models, for every instrument of the folder.

    NAME.md, its card; previews/NAME.ogg, a phrase that `echoel` plays, and its spectrogram; and the figures of the
    score into the manifests of its prior and decoder. All of it comes from the score, the manifests and the catalogue:
    a second run changes nothing unless they have changed.

    \b
    Example:
      echoel_training cards --scores scored/score.json
    """
    from .cards.command import CardWriter
    from .cards.scores import read_scores
    from .catalogue import DEFAULT_CATALOGUE, read_catalogue
    from .measure.tool import Echoel

    catalogue = (catalogue or DEFAULT_CATALOGUE).resolve()
    described = read_catalogue(catalogue)
    training = DEFAULT_CATALOGUE.parents[1]
    file = str(catalogue.relative_to(training)) if catalogue.is_relative_to(training) else catalogue.name

    def announce(what: str) -> None:
        click.echo(f"{what} …", err=True)

    writer = CardWriter(Echoel(echoel, models), read_scores(scores), described, file, soundfont, announce)
    written = [str(path) for path in writer.write()]
    _report({"files": written}, written, as_json)


@cli.command(short_help="Export the guide's reference encoder and decoder.")
@click.option("--out", type=_FILE, required=True, help="The folder to write to.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Draws the weights.")
@_JSON
def reference(out: Path, seed: int, as_json: bool) -> None:
    """Export the guide's reference encoder and decoder (36 MB each, untrained) with their manifests.

    \b
    Example:
      echoel_training reference --out models
    """
    from .reference import export_reference

    paths = [str(path) for path in export_reference(out, seed)]
    _report({"models": paths}, paths, as_json)


@cli.command(short_help="Export the guide's reference decoder for LiteRT.")
@click.option("--out", required=True, type=_FILE, help="The .tflite to write.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Draws the weights.")
@_JSON
def litert(out: Path, seed: int, as_json: bool) -> None:
    """Export the guide's reference decoder as a .tflite (36 MB, batch 1), checked against the ONNX one.

    litert-torch converts it, in training/litert/.venv, which is made on the first use (2 GB).

    \b
    Example:
      echoel_training litert --out models/rave_decoder_reference.tflite
    """
    from .litert import export_litert

    difference = export_litert(out, seed)
    if as_json:
        _print_json({"file": str(out), "maximumDifference": difference})
    else:
        click.echo(f"{out}: differs from the ONNX decoder by {difference:.1e} at most")


@cli.command()
@click.option("--out", type=_FILE, required=True, help="The folder to write to.")
@_JSON
def fixtures(out: Path, as_json: bool) -> None:
    """Write the tiny models that the engine's tests use.

    \b
    Example:
      echoel_training fixtures --out ../Tests/Fixtures
    """
    from .fixtures import write_fixtures

    paths = [str(path) for path in write_fixtures(out)]
    _report({"files": paths}, paths, as_json)


@cli.command(short_help="Measure what `echoel` renders: pitch, steadiness, seams, speed, memory.")
@click.option("--instrument", "names", multiple=True, help="An instrument to measure; repeatable. Default: all.")
@click.option("--echoel", type=_FILE, help="The program. Default: script/echoel of this clone, else the PATH's.")
@click.option("--models", type=_FILE, help="The folder of models. Default: ECHOEL_MODELS, else Models of this clone.")
@click.option("--only", multiple=True, help="tune, steady, repeat, parity, memory, speed or live; repeatable. Default: all of these. Or rehearsal, concert.")
@click.option("--out", type=_FILE, help="A folder for pictures and for figures.json.")
@_JSON
def measure(
    names: tuple[str, ...],
    echoel: Path | None,
    models: Path | None,
    only: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure what `echoel` renders, against bounds.

    Pitch of notes, chords and bends; held notes, releases and the seams between slices; the same file for every
    block size; parity of `echoel run` with Python; memory; speed; live on a JACK server of its own. `concert` plays 16
    voices for five minutes in real time, and a host with an idle plugin for as long; `rehearsal` half a minute, without the
    host and held to bounds. Exits with 1 if a bound is not kept.

    \b
    Example:
      echoel_training measure --instrument strings --only tune --only steady --out measured
    """
    from .measure.command import LONG_MEASURES, MEASURES, run_measures
    from .measure.report import table
    from .measure.tool import Echoel

    for name in only:
        if name not in (*MEASURES, *LONG_MEASURES):
            raise click.BadParameter(f"{name!r} is none of {', '.join((*MEASURES, *LONG_MEASURES))}", param_hint="--only")
    tool = Echoel(echoel, models)
    instruments = tool.instruments(list(dict.fromkeys(names)))

    def announce(what: str) -> None:
        click.echo(f"measuring {what} …", err=True)

    figures = list(run_measures(tool, instruments, only or MEASURES, out, announce))
    report = {"figures": [figure.as_json() for figure in figures], "passed": all(f.passed is not False for f in figures)}
    if out is not None:
        with atomic_path(out / "figures.json") as partial:
            partial.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    _report(report, table(figures), as_json)
    if not report["passed"]:
        raise TrainingError("not every bound is kept")


@cli.command()
@click.argument("sound", type=_FILE)
@click.option("--out", type=_FILE, required=True, help="The .png to write, 1600 × 700 pixels.")
@click.option("--title", help="What stands above it. Default: the file's name.")
@_JSON
def spectrogram(sound: Path, out: Path, title: str | None, as_json: bool) -> None:
    """Draw the waveform and the spectrogram of a SOUND file.

    \b
    Example:
      echoel_training spectrogram song.wav --out song.png --title "First Light"
    """
    from .measure.plots import write_spectrogram

    write_spectrogram(sound, out, title)
    _report({"file": str(out)}, [str(out)], as_json)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        result = cli.main(arguments, prog_name=_PROGRAM, standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.UsageError as error:
        error.show()
        sys.exit(64)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except (TrainingError, OSError) as error:
        click.echo(f"{_PROGRAM}: {error}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"{_PROGRAM}: stopped", err=True)
        sys.exit(130)


def _require_checkpoint(checkpoint: Path) -> None:
    if not checkpoint.is_file():
        raise TrainingError(f"there is no checkpoint at {checkpoint}; make one with `{_PROGRAM} train`")


def _numbers(text: str, option: str, low: int, high: int) -> list[int]:
    """`60,64-67` as 60, 64, 65, 66, 67."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            start = int(first)
            end = int(last) if dash else start
        except ValueError:
            raise click.BadParameter(f"{part!r} is not a number or a range such as 48-72", param_hint=option) from None
        if not low <= start <= end <= high:
            raise click.BadParameter(f"{part!r} is not a rising range within {low} to {high}", param_hint=option)
        numbers += [number for number in range(start, end + 1) if number not in numbers]
    return numbers


def _report(value: dict, lines: list[str], as_json: bool) -> None:
    if as_json:
        _print_json(value)
    else:
        for line in lines:
            click.echo(line)


def _print_json(value: dict) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
