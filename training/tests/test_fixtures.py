"""The fixture models are those in Tests/Fixtures, and do what their names say."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from echoel_training.fixtures import (
    LATENT_SAMPLES,
    SINE_DELAY_SAMPLES,
    fixture_model,
    fixture_names,
    write_fixtures,
)
from echoel_training.tuning import measure_f0

COMMITTED = Path(__file__).parents[2] / "Tests" / "Fixtures"
STATES = ("phase", "pitch", "level", "late")


def session(name: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(fixture_model(name).SerializeToString())


def test_the_committed_files_are_these(tmp_path):
    written = write_fixtures(tmp_path)
    # The Swift tests make the .tflite, and hold the committed one to it.
    committed = [path.name for path in COMMITTED.iterdir() if path.suffix != ".tflite"]
    assert sorted(committed) == sorted(path.name for path in written)
    for path in written:
        if path.suffix == ".onnx":
            assert onnx.load(COMMITTED / path.name) == onnx.load(path), path.name
        else:
            assert (COMMITTED / path.name).read_bytes() == path.read_bytes(), path.name
    assert sum(path.stat().st_size for path in written) < 40_000


@pytest.mark.parametrize(
    ("name", "dtype"), [("half", np.float16), ("int64", np.int64), ("int32", np.int32), ("double", np.float64)]
)
def test_every_type_is_doubled(name, dtype):
    x = np.arange(8, dtype=dtype).reshape(2, 4)
    (y,) = session(name).run(["y"], {"x": x})
    assert y.dtype == dtype and np.array_equal(y, 2 * x)


def test_two_inputs_give_sum_and_product():
    a, b = np.full((3, 4), 2, np.float32), np.full((3, 4), 5, np.float32)
    total, product = session("scale_bias").run(["sum", "product"], {"a": a, "b": b})
    assert (total == 7).all() and (product == 10).all()
    assert session("scale_bias").get_modelmeta().custom_metadata_map == {"author": "Echoelmusic", "purpose": "test"}


def test_small_ones():
    assert (session("one_node").run(None, {"x": np.ones((1, 16), np.float32)})[0] == -1).all()
    assert (session("identity").run(None, {"x": np.ones((5, 4), np.float32)})[0] == 1).all()
    assert session("string").run(None, {"x": np.array([["a", "b", "c", "d"]], object)})[0][0, 3] == "d"
    nan = session("nan_weights").run(None, {"x": np.zeros((1, 4), np.float32)})[0]
    assert np.isnan(nan).tolist() == [[False, True, False, False]]


def test_the_future_operator_set_is_refused():
    with pytest.raises(Exception, match="99"):
        session("future_opset")


def test_a_running_sum_goes_on_where_it_was():
    audio = np.random.default_rng(1).integers(-9, 9, (2, 1, 64)).astype(np.float32)
    model, total, parts = session("stateful"), np.zeros((2, 1), np.float32), []
    for part in np.split(audio, [5, 6, 30], axis=2):
        summed, total = model.run(["sum", "next_sum"], {"audio": part, "state_sum": total})
        parts.append(summed)
    assert np.array_equal(np.concatenate(parts, axis=2), np.cumsum(audio, axis=2))


class Sine:
    """`sine_decoder` with its states."""

    def __init__(self, batch: int):
        self.session = session("sine_decoder")
        self.states = {f"state_{name}": np.zeros((batch, 1, 1), np.float32) for name in STATES}
        self.states["state_late"] = np.zeros((batch, 1, SINE_DELAY_SAMPLES), np.float32)

    def run(self, latent, pitch, noise) -> np.ndarray:
        outputs = ["audio", *(f"next_{name}" for name in STATES)]
        values = {"latent": latent, "pitch": pitch, "noise": noise, **self.states}
        audio, *states = self.session.run(outputs, values)
        self.states = dict(zip((f"state_{name}" for name in STATES), states))
        return audio


def random_slots(batch: int, slots: int, seed: int):
    generator = np.random.default_rng(seed)
    latent = np.zeros((batch, 128, slots), np.float32)
    latent[:, :2] = generator.random((batch, 2, slots))
    pitch = generator.uniform(30, 4_000, (batch, 1, slots)).astype(np.float32)
    noise = generator.uniform(-np.sqrt(3), np.sqrt(3), (batch, 16, 8 * slots)).astype(np.float32)
    return latent, pitch, noise


@pytest.mark.parametrize("seed", range(3))
def test_sixteen_slots_are_sixteen_runs_of_one_bit_for_bit(seed):
    latent, pitch, noise = random_slots(2, 16, seed)
    whole, parts = Sine(2), Sine(2)
    expected = whole.run(latent, pitch, noise)
    pieces = [
        parts.run(latent[:, :, k : k + 1], pitch[:, :, k : k + 1], noise[:, :, 8 * k : 8 * k + 8]) for k in range(16)
    ]
    assert np.array_equal(np.concatenate(pieces, axis=2), expected)
    for name, value in whole.states.items():
        assert np.array_equal(value, parts.states[name]), name


def test_a_voice_in_a_batch_is_the_voice_alone():
    latent, pitch, noise = random_slots(3, 16, 7)
    together = Sine(3).run(latent, pitch, noise)
    for voice in range(3):
        one = slice(voice, voice + 1)
        assert np.array_equal(Sine(1).run(latent[one], pitch[one], noise[one])[0], together[voice])


def test_the_sine_is_in_tune_and_one_slot_late():
    model, parts = Sine(1), []
    latent = np.zeros((1, 128, 16), np.float32)
    latent[:, 0] = 1
    for _ in range(24):
        pitch, noise = np.full((1, 1, 16), 440, np.float32), np.ones((1, 16, 128), np.float32)
        parts.append(model.run(latent, pitch, noise)[0, 0])
    audio = np.concatenate(parts)
    # The sine itself starts at zero, one sample before it is heard.
    assert np.flatnonzero(audio)[0] == SINE_DELAY_SAMPLES + 1
    assert 1200 * abs(np.log2(measure_f0(audio[256:], 440.0) / 440.0)) < 0.01
    assert np.abs(np.diff(audio[256:], 2)).max() < 1.01 * (2 * np.pi * 440 / 48_000) ** 2


def test_noise_is_heard_as_loud_as_the_latent_says():
    latent, pitch, noise = random_slots(1, 16, 3)
    latent[:, 0], latent[:, 1] = 0, 0.5
    audio = Sine(1).run(latent, pitch, noise)[0, 0, SINE_DELAY_SAMPLES:]
    assert audio.std() == pytest.approx(0.5, rel=0.1)


def test_the_prior_fades_after_the_note_off():
    columns = np.array([[60, 90, 1, 0, 1, 0], [60, 90, 1, 0.1, 1, 0], [60, 90, 0, 0, 0, 1]], np.float32)
    (latent,) = session("sine_prior").run(["latent"], {"note": columns})
    assert latent.shape == (3, 128) and not latent[:, 2:].any()
    np.testing.assert_allclose(latent[:, 0], [0.5, 0.5 * np.exp(-2), 0.25], rtol=1e-6)
    np.testing.assert_allclose(latent[:, 1], [0.05 * np.exp(-50), 0.05 * np.exp(-50), 0], rtol=1e-5)


def test_the_swaying_level_is_spread_by_the_temperature():
    columns = np.array([[60, 90, 1, 0, 0.9, 0], [60, 90, 1, 0, 0, 1], [60, 90, 1, 0, 1, 2], [60, 90, 1, 0.1, 0.5, 1]])
    (latent,) = session("sway_prior").run(["latent"], {"note": columns.astype(np.float32)})
    assert latent.shape == (4, 128) and not latent[:, 1:].any()
    np.testing.assert_allclose(latent[:, 0], [0.25, 0.125, 0.5, 0.25 * np.exp(-2)], rtol=1e-6)


def test_the_encoder_hears_how_loud_a_sine_is():
    """A frame's level is that of its sine, the mean of it and of the one before goes into the latent."""
    amplitudes = np.array([0.25, 0.5, 0.0])
    sine = np.sin(2 * np.pi * 750 / 48_000 * np.arange(LATENT_SAMPLES))
    audio = (amplitudes[:, None] * sine).astype(np.float32).reshape(1, 1, -1)
    model, level, parts = session("sine_encoder"), np.zeros((1, 1, 1), np.float32), []
    for part in np.split(audio, [LATENT_SAMPLES], axis=2):
        latent, level = model.run(["latent", "next_level"], {"audio": part, "state_level": level})
        parts.append(latent)
    latent = np.concatenate(parts, axis=2)
    assert latent.shape == (1, 128, 3) and not latent[:, 1:].any()
    np.testing.assert_allclose(latent[0, 0], [0.125, 0.375, 0.25], rtol=1e-6)


def test_the_echo_is_quieter_in_every_channel():
    audio = np.random.default_rng(2).integers(-9, 9, (1, 2, 700)).astype(np.float32)
    past, parts = np.zeros((1, 2, 332), np.float32), []
    for part in np.split(audio, [7, 400], axis=2):
        echo, past = session("echo_effect").run(["echo", "next_past"], {"audio": part, "state_past": past})
        parts.append(echo)
    padded = np.pad(audio, [(0, 0), (0, 0), (332, 0)])
    expected = (padded[:, :, 300:-32] + padded[:, :, :-332]) * np.array([[0.5], [0.25]])
    assert np.array_equal(np.concatenate(parts, axis=2), expected)


def test_overlapping_windows_add_up_to_the_sound():
    audio = np.random.default_rng(3).standard_normal(4096).astype(np.float32)
    total = np.zeros_like(audio)
    for start in range(0, 4096 - 511, 128):
        window = audio[None, None, start : start + 512]
        total[start : start + 512] += session("overlap_effect").run(None, {"audio": window})[0][0, 0]
        assert np.array_equal(session("window_effect").run(None, {"audio": window})[0], window[:, :, :128])
    np.testing.assert_allclose(total[512:-512], audio[512:-512], atol=1e-6)


def test_the_pair_gives_the_sound_back_half_as_loud_and_late():
    audio = np.random.default_rng(4).integers(-9, 9, (1, 1, 512)).astype(np.float32)
    state, parts = np.zeros((1, 64, 1), np.float32), []
    for part in np.split(audio, [64, 192], axis=2):
        (latent,) = session("pair_encoder").run(["latent"], {"audio": part})
        assert np.array_equal(latent[0, :, 0], -part[0, 0, :64])
        sound, state = session("pair_decoder").run(["audio", "next_latent"], {"latent": latent, "state_latent": state})
        parts.append(sound)
    assert np.array_equal(np.concatenate(parts, axis=2)[0, 0, 64:], audio[0, 0, :-64] / 2)


def test_every_model_is_small():
    for name in fixture_names():
        assert len(fixture_model(name).SerializeToString()) < 4_096, name
