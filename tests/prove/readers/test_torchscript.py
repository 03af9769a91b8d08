"""Operators of TorchScript archives, traced and scripted: the graph that is read gives what PyTorch gives, and what is otherwise is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torchscript.reader import read_torchscript
from safeconvert.prove.readers.writer import Input
from tests.prove.readers.test_torch import CASES, IMAGE, ROW, Function

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional

ELSEWHERE = {
    "bytes", "ones", "zeros", "short", "amax of integers"
}  # fmt: skip
"""Cases of the table that TorchScript says in operators that it does not hold."""


def traced(module: Any, x: Any) -> bytes:
    held = io.BytesIO()
    torch.jit.save(torch.jit.trace(module.eval(), x), held)
    return held.getvalue()


def scripted(module: Any) -> bytes:
    held = io.BytesIO()
    torch.jit.save(torch.jit.script(module), held)
    return held.getvalue()


def read(content: bytes, *shapes: tuple[int | None, ...], name: str = "") -> onnx.ModelProto:
    names = [name] if name else argument_names(content)
    given = [Input(one, onnx.TensorProto.FLOAT, shape) for one, shape in zip(names, shapes, strict=True)]
    return read_torchscript(content, given)


def argument_names(content: bytes) -> list[str]:
    module = torch.jit.load(io.BytesIO(content))
    return [one.name for one in module.forward.schema.arguments[1:]]


def run(model: onnx.ModelProto, *arrays: Any) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {one.name: np.asarray(array) for one, array in zip(session.get_inputs(), arrays, strict=True)}
    return np.asarray(session.run(None, feeds)[0])


def close(found: np.ndarray, wanted: Any) -> None:
    assert found.shape == tuple(wanted.shape)
    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ELSEWHERE])
def test_what_was_traced_gives_what_torch_gives(name: str) -> None:
    shape, module = CASES[name]
    torch.manual_seed(0)
    x = torch.randn(shape) * 2
    with torch.no_grad():
        close(run(read(traced(module, x), shape), x), module.eval()(x))


class Net(nn.Module):
    """Modules within modules, a branch, a loop, writing in place, dropout, and sizes that are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1) for _ in range(2)])
        self.norm = nn.BatchNorm2d(4)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 1.5)
        self.drop = nn.Dropout(0.5)
        self.residual = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            made = F.relu(layer(x), inplace=True)
            x = made + x if self.residual else made
        x = self.drop(self.norm(x))
        return x.view(x.size(0), x.size(1) * 2, -1)


def test_a_net_with_a_free_batch_scripted_and_traced() -> None:
    torch.manual_seed(0)
    net, x = Net().eval(), torch.randn(IMAGE)
    for content in (scripted(net), traced(net, x)):
        model = read(content, (None, *IMAGE[1:]))
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
        for batch in (1, 5):
            given = torch.randn(batch, *IMAGE[1:])
            with torch.no_grad():
                close(run(model, given), net(given))


def test_modules_are_in_inference_mode_and_flags_that_were_traced_are_as_they_are() -> None:
    torch.manual_seed(0)
    net, x = Net(), torch.randn(IMAGE)
    with torch.no_grad():
        wanted = net.eval()(x)
    close(run(read(scripted(net.train()), IMAGE), x), wanted)  # it is run in inference mode
    held = io.BytesIO()
    torch.jit.save(torch.jit.trace(net.train(), x, check_trace=False), held)
    with pytest.raises(Refused, match="writes into what is given"):
        read(held.getvalue(), IMAGE)


def test_dropout_that_was_traced_in_training_is_refused() -> None:
    net, x = nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.5)).train(), torch.randn(ROW)
    held = io.BytesIO()
    torch.jit.save(torch.jit.trace(net, x, check_trace=False), held)
    with pytest.raises(Refused, match="in training"):
        read(held.getvalue(), ROW)


def test_several_inputs_and_outputs_and_a_mask_that_is_written_into() -> None:
    class Masked(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            mask = x.new_zeros((8, 7))
            mask[:3, 2:] = 1.0
            mask[5] = 2.0
            return x * mask, {"sum": torch.add(x, y, alpha=2)}

    x, y = torch.randn(IMAGE), torch.randn(IMAGE)
    held = io.BytesIO()
    torch.jit.save(torch.jit.trace(Masked(), (x, y), strict=False), held)
    model = read(held.getvalue(), IMAGE, IMAGE)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"x": x.numpy(), "y": y.numpy()})
    product, total = Masked()(x, y)
    close(found[0], product)
    close(found[1], total["sum"])


def read_after_a_write(x: Any) -> Any:
    y = x.tanh()
    y.add_(1.0)
    return y * 2


def a_view_after_a_write(x: Any) -> Any:
    y = x.tanh()
    z = y.view(-1)
    y.add_(1.0)
    return z + 1


def test_what_is_written_into_is_read_as_it_is_then() -> None:
    x = torch.randn(ROW)
    close(run(read(traced(Function(read_after_a_write), x), ROW), x), read_after_a_write(x))


class Branch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if bool(x.sum() > 0) else -x


class Counted(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.size(0) > 2 else -x


class Changing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return x * self.count


@pytest.mark.parametrize(("content", "named"), [
    (lambda: traced(Function(a_view_after_a_write), torch.randn(ROW)), "writes into numbers that are read elsewhere"),
    (lambda: traced(Function(lambda x: x.add_(1.0)), torch.randn(ROW)), "writes into what is given"),
    (lambda: traced(Function(lambda x: x.logcumsumexp(1)), torch.randn(ROW)), "logcumsumexp"),
    (lambda: traced(Function(lambda x: F.softplus(x, beta=2)), torch.randn(ROW)), "beta"),
    (lambda: traced(Function(lambda x: x.to(torch.float64).tanh()), torch.randn(ROW)), "float32"),
    (lambda: traced(Function(lambda x: torch.div(x, 2, rounding_mode="floor")), torch.randn(ROW)), "div"),
    (lambda: scripted(Branch()), "aten.bool"), (lambda: scripted(Counted()), "of a size that is free"),
    (lambda: scripted(Changing()), "changes its attributes"),
])  # fmt: skip
def test_what_is_not_known_is_refused_by_name(content: Callable[[], bytes], named: str) -> None:
    with pytest.raises(Refused, match=named):
        read(content(), (None, *ROW[1:]))


def test_sizes_must_be_given_and_fit() -> None:
    content = traced(nn.Linear(6, 3), torch.randn(ROW))
    for given in ((), [Input("input", 1, (None, 5))], [Input("other", 1, ROW)]):
        with pytest.raises(Refused):
            read_torchscript(content, given)


def test_damaged_files_are_refused() -> None:
    content = traced(nn.Linear(6, 3), torch.randn(ROW))
    for damaged in (b"", b"PK", content[: len(content) // 2], content[:-40]):
        with pytest.raises(Refused):
            read_torchscript(damaged, [Input("input", 1, ROW)])


def changed(content: bytes, ending: str, change: Callable[[bytes], bytes]) -> bytes:
    """An archive with the entries of an ending changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as held, zipfile.ZipFile(made, "w") as written:
        for name in held.namelist():
            entry = held.read(name)
            written.writestr(name, change(entry) if name.endswith(ending) else entry)
    return made.getvalue()


def test_objects_of_other_classes_are_not_made() -> None:
    content = traced(nn.Linear(6, 3), torch.randn(ROW))
    for call in (b"cos\nsystem\n(X\x04\x00\x00\x00truetR.", b"cbuiltins\neval\n(X\x01\x00\x00\x001tR."):
        with pytest.raises(Refused, match="an object"):
            read_torchscript(changed(content, "data.pkl", lambda _, call=call: call), [Input("input", 1, ROW)])


def test_code_that_does_not_end_is_refused() -> None:
    loop = b"  def forward(self, input: Tensor) -> Tensor:\n    while True:\n      pass\n    return input\n"
    content = traced(nn.Linear(6, 3), torch.randn(ROW))
    with pytest.raises(Refused, match="does not end"):
        read_torchscript(
            changed(content, ".py", lambda code: code[: code.index(b"  def forward")] + loop), [Input("input", 1, ROW)]
        )
