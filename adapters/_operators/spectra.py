"""DFT and STFT: products with known matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .elementwise import is_float
from .node import Node

_LARGEST = 1 << 25  # elements of a matrix: a longer transform would be a file of hundreds of megabytes


def _scalar(n: Node, position: int, what: str) -> int | None:
    value = n.known(position, what)
    return None if value is None or value.size == 0 else int(value.reshape(-1)[0])


def _matrix(n: Node, parts: int, length: int, size: int, inverse: bool, onesided: bool) -> np.ndarray:
    """What becomes of each unit vector of a signal with `parts` components: (length, parts, outputs, components)."""
    outputs = size if inverse or not onesided else size // 2 + 1
    if length * parts * outputs * 2 > _LARGEST:
        raise n.refuse(f"a transform of length {size} is too large a matrix")
    unit = np.eye(length)
    signals = np.stack([unit, 1j * unit][:parts], axis=1)  # (length, parts, along)
    if inverse and onesided:
        return np.fft.irfft(signals, n=size, axis=-1)[..., None]
    made = (np.fft.ifft if inverse else np.fft.fft)(signals, n=size, axis=-1)[..., :outputs]
    return np.stack([made.real, made.imag], axis=-1)


def _dft(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = list(b.shape(x))
    rank = len(shape)
    given = n.attribute("axis", 1) if n.opset < 20 else _scalar(n, 2, "the axis")
    axis = (-2 if given is None else int(given)) % rank
    inverse, onesided = bool(n.attribute("inverse", 0)), bool(n.attribute("onesided", 0))
    length, parts = shape[axis], shape[-1]
    if axis == rank - 1 or parts not in (1, 2) or not is_float(n, x):
        raise n.refuse("a signal that is neither real nor complex along its last dimension")
    if not isinstance(length, int):
        raise n.refuse("over a free dimension")
    if onesided and parts == (1 if inverse else 2):
        raise n.refuse("onesided goes from a real signal to a complex spectrum or back")
    size = _scalar(n, 1, "the length")
    size = (2 * (length - 1) if inverse and onesided else length) if size is None else size
    if size < 1:
        raise n.refuse(f"a length of {size}")
    if inverse and onesided and length != size // 2 + 1:
        # onnx' reference cuts or fills the half of the spectrum that counts, ONNX Runtime the whole of it
        raise n.refuse(f"a signal of {size} from half a spectrum of {length} is read in two ways")
    matrix = _matrix(n, parts, length, size, inverse, onesided)
    order = [*[a for a in range(rank) if a != axis and a != rank - 1], axis, rank - 1]
    moved = b.transpose(x, order)
    rest = list(b.shape(moved)[:-2])
    flat = matrix.reshape(length * parts, -1).astype(b.dtype(x))
    made = b.linear(b.reshape(moved, [*rest, length * parts]), np.ascontiguousarray(flat), None)
    made = b.reshape(made, [*rest, *matrix.shape[2:]])
    return b.transpose(made, [order.index(a) for a in range(rank)])


def _stft(n: Node) -> Any:
    """A convolution: its kernels are the window times the waves."""
    b, x, window = n.backend, n.inputs[0], n.given(2)
    step, size, onesided = _scalar(n, 1, "the step"), _scalar(n, 3, "the length"), bool(n.attribute("onesided", 1))
    batch, length, *last = b.shape(x)
    if last not in ([], [1]):
        raise n.refuse("a complex signal")
    if not isinstance(length, int) or not is_float(n, x):
        raise n.refuse("a signal of free length or of integers")
    wide = None if window is None else b.shape(window)[0]
    size = (length if wide is None else wide) if size is None else size
    if not isinstance(size, int) or wide not in (None, size) or step is None or step < 1 or not 0 < size <= length:
        raise n.refuse(f"frames of {size} of {length} under a window of {wide}")
    kind, matrix = np.dtype(b.dtype(x)), _matrix(n, 1, size, size, False, onesided)
    outputs = matrix.shape[2]
    waves: Any = np.ascontiguousarray(matrix.reshape(size, outputs * 2).T[:, None]).astype(kind)
    if isinstance(window, np.ndarray):
        waves = (waves * window.reshape(1, 1, size)).astype(kind)
    elif window is not None:
        waves = b.map("mul", waves, b.reshape(window, [1, 1, size]))
    made = b.conv(b.reshape(x, [batch, 1, length]), waves, None, [step], [(0, 0)], [1], 1)
    frames = (length - size) // step + 1
    return b.reshape(b.transpose(made, [0, 2, 1]), [batch, frames, outputs, 2])


OPERATORS: Mapping[str, Callable[[Node], Any]] = {"DFT": _dft, "STFT": _stft}
