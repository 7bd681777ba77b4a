"""Operators of our own in an exported graph: each comes with a function that says the same in ONNX's operators.

A runtime that has the operator (``echoel``) calls it; any other puts the function in its place.
"""

from __future__ import annotations

import onnx
from onnx import helper

OPERATOR_DOMAIN, OPERATOR_VERSION = "com.echoelmusic", 1


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
