"""Build scripts of PyTorch users, each once with the library itself and once with its drop-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters._shared.torch_files import declare_torchvision_operators

declare_torchvision_operators()
import onnx  # noqa: E402
import onnx2torch as the_real_onnx2torch  # noqa: E402
import torch  # noqa: E402

from safeconvert.compat import checking, onnx2torch, torch_onnx  # noqa: E402
from tests.compat.facts import HERE, gap, interface, refusal, run_onnx, state, verdict  # noqa: E402

torch.manual_seed(3)
NET = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 5)).eval()
X = torch.randn(2, 3, 8, 8)
AXES = {"picture": {0: "n"}, "scores": {0: "n"}}


def script() -> dict[str, Any]:
    """torch.onnx.export(dynamo=False) to a file."""
    asked: dict[str, Any] = {
        "input_names": ["picture"],
        "output_names": ["scores"],
        "dynamic_axes": AXES,
        "opset_version": 16,
    }
    torch.onnx.export(NET, (X,), "theirs.onnx", dynamo=False, **asked)
    with checking(samples=12) as checked:
        returned = torch_onnx.export(NET, (X,), "ours.onnx", dynamo=False, **asked)
    return {
        "returned": returned,
        "same interface": interface(onnx.load("ours.onnx")) == interface(onnx.load("theirs.onnx")),
        "gap": gap(run_onnx("ours.onnx", X.numpy())[0], NET(X).detach()),
        "certificate beside it": Path("ours.onnx.certificate.json").exists(),
        "training": NET.training,
        **verdict(checked.last),
    }


def dynamo() -> dict[str, Any]:
    """torch.onnx.export with its defaults: an ONNXProgram, and no file."""
    with checking(samples=12) as checked:
        ours = torch_onnx.export(NET, (X,), dynamic_shapes=({0: torch.export.Dim("n")},), input_names=["picture"])
    theirs = torch.onnx.export(NET, (X,), dynamic_shapes=({0: torch.export.Dim("n")},), input_names=["picture"])
    assert theirs is not None
    return {
        "same type": type(ours) is type(theirs),
        "same interface": interface(ours.model_proto) == interface(theirs.model_proto),
        "gap": gap(ours(X)[0], NET(X).detach()),
        **verdict(checked.last),
    }


def to_torch() -> dict[str, Any]:
    """onnx2torch.convert of a file."""
    theirs = the_real_onnx2torch.convert("ours.onnx", save_input_names=True).eval()
    with checking(samples=12) as checked:
        ours = onnx2torch.convert("ours.onnx", save_input_names=True)
    return {
        "type": isinstance(ours, torch.fx.GraphModule),
        "same interface": [node.name for node in ours.graph.nodes] == [node.name for node in theirs.graph.nodes],
        "inputs": [node.name for node in ours.graph.nodes if node.op == "placeholder"],
        "trainable": all(parameter.requires_grad for parameter in ours.parameters()),
        "gap": gap(ours(X).detach(), NET(X).detach()),
        **verdict(checked.last),
    }


def to_torch_by_a_wrong_converter() -> dict[str, Any]:
    """What comes back is the module repaired."""
    with checking(config=HERE / "wrong.toml") as checked:
        ours = onnx2torch.convert(onnx.load("ours.onnx"))
    return {
        "type": isinstance(ours, torch.fx.GraphModule),
        "gap": gap(ours(X).detach(), NET(X).detach()),
        **verdict(checked.last),
    }


def script_unrepaired() -> dict[str, Any]:
    """A wrong file is not left behind."""
    found = refusal(lambda: torch_onnx.export(NET, (X,), "wrong.onnx", dynamo=False))
    return {**found, "left": Path("wrong.onnx").exists(), "kept": Path("wrong.onnx.rejected").exists()}


if __name__ == "__main__":
    state(script, dynamo, to_torch, to_torch_by_a_wrong_converter, script_unrepaired)
