"""The convolution layers: the same as textbook convolutions, in value and gradient."""

import pytest
import torch
import torch.nn.functional as F

from echoel_training.layers import CausalConvolution, StridedConvolution


@pytest.mark.parametrize("taps,dilation", [(3, 1), (3, 9), (2, 4)])
def test_causal_convolution_is_a_left_padded_one(taps, dilation):
    torch.manual_seed(1)
    layer = CausalConvolution(5, 7, taps, dilation)
    frames = torch.randn(2, 40, 5, requires_grad=True)
    ours, state = layer(frames, torch.zeros(2, layer.memory, 5))
    kernel = layer.mix.weight.reshape(7, taps, 5).transpose(1, 2)
    padded = F.pad(frames.transpose(1, 2), (layer.memory, 0))
    theirs = F.conv1d(padded, kernel, layer.mix.bias, dilation=dilation).transpose(1, 2)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(state, frames[:, -layer.memory :])
    weight = torch.randn_like(ours)
    (gradient,) = torch.autograd.grad((ours * weight).sum(), frames)
    (expected,) = torch.autograd.grad((theirs * weight).sum(), frames)
    torch.testing.assert_close(gradient, expected)


def test_strided_convolution_is_a_left_padded_one():
    torch.manual_seed(2)
    layer = StridedConvolution(3, 4, stride=4)
    frames = torch.randn(2, 24, 3)
    ours, state = layer(frames, torch.zeros(2, 1, layer.width))
    kernel = layer.mix.weight.reshape(4, 8, 3).transpose(1, 2)
    theirs = F.conv1d(F.pad(frames.transpose(1, 2), (4, 0)), kernel, layer.mix.bias, stride=4).transpose(1, 2)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(state, frames[:, -4:].reshape(2, 1, -1))
