"""Training: the loss orders sounds rightly, segments and note columns are aligned, and a run learns and resumes."""

import numpy as np
import pytest
import torch

from echoel_training import TrainingError
from echoel_training.dataset import note_audio
from echoel_training.losses import MEL_BANDS, LevelLoss, MelLoss, SpectralLoss, TextureLoss, fade_in
from echoel_training.models import Models, load_models
from echoel_training.module import LOWEST_RATE, EnsembleModule, latents_per_slot, note_columns, tuning_by_key
from echoel_training.partials import detune_code, inharmonicity_code
from echoel_training.segments import SEGMENT_SAMPLES, HeldOutSegments, RandomSegments, SegmentSource
from echoel_training.train import TrainingOptions, train
from echoel_training.vibrato import HOP_SAMPLES, frames_of

SAMPLES = 72_000


@pytest.fixture(scope="module")
def notes():
    """Eight decaying tones of two instruments, as a dataset's fields."""
    key = np.array([60, 62, 64, 61] * 2)
    hertz = 440 * 2 ** ((key - 69) / 12)
    time = np.arange(SAMPLES) / 48_000
    off = np.full(8, 40_000)
    release = np.where(time < off[0] / 48_000, 1.0, np.exp(-(time - off[0] / 48_000) * 40))
    audio = sum(np.sin(2 * np.pi * hertz[:, None] * part * time) / part for part in (1, 2, 3)) * release * 0.3
    return {
        "audio": audio.astype(np.float32).ravel(),
        "start": np.arange(8) * SAMPLES,
        "samples": np.full(8, SAMPLES),
        "key": key,
        "velocity": np.full(8, 90),
        "off_sample": off,
        "f0": hertz,
        "inharmonicity": np.where(np.arange(8) < 4, 1e-4 * (key - 59), 0.0),
        "detune": np.where(np.arange(8) < 4, 0.0, 7.5),
        "vibrato": np.concatenate([np.arange(frames_of(SAMPLES), dtype=np.float32) / 10 + row for row in range(8)]),
        "instrument": np.array([0, 0, 0, 0, 1, 1, 1, 1]),
        "held_out": np.array([False, False, False, True] * 2),
        "instruments": np.array(["harp", "organ"]),
        "struck": np.array([True, False]),
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
    target = torch.zeros(1, SEGMENT_SAMPLES)
    loss = SpectralLoss()(silence, target, peak) + MelLoss()(silence, target, peak)
    (gradient,) = torch.autograd.grad(loss.sum(), silence)
    assert loss.item() < 1e-3 and torch.isfinite(gradient).all()


def test_a_faint_tail_where_silence_should_be_costs_much():
    """A tail 50 dB down is punished, one 100 dB down is not."""
    loss, peak, silence = SpectralLoss(), torch.tensor([0.5]), torch.zeros(1, SEGMENT_SAMPLES)
    audible = loss(tone(440.0, 0.5 * 10 ** (-50 / 20)), silence, peak).item()
    inaudible = loss(tone(440.0, 0.5 * 10 ** (-100 / 20)), silence, peak).item()
    assert audible > 0.05 and inaudible < 0.1 * audible


def tremolo(decibels, phase):
    time = torch.arange(SEGMENT_SAMPLES) / 48_000
    return tone(440.0, 0.4) * 10 ** (decibels / 20 * torch.sin(2 * torch.pi * 9.0 * time + phase))


def test_the_texture_is_how_much_a_sound_moves_and_not_when():
    """Two takes of a tremolo at other phases are alike; a still tone is not, nor one that moves twice as much."""
    texture, peak = TextureLoss(1, 2048, 480, (1, 4, 16)), torch.tensor([0.5])
    first, last = torch.tensor([0]), torch.tensor([SEGMENT_SAMPLES])

    def moved(sound):
        sums, counts = texture.movement(sound, peak, first, last)
        return (sums / counts[..., None]).mean().item()

    target, other, twice, still = map(moved, (tremolo(4.0, 0.0), tremolo(4.0, 2.0), tremolo(8.0, 1.0), tone(440.0, 0.4)))
    assert other == pytest.approx(target, rel=0.1) and twice == pytest.approx(2 * target, rel=0.15)
    assert still < 0.05 * target


def test_the_texture_is_that_of_the_instants_asked_for():
    """A note that stops moves nowhere but there."""
    texture, peak = TextureLoss(1, 1024, 240, (1, 4)), torch.tensor([0.5, 0.5, 0.5])
    sound = tone(440.0, 0.4) * (torch.arange(SEGMENT_SAMPLES) < 12_000)
    first, last = torch.tensor([0, 0, 13_000]), torch.tensor([SEGMENT_SAMPLES, 12_000, 14_000])
    sums, counts = texture.movement(sound.expand(3, -1), peak, first, last)
    assert counts[:, 0].tolist() == [98, 45, 0] and not sums[2].any()
    bands, coefficients = sums[:, :, :MEL_BANDS], sums[:, :, MEL_BANDS:]
    assert bands[0].mean() > 20 * bands[1].mean() and coefficients[0].mean() > 5 * coefficients[1].mean()


def test_the_texture_loss_moves_a_group_to_the_mean_of_its_recordings():
    """Of many recordings most stand still and few move: what is learned is the mean, which is neither."""
    texture, generator = TextureLoss(2, 2048, 480, (1, 4, 16)), np.random.default_rng(2)
    depth = torch.tensor(0.5, requires_grad=True)
    optimizer, peak, organ = torch.optim.SGD([depth], lr=4.0), torch.full((2,), 0.5), torch.tensor([1, 1])
    span = torch.tensor([0, 0]), torch.tensor([SEGMENT_SAMPLES, SEGMENT_SAMPLES])
    for step in range(240):
        depths = generator.choice([0.0, 0.0, 0.0, 8.0], 2)
        target = torch.cat([tremolo(each, generator.uniform(0, 6)) for each in depths])
        ours = torch.cat([tremolo(depth, generator.uniform(0, 6)) for _ in range(2)])
        optimizer.zero_grad()
        texture(ours, target, peak, organ, *span).backward()
        optimizer.step()
    assert depth.item() == pytest.approx(2.0, abs=0.8)
    assert not texture.weights[0].any() and not texture.sums[:, 0].any()


def test_the_mel_loss_tells_noises_by_their_level_and_not_by_their_lines():
    generator, peak = torch.Generator().manual_seed(1), torch.tensor([0.5])
    one, other = (torch.randn(1, SEGMENT_SAMPLES, generator=generator) * 0.1 for _ in range(2))
    loss, plain = MelLoss(), SpectralLoss()
    same, quieter = loss(other, one, peak).item(), loss(0.5 * other, one, peak).item()
    assert quieter > 2 * same and abs(quieter - np.log(2)) < 0.1
    assert same < 0.5 * plain(other, one, peak).item()


def test_only_segments_from_the_middle_of_a_note_are_faded_in():
    sound = torch.ones(2, SEGMENT_SAMPLES)
    faded = fade_in(sound, torch.tensor([False, True]))
    assert torch.equal(faded[0], sound[0])
    assert faded[1, 0] == 0 and torch.equal(faded[1, 2048:], sound[1, 2048:])


def test_segments_lie_on_slots_and_carry_their_notes(notes):
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
            part = note_audio(notes, note)[start : start + SEGMENT_SAMPLES]
            expected[: len(part)] = part
            np.testing.assert_array_equal(segments.audio[row].numpy(), expected)
            onsets += start == 0
    assert 0.34 < onsets / 720 < 0.55


def test_segments_carry_the_vibrato_at_their_slots_ends(notes):
    source = SegmentSource(notes)
    [course] = source.cut(np.array([6]), [128 * 450]).vibrato
    assert course.shape == (SEGMENT_SAMPLES // 128 + 1,)
    frame = (128 * 451 + 128 * torch.arange(len(course))) / HOP_SAMPLES
    inside = frame <= frames_of(SAMPLES) - 1
    torch.testing.assert_close(course[inside], 6 + frame[inside] / 10, rtol=1e-4, atol=1e-4)
    assert not course[~inside].any() and inside.any() and (~inside).any()


def test_held_out_segments_are_the_same_every_time(notes):
    held_out = HeldOutSegments(SegmentSource(notes), batch=4)
    first, again = list(held_out), list(held_out)
    assert len(first) == 1 and torch.equal(first[0].audio, again[0].audio)
    assert set(first[0].key.int().tolist()) == {61}


def test_note_columns_follow_the_contract(notes):
    """At slot k: secondsOn = 128 k / 48000; secondsOff counts from the note-off to 128 k - 128."""
    source = SegmentSource(notes)
    columns = note_columns(source.cut(np.array([0, 4]), [0, 39_936]), slots=4)
    torch.testing.assert_close(columns[0, :, 2], torch.arange(4) * 128 / 48_000)
    first = 39_936 // 128
    torch.testing.assert_close(columns[1, :, 2], torch.arange(first, first + 4) * 128 / 48_000)
    expected = [max(0, 39_936 + 128 * slot - 128 - 40_000) / 48_000 for slot in range(4)]
    torch.testing.assert_close(columns[1, :, 3], torch.tensor(expected))
    assert columns[0, 0].tolist()[:2] == [60.0, 90.0]
    assert not columns[..., 4:].any(), "training is without movement"


def test_latents_reach_their_value_at_the_end_of_their_frame():
    latents = torch.tensor([[[1.0, 3.0]]]).expand(1, 128, 2)
    slots = latents_per_slot(latents)[0, 0]
    assert slots[15] == 1.0 and slots[31] == 3.0 and slots[23] == 2.0 and slots[0] == 1 / 16


def test_tuning_is_known_for_every_key(notes):
    """Between the keys of training the inharmonicity is interpolated; layers are apart by the median."""
    harp, organ = tuning_by_key(notes, 0), tuning_by_key(notes, 1)
    code = inharmonicity_code(torch.tensor([1e-4, 3e-4]))
    torch.testing.assert_close(harp[60, 1], code[0])
    torch.testing.assert_close(harp[61, 1], code.mean())
    assert harp[20, 1] == harp[60, 1] and not harp[:, 0].any()
    assert organ[:, 0].tolist() == [detune_code(7.5)] * 128 and not organ[:, 1].any()


def spectral_distance(module, networks, segments):
    ours, theirs = module.faded(module.decode(networks, module.prior_latents(networks, segments), segments), segments)
    return module.spectral(ours, theirs, segments.peak).mean().item()


QUICK = {"minutes": 1000.0, "batch": 4, "validate_every": 10, "accelerator": "cpu", "threads": 1}


def test_training_learns_resumes_and_loads(notes, tmp_path):
    torch.manual_seed(0)
    module = EnsembleModule(("harp", "organ"), (True, False))
    segments = SegmentSource(notes).cut(np.array([0, 5]), [0, 0])
    with torch.no_grad():
        before = spectral_distance(module, module.networks, segments)
    checkpoint = train(notes, tmp_path, TrainingOptions(steps=70, **QUICK))
    models, training = load_models(checkpoint)
    assert isinstance(models, Models) and training["steps"] == 70
    torch.testing.assert_close(models.priors["harp"].tuning, tuning_by_key(notes, 0))
    with torch.no_grad():
        after = spectral_distance(module, {"decoder": models.decoder, "priors": models.priors}, segments)
    assert after < 0.95 * before
    resumed = train(notes, tmp_path, TrainingOptions(steps=71, resume=True, **QUICK))
    assert load_models(resumed)[1]["steps"] == 71


def test_a_resumed_run_goes_on_in_the_schedule(notes, tmp_path):
    """Half of the budget is used up before the interruption, so the rate is that of the second half."""
    module = EnsembleModule(("harp", "organ"), (True, False), seconds=1000.0)
    module.on_load_checkpoint({"seconds_trained": 500.0, "steps_trained": 700})
    assert 0.49 < module.progress < 0.51 and module.rate() < 0.6 * module.hparams.highest_rate
    assert module.rate() == pytest.approx(0.5 * (module.hparams.highest_rate + LOWEST_RATE), rel=0.02)


def test_a_run_that_is_killed_leaves_a_checkpoint(notes, tmp_path, monkeypatch):
    monkeypatch.setattr("echoel_training.progress.CHECKPOINT_SECONDS", 0.0)

    def stop(self, trainer, module, outputs, batch, index):
        if module.steps_trained == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("echoel_training.progress.Budget.on_train_batch_end", stop)
    with pytest.raises(BaseException):
        train(notes, tmp_path, TrainingOptions(steps=20, **QUICK))
    assert load_models(tmp_path / "last.ckpt")[1]["steps"] >= 2
    assert not list(tmp_path.glob(".*partial"))


def test_an_adversary_takes_part_from_its_share_on(notes, tmp_path):
    checkpoint = train(notes, tmp_path, TrainingOptions(steps=4, adversary_from=0.0, **QUICK))
    models, training = load_models(checkpoint)
    assert "--adversary-from 0.0" in training["command"]
    judged = torch.load(checkpoint, weights_only=True)["state_dict"]
    fresh = EnsembleModule(("harp", "organ"), (True, False), adversary_from=0.0).state_dict()
    learned = [name for name in fresh if name.startswith("adversary") and judged[name].shape == fresh[name].shape]
    assert learned and all(torch.isfinite(judged[name]).all() for name in learned)


def test_what_is_no_checkpoint_is_told(tmp_path):
    (tmp_path / "last.ckpt").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        load_models(tmp_path / "last.ckpt")


def test_resuming_without_a_checkpoint_says_so(notes, tmp_path):
    with pytest.raises(TrainingError, match="without --resume"):
        train(notes, tmp_path, TrainingOptions(minutes=1, resume=True))


def test_the_level_loss_moves_an_instrument_to_its_recordings_loudness():
    """Ours and theirs are random; what is learned is their mean, and only of what is inside and heard."""
    level, generator = LevelLoss(2), torch.Generator().manual_seed(5)
    gain = torch.tensor(-1.0, requires_grad=True)
    optimizer, group = torch.optim.SGD([gain], lr=0.05), torch.tensor([1, 1, 1])
    first, last = torch.tensor([0, 0, 0]), torch.tensor([SEGMENT_SAMPLES, 0, SEGMENT_SAMPLES])
    peak = torch.full((3,), 0.3)
    for step in range(200):
        target = tone(440.0, 0.3) * torch.exp(0.4 * torch.randn(3, 1, generator=generator))
        target[2] = 0.0
        ours = tone(440.0, 0.3) * torch.exp(gain + 0.4 * torch.randn(3, 1, generator=generator))
        optimizer.zero_grad()
        level(ours, target, peak, group, first, last).backward()
        optimizer.step()
    assert abs(gain.item()) < 0.3 and level.apart[0] == 0


def test_sustained_priors_are_trained_moving_as_they_are_played(notes, tmp_path, monkeypatch):
    """From a quarter of the budget on, and from its first step on in a run that is resumed after that."""
    moved = []

    def watch(module, segments, index):
        moved.append((module.steps_trained, module.moves, float(module.networks["priors"]["organ"].movement.abs().sum())))
        return step(module, segments, index)

    monkeypatch.setattr("echoel_training.movement.SHORTEST_FRAMES", 4)  # these notes are short
    step = EnsembleModule.training_step
    monkeypatch.setattr(EnsembleModule, "training_step", watch)
    train(notes, tmp_path, TrainingOptions(steps=8, **QUICK))
    assert [moves for _, moves, _ in moved] == [number >= 2 for number, _, _ in moved]
    assert all((amount > 0) == moves for _, moves, amount in moved)
    moved.clear()
    train(notes, tmp_path, TrainingOptions(steps=10, resume=True, **QUICK))
    assert moved and all(moves and amount > 0 for _, moves, amount in moved)


def test_what_moves_is_no_part_of_what_is_compared_note_by_note(notes):
    module = EnsembleModule(("harp", "organ"), (True, False))
    segments = SegmentSource(notes).cut(np.array([0, 5] * 6), [0] * 12)
    assert not module._moving(segments, 4).any()
    assert module._rows_of_means(segments, module._moving(segments, 4), 4).tolist() == list(range(4, 12))
    module.moves = True
    moving = module._moving(segments, 4)
    assert moving.tolist() == [False] * 8 + [False, True, False, True]
    assert module._rows_of_means(segments, moving, 4).tolist() == [4, 6, 8, 9, 10, 11]


def test_a_variation_moves_sustained_priors_and_no_struck_one(notes):
    module = EnsembleModule(("harp", "organ"), (True, False))
    segments = SegmentSource(notes).cut(np.array([0, 5]), [0, 0])
    module.networks["priors"]["organ"].movement.normal_()
    still = module.prior_latents(module.networks, segments)
    moved = module.prior_latents(module.networks, segments, torch.tensor([0.3, 0.7]))
    assert torch.equal(still[0], moved[0]) and not torch.equal(still[1], moved[1])
