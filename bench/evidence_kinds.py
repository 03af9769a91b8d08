"""Sources and targets with one fault each, for `evidence.py`: small ONNX graphs by kind and seed, with inputs that hardly show it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.scenarios.wrong_targets import pairs
from tests.scenarios.wrong_targets.pairs import Spoiled, graph, node, said_otherwise, weights

Array = np.ndarray[Any, Any]
_VECTOR: Mapping[str, tuple[str, Sequence[int | str]]] = {"x": ("f", ["N", 8])}
_IMAGE: Mapping[str, tuple[str, Sequence[int | str]]] = {"x": ("f", ["N", 3, 9, 9])}
_SEQUENCE: Mapping[str, tuple[str, Sequence[int | str]]] = {"x": ("f", ["N", 6, 4])}


def _given(seed: int, *shape: int, low: float = 0.2, high: float = 0.8) -> dict[str, Array]:
    """Forty samples of narrow positive values, as many real data sets are."""
    return {"x": np.random.default_rng(seed).uniform(low, high, size=(40, *shape)).astype("f4")}


def _of(kind: str, make: Callable[[bool], onnx.ModelProto], given: Mapping[str, Array]) -> Spoiled:
    return Spoiled(kind, make(True), make(False), said_otherwise(make(True)), given)


def _one(kind: str, seed: int, right: list[onnx.NodeProto], wrong: list[onnx.NodeProto], constants: Mapping[str, Array] | None = None,
         inputs: Mapping[str, tuple[str, Sequence[int | str]]] = _VECTOR, given: Mapping[str, Array] | None = None) -> Spoiled:  # fmt: skip
    """Nodes that make `s` of `x`, with a product behind them; other nodes in the wrong target."""
    width = int(inputs["x"][1][-1])
    tail = [node("MatMul", "s head", "y")]
    held = {"head": weights(width, 5, seed=seed), **(constants or {})}
    shape = [int(size) for size in inputs["x"][1][1:]]
    return _of(
        kind,
        lambda good: graph([*(right if good else wrong), *tail], inputs, ["y"], held),
        given or _given(seed, *shape),
    )


def leaky(seed: int) -> Spoiled:
    return _one("slope", seed, [node("LeakyRelu", "x", "s", alpha=0.01)], [node("LeakyRelu", "x", "s", alpha=0.03)])


def rounding(seed: int) -> Spoiled:
    half = [node("Add", "x half", "h"), node("Floor", "h", "s")]
    values = {"half": np.float32(0.5)}
    return _one("rounding mode", seed, [node("Round", "x", "s")], half, values)


def guarded(seed: int) -> Spoiled:
    right = [
        node("Greater", "x zero", "p"),
        node("Max", "x small", "m"),
        node("Log", "m", "l"),
        node("Where", "p l zero", "s"),
    ]
    wrong = [node("Abs", "x", "a"), node("Max", "a small", "m"), node("Log", "m", "s")]
    return _one("guard of a logarithm", seed, right, wrong, {"zero": np.float32(0), "small": np.float32(1e-3)})


def clipped_cast(seed: int) -> Spoiled:
    right = [node("Clip", "x low high", "c"), node("Cast", "c", "i", to=TensorProto.INT8), node("Cast", "i", "s", to=1)]
    wrong = [node("Cast", "x", "w", to=TensorProto.INT32), node("Add", "w half", "m"), node("Mod", "m all", "r"),
             node("Sub", "r half", "d"), node("Cast", "d", "s", to=1)]  # fmt: skip
    values = {"low": np.float32(-128), "high": np.float32(127), "half": np.int32(128), "all": np.int32(256)}
    return _one("saturating cast", seed, right, wrong, values)


def softmax_axis(seed: int) -> Spoiled:
    right, wrong = ([node("Softmax", "x", "s", axis=axis)] for axis in (2, 1))
    return _one("axis of a softmax", seed, right, wrong, inputs=_SEQUENCE)


def exclusive(seed: int) -> Spoiled:
    right, wrong = ([node("CumSum", "x axis", "s", exclusive=e)] for e in (0, 1))
    return _one("cumulative sum", seed, right, wrong, {"axis": np.int64(1)}, _SEQUENCE)


def gelu(seed: int) -> Spoiled:
    right = [
        node("Mul", "x root", "r"),
        node("Erf", "r", "e"),
        node("Add", "e one", "a"),
        node("Mul", "x a", "m"),
        node("Mul", "m half", "s"),
    ]
    wrong = [node("Mul", "x x", "q"), node("Mul", "q x", "k"), node("Mul", "k c", "kc"), node("Add", "x kc", "i"), node("Mul", "i pi", "p"),
             node("Tanh", "p", "e"), node("Add", "e one", "a"), node("Mul", "x a", "m"), node("Mul", "m half", "s")]  # fmt: skip
    values = {name: np.float32(value) for name, value in
              (("root", 0.5**0.5), ("one", 1), ("half", 0.5), ("c", 0.044715), ("pi", (2 / np.pi) ** 0.5))}  # fmt: skip
    return _one("GELU by tanh", seed, right, wrong, values)


def hard_swish(seed: int) -> Spoiled:
    right = [node("Sigmoid", "x", "g"), node("Mul", "x g", "s")]
    return _one("swish", seed, right, [node("HardSwish", "x", "s")])


def concat_order(seed: int) -> Spoiled:
    split = node("Split", "x", "a b", axis=1)
    right, wrong = ([split, node("Relu", "a", "c"), node("Concat", order, "s", axis=1)] for order in ("c b", "b c"))
    return _one("order of a concatenation", seed, right, wrong)


def residual(seed: int) -> Spoiled:
    block = [node("MatMul", "x w", "m"), node("Relu", "m", "r")]
    values = {"w": weights(8, 8, seed=seed + 1)}
    return _one("residual sum", seed, [*block, node("Add", "r x", "s")], [*block, node("Identity", "r", "s")], values)


def bias(seed: int) -> Spoiled:
    values = {"b": weights(8, seed=seed + 1, scale=0.05), "zero": np.zeros(8, "f4")}
    return _one("bias", seed, [node("Add", "x b", "s")], [node("Add", "x zero", "s")], values)


def one_weight(seed: int) -> Spoiled:
    table = weights(8, 8, seed=seed + 1)
    changed = table.copy()
    changed.flat[seed % changed.size] += np.float32(0.02)
    values = {"w": table, "v": changed}
    return _one("one weight", seed, [node("MatMul", "x w", "s")], [node("MatMul", "x v", "s")], values)


def upper_bound(seed: int) -> Spoiled:
    values = {"zero": np.float32(0), "six": np.float32(6), "seven": np.float32(7)}
    right, wrong = ([node("Clip", f"x zero {high}", "s")] for high in ("six", "seven"))
    return _one("upper bound", seed, right, wrong, values)


def channels(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        kernel = weights(4, 3, 3, 3, seed=seed)
        return graph(
            [node("Conv", "x w", "c"), node("Relu", "c", "y")],
            _IMAGE,
            ["y"],
            {"w": kernel if good else kernel[:, ::-1].copy()},
        )

    grey = np.repeat(_given(seed, 1, 9, 9)["x"], 3, axis=1)
    return _of("order of channels", net, {"x": grey})


def border(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        mode = "constant" if good else "edge"
        return graph([node("Pad", "x pads", "p", mode=mode), node("Conv", "p w", "c"), node("Relu", "c", "y")], _IMAGE, ["y"],
                     {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "w": weights(4, 3, 3, 3, seed=seed)})  # fmt: skip

    framed = _given(seed, 3, 9, 9)["x"]
    framed[:, :, [0, -1], :] = framed[:, :, :, [0, -1]] = 0
    return _of("border", net, {"x": framed})


def padding_counted(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        pool = node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=int(good))
        return graph([pool], _IMAGE, ["y"], {})

    return _of("padding counted", net, _given(seed, 3, 9, 9))


def resized(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        mode = "half_pixel" if good else "asymmetric"
        return graph([node("Resize", "x - - sizes", "y", mode="linear", coordinate_transformation_mode=mode)],
                     {"x": ("f", [1, 3, 9, 9])}, ["y"], {"sizes": np.array([1, 3, 13 + seed % 5, 6])})  # fmt: skip

    return _of("coordinates of a resize", net, _given(seed, 3, 9, 9))


def epsilon(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        values = {"scale": np.ones(4, "f4"), "shift": weights(4, seed=seed), "head": weights(4, 3, seed=seed)}
        norm = node("LayerNormalization", "x scale shift", "n", epsilon=1e-5 if good else 1e-3)
        return graph([norm, node("MatMul", "n head", "y")], _SEQUENCE, ["y"], values)

    return _of("epsilon", net, _given(seed, 6, 4, low=-40, high=40))


def gates(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        w, r = weights(1, 20, 4, seed=seed), weights(1, 20, 5, seed=seed + 1)
        if not good:
            w, r = (np.concatenate([m[:, 5:10], m[:, :5], m[:, 10:]], axis=1) for m in (w, r))
        nodes = [node("Transpose", "x", "t", perm=[1, 0, 2]), node("LSTM", "t w r", "all last", hidden_size=5),
                 node("Squeeze", "last zero", "y")]  # fmt: skip
        return graph(nodes, _SEQUENCE, ["y"], {"w": w, "r": r, "zero": np.array([0])})

    return _of("gates", net, _given(seed, 6, 4, low=-0.1, high=0.1))


def causal(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        mask = np.where(
            np.tri(6, 6, 0 if good else -1, dtype=bool) | np.eye(6, dtype=bool) * (np.arange(6) == 0), 0, -1e9
        ).astype("f4")
        nodes = [node("Transpose", "x", "t", perm=[0, 2, 1]), node("MatMul", "x t", "q"), node("Add", "q mask", "m"),
                 node("Softmax", "m", "a", axis=-1), node("MatMul", "a x", "y")]  # fmt: skip
        return graph(nodes, _SEQUENCE, ["y"], {"mask": mask})

    return _of("causal mask", net, _given(seed, 6, 4, low=-2, high=2))


def ties(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        values = {"w": weights(8, 6, seed=seed)}
        nodes = [
            node("MatMul", "x w", "m"),
            node("Relu", "m", "r"),
            node("ArgMax", "r", "y", axis=1, keepdims=0, select_last_index=int(not good)),
        ]
        return graph(nodes, _VECTOR, ["y"], values)

    return _of("ties", net, _given(seed, 8))


def modulus(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        values = {"d": np.int64(3 + seed % 5), "table": weights(40, 4, seed=seed, scale=6.0), "shift": np.int64(12)}
        rest = node("Mod", "x d", "r") if good else node("Mod", "x d", "r", fmod=1)
        return graph(
            [rest, node("Add", "r shift", "i"), node("Gather", "table i", "y")], {"x": ("i", ["N", 5])}, ["y"], values
        )

    return _of("sign of a remainder", net, {"x": np.random.default_rng(seed).integers(0, 30, size=(40, 5))})


def one_hot(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        depth = 20 + seed % 7
        table = weights(depth, 4, seed=seed, scale=5.0)
        changed = table.copy()
        changed[depth - 3 :] = changed[depth - 3 :][::-1]
        values = {"depth": np.int64(depth), "values": np.float32([0, 1]), "table": table if good else changed}
        return graph(
            [node("OneHot", "x depth values", "o"), node("MatMul", "o table", "y")],
            {"x": ("i", ["N", 5])},
            ["y"],
            values,
        )

    return _of("rows of a one-hot product", net, {"x": np.random.default_rng(seed).integers(0, 15, size=(40, 5))})


def scores(seed: int) -> Spoiled:
    """Boxes of hundreds of pixels and scores below 1 in one output; the target's scores are 3 % off."""

    def net(good: bool) -> onnx.ModelProto:
        values = {"w": weights(8, 4, seed=seed), "v": weights(8, 2, seed=seed + 1), "size": np.float32(320),
                  "off": np.float32(1.0 if good else 1.03)}  # fmt: skip
        nodes = [node("MatMul", "x w", "b"), node("Sigmoid", "b", "bs"), node("Mul", "bs size", "box"), node("MatMul", "x v", "l"),
                 node("Sigmoid", "l", "p"), node("Mul", "p off", "q"), node("Concat", "box q", "y", axis=1)]  # fmt: skip
        return graph(nodes, _VECTOR, ["y"], values)

    return _of("scores beside boxes", net, _given(seed, 8))


def tied_scores(seed: int) -> Spoiled:
    """Equal scores where none is positive, which no input around zero makes them."""

    def net(good: bool) -> onnx.ModelProto:
        nodes = [node("Gemm", "x w b", "m"), node("Relu", "m", "r"),
                 node("ArgMax", "r", "y", axis=1, keepdims=0, select_last_index=int(not good))]  # fmt: skip
        return graph(nodes, _VECTOR, ["y"], {"w": weights(8, 4, seed=seed), "b": np.float32([1.0, 0.5, 0.4, 0.8])})

    return _of("ties behind a bias", net, _given(seed, 8))


def minima(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        nodes = [node("MatMul", "x w", "m"), node("Clip", "m low high", "r"),
                 node("ArgMin", "r", "y", axis=1, keepdims=0, select_last_index=int(not good))]  # fmt: skip
        return graph(
            nodes, _VECTOR, ["y"], {"w": weights(8, 5, seed=seed), "low": np.float32(-4), "high": np.float32(4)}
        )

    return _of("equal minima", net, _given(seed, 8))


def instance_norm(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        values = {"scale": np.ones(3, "f4"), "shift": weights(3, seed=seed)}
        return graph(
            [node("InstanceNormalization", "x scale shift", "y", epsilon=1e-5 if good else 1e-3)], _IMAGE, ["y"], values
        )

    return _of("epsilon of an instance norm", net, _given(seed, 3, 9, 9, low=0, high=255))


def root(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        nodes = [node("Mul", "x x", "q"), node("ReduceMean", "q", "m", axes=[-1]), node("Add", "m eps", "e"), node("Sqrt", "e", "d"),
                 node("Div", "x d", "n"), node("MatMul", "n head", "y")]  # fmt: skip
        return graph(
            nodes, _SEQUENCE, ["y"], {"eps": np.float32(1e-6 if good else 1e-4), "head": weights(4, 3, seed=seed)}
        )

    return _of("epsilon in a root", net, _given(seed, 6, 4, low=-30, high=30))


def divisor(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        nodes = [
            node("ReduceL2", "x", "l", axes=[1]),
            node("Max", "l least", "d"),
            node("Div", "x d", "n"),
            node("MatMul", "n head", "y"),
        ]
        return graph(
            nodes, _VECTOR, ["y"], {"least": np.float32(1e-12 if good else 1e-2), "head": weights(8, 3, seed=seed)}
        )

    return _of("guard of a quotient", net, _given(seed, 8))


def rows_of_scores(seed: int) -> Spoiled:
    """Seven boxes with their scores, a row each; the target's scores are 3 % off."""

    def net(good: bool) -> onnx.ModelProto:
        values = {"w": weights(4, 4, seed=seed), "v": weights(4, 2, seed=seed + 1), "size": np.float32(640),
                  "off": np.float32(1.0 if good else 0.97)}  # fmt: skip
        nodes = [node("MatMul", "x w", "b"), node("Sigmoid", "b", "bs"), node("Mul", "bs size", "box"), node("MatMul", "x v", "l"),
                 node("Sigmoid", "l", "p"), node("Mul", "p off", "q"), node("Concat", "box q", "y", axis=2)]  # fmt: skip
        return graph(nodes, _SEQUENCE, ["y"], values)

    return _of("rows of boxes and scores", net, _given(seed, 6, 4))


def depth(seed: int) -> Spoiled:
    """A depth in metres and a mask, as channels; the target's mask is 2 % off."""

    def net(good: bool) -> onnx.ModelProto:
        values = {"w": weights(1, 3, 3, 3, seed=seed), "v": weights(2, 3, 3, 3, seed=seed + 1), "far": np.float32(90),
                  "off": np.float32(1.0 if good else 1.02)}  # fmt: skip
        nodes = [node("Conv", "x w", "d"), node("Sigmoid", "d", "ds"), node("Mul", "ds far", "depth"), node("Conv", "x v", "m"),
                 node("Sigmoid", "m", "ms"), node("Mul", "ms off", "mask"), node("Concat", "depth mask", "y", axis=1)]  # fmt: skip
        return graph(nodes, _IMAGE, ["y"], values)

    return _of("mask beside a depth", net, _given(seed, 3, 9, 9))


def none_positive(seed: int) -> Spoiled:
    """The mean of what is positive, 0 where nothing is; the target divides by zero there."""

    def net(good: bool) -> onnx.ModelProto:
        nodes = [node("MatMul", "x w", "m"), node("Relu", "m", "r"), node("ReduceSum", "r one", "s"), node("Greater", "m zero", "p"),
                 node("Cast", "p", "c", to=TensorProto.FLOAT), node("ReduceSum", "c one", "n"),
                 node("Max", "n least", "d") if good else node("Identity", "n", "d"), node("Div", "s d", "y")]  # fmt: skip
        values = {"w": weights(8, 4, seed=seed), "one": np.array([1]), "zero": np.float32(0), "least": np.float32(1)}
        return graph(nodes, _VECTOR, ["y"], values)

    return _of("mean of nothing", net, _given(seed, 8))


def strict(seed: int) -> Spoiled:
    right, wrong = (
        [node(kind, "x zero", "p"), node("Where", "p x low", "s")] for kind in ("GreaterOrEqual", "Greater")
    )
    return _one("strict comparison", seed, right, wrong, {"zero": np.float32(0), "low": np.float32(-1)})


def truncated(seed: int) -> Spoiled:
    right = [node("Cast", "x", "i", to=TensorProto.INT32), node("Cast", "i", "s", to=1)]
    return _one("cast of negative numbers", seed, right, [node("Floor", "x", "s")])


def beyond(seed: int) -> Spoiled:
    def net(good: bool) -> onnx.ModelProto:
        values = {
            "low": np.int64(0),
            "high": np.int64(20 + seed),
            "all": np.int64(21 + seed),
            "table": weights(21 + seed, 4, seed=seed, scale=5.0),
        }
        bounded = node("Clip", "x low high", "i") if good else node("Mod", "x all", "i")
        return graph([bounded, node("Gather", "table i", "y")], {"x": ("i", ["N", 5])}, ["y"], values)

    return _of("ids beyond a table", net, {"x": np.random.default_rng(seed).integers(0, 20, size=(40, 5))})


def neighbours(seed: int) -> Spoiled:
    """Elements that equal the one before them are counted; the target counts those that differ by less than nothing."""

    def net(good: bool) -> onnx.ModelProto:
        same = (
            [node("Equal", "a b", "e")]
            if good
            else [node("Sub", "a b", "d"), node("Abs", "d", "f"), node("Less", "f zero", "e")]
        )
        nodes = [node("Slice", "x one nine axis", "a"), node("Slice", "x none last axis", "b"), *same,
                 node("Cast", "e", "c", to=TensorProto.FLOAT), node("Add", "c a", "s"), node("MatMul", "s head", "y")]  # fmt: skip
        values = {"one": np.array([1]), "nine": np.array([9]), "none": np.array([0]), "last": np.array([7]), "axis": np.array([1]),
                  "zero": np.float32(0), "head": weights(7, 4, seed=seed)}  # fmt: skip
        return graph(nodes, _VECTOR, ["y"], values)

    return _of("equal neighbours", net, _given(seed, 8))


KINDS: dict[str, Callable[[int], Spoiled]] = {
    "table rows": lambda s: pairs.table_rows(60 + 97 * s, 2 + 11 * s, None, s),
    "rare table rows": lambda s: pairs.table_rows(100 + 40 * s, 60 + 40 * s, 90 + 40 * s, s),
    "floor division": lambda s: pairs.floor_division(2 + s % 7, 5 + s, s),
    "mask": lambda s: pairs.hidden_rows(3 + s % 6, s),
    "tiny outputs": lambda s: pairs.tiny_outputs(10.0 ** -(4 + s % 9), 1.08 if s % 2 else 0.95, s),
    "saturated clipping": lambda s: pairs.saturated("relu6", s),
    "saturated padding": lambda s: pairs.saturated("padding", s),
    "mixes samples": pairs.mixing,
    "mean over samples": pairs.centred,
    "slope": leaky, "rounding mode": rounding, "guard of a logarithm": guarded, "saturating cast": clipped_cast,
    "axis of a softmax": softmax_axis, "cumulative sum": exclusive, "GELU by tanh": gelu, "swish": hard_swish,
    "order of a concatenation": concat_order, "residual sum": residual, "bias": bias, "one weight": one_weight,
    "upper bound": upper_bound, "order of channels": channels, "border": border, "padding counted": padding_counted,
    "coordinates of a resize": resized, "epsilon": epsilon, "gates": gates, "causal mask": causal, "ties": ties,
    "sign of a remainder": modulus, "rows of a one-hot product": one_hot, "branch": pairs.branch, "scores beside boxes": scores,
    "ties behind a bias": tied_scores, "equal minima": minima, "epsilon of an instance norm": instance_norm, "epsilon in a root": root,
    "guard of a quotient": divisor, "rows of boxes and scores": rows_of_scores, "mask beside a depth": depth,
    "mean of nothing": none_positive, "strict comparison": strict, "cast of negative numbers": truncated, "ids beyond a table": beyond,
    "equal neighbours": neighbours,
}  # fmt: skip
