"""Parameters that are inputs of the model, in the last resort: what the declared shapes leave of them, for every value that they allow."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.inliner
import pytest
from onnx import TensorProto, helper

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from tests.command import ROOT
from tests.onnx_models import run

torch = pytest.importorskip("torch")
sys.path.insert(0, str(ROOT))

from adapters._operators.declared import spread  # noqa: E402 - adapters are no package of the project's
from adapters._operators.given import obligations  # noqa: E402
from adapters.torch_ops.adapter import convert  # noqa: E402
from adapters.torch_ops.module import GraphModule  # noqa: E402

node = helper.make_node
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
X = np.random.default_rng(0).standard_normal((3, 2, 2)).astype(np.float32)


def _model(
    nodes: list[onnx.NodeProto], given: dict[str, list[int]], shape: list[int], kind: int = FLOAT, opset: int = 18
) -> onnx.ModelProto:
    """x (3, 2, 2) and integer inputs, to y of a declared shape."""
    inputs = [helper.make_tensor_value_info("x", FLOAT, [3, 2, 2])]
    inputs += [helper.make_tensor_value_info(name, INT, size) for name, size in given.items()]
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("y", kind, shape)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _check(made: onnx.ModelProto, values: list[dict[str, np.ndarray]]) -> dict[str, str]:
    module = GraphModule(made).eval()
    for given in values:
        feeds = {"x": X, **{name: np.array(value, dtype=np.int64) for name, value in given.items()}}
        with torch.inference_mode():
            (found,) = module(*map(torch.from_numpy, feeds.values()))
        assert np.allclose(found.numpy(), run(made, feeds)[0], 1e-6, 1e-6, equal_nan=True), given
    return module.told


def test_axes_of_a_sum_are_chosen_among_those_that_give_its_shape() -> None:
    made = _model([node("ReduceSum", ["x", "axes"], ["y"], "total", keepdims=0)], {"axes": [1]}, [3, 2])
    told = _check(made, [{"axes": [1]}, {"axes": [2]}, {"axes": [-1]}])
    assert obligations(told) == (
        "input 1 of node total (ReduceSum): must be such that its result has the shape [3, 2], as the source declares",
    )


def test_an_axis_that_no_shape_tells_of_is_free() -> None:
    made = _model([node("CumSum", ["x", "axis"], ["y"])], {"axis": []}, [3, 2, 2])
    assert _check(made, [{"axis": axis} for axis in (0, 1, 2, -1, -3)])


def test_the_shape_of_what_is_computed_of_it_is_enough() -> None:
    nodes = [node("ReduceSum", ["x", "axes"], ["s"], keepdims=1), node("Abs", ["s"], ["a"]), node("Sqrt", ["a"], ["y"])]
    _check(_model(nodes, {"axes": [2]}, [3, 1, 1]), [{"axes": [1, 2]}, {"axes": [-1, 1]}])


@pytest.mark.parametrize("starts", [[0, 0], [1, -2], [5, 1], [-9, 0]])
@pytest.mark.parametrize("axes", [[0, 1], [1, 0], [0, 2]])
def test_starts_and_axes_of_a_slice(starts: list[int], axes: list[int]) -> None:
    ends = [start + 1 if axis == 0 else 99 for start, axis in zip(starts, axes, strict=True)]
    values = {"starts": np.array(starts), "ends": np.array(ends), "axes": np.array(axes)}
    shape = list(run(_model([node("Slice", ["x", "starts", "ends", "axes"], ["y"])], {k: [2] for k in values}, [1, 2, 2]),
                     {"x": X, **values})[0].shape)  # fmt: skip
    if 0 in shape:
        pytest.skip("nothing is left")
    _check(_model([node("Slice", ["x", "starts", "ends", "axes"], ["y"])], {k: [2] for k in values}, shape), [values])


def test_a_slice_backwards() -> None:
    made = _model([node("Slice", ["x", "a", "b", "c", "d"], ["y"])], {key: [1] for key in "abcd"}, [2, 2, 2])
    _check(made, [{"a": [2], "b": [0], "c": [0], "d": [-1]}, {"a": [9], "b": [0], "c": [0], "d": [-1]},
                  {"a": [0], "b": [9], "c": [0], "d": [2]}])  # fmt: skip


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "wrap"])
def test_pads(mode: str) -> None:
    made = _model([node("Pad", ["x", "pads"], ["y"], mode=mode)], {"pads": [6]}, [5, 3, 2], opset=19)
    _check(made, [{"pads": [1, 0, 0, 1, 1, 0]}, {"pads": [2, 1, 0, 0, 0, 0]}])


@pytest.mark.parametrize("place", ["half_pixel", "asymmetric", "half_pixel_symmetric", "pytorch_half_pixel"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_scales(mode: str, place: str) -> None:
    settings = {"exclude_outside": 1} if mode == "cubic" else {}
    nodes = [node("Cast", ["tenths"], ["t"], to=FLOAT), node("Div", ["t", "ten"], ["scales"]),
             node("Unsqueeze", ["x", "first"], ["image"]), node("Resize", ["image", "", "scales"], ["y"], mode=mode, coordinate_transformation_mode=place, **settings)]  # fmt: skip
    made = _model(nodes, {"tenths": [4]}, [1, 3, 5, 3], opset=19)
    made.graph.initializer.extend(
        [helper.make_tensor("ten", FLOAT, [], [10.0]), helper.make_tensor("first", INT, [1], [0])]
    )
    _check(made, [{"tenths": [10, 10, 25, 15]}, {"tenths": [10, 10, 27, 18]}])


def test_what_is_not_zero_and_what_a_condition_keeps() -> None:
    nodes = [node("Greater", ["x", "x"], ["none"]), node("Cast", ["flags"], ["there"], to=TensorProto.BOOL)]
    kept = _model([nodes[1], node("Compress", ["x", "there"], ["y"], axis=0)], {"flags": [3]}, [2, 2, 2])
    _check(kept, [{"flags": [1, 0, 1]}, {"flags": [0, 1, 1]}])
    found = _model([node("NonZero", ["flags"], ["y"])], {"flags": [2, 3]}, [2, 3], INT)
    _check(found, [{"flags": [[0, 1, 0], [2, 0, 3]]}, {"flags": [[1, 1, 1], [0, 0, 0]]}])


def test_a_loop_runs_as_often_as_what_it_collects_is_long() -> None:
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Add", ["v", "v"], ["w"]), node("Identity", ["w"], ["each"])], "body",
        [helper.make_tensor_value_info("i", INT, []), helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("v", FLOAT, [3, 2, 2])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info("w", FLOAT, [3, 2, 2]),
         helper.make_tensor_value_info("each", FLOAT, [3, 2, 2])])  # fmt: skip
    made = _model([node("Loop", ["n", "", "x"], ["last", "y"], body=body)], {"n": []}, [4, 3, 2, 2])
    _check(made, [{"n": 4}])


def test_what_stays_open_is_refused() -> None:
    made = _model([node("Reshape", ["x", "shape"], ["y"])], {"shape": [2]}, [3, 4])
    made.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "N"
    with pytest.raises(NotImplementedError, match="Reshape"):
        _check(made, [{"shape": [3, 4]}])


def test_shapes_go_back_only_where_nothing_is_spread() -> None:
    nodes = [node("Exp", ["a"], ["b"]), node("Mul", ["b", "c"], ["d"]), node("Sub", ["d", "b"], ["e"])]
    assert spread(nodes, {"e": (4,)}, {"c"}) == {"a": (4,), "b": (4,), "d": (4,), "e": (4,)}
    assert spread(nodes, {"e": (4,)}, set()) == {"e": (4,)}


def test_whole_numbers_are_divided_by_no_zero_while_exporting(tmp_path: Path) -> None:
    made = _model([node("Cast", ["x"], ["w"], to=INT), node("Div", ["w", "by"], ["y"])], {"by": [2]}, [3, 2, 2], INT)
    onnx.save(made, tmp_path / "source.onnx")
    target = tmp_path / "target.pt2"
    convert(ConvertRequest(ModelRequest(str(tmp_path / "source.onnx")), str(target)).to_json())
    x, by = np.full((3, 2, 2), 7, np.float32), np.array([2, -2])
    found = torch.export.load(target).module()(torch.from_numpy(x), torch.from_numpy(by))[0].numpy()
    assert np.array_equal(found, run(made, {"x": x, "by": by})[0])


@pytest.mark.parametrize("axes", [None, [0, 2], [-1, -3]])
def test_a_length_that_is_cut_out_is_the_shape_that_is_declared(axes: list[int] | None) -> None:
    """A CenterCropPad written out: what it pads depends on its input, and only the Slice behind that has a declared shape."""
    whole = node("CenterCropPad", ["x", "shape"], ["y"], **({} if axes is None else {"axes": axes}))
    wanted, shape = ([2, 3, 4], [2, 3, 4]) if axes is None else ([5, 1], [5, 2, 1] if axes[0] == 0 else [1, 2, 5])
    made = _model([whole], {"shape": [len(wanted)]}, shape)
    made = onnx.inliner.inline_selected_functions(made, [("", "CenterCropPad")], inline_schema_functions=True)
    assert "CenterCropPad" not in {one.op_type for one in made.graph.node}
    told = _check(made, [{"shape": wanted}])
    assert told == {"input shape": f"it is {wanted}, since y has the shape {shape}"}
