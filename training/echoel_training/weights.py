"""Weights in half precision: a model's large constants as float16, which a runtime widens once as it loads.

The computation stays in float32. Weights are within ±65504 and lose 11 bits of their 24, a relative error of 2^-11.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST_VALUES = 256
"""Smaller constants stay as they are: scalars, ramps, and the phases' grid have to be exact."""

EXACT = ("matrix", "walk", "line_hertz", "line_phase", "line_turns", "tuning")
"""Parts of the names of constants that stay as they are whatever their size: filters, lines and tuning."""


def halve_weights(model: onnx.ModelProto) -> None:
    """Stores every large float32 initializer of ``model`` as float16, with a cast to float32 behind it."""
    graph, casts = model.graph, []
    for weight in graph.initializer:
        large = int(np.prod(weight.dims)) >= SMALLEST_VALUES
        if weight.data_type != TensorProto.FLOAT or not large or any(part in weight.name for part in EXACT):
            continue
        name, values = weight.name, numpy_helper.to_array(weight)
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], name=f"widen_{name}", to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
