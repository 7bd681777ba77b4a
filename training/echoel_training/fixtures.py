"""Tiny models for the tests of the engine, each under 2 KB and written as ONNX's own text.

`sine_decoder`, `sine_encoder` and the priors follow the streaming contract of `Documentation/Models.md` to the letter,
and are simple enough to know by heart what they sound like: a sine at the pitch, and white noise. The instruments
`sine` (full level, with a noisy attack) and `soft` (half of it, without) share `sine_prior`; `sway`, whose level varies
from note to note, has `sway_prior` to itself, and an encoder. `faulty` plays keys below 64, and breaks off above them.

The effects are as simple: an echo with a state, windows that are added up or of which a part is given, and an encoder and
a decoder that belong together.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

from .files import atomic_path
from .manifest import (
    MOVEMENT_COLUMNS,
    NOTE_COLUMNS,
    file_reference,
    instrument_manifest,
    model_manifest,
    state,
    tensor,
    write_json,
)
from .operators import OPERATOR_DOMAIN, OPERATOR_VERSION

SAMPLE_RATE = 48_000
SLOT_SAMPLES = 128
SINE_DELAY_SAMPLES = 128
"""`sine_decoder` is one slot late, so that tests see whether a host trims a model's own delay."""

LATENT_SAMPLES = 2048
"""Samples per latent of `sine_encoder`."""

_INSTRUMENTS = ("sine", "soft")
_PROGRAMS = {"sine": 80, "soft": 81, "sway": 82, "faulty": 83}

_FIELDS: dict[str, dict] = {
    "sine_decoder": {
        "sampleRate": SAMPLE_RATE,
        "slotSamples": SLOT_SAMPLES,
        "maximumSlots": 16,
        "delaySamples": SINE_DELAY_SAMPLES,
    },
    "sine_encoder": {
        "sampleRate": SAMPLE_RATE,
        "slotSamples": SLOT_SAMPLES,
        "latentSamples": LATENT_SAMPLES,
        "delaySamples": 0,
    },
    "echo_effect": {"sampleRate": 44_100, "hopSamples": 256, "delaySamples": 32},
    "overlap_effect": {
        "sampleRate": SAMPLE_RATE,
        "hopSamples": 128,
        "windowSamples": 512,
        "overlapAdd": True,
        "delaySamples": 384,
    },
    "window_effect": {"sampleRate": SAMPLE_RATE, "hopSamples": 128, "windowSamples": 512, "delaySamples": 384},
    "pair_encoder": {"sampleRate": SAMPLE_RATE, "method": "encode", "hopSamples": 256, "delaySamples": 0},
    "pair_decoder": {"sampleRate": SAMPLE_RATE, "method": "decode", "hopSamples": 256, "delaySamples": 64},
    "sine_prior": {"columns": [*NOTE_COLUMNS, *(f"instrument.{name}" for name in _INSTRUMENTS)]},
    "sway_prior": {"columns": [*NOTE_COLUMNS, *MOVEMENT_COLUMNS]},
    "faulty_prior": {"columns": [*NOTE_COLUMNS, *MOVEMENT_COLUMNS]},
}
"""What the shapes cannot say, in the models' metadata and in their manifests."""

_TEXTS = {
    "identity": """(float[batch, 4] x) => (float[batch, 4] y) { y = Identity(x) }""",
    "one_node": """(float[1, 16] x) => (float[1, 16] y) { y = Neg(x) }""",
    "scale_bias": """(float[batch, 4] a, float[batch, 4] b) => (float[batch, 4] sum, float[batch, 4] product)
        { sum = Add(a, b) product = Mul(a, b) }""",
    "half": """(float16[batch, 4] x) => (float16[batch, 4] y) { y = Add(x, x) }""",
    "int64": """(int64[batch, 4] x) => (int64[batch, 4] y) { y = Add(x, x) }""",
    "int32": """(int32[batch, 4] x) => (int32[batch, 4] y) { y = Add(x, x) }""",
    "double": """(double[batch, 4] x) => (double[batch, 4] y) { y = Add(x, x) }""",
    "string": """(string[batch, 4] x) => (string[batch, 4] y) { y = Identity(x) }""",
    "nan_weights": """(float[batch, 4] x) => (float[batch, 4] y) { y = Add(x, weight) }""",
    "future_opset": """(float[batch, 4] x) => (float[batch, 4] y) { y = Identity(x) }""",
    # Operators of ours alone, without the functions that would do without them: 16 partials, 8 of them with a second line.
    "shaped_partials": """(float[batch, slots, 1] pitch, float[batch, slots, 1] inharmonicity,
        float[batch, slots, 1] detune, float[batch, slots, 4] envelope, float[batch, slots, 24] own,
        float[batch, slots, 8] shimmer, float[batch, 1] last_pitch, float[batch, 32] last_amplitude,
        float[batch, 24] phase, float[8] rate)
        => (float[batch, slots, 128] samples, float[batch, 32] next_amplitude, float[batch, 24] next_phase)
    {
        samples, next_amplitude, next_phase = com.echoelmusic.ShapedPartials(
            pitch, inharmonicity, detune, envelope, own, shimmer, last_pitch, last_amplitude, phase, rate)
    }""",
    # One block of 16 channels.
    "shaped_noise": """(float[batch, frames, 16] noise, float[batch, ends, 48] films, float[batch, 2, 16] entered,
        float[batch, memory, 16] remembered, float[batch, 15, 16] synthesised, float[48, 16] input_weight,
        float[16] input_bias, float[1, 48, 16] dilated_weight, float[1, 16, 16] mix_weight, float[1, 16] mix_bias,
        float[48, 16] output_weight, float[16] output_bias, float[1] dilations, float[256, 16] synthesis_matrix)
        => (float[batch, frames, 16] samples, float[batch, 2, 16] next_entered, float[batch, memory, 16] next_remembered,
            float[batch, 15, 16] next_synthesised)
    {
        samples, next_entered, next_remembered, next_synthesised = com.echoelmusic.ShapedNoise(
            noise, films, entered, remembered, synthesised, input_weight, input_bias, dilated_weight, mix_weight,
            mix_bias, output_weight, output_bias, dilations, synthesis_matrix)
    }""",
    "shimmer": """(float[batch, slots, 512] depth, float[batch, slots, 128] noise, float[batch, 1] last_pitch,
        float[batch, 8, 128] walks, float[4, 5] filters)
        => (float[batch, slots, 128] moved, float[batch, 8, 128] next_walks)
        { moved, next_walks = com.echoelmusic.Shimmer(depth, noise, last_pitch, walks, filters) }""",
    # Sound through a model: half as loud.
    "gain_effect": """(float[batch, channels, samples] audio) => (float[batch, channels, samples] quieter)
        { quieter = Mul(audio, half) }""",
    # Both channels late by 32 samples, the left half as loud and the right a quarter, and once more 300 samples later.
    "echo_effect": """(float[batch, 2, samples] audio, float[batch, 2, 332] state_past)
        => (float[batch, 2, samples] echo, float[batch, 2, 332] next_past)
    {
        all = Concat<axis = 2>(state_past, audio)
        second = Slice(all, zero, minus_all, time)
        first = Slice(all, echo_start, minus_late, time)
        both = Add(first, second)
        echo = Mul(both, gains)
        next_past = Slice(all, minus_all, end, time)
    }""",
    # Windows of 512 samples in hops of 128, weighted so that they add up to the sound.
    "overlap_effect": """(float[batch, 1, 512] audio) => (float[batch, 1, 512] weighted)
        { weighted = Mul(audio, hann) }""",
    # Windows of 512 samples in hops of 128, of which the oldest 128 are given.
    "window_effect": """(float[batch, 1, 512] audio) => (float[batch, 1, 128] oldest)
        { oldest = Slice(audio, zero, hop, time) }""",
    # A latent is 64 samples upside down; the decoder makes sound half as loud of it, a latent late.
    "pair_encoder": """(float[batch, 1, samples] audio) => (float[batch, 64, frames] latent)
    {
        framed = Reshape(audio, frames)
        columns = Transpose<perm = [0, 2, 1]>(framed)
        latent = Neg(columns)
    }""",
    "pair_decoder": """(float[batch, 64, frames] latent, float[batch, 64, 1] state_latent)
        => (float[batch, 1, samples] audio, float[batch, 64, 1] next_latent)
    {
        all = Concat<axis = 2>(state_latent, latent)
        late = Slice(all, zero, minus_one, time)
        next_latent = Slice(all, minus_one, end, time)
        rows = Transpose<perm = [0, 2, 1]>(late)
        flat = Reshape(rows, row)
        audio = Mul(flat, minus_half)
    }""",
    # A running sum: the state is the sum so far.
    "stateful": """(float[batch, 1, samples] audio, float[batch, 1] state_sum)
        => (float[batch, 1, samples] sum, float[batch, 1] next_sum)
    {
        within = CumSum(audio, time)
        before = Unsqueeze(state_sum, time)
        sum = Add(within, before)
        next = Slice(sum, minus_one, end, time_axis)
        next_sum = Squeeze(next, time_axis)
    }""",
    "sine_decoder": """(
        float[batch, 128, slots] latent, float[batch, 1, slots] pitch, float[batch, 16, frames] noise,
        float[batch, 1, 1] state_phase, float[batch, 1, 1] state_pitch, float[batch, 1, 1] state_level,
        float[batch, 1, 128] state_late
    ) => (
        float[batch, 1, samples] audio, float[batch, 1, 1] next_phase, float[batch, 1, 1] next_pitch,
        float[batch, 1, 1] next_level, float[batch, 1, 128] next_late
    )
    {
        first = Slice(pitch, zero, one, time)
        fresh = Equal(state_pitch, silence)
        own = Where(fresh, first, state_pitch)
        pitches = Concat<axis = 2>(own, pitch)
        from = Slice(pitches, zero, minus_one, time)
        rise = Sub(pitch, from)
        next_pitch = Slice(pitches, minus_one, end, time)

        held = Mul(from, slot_held)
        risen = Mul(rise, slot_risen)
        cycles = Add(held, risen)
        steps = Mul(cycles, grid)
        whole_steps = Round(steps)
        rounded = Div(whole_steps, grid)
        turns = Floor(rounded)
        advance = Sub(rounded, turns)
        sum = CumSum(advance, time_scalar)
        after = Add(sum, state_phase)
        start = Sub(after, advance)
        start_turns = Floor(start)
        begin = Sub(start, start_turns)
        last = Slice(after, minus_one, end, time)
        last_turns = Floor(last)
        next_phase = Sub(last, last_turns)

        level = Slice(latent, zero, one, channel)
        levels = Concat<axis = 2>(state_level, level)
        level_from = Slice(levels, zero, minus_one, time)
        level_rise = Sub(level, level_from)
        next_level = Slice(levels, minus_one, end, time)
        hiss = Slice(latent, one, two, channel)

        begin_s = Unsqueeze(begin, last_axis)
        from_s = Unsqueeze(from, last_axis)
        rise_s = Unsqueeze(rise, last_axis)
        level_from_s = Unsqueeze(level_from, last_axis)
        level_rise_s = Unsqueeze(level_rise, last_axis)
        hiss_s = Unsqueeze(hiss, last_axis)
        index = Range(silence, slot, unit)
        next_index = Add(index, unit)
        ramp = Div(next_index, slot)
        before_n = Mul(index, seconds)
        held_n = Mul(from_s, before_n)
        triangle = Mul(before_n, ramp)
        halved = Mul(triangle, half)
        risen_n = Mul(rise_s, halved)
        inside = Add(held_n, risen_n)
        phase = Add(begin_s, inside)
        phase_turns = Floor(phase)
        wrapped = Sub(phase, phase_turns)
        angle = Mul(wrapped, two_pi)
        sine = Sin(angle)
        ramped = Mul(level_rise_s, ramp)
        envelope = Add(level_from_s, ramped)
        tone = Mul(sine, envelope)

        bands = Reshape(noise, noise_shape)
        by_slot = Transpose<perm = [0, 2, 1, 3]>(bands)
        flat = Reshape(by_slot, hiss_shape)
        breath = Mul(flat, hiss_s)
        both = Add(tone, breath)
        now = Reshape(both, audio_shape)
        late = Concat<axis = 2>(state_late, now)
        audio = Slice(late, zero, minus_slot, time)
        next_late = Slice(late, minus_slot, end, time)
    }""",
    # level = 0.5 · (sine + soft / 2) · e^(-20 · secondsOff), hiss = 0.05 · sine · e^(-50 · secondsOn)
    "sine_prior": """(float[batch, 6] note) => (float[batch, 128] latent)
    {
        used_columns = Slice(note, two, end, axis)
        on, off, sine, soft = Split<axis = 1>(used_columns, ones)
        released = Mul(off, release)
        decay = Exp(released)
        quiet = Mul(soft, half)
        both = Add(sine, quiet)
        full = Mul(both, half)
        level = Mul(full, decay)
        started = Mul(on, attack)
        fading = Exp(started)
        louder = Mul(sine, breath)
        hiss = Mul(louder, fading)
        used = Concat<axis = 1>(level, hiss)
        latent = Pad(used, padding)
    }""",
    # level = 0.25 · (1 + temperature · (variation - 0.5)) · e^(-20 · secondsOff), no hiss
    "sway_prior": """(float[batch, 6] note) => (float[batch, 128] latent)
    {
        used_columns = Slice(note, three, end, axis)
        off, variation, temperature = Split<axis = 1>(used_columns, ones)
        released = Mul(off, release)
        decay = Exp(released)
        around = Sub(variation, half)
        moved = Mul(around, temperature)
        swaying = Add(moved, unit)
        quiet = Mul(swaying, quarter)
        level = Mul(quiet, decay)
        latent = Pad(level, padding)
    }""",
    # level = 0.5, taken from a list of one at the place pitch / 64
    "faulty_prior": """(float[batch, 6] note) => (float[batch, 128] latent)
    {
        pitch = Slice(note, zero, one, axis)
        scaled = Mul(pitch, scale)
        whole = Floor(scaled)
        place = Cast<to = 7>(whole)
        level = Gather<axis = 0>(levels, place)
        latent = Pad(level, padding)
    }""",
    # level = the mean of this frame's and the one's before, of the amplitude of a sine as strong as the frame
    "sine_encoder": """(float[batch, 1, samples] audio, float[batch, 1, 1] state_level)
        => (float[batch, 128, latents] latent, float[batch, 1, 1] next_level)
    {
        frames = Reshape(audio, frame_shape)
        squares = Mul(frames, frames)
        power = ReduceMean<axes = [3], keepdims = 0>(squares)
        doubled = Add(power, power)
        level = Sqrt(doubled)
        levels = Concat<axis = 2>(state_level, level)
        before = Slice(levels, zero, minus_one, time)
        both = Add(before, level)
        smooth = Mul(both, half)
        latent = Pad(smooth, padding)
        next_level = Slice(levels, minus_one, end, time)
    }""",
}


def _integers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _float(value: float) -> np.ndarray:
    return np.array(value, np.float32)


_CONSTANTS = {
    "nan_weights": {"weight": np.array([1, np.nan, 1, 1], np.float32)},
    "gain_effect": {"half": _float(0.5)},
    "echo_effect": {
        "zero": _integers(0),
        "echo_start": _integers(300),
        "minus_all": _integers(-332),
        "minus_late": _integers(-32),
        "end": _integers(1 << 40),
        "time": _integers(2),
        "gains": np.array([[0.5], [0.25]], np.float32),
    },
    # The half of a Hann window: four of them, 128 samples apart, are 1.
    "overlap_effect": {"hann": (0.25 - 0.25 * np.cos(2 * np.pi * np.arange(512) / 512)).astype(np.float32)},
    "window_effect": {"zero": _integers(0), "hop": _integers(128), "time": _integers(2)},
    "pair_encoder": {"frames": _integers(0, -1, 64)},
    "pair_decoder": {
        "zero": _integers(0),
        "minus_one": _integers(-1),
        "end": _integers(1 << 40),
        "time": _integers(2),
        "row": _integers(0, 1, -1),
        "minus_half": _float(-0.5),
    },
    "stateful": {
        "time": np.array(2, np.int64),
        "time_axis": _integers(2),
        "minus_one": _integers(-1),
        "end": _integers(1 << 40),
    },
    "sine_decoder": {
        "zero": _integers(0),
        "one": _integers(1),
        "two": _integers(2),
        "minus_one": _integers(-1),
        "minus_slot": _integers(-SINE_DELAY_SAMPLES),
        "end": _integers(1 << 40),
        "channel": _integers(1),
        "time": _integers(2),
        "time_scalar": np.array(2, np.int64),
        "last_axis": _integers(3),
        "silence": _float(0),
        "unit": _float(1),
        "slot": _float(SLOT_SAMPLES),
        "half": _float(0.5),
        "grid": _float(1 << 19),
        "slot_held": _float(SLOT_SAMPLES / SAMPLE_RATE),
        "slot_risen": _float((SLOT_SAMPLES + 1) / 2 / SAMPLE_RATE),
        "seconds": _float(1 / SAMPLE_RATE),
        "two_pi": _float(2 * np.pi),
        "noise_shape": _integers(0, 0, -1, 8),
        "hiss_shape": _integers(0, 1, -1, SLOT_SAMPLES),
        "audio_shape": _integers(0, 1, -1),
    },
    "sine_prior": {
        "two": _integers(2),
        "end": _integers(6),
        "axis": _integers(1),
        "ones": _integers(1, 1, 1, 1),
        "release": _float(-20),
        "attack": _float(-50),
        "half": _float(0.5),
        "breath": _float(0.05),
        "padding": _integers(0, 0, 0, 126),
    },
    "sway_prior": {
        "three": _integers(3),
        "end": _integers(6),
        "axis": _integers(1),
        "ones": _integers(1, 1, 1),
        "release": _float(-20),
        "half": _float(0.5),
        "unit": _float(1),
        "quarter": _float(0.25),
        "padding": _integers(0, 0, 0, 127),
    },
    "faulty_prior": {
        "zero": _integers(0),
        "one": _integers(1),
        "axis": _integers(1),
        "scale": _float(1 / 64),
        "levels": np.array([0.5], np.float32),
        "padding": _integers(0, 0, 0, 127),
    },
    "sine_encoder": {
        "frame_shape": _integers(0, 1, -1, LATENT_SAMPLES),
        "zero": _integers(0),
        "minus_one": _integers(-1),
        "end": _integers(1 << 40),
        "time": _integers(2),
        "half": _float(0.5),
        "padding": _integers(0, 0, 0, 0, 127, 0),
    },
}


def fixture_model(name: str) -> onnx.ModelProto:
    """The model `name`, checked as far as it is meant to be right."""
    opset = 99 if name == "future_opset" else 17
    # ONNX Runtime 1.21 reads up to IR version 10; 8 belongs to operator set 17.
    ours = f', "{OPERATOR_DOMAIN}" : {OPERATOR_VERSION}' if OPERATOR_DOMAIN in _TEXTS[name] else ""
    opsets = f'"" : {opset}{ours}'
    model = onnx.parser.parse_model(f"<ir_version: 8, opset_import: [{opsets}]> {name} {_TEXTS[name]}")
    for weight, value in _CONSTANTS.get(name, {}).items():
        model.graph.initializer.append(numpy_helper.from_array(value, weight))
    model.producer_name = "echoel_training"
    if name == "scale_bias":
        model.graph.doc_string = "Sum and product of two inputs."
        onnx.helper.set_model_props(model, {"author": "Echoelmusic", "purpose": "test"})
    if name in _FIELDS:
        entries = {key: _text(value) for key, value in _FIELDS[name].items()}
        onnx.helper.set_model_props(model, entries)
    if name != "future_opset":
        onnx.checker.check_model(model, full_check=True)
    return model


def _text(value) -> str:
    """A value as models' metadata have it."""
    return ",".join(value) if isinstance(value, list) else json.dumps(value) if isinstance(value, bool) else str(value)


def fixture_names() -> list[str]:
    """The names of all fixture models."""
    return list(_TEXTS)


def write_fixtures(folder: Path) -> list[Path]:
    """Write every fixture model, and manifests and instruments for the streaming ones; the paths written."""
    folder = Path(folder)
    paths = []
    for name in fixture_names():
        with atomic_path(folder / f"{name}.onnx") as partial:
            partial.write_bytes(fixture_model(name).SerializeToString(deterministic=True))
        paths.append(folder / f"{name}.onnx")
    for name, value in _manifests(folder).items():
        write_json(value, folder / name)
        paths.append(folder / name)
    return paths


def _manifests(folder: Path) -> dict[str, dict]:
    about = {
        "licence": "Apache-2.0",
        "authors": ["Echoelmusic"],
        "training": {"summary": "Not trained: written by hand for tests."},
        "reproduce": "echoel_training fixtures",
    }
    manifests = {
        "sine_decoder.json": model_manifest(
            folder / "sine_decoder.onnx",
            kind="streaming-decoder",
            **_FIELDS["sine_decoder"],
            inputs=[
                tensor("latent", ["batch", 128, "slots"]),
                tensor("pitch", ["batch", 1, "slots"], unit="Hz"),
                tensor("noise", ["batch", 16, "8*slots"]),
            ],
            outputs=[tensor("audio", ["batch", 1, "128*slots"])],
            states=[
                state("phase", ["batch", 1, 1], unit="cycles"),
                state("pitch", ["batch", 1, 1], unit="Hz"),
                state("level", ["batch", 1, 1]),
                state("late", ["batch", 1, SINE_DELAY_SAMPLES]),
            ],
            **about,
        ),
        "sine_encoder.json": model_manifest(
            folder / "sine_encoder.onnx",
            kind="streaming-encoder",
            **_FIELDS["sine_encoder"],
            inputs=[tensor("audio", ["batch", 1, "2048*latents"])],
            outputs=[tensor("latent", ["batch", 128, "latents"])],
            states=[state("level", ["batch", 1, 1])],
            **about,
        ),
        "sine_prior.json": _prior(folder / "sine_prior.onnx", _INSTRUMENTS, about),
        "sway_prior.json": _prior(folder / "sway_prior.onnx", (), about),
        "faulty_prior.json": _prior(folder / "faulty_prior.onnx", (), about),
    }
    manifests |= _effects(folder, about)
    for name, title, prior, more in (
        ("sine", "Sine with a noisy attack", "sine_prior", {"instrument": "sine"}),
        ("soft", "Quiet sine", "sine_prior", {"instrument": "soft"}),
        (
            "sway",
            "Sine of a varying level",
            "sway_prior",
            {"encoder": folder / "sine_encoder.onnx", "temperature": 0.5},
        ),
        ("faulty", "Sine that breaks off above key 63", "faulty_prior", {}),
    ):
        manifests[f"{name}.instrument.json"] = instrument_manifest(
            name=name,
            title=title,
            family="synthesizer",
            low_key=0,
            high_key=127,
            programs=[_PROGRAMS[name]],
            licence=about["licence"],
            authors=about["authors"],
            decoder=folder / "sine_decoder.onnx",
            prior=folder / f"{prior}.onnx",
            gain=0.5,
            release_seconds=0.5,
            **more,
        )
    return manifests


def _prior(path: Path, instruments: tuple[str, ...], about: dict) -> dict:
    columns = _FIELDS[path.stem]["columns"]
    return model_manifest(
        path,
        kind="prior",
        columns=columns,
        instruments=list(instruments),
        inputs=[tensor("note", ["batch", len(columns)], unit="see columns")],
        outputs=[tensor("latent", ["batch", 128])],
        **about,
    )


def _effects(folder: Path, about: dict) -> dict[str, dict]:
    def effect(name: str, given: dict, taken: dict, states: tuple[dict, ...] = (), **more) -> dict:
        path = folder / f"{name}.onnx"
        fields = _FIELDS[name] | more
        return model_manifest(path, kind="effect", **fields, inputs=[given], outputs=[taken], states=states, **about)

    stereo = ["batch", 2, "samples"]
    window, hop = ["batch", 1, 512], ["batch", 1, 128]
    audio, latent = ["batch", 1, "64*frames"], ["batch", 64, "frames"]
    decoder = folder / "pair_decoder.onnx"
    return {
        "echo_effect.json": effect(
            "echo_effect",
            tensor("audio", stereo),
            tensor("echo", stereo, role="audio"),
            (state("past", ["batch", 2, 332]),),
        ),
        "overlap_effect.json": effect(
            "overlap_effect", tensor("audio", window), tensor("weighted", window, role="audio")
        ),
        "window_effect.json": effect("window_effect", tensor("audio", window), tensor("oldest", hop, role="audio")),
        "pair_encoder.json": effect(
            "pair_encoder", tensor("audio", audio), tensor("latent", latent), decoder=file_reference(decoder)
        ),
        "pair_decoder.json": effect(
            "pair_decoder",
            tensor("latent", latent),
            tensor("audio", audio),
            (state("latent", ["batch", 64, 1]),),
        ),
    }
