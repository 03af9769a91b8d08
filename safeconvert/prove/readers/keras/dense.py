"""Keras' layers of products, normalizations, merges and moves."""

from __future__ import annotations

import numpy as np
from onnx.helper import np_dtype_to_tensor_dtype

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.activations import activated
from safeconvert.prove.readers.keras.layer import INT32, Layer, Rule, Tensor, moved


def dense(n: Layer) -> Tensor:
    """Dense, on the last axis."""
    n.only(lora_rank=None)
    name = n.write("MatMul", n.x.name, n.weight(0))
    if n.config.get("use_bias", True):
        name = n.write("Add", name, n.weight(1))
    return Tensor(activated(n.write, n.config.get("activation"), name), n.x.rank)


def embedding(n: Layer) -> Tensor:
    """Embedding, whose table may hold integers; numbers that are no integers are cut to such."""
    n.only(mask_zero=False, lora_rank=None)
    [places] = n.inputs
    name = places.name if places.whole else n.write("Cast", places.name, to=INT32)
    table = n.weight(0)
    return Tensor(n.write("Gather", table, name, axis=0), places.rank + 1, np_dtype_to_tensor_dtype(n.weights[0].dtype))


def batch_normalization(n: Layer) -> Tensor:
    """BatchNormalization at inference: (x - mean) / sqrt(variance + epsilon) * gamma + beta along one axis."""
    axis = n.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int or n.config.get("renorm", False):
        raise Refused("BatchNormalization: along several axes, or with renorm")
    rank = n.x.rank
    arrays = list(n.weights)
    scale, center = bool(n.config.get("scale", True)), bool(n.config.get("center", True))
    if len(arrays) != 2 + scale + center:
        raise Refused(f"BatchNormalization: has {len(arrays)} weights")
    gamma = arrays.pop(0) if scale else np.ones_like(arrays[-1])
    beta = arrays.pop(0) if center else np.zeros_like(arrays[-1])
    names = [n.write.constant(array) for array in (gamma, beta, *arrays)]
    image = Tensor(n.x.name, rank)
    others = [other for other in range(rank) if other != axis % rank]
    first = [others[0], axis % rank, *others[1:]]  # as a convolution's image: the two cancel, and ONNX Runtime folds it
    moves = first != list(range(rank))
    name = n.write("Transpose", image.name, perm=first) if moves else image.name
    made = n.write("BatchNormalization", name, *names, epsilon=float(n.config.get("epsilon", 1e-3)))
    return Tensor(n.write("Transpose", made, perm=[first.index(one) for one in range(rank)]) if moves else made, rank)


def layer_normalization(n: Layer) -> Tensor:
    """LayerNormalization along the last axis."""
    axis = n.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, n.x.rank - 1) or n.config.get("rms_scaling", False):
        raise Refused("LayerNormalization: not along the last axis, or by the root mean square")
    arrays = list(n.weights)
    scale, center = bool(n.config.get("scale", True)), bool(n.config.get("center", True))
    if len(arrays) != scale + center or not arrays:
        raise Refused(f"LayerNormalization: has {len(arrays)} weights")
    gamma = arrays.pop(0) if scale else np.ones_like(arrays[0])
    beta = [n.write.constant(arrays.pop(0))] if center else []
    made = n.write(
        "LayerNormalization",
        n.x.name,
        n.write.constant(gamma),
        *beta,
        axis=-1,
        epsilon=float(n.config.get("epsilon", 1e-3)),
    )
    return Tensor(made, n.x.rank)


def unchanged(n: Layer) -> Tensor:
    """What changes nothing at inference, such as Dropout."""
    [tensor] = n.inputs
    return tensor


def _alike(n: Layer) -> int:
    ranks = {tensor.rank for tensor in n.inputs}
    if len(ranks) != 1 or any(tensor.whole for tensor in n.inputs):
        raise Refused(f"{n.kind}: of inputs with other numbers of axes, or of integers")
    return ranks.pop()


def merged(operator: str, exactly: int | None = None) -> Rule:
    """Add, Multiply, Maximum, Minimum; Subtract of two."""

    def rule(n: Layer) -> Tensor:
        rank = _alike(n)
        if exactly is not None and len(n.inputs) != exactly:
            raise Refused(f"{n.kind}: of {len(n.inputs)} inputs")
        name = n.inputs[0].name
        for other in n.inputs[1:]:
            name = n.write(operator, name, other.name)
        return Tensor(name, rank)

    return rule


def average(n: Layer) -> Tensor:
    """Average."""
    rank = _alike(n)
    total = n.write("Sum", *(tensor.name for tensor in n.inputs))
    return Tensor(n.write("Div", total, n.write.number(float(len(n.inputs)))), rank)


def joined(n: Layer) -> Tensor:
    """Concatenate."""
    return Tensor(n.write("Concat", *(t.name for t in n.inputs), axis=int(n.config.get("axis", -1))), _alike(n))


def flattened(n: Layer) -> Tensor:
    """Flatten: channels last, whatever the order before."""
    if n.x.rank < 2:
        raise Refused("Flatten: of a list")
    last = moved(n.write, n.x, first=False) if n.first else n.x.name
    return Tensor(n.write("Flatten", last, axis=1), 2)


def reshaped(n: Layer) -> Tensor:
    """Reshape of each sample."""
    sizes = [int(size) for size in n.config["target_shape"]]
    if 0 in sizes:
        raise Refused("Reshape: to nothing")
    return Tensor(n.write("Reshape", n.x.name, n.write.integers(0, *sizes)), 1 + len(sizes))


def permuted(n: Layer) -> Tensor:
    """Permute, whose axes count from 1."""
    return Tensor(n.write("Transpose", n.x.name, perm=[0, *(int(axis) for axis in n.config["dims"])]), n.x.rank)
