"""The primitives that Keras has layers for, whose weights lie in the layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from safeconvert.adapter_api.protocol import channels_last, channels_second

from .._operators.sizes import product
from .shapes import Shapes

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)


class Layers(Shapes):
    """See `_operators.backend` for what each method promises."""

    def map(self, name: str, *xs: Any) -> Any:
        """Element-wise work, which `KerasOps` does."""
        raise NotImplementedError(name)

    def linear(self, x: Any, weight: np.ndarray, bias: np.ndarray | None) -> Any:
        x = self.tensor(x)
        sizes = [*self.shape(x)[:-1], weight.shape[1]]
        if len(sizes) > 2 and sum(not isinstance(size, int) for size in sizes) <= 1 and 0 not in sizes:
            # a Dense on more dimensions computes shapes at run time
            flat = self.linear(self.reshape(x, [product(sizes[:-1]), weight.shape[0]]), weight, bias)
            return self.reshape(flat, sizes)
        dense = layers.Dense(weight.shape[1], use_bias=bias is not None, dtype=weight.dtype.name)
        made = dense(x)
        dense.set_weights([weight] if bias is None else [weight, bias])
        return self.made(made, sizes=sizes)

    def conv(
        self, x: Any, w: Any, b: Any, strides: Sequence[int], pads: Sequence[tuple[int, int]], dilations: Sequence[int],
        groups: int,
    ) -> Any:  # fmt: skip
        count = len(strides)
        if count > 3:
            raise NotImplementedError("a convolution over more than three dimensions")
        moved = self.transpose(self.tensor(x), channels_last(count + 2))
        extents = [(size - 1) * dilation + 1 for size, dilation in zip(self.shape(w)[2:], dilations, strict=True)]
        if max(strides) > 1 and max(dilations) > 1:  # Keras and TensorFlow have one or the other
            whole = self.conv(x, w, b, [1] * count, pads, dilations, groups)
            return self.slice(whole, [slice(None), slice(None), *[slice(None, None, stride) for stride in strides]])
        padding = "valid"
        if any(pair != (0, 0) for pair in pads):
            if _is_same(self.shape(moved)[1:-1], strides, extents, pads):
                padding = "same"
            else:
                moved = self.pad(moved, [(0, 0), *pads, (0, 0)])
        if isinstance(w, np.ndarray) and (b is None or isinstance(b, np.ndarray)):
            made = self._convolved(moved, w, b, strides, padding, dilations, groups)
        else:
            kernel = self.transpose(self.tensor(w), [*range(2, count + 2), 1, 0])
            parts = self._groups(moved, groups, count + 1)
            kernels = self._groups(kernel, groups, count + 1)
            settings = {
                "strides": tuple(strides),
                "padding": padding,
                "data_format": "channels_last",
                "dilation_rate": tuple(dilations),
            }
            outputs = [ops.conv(part, own, **settings) for part, own in zip(parts, kernels, strict=True)]
            made = ops.concatenate(outputs, axis=-1) if groups > 1 else outputs[0]
            made = made if b is None else ops.add(made, self.operand(b))
        return self.transpose(self.made(made, moved), channels_second(count + 2))

    def _convolved(
        self, x: Any, w: np.ndarray, b: np.ndarray | None, strides: Sequence[int], padding: str, dilations: Sequence[int],
        groups: int,
    ) -> Any:  # fmt: skip
        count, channels = len(strides), self.shape(x)[-1]
        settings: dict[str, Any] = {
            "strides": tuple(strides), "padding": padding, "dilation_rate": tuple(dilations), "use_bias": b is not None,
            "dtype": w.dtype.name, "data_format": "channels_last",
        }  # fmt: skip
        kernel = w.transpose(*range(2, count + 2), 1, 0)
        size = kernel.shape[:count]
        if groups > 1 and groups == channels and count <= 2 and len(set(strides)) == 1:
            layer = _DEPTHWISE[count - 1](size, depth_multiplier=w.shape[0] // channels, **settings)
            kernel = kernel.reshape(*size, channels, -1)
        elif groups > 1 and count == 3:  # TensorFlow has no grouped convolution over three dimensions
            parts = self._groups(x, groups, count + 1)
            each = w.shape[0] // groups
            cuts = [slice(k * each, (k + 1) * each) for k in range(groups)]
            made = [
                self._convolved(part, w[cut], None if b is None else b[cut], strides, padding, dilations, 1)
                for part, cut in zip(parts, cuts, strict=True)
            ]
            return ops.concatenate(made, axis=-1)
        else:
            layer = _CONVOLUTIONS[count - 1](w.shape[0], size, groups=groups, **settings)
        made = layer(x)
        layer.set_weights([kernel] if b is None else [kernel, b])
        return made

    def _groups(self, x: Any, groups: int, axis: int) -> list[Any]:
        if groups == 1:
            return [x]
        each = self.shape(x)[axis] // groups
        rank = len(self.shape(x))
        return [
            self.slice(x, [slice(k * each, (k + 1) * each) if a == axis else slice(None) for a in range(rank)])
            for k in range(groups)
        ]

    def conv_transpose(self, x: Any, w: Any, strides: Sequence[int], dilations: Sequence[int], groups: int) -> Any:
        count = len(strides)
        if count > 3:
            raise NotImplementedError("a convolution over more than three dimensions")
        if not isinstance(w, np.ndarray):
            return self._transposed_by_conv(self.tensor(x), w, strides, dilations, groups)
        for axis, dilation in enumerate(dilations):  # zeros between the kernel's elements are the dilated kernel
            w = self._spread(w, axis + 2, dilation)
        kernel = w.transpose(*range(2, count + 2), 1, 0)
        moved = self.transpose(self.tensor(x), channels_last(count + 2))
        outputs = []
        for part, own in zip(self._groups(moved, groups, count + 1), np.split(kernel, groups, axis=-1), strict=True):
            layer = _TRANSPOSED[count - 1](
                own.shape[-2], own.shape[:count], strides=tuple(strides), use_bias=False, dtype=own.dtype.name,
                data_format="channels_last",
            )  # fmt: skip
            outputs.append(layer(part))
            layer.set_weights([own])
        made = ops.concatenate(outputs, axis=-1) if groups > 1 else outputs[0]
        made = self.transpose(self.made(made, moved), channels_second(count + 2))
        # a stride beyond the kernel leaves zeros behind, which ONNX does not count
        extra = [max(stride - size, 0) for stride, size in zip(strides, kernel.shape[:count], strict=True)]
        return self.slice(made, [slice(None), slice(None), *[slice(None, -more if more else None) for more in extra]])

    def _spread(self, x: Any, axis: int, factor: int) -> Any:
        """x with zeros between its elements along an axis."""
        if factor == 1:
            return x
        shape = list(self.shape(x))
        split = self.reshape(x, [*shape[: axis + 1], 1, *shape[axis + 1 :]])
        grown = self.pad(split, [(0, factor - 1) if a == axis + 1 else (0, 0) for a in range(len(shape) + 1)])
        last = shape[axis] * factor - factor + 1
        grown = self.reshape(grown, [size * factor if a == axis else size for a, size in enumerate(shape)])
        return self.slice(grown, [slice(0, last) if a == axis else slice(None) for a in range(len(shape))])

    def _transposed_by_conv(self, x: Any, w: Any, strides: Sequence[int], dilations: Sequence[int], groups: int) -> Any:
        """A convolution over the spread input with the kernel turned round: Keras 3.15 loses the padding of a ConvTranspose."""
        shape, count = list(self.shape(w)), len(strides)
        if not all(isinstance(size, int) for size in self.shape(x)[2:]):
            raise NotImplementedError("a ConvTranspose over a free size whose kernel depends on the model's inputs")
        for axis, stride in enumerate(strides):
            x = self._spread(x, axis + 2, stride)
        turned = self.flip(w, list(range(2, count + 2)))
        split = self.reshape(turned, [groups, shape[0] // groups, *shape[1:]])
        kernel = self.reshape(
            self.transpose(split, [0, 2, 1, *range(3, count + 3)]), [-1, shape[0] // groups, *shape[2:]]
        )
        pads = [((size - 1) * dilation,) * 2 for size, dilation in zip(shape[2:], dilations, strict=True)]
        return self.conv(x, kernel, None, [1] * count, pads, dilations, groups)

    def window(self, name: str, x: Any, kernel: Sequence[int], strides: Sequence[int]) -> Any:
        if len(strides) > 3:
            raise NotImplementedError("a pool over more than three dimensions")
        moved = self.transpose(self.tensor(x), channels_last(len(kernel) + 2))
        if len(kernel) == 3 and all(isinstance(size, int) for size in self.shape(moved)[1:]):
            return self.transpose(self._window_3d(name, moved, kernel, strides), channels_second(5))
        pool = ops.max_pool if name == "max" else ops.average_pool
        made = pool(moved, tuple(kernel), tuple(strides), padding="valid", data_format="channels_last")
        return self.transpose(self.made(made, moved), channels_second(len(kernel) + 2))

    def _window_3d(self, name: str, x: Any, kernel: Sequence[int], strides: Sequence[int]) -> Any:
        """Over height and width, then over depth: TFLite has no pool over three dimensions."""
        pool = ops.max_pool if name == "max" else ops.average_pool
        batch, depth, height, width, channels = self.shape(x)

        def pooled(x: Any, size: Sequence[int], stride: Sequence[int]) -> Any:
            made = pool(x, tuple(size), tuple(stride), padding="valid", data_format="channels_last")
            return self.made(made, sizes=[self.shape(x)[0], *made.shape[1:]])

        flat = pooled(self.reshape(x, [product([batch, depth]), height, width, channels]), kernel[1:], strides[1:])
        _, height, width, _ = flat.shape
        deep = self.reshape(flat, [batch, depth, height * width, channels])
        deep = pooled(deep, (kernel[0], 1), (strides[0], 1))
        return self.reshape(deep, [batch, deep.shape[1], height, width, channels])

    def batch_norm(self, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, epsilon: float) -> Any:
        rank = len(self.shape(x))
        parts = (scale, bias, mean, variance)
        if all(isinstance(part, np.ndarray) for part in parts) and self.dtype(x) == "float32":
            moved = self.transpose(x, channels_last(rank)) if rank > 2 else x
            layer = keras.layers.BatchNormalization(epsilon=epsilon)
            made = layer(moved)
            layer.set_weights([np.asarray(part, dtype=np.float32) for part in parts])
            made = self.made(made, sizes=self.shape(moved))
            return self.transpose(made, channels_second(rank)) if rank > 2 else made
        scale, bias, mean, variance = (self.reshape(part, [1, -1, *[1] * (rank - 2)]) for part in parts)
        wide = self.map("add", variance, np.asarray(epsilon, dtype=self.dtype(variance)))
        factor = self.map("div", scale, self.map("sqrt", wide))
        return self.map("add", self.map("mul", self.map("sub", x, mean), factor), bias)


def _is_same(
    sizes: Sequence[Any], strides: Sequence[int], extents: Sequence[int], pads: Sequence[tuple[int, int]]
) -> bool:
    """Whether pads are those of TensorFlow's SAME."""
    for size, stride, extent, pair in zip(sizes, strides, extents, pads, strict=True):
        if stride == 1:
            total = extent - 1
        elif isinstance(size, int):
            total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        else:
            return False
        if pair != (total // 2, total - total // 2):
            return False
    return True
