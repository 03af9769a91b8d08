"""ONNX → SavedModel or TFLite with onnx2tf, channels last.

Inputs of a graph with image operators become channels last, as onnx2tf makes them; where the graph was channels last
itself (a Transpose behind its input, as from TensorFlow), that Transpose is taken off first. All other inputs keep their
order. What onnx2tf does to an output is told from its shape.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx2tf

from safeconvert.adapter_api.layouts import require_layouts
from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, Permutation, channels_last
from safeconvert.errors import UnusableInput
from safeconvert.graph.boundary_transposes import has_layout, peel_input_transposes, peel_output_transposes
from safeconvert.rewrite.legalize import legalise, rules_of

_SUFFIX = {"none": "float32", "float16": "float16", "default": "dynamic_range_quant"}


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert; says which inputs and outputs became channels last."""
    step = ConvertRequest.from_json(request)
    target = Path(step.target)
    legal = legalise(onnx.load(step.model.path), rules_of(__file__))
    model = legal.model
    moves = has_layout(model)
    inputs_peeled: dict[str, bool] = {}
    outputs_peeled: dict[str, bool] = {}
    if moves:
        model, inputs_peeled = peel_input_transposes(model)
        model, outputs_peeled = peel_output_transposes(model)
    model = onnx.shape_inference.infer_shapes(model)
    initializers = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initializers]
    graph = target.with_name("graph.onnx")
    onnx.save(model, graph)
    folder = target.with_name("onnx2tf")
    with _as_errors(), _no_downloads():
        made = onnx2tf.convert(
            input_onnx_file_path=str(graph),
            output_folder_path=str(folder),
            output_signaturedefs=True,
            copy_onnx_input_output_names_to_tflite=True,
            output_dynamic_range_quantized_tflite=step.optimize == "default",
            keep_shape_absolutely_input_names=None if moves else [value.name for value in inputs],
            verbosity="error",
        )
    graph.unlink()
    if step.target.endswith(".tflite"):
        (folder / f"graph_{_SUFFIX[step.optimize]}.tflite").rename(target)
        shutil.rmtree(folder)
    else:
        for other in folder.glob("*.tflite"):
            other.unlink()
        folder.rename(target)
    reply = ConvertReply(
        inputs=tuple(
            _to_last(len(_shape(value))) if moves and not inputs_peeled.get(value.name) else None for value in inputs
        ),
        outputs=tuple(
            _seen(value, tensor.shape, outputs_peeled.get(value.name, False))
            for value, tensor in zip(model.graph.output, made.outputs, strict=True)
        ),
        notes=(*legal.notes(), *(() if moves else ("keep_shape_absolutely_input_names",))),
    )
    require_layouts(reply, [value.name for value in inputs], [value.name for value in model.graph.output], step)
    return reply.to_json()


def _to_last(rank: int) -> Permutation | None:
    """What onnx2tf does to an input of 3 to 5 dimensions."""
    return channels_last(rank) if 3 <= rank <= 5 else None


def _seen(value: onnx.ValueInfoProto, made: Any, peeled: bool) -> Permutation | None:
    """What happened to an output, told from its shape.

    Args:
        value: in the graph that was converted.
        made: shape of the target's output.
        peeled: whether a Transpose to channels last was taken off before.

    Raises:
        UnusableInput: the shapes do not tell.
    """
    before, after = _shape(value), list(made)
    kept, moved = tuple(range(len(before))), _to_last(len(before))
    fitting = [order for order in (kept, moved) if order is not None and _fits(before, after, order)]
    if len(fitting) != 1:
        raise UnusableInput(f"onnx2tf: the shapes {before} and {after} of output {value.name} do not tell its order")
    if not peeled:
        return None if fitting[0] == kept else moved
    return None if fitting[0] == moved else (0, len(kept) - 1, *kept[1:-1])


def _fits(before: list[int | None], after: list[int | None], order: Permutation) -> bool:
    pairs = [(before[axis], after[index]) for index, axis in enumerate(order)]
    return len(before) == len(after) and all(None in pair or pair[0] == pair[1] for pair in pairs[1:])


def _shape(value: onnx.ValueInfoProto) -> list[int | None]:
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim]


@contextmanager
def _as_errors() -> Iterator[None]:
    """onnx2tf prints what is wrong and ends the process with sys.exit(1): raise what it printed."""
    printed = StringIO()
    try:
        with redirect_stdout(printed):
            yield
    except SystemExit as end:
        lines = [line.strip() for line in printed.getvalue().splitlines() if "ERROR" in line]
        raise RuntimeError("; ".join(_uncoloured(line) for line in lines) or "onnx2tf ended") from end
    finally:
        sys.stdout.write(printed.getvalue())


def _uncoloured(line: str) -> str:
    for code in ("\x1b[31m", "\x1b[0m", "ERROR:"):
        line = line.replace(code, "")
    return line.strip()


@contextmanager
def _no_downloads() -> Iterator[None]:
    """Images for onnx2tf's own check of single operators are drawn here; it would fetch some from the network."""
    module: Any = sys.modules["onnx2tf.onnx2tf"]
    before = module.download_test_image_data
    images = np.random.default_rng(0).random((20, 128, 128, 3), dtype=np.float32)
    module.download_test_image_data = lambda: images
    try:
        yield
    finally:
        module.download_test_image_data = before
