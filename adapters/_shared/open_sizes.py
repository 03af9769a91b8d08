"""Whether a Keras model of an ONNX graph is that graph at the sizes that the graph leaves free, shown by running both at some."""

from __future__ import annotations

from typing import Any

import numpy as np

from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, Permutation

_TRIES = ((64, 96), (97, 131), (224, 160), (7, 12), (1600, 2000))
"""Sizes for free axes, in turn; an axis of the same name has the same size."""
_CALLS = 2
_BATCH = 2
_CLOSE = 1e-3  # of an output's scale: two runtimes in float32


def require_open_sizes(step: ConvertRequest, model: Any, reply: ConvertReply) -> tuple[str, ...]:
    """A note that names the sizes at which the Keras model is the graph; () where the model leaves none free, or the graph runs at none tried.

    Args:
        step: from the ONNX file.
        model: the Keras model, its inputs and outputs in the graph's order.
        reply: the order of their dimensions.

    Raises:
        ValueError: it is another function at one of them, or does not run.
    """
    if not step.keep_open or all(None not in tensor.shape[1:] for tensor in model.inputs):
        return ()
    import onnxruntime  # where a graph has free sizes only

    session = onnxruntime.InferenceSession(step.model.path, providers=["CPUExecutionProvider"])
    free = {size for one in session.get_inputs() for size in one.shape[1:] if not isinstance(size, int)}
    if not free:
        return ()
    held = []
    for sizes in _TRIES:
        feeds = _feeds(session, sorted(map(str, free)), sizes)
        try:
            wanted = session.run(None, feeds)
        except Exception:  # noqa: BLE001 - whatever ONNX Runtime raises of a size that the graph does not take
            continue
        shapes = " and ".join(str(list(array.shape)) for array in feeds.values())
        moved = [_moved(array, how) for array, how in zip(feeds.values(), _each(reply.inputs, feeds), strict=True)]
        found = model(moved[0] if len(moved) == 1 else moved, training=False)
        found = list(found) if isinstance(found, list | tuple) else [found]
        for name, one, other, how in zip(
            session.get_outputs(), found, wanted, _each(reply.outputs, wanted), strict=True
        ):
            if not _same(np.asarray(one), _moved(other, how)):
                raise ValueError(
                    f"output {name.name} is another than the ONNX file's at {shapes}: its sizes are not free"
                )
        held.append(shapes)
        if len(held) == _CALLS:
            break
    return (f"sizes left free; the Keras file is the ONNX file at {'; '.join(held)} too",) if held else ()


def _feeds(session: Any, free: list[str], sizes: tuple[int, ...]) -> dict[str, np.ndarray]:
    random, made = np.random.default_rng(0), {}
    for one in session.get_inputs():
        shape = [
            size if isinstance(size, int) else _BATCH if axis == 0 else sizes[free.index(str(size)) % len(sizes)]
            for axis, size in enumerate(one.shape)
        ]
        kind = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16"}.get(one.type)
        made[one.name] = (
            random.normal(size=shape).astype(kind) if kind else np.ones(shape, one.type[7:-1].replace("bool", "bool_"))
        )
    return made


def _each(orders: tuple[Permutation | None, ...], tensors: Any) -> tuple[Permutation | None, ...]:
    return orders or (None,) * len(tensors)


def _moved(array: np.ndarray, order: Permutation | None) -> np.ndarray:
    return array if order is None else array.transpose(order)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape:
        return False
    one, other = one.astype(np.float64), other.astype(np.float64)
    scale = float(np.abs(other[np.isfinite(other)]).max(initial=0)) or 1.0
    return bool(np.allclose(one, other, rtol=0, atol=_CLOSE * scale, equal_nan=True))
