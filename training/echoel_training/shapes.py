"""Shapes that a graph works out at every run although they are known, all but one axis: written down once.

A run of a small model is mostly operators too short to be worth calling. ``Reshape`` can keep an axis of its input (0) and
find one axis by itself (-1), so most of what computes shapes can go.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper


def _dimensions(value: onnx.ValueInfoProto) -> list[int | str]:
    return [axis.dim_value or axis.dim_param for axis in value.type.tensor_type.shape.dim]


def _told(before: list[int | str], after: list[int | str]) -> list[int] | None:
    """What to tell ``Reshape``, where that is a constant."""
    shape = [
        axis if isinstance(axis, int) else 0 if place < len(before) and before[place] == axis else -1
        for place, axis in enumerate(after)
    ]
    if shape.count(-1) <= 1 and all(isinstance(axis, int) or axis for axis in after):
        return shape
    return None


def settle_shapes(model: onnx.ModelProto) -> None:
    """Gives every ``Reshape`` of ``model`` a constant shape where it has one, and removes what then nobody needs."""
    graph = model.graph
    known = {value.name: _dimensions(value) for value in (*graph.input, *graph.value_info, *graph.output)}
    replaced, constants = {}, {weight.name for weight in graph.initializer}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = replaced.get(name, name)
        if node.op_type != "Reshape" or node.input[1] in constants:
            continue
        before, after = known.get(node.input[0]), known.get(node.output[0])
        shape = before is not None and after is not None and _told(before, after)
        if not shape:
            continue
        if len(before) == len(after) == 1:
            replaced[node.output[0]] = node.input[0]
            continue
        name = f"{node.name}_shape"
        graph.initializer.append(numpy_helper.from_array(np.array(shape, dtype=np.int64), name))
        node.input[1] = name
        del node.attribute[:]  # allowzero, with which 0 would mean an empty axis
    _remove_unneeded(graph)


def _remove_unneeded(graph: onnx.GraphProto) -> None:
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if any(name in needed for name in node.output):
            needed.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    weights = [weight for weight in graph.initializer if weight.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(weights)
