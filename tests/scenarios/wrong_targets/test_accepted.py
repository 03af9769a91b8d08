"""Targets that are not the source's function, in ways that once went unseen: refused, and the right ones beside them accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

import safeconvert
from safeconvert.errors import NotEquivalent, NoVerdict, UnusableInput
from safeconvert.report.coverage import figures_line
from tests.scenarios.wrong_targets import pairs
from tests.scenarios.wrong_targets.pairs import Spoiled

pytestmark = pytest.mark.converters
MADE_UP: dict[str, Callable[[], Spoiled]] = {
    "rows of a table": pairs.table_rows,
    "the last rows of a table": lambda: pairs.table_rows(300, 280),
    "floor division": pairs.floor_division,
    "a mask that hides all": pairs.hidden_rows,
    "clipping behind a softmax": lambda: pairs.saturated("relu6"),
    "padding behind a softmax": lambda: pairs.saturated("padding"),
    "another answer in small calls": pairs.mixing,
    "a mean over samples": pairs.centred,
    "a branch": pairs.branch,
    "logits behind a softmax": pairs.behind_softmax,
    "the far side of a threshold": pairs.far_side,
    "what NaN counts as": pairs.no_numbers,
    "counts in 16 bits": pairs.narrow_counts,
    "counts as halves": lambda: pairs.narrow_counts(onnx.TensorProto.FLOAT16),
    "counts of a convolution": pairs.counts_of_a_convolution,
    "counts of a logarithm": pairs.counts_of_a_logarithm,
    "numbers beyond what float32 holds": pairs.large_numbers,
    "a mean over nothing": pairs.mean_of_nothing,
}


def check(spoiled: Spoiled, folder: Path, given: bool) -> None:
    """The wrong target is refused, the right one is not."""
    for name in ("source", "wrong", "right"):
        onnx.save(getattr(spoiled, name), folder / f"{name}.onnx")
    inputs = None
    if given:
        np.savez(folder / "inputs.npz", **spoiled.given)
        inputs = folder / "inputs.npz"
    safeconvert.verify(folder / "source.onnx", folder / "right.onnx", inputs=inputs, target_layout="keep")
    with pytest.raises(NotEquivalent):
        safeconvert.verify(folder / "source.onnx", folder / "wrong.onnx", inputs=inputs, target_layout="keep")


@pytest.mark.parametrize("name", MADE_UP)
def test_made_up_inputs_show_it(name: str, tmp_path: Path) -> None:
    check(MADE_UP[name](), tmp_path, given=False)


def test_other_numbers_where_the_proof_ends_are_said_though_no_input_shows_them(tmp_path: Path) -> None:
    """A unit that no input wakes: what is behind it is another number in the target."""
    constants = {
        "front": pairs.weights(6, 8),
        "bias": np.float32([0] * 7 + [-1e4]),
        "back": pairs.weights(8, 3, seed=1),
    }
    nodes = [pairs.node("Gemm", "x front bias", "h"), pairs.node("Relu", "h", "r"), pairs.node("MatMul", "r back", "y")]
    source = pairs.graph(nodes, {"x": ("f", ["N", 6])}, ["y"], constants)
    changed = constants["back"].copy()
    changed[7] *= -3
    onnx.save(source, tmp_path / "source.onnx")
    onnx.save(pairs.with_constant(source, "back", changed), tmp_path / "wrong.onnx")
    onnx.save(pairs.said_otherwise(source), tmp_path / "right.onnx")
    told = [
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / f"{name}.onnx", search=0).predicate["remarks"]
        for name in ("wrong", "right")
    ]
    [remark], none = told
    assert "MatMul MatMul_y of the target holds 3 of 24 numbers that are others" in remark and none == []


def test_an_attribute_that_is_another_is_said_though_no_input_shows_it(tmp_path: Path) -> None:
    for name, alpha in (("source", 1e13), ("wrong", 1e14)):
        nodes = [pairs.node("ThresholdedRelu", "x", "h", alpha=alpha), pairs.node("Add", "h x", "y")]
        onnx.save(pairs.graph(nodes, {"x": ("f", ["N", 6])}, ["y"], {}), tmp_path / f"{name}.onnx")
    made = safeconvert.verify(tmp_path / "source.onnx", tmp_path / "wrong.onnx", search=0).predicate
    [remark] = made["remarks"]
    assert remark.startswith("ThresholdedRelu ThresholdedRelu_h of the target is another: alpha is")


def test_outputs_of_tiny_values_are_compared_by_their_own_size(tmp_path: Path) -> None:
    check(pairs.tiny_outputs(), tmp_path, given=False)


def test_an_output_that_is_never_above_the_tolerance_asked_for_gives_no_verdict(tmp_path: Path) -> None:
    onnx.save(pairs.tiny_outputs().source, tmp_path / "source.onnx")
    with pytest.raises(NoVerdict) as raised:
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / "source.onnx", atol=1e-5)
    assert "nothing to compare: y is at most" in raised.value.message


def test_an_output_without_elements_gives_no_verdict(tmp_path: Path) -> None:
    empty = pairs.graph([pairs.node("Slice", "x zero zero one", "y")], {"x": ("f", ["N", 3])}, ["y"],
                        {"zero": np.array([0]), "one": np.array([1])})  # fmt: skip
    onnx.save(empty, tmp_path / "source.onnx")
    with pytest.raises(NoVerdict) as raised:
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / "source.onnx")
    assert "y has no elements" in raised.value.message


@pytest.mark.parametrize(("axis", "wrong"), [(1, True), (None, False)])
def test_a_sum_of_an_old_set_is_not_run_by_a_reference_that_knows_no_axes(
    axis: int | None, wrong: bool, tmp_path: Path
) -> None:
    """Of set 6, for which ONNX Runtime has no kernel: along axis 1 it was verified and proven to be the sum along the last axis."""
    shape = ["N", 3, 3]
    for name, opset in (("source", 6), ("target", 13)):
        attributes = {"axis": 1, "broadcast": 1} if axis and opset == 6 else {}
        inputs = ["x", "bias"] if axis else ["x", "x"]
        x, y = (onnx.helper.make_tensor_value_info(one, onnx.TensorProto.FLOAT, shape) for one in "xy")
        bias = [onnx.numpy_helper.from_array(np.float32([1, 2, 3]), "bias")]
        made = onnx.helper.make_graph([onnx.helper.make_node("Add", inputs, ["y"], **attributes)], "g", [x], [y], bias)
        imports = [onnx.helper.make_opsetid("", opset)]
        onnx.save(onnx.helper.make_model(made, opset_imports=imports, ir_version=8), tmp_path / f"{name}.onnx")
    if not wrong:
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / "target.onnx", target_layout="keep")
        return
    with pytest.raises(UnusableInput, match="otherwise than the standard's set 6"):
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / "target.onnx")


@pytest.mark.parametrize("name", MADE_UP)
def test_given_inputs_that_do_not_show_it_are_joined_by_made_up_ones(name: str, tmp_path: Path) -> None:
    check(MADE_UP[name](), tmp_path, given=True)


def test_copies_of_one_input_are_one_input(tmp_path: Path) -> None:
    spoiled = pairs.tiny_outputs()
    onnx.save(spoiled.source, tmp_path / "source.onnx")
    same = safeconvert.verify(
        tmp_path / "source.onnx", tmp_path / "source.onnx", inputs=np.repeat(spoiled.given["x"][:1], 400, axis=0)
    )
    inputs = same.predicate["inputs"]
    assert (inputs["count"], inputs["distinct"], inputs["used"]) == (400, 1, 1)
    assert "on 1 given" in same.reason and "rate" not in figures_line(same.predicate)


def test_few_inputs_alone_give_no_verdict_unless_asked_for(tmp_path: Path) -> None:
    onnx.save(pairs.tiny_outputs().source, tmp_path / "source.onnx")
    with pytest.raises(NoVerdict) as raised:
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / "source.onnx", samples=2)
    assert "--min-held-out 1" in raised.value.advice
    safeconvert.verify(tmp_path / "source.onnx", tmp_path / "source.onnx", samples=2, min_held_out=1)


def test_what_axis_0_is_stands_in_the_certificate(tmp_path: Path) -> None:
    for name, spoiled, axis_0 in (
        ("rows", pairs.tiny_outputs(), "batch: "),
        ("calls", pairs.centred(), "no batch: outputs"),
    ):
        onnx.save(spoiled.source, tmp_path / f"{name}.onnx")
        made = safeconvert.verify(tmp_path / f"{name}.onnx", tmp_path / f"{name}.onnx")
        assert made.predicate["inputs"]["axis_0"].startswith(axis_0)


def test_the_certificate_says_what_was_exercised_and_what_no_input_can(tmp_path: Path) -> None:
    """Behind a Tanh the logits are within bounds that leave the softmax saturated, whatever the inputs are."""
    bounded = pairs.graph(
        [pairs.node("Tanh", "x", "t"), pairs.node("Gemm", "t head bias", "logits"), pairs.node("Softmax", "logits", "y", axis=1)],
        {"x": ("f", ["N", 6])}, ["y"], {"head": pairs.weights(6, 3), "bias": np.float32([50, 0, 0])},
    )  # fmt: skip
    onnx.save(bounded, tmp_path / "source.onnx")
    onnx.save(pairs.said_otherwise(bounded), tmp_path / "right.onnx")
    made = safeconvert.verify(tmp_path / "source.onnx", tmp_path / "right.onnx").predicate
    assert made["coverage"]["impossible"] == 1 and made["coverage"]["missing"] == []
    assert any(re.search(r"all 3\d held-out inputs have label 0", line) for line in made["remarks"])
    assert any("compared before its Softmax too" in line for line in made["remarks"])


def test_what_saturates_on_noise_is_exercised_by_inputs_that_are_looked_for(tmp_path: Path) -> None:
    onnx.save(pairs.behind_softmax().source, tmp_path / "source.onnx")
    onnx.save(pairs.behind_softmax().right, tmp_path / "right.onnx")
    made = safeconvert.verify(tmp_path / "source.onnx", tmp_path / "right.onnx").predicate
    assert made["coverage"]["items"] == made["coverage"]["exercised"] == 2


def test_equal_structure_is_not_claimed_of_one_file(tmp_path: Path) -> None:
    onnx.save(pairs.branch().source, tmp_path / "source.onnx")
    onnx.save(pairs.branch().right, tmp_path / "right.onnx")
    found = [
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / name).predicate
        for name in ("source.onnx", "right.onnx")
    ]
    assert found[0]["structure"] == "same file" != found[1]["structure"]


def test_a_vector_that_fits_whole_is_one_call(tmp_path: Path) -> None:
    """A TorchScript mean over a vector of four: cut into its elements, a target that takes one would pass."""
    import torch

    class Mean(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(0, keepdim=True)

    torch.jit.script(Mean()).save(str(tmp_path / "mean.pt"))
    np.savez(tmp_path / "x.npz", x=np.float32([1, 2, 2, 5]))
    made = safeconvert.convert(tmp_path / "mean.pt", "onnx", inputs=tmp_path / "x.npz")
    assert made.predicate["inputs"]["axis_0"].startswith("no batch")
    assert list(made.predicate["contract"]["inputs"][0]["target"]["shape"]) in ([4], [None])
    assert made.predicate["structure"] == "same exporter"
