"""Training: the loss orders sounds rightly, segments and note columns are aligned, and a run learns and resumes."""

import numpy as np
import pytest
import torch

from echoel_training import TrainingError
from echoel_training.dataset import measure_f0
from echoel_training.export import Models
from echoel_training.losses import SpectralLoss, StrayLoss, fade_in
from echoel_training.module import EnsembleModule, latents_per_slot, load_models, note_columns
from echoel_training.segments import SEGMENT_SAMPLES, HeldOutSegments, RandomSegments, SegmentSource, pitch_ratio
from echoel_training.train import train


@pytest.fixture(scope="module")
def notes():
    """Eight decaying tones of two instruments, as a dataset's fields."""
    samples, key = 72_000, np.array([60, 62, 64, 61] * 2)
    hertz = 440 * 2 ** ((key - 69) / 12)
    time = np.arange(samples) / 48_000
    off = np.full(8, 40_000)
    release = np.where(time < off[0] / 48_000, 1.0, np.exp(-(time - off[0] / 48_000) * 40))
    audio = sum(np.sin(2 * np.pi * hertz[:, None] * part * time) / part for part in (1, 2, 3)) * release * 0.3
    return {
        "audio": audio.astype(np.float32),
        "key": key,
        "velocity": np.full(8, 90),
        "off_sample": off,
        "f0": hertz,
        "instrument": np.array([0, 0, 0, 0, 1, 1, 1, 1]),
        "held_out": np.array([False, False, False, True] * 2),
        "instruments": np.array(["strings", "trumpet"]),
        "samples": np.full(8, samples),
    }


def tone(hertz, level=0.5):
    time = torch.arange(SEGMENT_SAMPLES) / 48_000
    return level * torch.sin(2 * torch.pi * hertz * time)[None]


def test_the_loss_is_zero_for_equal_sounds_and_grows_with_difference():
    loss, peak, target = SpectralLoss(), torch.tensor([0.5]), tone(440.0)
    equal = loss(target, target, peak).item()
    near, far = loss(tone(440.0, 0.45), target, peak).item(), loss(tone(880.0), target, peak).item()
    assert equal < 1e-6 and 0.01 < near < far


def test_silence_decoded_as_silence_has_a_gradient():
    silence, peak = torch.zeros(1, SEGMENT_SAMPLES, requires_grad=True), torch.tensor([0.5])
    target, f0 = torch.zeros(1, SEGMENT_SAMPLES), torch.tensor([440.0])
    loss = SpectralLoss()(silence, target, peak) + StrayLoss()(silence, target, f0)
    (gradient,) = torch.autograd.grad(loss.sum(), silence)
    assert loss.item() < 1e-3 and torch.isfinite(gradient).all()


def test_a_faint_tail_where_silence_should_be_costs_much():
    """A tail 50 dB down is punished, one 100 dB down is not."""
    loss, peak, silence = SpectralLoss(), torch.tensor([0.5]), torch.zeros(1, SEGMENT_SAMPLES)
    audible = loss(tone(440.0, 0.5 * 10 ** (-50 / 20)), silence, peak).item()
    inaudible = loss(tone(440.0, 0.5 * 10 ** (-100 / 20)), silence, peak).item()
    assert audible > 0.05 and inaudible < 0.1 * audible


def test_a_tone_between_the_partials_is_stray_and_one_on_a_partial_is_not():
    loss, f0, target = StrayLoss(), torch.tensor([440.0]), tone(440.0) + tone(880.0, 0.2)
    assert loss(target, target, f0).item() == 0
    on = loss(target + tone(1320.0, 0.1), target, f0).item()
    between = loss(target + tone(1540.0, 0.1), target, f0).item()
    assert between > 0.01 and on < 0.1 * between


def test_noise_like_the_targets_is_not_stray():
    generator = torch.Generator().manual_seed(1)
    one, other = (torch.randn(1, SEGMENT_SAMPLES, generator=generator) * 0.1 for _ in range(2))
    loss, f0 = StrayLoss(), torch.tensor([440.0])
    assert loss(one, other, f0) < 0.02 * loss(one, 0 * other, f0)


def test_only_segments_from_the_middle_of_a_note_are_faded_in():
    sound = torch.ones(2, SEGMENT_SAMPLES)
    faded = fade_in(sound, torch.tensor([False, True]))
    assert torch.equal(faded[0], sound[0])
    assert faded[1, 0] == 0 and torch.equal(faded[1, 2048:], sound[1, 2048:])


def test_segments_lie_on_slots_and_carry_their_notes(notes, monkeypatch):
    monkeypatch.setattr("echoel_training.segments.UNSHIFTED_SHARE", 1.0)
    source = SegmentSource(notes)
    batches = iter(RandomSegments(source, batch=12, seed=4))
    onsets = 0
    for _ in range(60):
        segments = next(batches)
        assert segments.audio.shape == (12, SEGMENT_SAMPLES)
        assert segments.instrument.float().mean() == 0.5
        assert not set(segments.key.int().tolist()) & {61}, "a held-out key was drawn"
        for row in range(12):
            start = int(segments.first_slot[row]) * 128
            note = np.flatnonzero((notes["key"] == segments.key[row].item()))[0]
            expected = np.zeros(SEGMENT_SAMPLES, np.float32)
            part = notes["audio"][note, start : start + SEGMENT_SAMPLES]
            expected[: len(part)] = part
            np.testing.assert_array_equal(segments.audio[row].numpy(), expected)
            onsets += start == 0
    assert 0.4 < onsets / 720 < 0.6


def test_held_out_segments_are_the_same_every_time(notes):
    held_out = HeldOutSegments(SegmentSource(notes), batch=4)
    first, again = list(held_out), list(held_out)
    assert len(first) == 1 and torch.equal(first[0].audio, again[0].audio)
    assert set(first[0].key.int().tolist()) == {61}


def test_note_columns_follow_the_contract(notes):
    """At slot k: secondsOn = 128 k / 48000; secondsOff counts from the note-off to 128 k - 128."""
    source = SegmentSource(notes)
    columns = note_columns(source.cut(np.array([0, 4]), [0, 39_936]), slots=4, instruments=2)
    torch.testing.assert_close(columns[0, :, 2], torch.arange(4) * 128 / 48_000)
    first = 39_936 // 128
    torch.testing.assert_close(columns[1, :, 2], torch.arange(first, first + 4) * 128 / 48_000)
    expected = [max(0, 39_936 + 128 * slot - 128 - 40_000) / 48_000 for slot in range(4)]
    torch.testing.assert_close(columns[1, :, 3], torch.tensor(expected))
    assert columns[0, 0].tolist()[:2] == [60.0, 90.0]
    assert columns[0, 0, 4:].tolist() == [1.0, 0.0] and columns[1, 0, 4:].tolist() == [0.0, 1.0]


def test_latents_reach_their_value_at_the_end_of_their_frame():
    latents = torch.tensor([[[1.0, 3.0]]]).expand(1, 128, 2)
    slots = latents_per_slot(latents)[0, 0]
    assert slots[15] == 1.0 and slots[31] == 3.0 and slots[23] == 2.0 and slots[0] == 1 / 16


def test_training_learns_resumes_and_loads(notes, tmp_path):
    torch.manual_seed(0)
    source = SegmentSource(notes)
    module = EnsembleModule(("strings", "trumpet"))
    segments = source.cut(np.array([0, 5]), [0, 0])
    with torch.no_grad():
        before = module.distances(
            module.decode(module.networks, module.prior_latents(module.networks, segments), segments), segments
        )[0].mean()
    checkpoint = train(notes, tmp_path, minutes=1000, steps=20, validate_every=10, batch=4)
    models, training = load_models(checkpoint)
    assert isinstance(models, Models) and training["steps"] == 20
    networks = {"decoder": models.decoder, "prior": models.prior}
    with torch.no_grad():
        after = module.distances(module.decode(networks, module.prior_latents(networks, segments), segments), segments)[0]
    assert after.mean() < 0.95 * before
    resumed = train(notes, tmp_path, minutes=1000, resume=True, steps=1, validate_every=10, batch=4)
    assert load_models(resumed)[1]["steps"] == 21


def test_resuming_without_a_checkpoint_says_so(notes, tmp_path):
    with pytest.raises(TrainingError, match="without --resume"):
        train(notes, tmp_path, minutes=1, resume=True)


@pytest.mark.parametrize("cents", [-60, -20, 8, 60])
def test_a_shifted_segment_keeps_its_columns_true(notes, cents):
    """Pitch, note-off and sound move together."""
    ratio = pitch_ratio(cents)
    assert abs(1200 * np.log2(float(ratio)) - cents) < 0.02
    plain = SegmentSource(notes).cut(np.array([1]), [0])
    raised = SegmentSource(notes).cut(np.array([1]), [0], [ratio])
    assert abs(1200 * np.log2(raised.f0.item() / plain.f0.item()) - cents) < 0.03
    measured = measure_f0(raised.audio[0, 2048:].numpy(), raised.f0.item())
    assert abs(1200 * np.log2(measured / raised.f0.item())) < 0.5
    late = SegmentSource(notes).cut(np.array([1]), [38_400], [ratio])
    loud = late.audio[0].abs() > 0.05 * late.audio.abs().max()
    last = 38_400 + int(loud.nonzero().max())
    # The fixture decays by exp(-40 t) after the note-off: to 5 % after 75 ms.
    assert abs((last - raised.off_sample.item()) / 48_000 - 0.075) < 0.02
