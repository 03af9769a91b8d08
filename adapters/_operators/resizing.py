"""Resize and Upsample: along each axis a linear map whose matrix onnx' own reference gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from .node import Node

_SETTINGS = (
    "antialias", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside", "extrapolation_value", "mode",
    "nearest_mode",
)  # fmt: skip


def _resize(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = list(b.shape(x))
    rank = len(shape)
    given = n.attribute("axes")
    axes = list(range(rank)) if given is None else [axis % rank for axis in given]
    first = 1 if n.opset < 11 else 2
    scales, sizes = n.known(first, "the scales"), None
    if n.operator == "Upsample" and n.opset < 9:
        scales = np.array(n.attribute("scales"), dtype=np.float32)
    if (scales is None or scales.size == 0) and n.given(3) is not None:
        scales, sizes = None, n.sizes(3, "the sizes")
    roi = n.known(1, "the region") if n.opset >= 11 else None
    if sizes is not None and n.attribute("keep_aspect_ratio_policy", b"stretch") != b"stretch":
        ratios = [size / shape[axis] for size, axis in zip(sizes, axes, strict=True)]
        ratio = min(ratios) if n.attribute("keep_aspect_ratio_policy") == b"not_larger" else max(ratios)
        scales = None
        sizes = [int(np.floor(ratio * shape[axis] + 0.5)) for axis in axes]
        policy_scale: float | None = ratio
    else:
        policy_scale = None
    for index, axis in enumerate(axes):
        region = None if roi is None or roi.size == 0 else roi.reshape(2, -1)[:, index]
        scale = None if scales is None else float(scales.reshape(-1)[index])
        size = None if sizes is None else sizes[index]
        crops = n.attribute("coordinate_transformation_mode", b"half_pixel") == b"tf_crop_and_resize"
        if (scale == 1 or (size is not None and size is shape[axis]) or (size == shape[axis])) and not crops:
            continue
        if not isinstance(shape[axis], int):
            if crops and region is not None and region.tolist() == [0, 1] and (scale == 1 or size == shape[axis]):
                continue
            raise n.refuse("along a free dimension")
        x = _along(n, x, axis, _matrix(n, shape[axis], scale, size, region, policy_scale))
    return x


def _matrix(
    n: Node, length: int, scale: float | None, size: int | None, region: np.ndarray | None, policy_scale: float | None
) -> np.ndarray:
    """The (size, length) matrix of the map: what becomes of each unit vector."""
    settings = {name: n.attribute(name) for name in _SETTINGS if n.attribute(name) is not None}
    if n.operator == "Upsample":
        settings = {
            "mode": n.attribute("mode", b"nearest"),
            "coordinate_transformation_mode": b"asymmetric",
            "nearest_mode": b"floor",
        }
    elif n.opset < 11:
        settings |= {"coordinate_transformation_mode": b"asymmetric", "nearest_mode": b"floor"}
    if settings.get("extrapolation_value") and settings.get("coordinate_transformation_mode") == b"tf_crop_and_resize":
        raise n.refuse("an extrapolation value other than 0")
    if policy_scale is not None and size is not None:
        scale = None
    names = [
        "x",
        "roi" if region is not None else "",
        "scales" if scale is not None else "",
        "sizes" if scale is None else "",
    ]
    node = helper.make_node("Resize", names, ["y"], **settings)
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [length])]
    feeds: dict[str, np.ndarray] = {}
    if region is not None:
        inputs.append(helper.make_tensor_value_info("roi", TensorProto.FLOAT, [2]))
        feeds["roi"] = region.astype(np.float32)
    if scale is not None:
        inputs.append(helper.make_tensor_value_info("scales", TensorProto.FLOAT, [1]))
        feeds["scales"] = np.array([_for_reference(scale, length)], dtype=np.float32)
    else:
        inputs.append(helper.make_tensor_value_info("sizes", TensorProto.INT64, [1]))
        feeds["sizes"] = np.array([size], dtype=np.int64)
    graph = helper.make_graph([node], "axis", inputs, [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None])])
    evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)]))
    return np.stack([np.asarray(evaluator.run(None, {"x": unit, **feeds})[0]) for unit in np.eye(length)], axis=1)


def _for_reference(scale: float, length: int) -> np.float32:
    """The scale for onnx' reference, which takes the output's size from a product in float64, as ONNX Runtime does in float32.

    30 times 1.3 is 39 there, and 38.999998 with float32's 1.3 here.
    """
    single = np.float32(scale)
    size = int(np.floor(np.float32(length) * single))
    return single if int(np.float64(single) * length) == size else np.nextafter(single, np.float32(np.inf))


def _along(n: Node, x: Any, axis: int, matrix: np.ndarray) -> Any:
    """Apply the matrix along an axis; one that only picks elements is a gather."""
    b = n.backend
    if np.all((matrix == 0) | (matrix == 1)) and np.all(matrix.sum(axis=1) == 1):
        return b.take(x, np.argmax(matrix, axis=1).astype(np.int64), axis)
    kind = b.dtype(x)
    if "float" not in kind:
        raise n.refuse(f"mode {n.attribute('mode', b'nearest').decode()} on elements of type {kind}")
    rank = len(b.shape(x))
    last = [a for a in range(rank) if a != axis] + [axis]
    moved = b.linear(b.transpose(x, last), np.ascontiguousarray(matrix.T).astype(kind), None)
    return b.transpose(moved, [last.index(a) for a in range(rank)])


OPERATORS: Mapping[str, Callable[[Node], Any]] = {"Resize": _resize, "Upsample": _resize}
