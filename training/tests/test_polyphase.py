"""A polyphase convolution computes what the transposed one does."""

import pytest
import torch
from torch import nn

from echoel_training.polyphase import PolyphaseConvTranspose1d
from echoel_training.reference import reference_models


@pytest.mark.parametrize(
    "kernel,stride,padding,extra",
    [(15, 2, 7, 1), (4, 2, 1, 0), (16, 8, 4, 0), (2, 2, 0, 0), (9, 3, 3, 0), (5, 4, 2, 3), (2, 4, 0, 2)],
)
@pytest.mark.parametrize("channels", [5, 16])
def test_it_equals_the_transposed_convolution(kernel, stride, padding, extra, channels):
    torch.manual_seed(kernel)
    layer = nn.ConvTranspose1d(6, channels, kernel, stride, padding, output_padding=extra)
    polyphase = PolyphaseConvTranspose1d(layer)
    for frames in (1, 2, 31):
        x = torch.randn(2, 6, frames)
        with torch.no_grad():
            assert torch.allclose(layer(x), polyphase(x.transpose(1, 2)).transpose(1, 2), atol=1e-5)


def test_a_layer_that_changes_the_length_otherwise_is_refused():
    for layer in (nn.ConvTranspose1d(2, 2, 15, 2, 7), nn.ConvTranspose1d(2, 2, 4, 2, 1, groups=2)):
        with pytest.raises(ValueError, match="ConvTranspose1d"):
            PolyphaseConvTranspose1d(layer)


def test_the_reference_decoder_has_only_such_layers():
    _, decoder = reference_models()
    layers = [layer for layer in decoder.deconv_layers if isinstance(layer, nn.ConvTranspose1d)]
    assert [PolyphaseConvTranspose1d(layer).stride for layer in layers] == [2, 2, 2]
