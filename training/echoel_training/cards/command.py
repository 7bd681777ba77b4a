"""`echoel_training cards`: from a score and the manifests to cards, previews and measured manifests."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from .. import TrainingError
from ..catalogue import Catalogue, CatalogueInstrument
from ..files import atomic_path
from ..manifest import read_json, validate_instrument, validate_manifest, write_json
from ..measure.midi import SAMPLE_RATE
from ..measure.tool import MODEL_PARTS, Echoel
from ..rendering import find_soundfont
from ..soundfont import key_zones, read_zones
from .card import Subject, card, dataset_file
from .phrases import phrase_for
from .previews import render_phrase, write_preview
from .quality import quality
from .scores import Scores

_MEASURED_PARTS = ("prior", "decoder")


class CardWriter:
    """Writes what the folder `NeuralSynth` of an `Echoel`'s models holds beside the models, from the same every time."""

    def __init__(
        self,
        echoel: Echoel,
        scores: Scores,
        catalogue: Catalogue,
        catalogue_file: str,
        soundfont: Path | None = None,
        announce: Callable[[str], None] = lambda what: None,
    ):
        self._echoel, self._scores, self._catalogue = echoel, scores, catalogue
        self._catalogue_file, self._soundfont, self._announce = catalogue_file, soundfont, announce
        self._folder = echoel.models / "NeuralSynth"
        self._instruments, self._models = {}, {}
        for installed in echoel.instruments():
            manifest = read_json(self._folder / f"{installed.name}.instrument.json")
            validate_instrument(manifest, f"{installed.name}.instrument.json")
            self._instruments[installed.name] = manifest
            self._models[installed.name] = installed.models
        files = [manifest[part]["file"] for manifest in self._instruments.values() for part in self._parts(manifest)]
        self._manifests = {file: read_json(self._manifest_path(file)) for file in dict.fromkeys(files)}
        for file, manifest in self._manifests.items():
            validate_manifest(manifest, self._manifest_path(file).name)

    def write(self) -> list[Path]:
        """The files that were written: nothing is before all is made that can fail."""
        described = {described.name: described for described in self._catalogue.instruments}
        for name, models in self._models.items():
            self._scores.of(name)
            if self._scores.models.get(name) != models:
                raise TrainingError(
                    f"the scores are not of the {name} that is in {self._folder}: its models have changed since; "
                    f"measure it again with `echoel_training score --instrument {name}`"
                )
            if name not in described:
                raise TrainingError(
                    f"the catalogue {self._catalogue_file} has no instrument {name}; give the one it was trained by "
                    "with --catalogue"
                )
        written = []
        with tempfile.TemporaryDirectory(prefix="echoel-cards-") as folder:
            sounds = {}
            for name, manifest in self._instruments.items():
                self._announce(f"{name}: playing its phrase")
                phrase = phrase_for(manifest["family"], described[name].articulation == "struck")
                phrase = phrase.within(manifest["lowKey"], manifest["highKey"])
                sounds[name] = render_phrase(self._echoel, name, phrase, manifest["releaseSeconds"], Path(folder))
            measured = {file: self._measured(file) for file in self._manifests if self._measuring(file)}
            cards = {
                name: card(self._subject(name, described[name], len(sound) / SAMPLE_RATE))
                for name, sound in sounds.items()
            }
        for name, sound in sounds.items():
            self._announce(f"{name}: writing")
            path = self._folder / "previews" / f"{name}.ogg"
            write_preview(sound, path, self._instruments[name]["title"])
            written += [path, path.with_suffix(".png"), self._folder / self._instruments[name]["card"]]
            with atomic_path(written[-1]) as partial:
                partial.write_text(cards[name], encoding="utf-8")
        for file, manifest in measured.items():
            written.append(self._manifest_path(file))
            write_json(manifest, written[-1])
        return written

    def _subject(self, name: str, origin: CatalogueInstrument, seconds: float) -> Subject:
        instrument = self._instruments[name]
        prior = self._manifests[instrument["prior"]["file"]]
        files = [instrument[part]["file"] for part in self._parts(instrument)]
        return Subject(
            instrument=instrument,
            prior=prior,
            sizes={file: self._manifests[file]["sizeBytes"] for file in files},
            shared={file: [other for other in self._users(file) if other != name] for file in files},
            origin=origin,
            held_out_velocities=tuple(
                velocity for velocity in origin.velocities if velocity in self._catalogue.held_out_velocities
            ),
            held_out_keys=held_out_keys(origin, self._soundfont),
            catalogue_file=self._catalogue_file,
            figures=self._scores.of(name),
            together=self._scores.together,
            quick=self._scores.quick,
            dataset=self._scores.dataset,
            score_command=self._score_command(prior, [name]),
            preview_seconds=seconds,
        )

    def _measured(self, file: str) -> dict:
        """A model's manifest with the figures of the instruments that it is a part of."""
        manifest, users = self._manifests[file], self._measuring(file)
        changed = manifest | {
            "quality": {name: quality(self._scores.of(name)) for name in users},
            "reproduce": self._score_command(manifest, users),
        }
        validate_manifest(changed, self._manifest_path(file).name)
        return changed

    def _score_command(self, manifest: dict, names: list[str]) -> str:
        """Measures these instruments in a clone, on the dataset that the manifest's training names."""
        words = ["echoel_training score"]
        if dataset := dataset_file(manifest["training"]):
            words.append(dataset)
        if names != list(self._instruments):
            words += [f"--instrument {name}" for name in names]
        return " ".join([*words, *(["--quick"] if self._scores.quick else [])])

    def _users(self, file: str) -> list[str]:
        return [name for name, one in self._instruments.items() if file in (one[part]["file"] for part in self._parts(one))]

    def _measuring(self, file: str) -> list[str]:
        """The instruments that a model makes the sound of: none where it is an encoder."""
        every = self._instruments.items()
        return [name for name, one in every if file in (one[part]["file"] for part in _MEASURED_PARTS)]

    def _manifest_path(self, file: str) -> Path:
        return (self._folder / file).with_suffix(".json")

    @staticmethod
    def _parts(instrument: dict) -> list[str]:
        return [part for part in MODEL_PARTS if part in instrument]


def held_out_keys(instrument: CatalogueInstrument, soundfont: Path | None = None) -> tuple[int, ...]:
    """The keys of the zones that the catalogue keeps from training, at any of its velocities."""
    if not instrument.held_out_zones:
        return ()
    zones = read_zones(find_soundfont(soundfont), instrument.program, instrument.bank)
    keys = range(instrument.low_key, instrument.high_key + 1)
    numbers = [dict(zip(keys, key_zones(zones, keys, velocity), strict=True)) for velocity in instrument.velocities]
    return tuple(key for key in keys if any(row[key] in instrument.held_out_zones for row in numbers))
