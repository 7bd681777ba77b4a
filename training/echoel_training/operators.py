"""Operators of our own in an exported graph: each comes with a function that says the same in ONNX's operators.

A runtime that has the operator (``echoel``) calls it; any other puts the function in its place.
"""

from __future__ import annotations

import onnx
import torch
from onnx import helper
from torch import Tensor, nn

OPERATOR_DOMAIN, OPERATOR_VERSION = "com.echoelmusic", 1


class Operator(nn.Module):
    """A module that is a single operator, with its class's name, in a graph that is exported."""

    INPUTS: dict[str, dict[int, str]]
    """The names of its inputs, and of their axes those that are not always the same: ``batch``, ``slots``, ``8*slots`` or
    ``slots+1``."""

    OUTPUTS: tuple[str, ...]

    def meaning(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the operator computes."""
        raise NotImplementedError

    def shapes(self, *inputs: Tensor) -> tuple[tuple, ...]:
        """The outputs' shapes."""
        raise NotImplementedError

    def weights(self) -> tuple[Tensor, ...]:
        """The last of its inputs, which are its own."""
        return ()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        inputs = (*inputs, *self.weights())
        if not torch.compiler.is_exporting():
            return self.meaning(*inputs)
        return torch.onnx.ops.symbolic_multi_out(
            f"{OPERATOR_DOMAIN}::{type(self).__name__}",
            inputs,
            dtypes=[torch.float32] * len(self.OUTPUTS),
            shapes=self.shapes(*inputs),
            version=OPERATOR_VERSION,
        )


def add_operator(model: onnx.ModelProto, name: str, meaning: onnx.ModelProto) -> None:
    """Says in ``model`` what the operator ``name`` means: the graph of ``meaning``, whose inputs and outputs are its."""
    graph = meaning.graph
    constants = [helper.make_node("Constant", [], [weight.name], value=weight) for weight in graph.initializer]
    inputs, outputs = ([value.name for value in values] for values in (graph.input, graph.output))
    function = helper.make_function(
        OPERATOR_DOMAIN, name, inputs, outputs, [*constants, *graph.node], list(meaning.opset_import)
    )
    model.functions.append(function)
    if all(opset.domain != OPERATOR_DOMAIN for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(OPERATOR_DOMAIN, OPERATOR_VERSION))
