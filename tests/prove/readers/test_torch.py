"""Operators that the ExportedProgram reader knows: its graph gives what PyTorch gives, and what is otherwise is refused by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.reader import read_torch

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
IMAGE, SIGNAL, VOLUME, ROW, STEPS = (3, 4, 8, 7), (3, 4, 9), (3, 2, 5, 6, 4), (3, 6), (3, 5, 4)


class Function(nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *x: Any) -> Any:
        return self.function(*x)


def norm(channels: int) -> Any:
    made = nn.BatchNorm2d(channels, eps=1e-2)
    made.running_mean.normal_()
    made.running_var.uniform_(0.5, 1.5)
    return made


class Recurrent(nn.Module):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Any) -> Any:
        return self.layer(x)[0]


CASES: dict[str, tuple[tuple[int, ...], Any]] = {
    "conv1d": (SIGNAL, nn.Conv1d(4, 3, 3, stride=2, padding=1)),
    "conv2d": (IMAGE, nn.Conv2d(4, 6, (3, 2), padding=(1, 0), groups=2, dilation=(2, 1))),
    "conv2d same": (IMAGE, nn.Conv2d(4, 6, 4, padding="same", bias=False)),
    "conv3d": (VOLUME, nn.Conv3d(2, 3, 2)),
    "conv transpose": (IMAGE, nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1)),
    "batch norm": (IMAGE, norm(4)),
    "in place": (IMAGE, nn.Sequential(nn.Conv2d(4, 4, 3), norm(4), nn.ReLU(inplace=True), nn.Dropout())),
    "layer norm": (STEPS, nn.LayerNorm((5, 4))),
    "max pool": (IMAGE, nn.MaxPool2d(3, stride=2, padding=1)),
    "average pool": (IMAGE, nn.AvgPool2d(3, stride=2, padding=1)),
    "average pool uncounted": (IMAGE, nn.AvgPool2d(2, count_include_pad=False)),
    "average pool, as many windows as begin": (IMAGE, nn.AvgPool2d((3, 2), stride=(3, 2), ceil_mode=True)),
    "average pool, as many windows as begin, uncounted": (IMAGE, nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)),
    "adaptive": (IMAGE, nn.AdaptiveAvgPool2d(1)),
    "adaptive windows": (IMAGE, nn.AdaptiveAvgPool2d((4, 7))),
    "nearest": (IMAGE, nn.Upsample(scale_factor=2)),
    "bilinear": (IMAGE, nn.Upsample(size=(5, 9), mode="bilinear")),
    "bilinear corners": (IMAGE, nn.Upsample(size=(5, 9), mode="bilinear", align_corners=True)),
    "linear": (STEPS, nn.Linear(4, 3)),
    "attention": (STEPS, Function(lambda x: F.scaled_dot_product_attention(x, x.tanh(), x.relu()))),
    "lstm": (STEPS, Recurrent(nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True))),
    "gru": (STEPS, Recurrent(nn.GRU(4, 3))),
    "embedding": (STEPS, nn.Sequential(Function(lambda x: (x > 0.1).to(torch.int64)), nn.Embedding(7, 3))),
    **{name: (ROW, Function(function)) for name, function in {
        "relu": F.relu, "relu6": F.relu6, "hardtanh": F.hardtanh, "clamp": lambda x: x.clamp(-0.5), "sigmoid": torch.sigmoid, "gelu": F.gelu,
        "gelu tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid,
        "leaky": lambda x: F.leaky_relu(x, 0.3), "elu": lambda x: F.elu(x, 0.7), "softplus": F.softplus, "mish": F.mish,
        "softmax": lambda x: x.softmax(0), "log softmax": lambda x: x.log_softmax(1), "pow": lambda x: x**3, "rsqrt": lambda x: (x * x + 1).rsqrt(),
        "add alpha": lambda x: torch.add(x, x.tanh(), alpha=0.3), "sub": lambda x: x - 0.5, "div": lambda x: x / x.exp(),
        "maximum": lambda x: torch.maximum(x, x.sin()), "minimum": lambda x: torch.minimum(x, x.cos()), "abs": torch.abs, "sign": torch.sign,
        "where": lambda x: torch.where(x > 0.1, x, x.exp()), "mean": lambda x: x.mean(1, keepdim=True), "sum": lambda x: x.sum((0, 1)),
        "amax": lambda x: x.amax(1), "t": lambda x: x.t(), "floor": torch.floor, "ceil": torch.ceil, "erf": torch.erf,
        "mean of all": lambda x: x.mean(), "rsub": lambda x: torch.rsub(x, 1.5, alpha=2), "ne": lambda x: torch.where(x.sign() != 1, x, 2 * x),
        "pow of tensors": lambda x: (x * x + 0.1) ** x, "max": lambda x: x.max(1, keepdim=True)[0], "min": lambda x: x.min(0)[0],
        "xor": lambda x: torch.where(torch.logical_xor(x > 0, x < 1), x, 2 * x), "bitwise": lambda x: torch.where(torch.bitwise_not(torch.bitwise_and(x > 0, x < 1)), x, 2 * x),
        "ones": lambda x: x + torch.ones(6) + torch.ones_like(x), "zeros": lambda x: x * torch.zeros_like(x), "atan": torch.atan, "sinh": torch.sinh,
        "index select": lambda x: x.index_select(1, torch.tensor([4, 0, 0])), "index": lambda x: x[:, torch.tensor([-1, 2])],
        "bytes": lambda x: torch.maximum(x.to(torch.uint8), torch.ones(6, dtype=torch.uint8)).to(torch.float32), "round": torch.round,
        "short": lambda x: (x.to(torch.int16) + x.to(torch.int16)).to(torch.float32), "amax of integers": lambda x: x.to(torch.int32).amax(1),
    }.items()},
    **{name: (IMAGE, Function(function)) for name, function in {
        "flatten": lambda x: x.flatten(1, 2), "view": lambda x: x.view(x.shape[0], 2, -1), "reshape": lambda x: x.reshape(-1, 7),
        "permute": lambda x: x.permute(0, 2, -1, 1), "transpose": lambda x: x.transpose(1, -1), "unsqueeze": lambda x: x.unsqueeze(-1),
        "squeeze": lambda x: x[:, :1].squeeze(1), "cat": lambda x: torch.cat([x, x.tanh()], 2), "stack": lambda x: torch.stack([x, x.exp()], 1),
        "split": lambda x: x.split(3, 3)[2], "chunk": lambda x: x.chunk(2, 1)[1], "slice": lambda x: x[:, 1:4:2, -3:], "select": lambda x: x[:, -1, 2],
        "pad": lambda x: F.pad(x, (1, 2, 0, 3), value=0.5), "reflect": lambda x: F.pad(x, (1, 2, 0, 3), mode="reflect"),
        "flip": lambda x: x.flip(1, -1), "unbind": lambda x: x.unbind(1)[2], "argmax": lambda x: x.argmax(2), "argmin": lambda x: x.argmin(1, keepdim=True),
        "logical": lambda x: torch.where(torch.logical_or(torch.logical_not(x > 0), torch.logical_and(x > 1, x < 2)), x, 2 * x),
        "broadcast": lambda x: torch.broadcast_to(x[:, :1], (x.shape[0], 3, 8, 7)),
        "matmul": lambda x: x @ x.transpose(2, 3), "T": lambda x: x[:, 0].T, "expand": lambda x: x[:, :1].expand(x.shape[0], 3, 8, 7),
    }.items()},
    "group norm": (IMAGE, nn.GroupNorm(2, 4)),
    "weight norm": (SIGNAL, nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 3, 2))),
    **{f"attention {name}": (STEPS, Function(function)) for name, function in {
        "causal": lambda x: F.scaled_dot_product_attention(x, x.tanh(), x.relu(), is_causal=True, scale=0.3),
        "under truths": lambda x: F.scaled_dot_product_attention(x, x.tanh(), x, attn_mask=x @ x.transpose(1, 2) > 2),
        "under numbers": lambda x: F.scaled_dot_product_attention(x, x.tanh(), x, attn_mask=(x @ x.transpose(1, 2)).cos()),
        "of grouped heads": lambda x: F.scaled_dot_product_attention(
            x[:, None].expand(-1, 4, -1, -1), x[:, None].expand(-1, 2, -1, -1).tanh(), torch.stack([x, x.relu()], 1), enable_gqa=True),
    }.items()},
    **{name: (STEPS, Function(function)) for name, function in {
        "arange": lambda x: x + torch.arange(4), "arange from": lambda x: x + torch.arange(5, 1, -1, dtype=torch.int32),
        "arange of a size": lambda x: x * torch.arange(x.shape[1])[:, None], "full": lambda x: x + torch.full((5, 1), 1.5),
        "full like": lambda x: torch.maximum(x, torch.full_like(x, 0.3)), "new": lambda x: x * x.new_ones(4) + x.new_full((5, 4), 2) + x.new_zeros(1),
        "where a number": lambda x: torch.where(x > 0, x, 0.5), "where from a number": lambda x: torch.where(x > 0, -1.5, x),
        "where numbers": lambda x: torch.where(x > 0, -1.5, 2.5), "and": lambda x: torch.where((x > 0) & (x < 1) | (x > 2) ^ (x > 3), x, -x),
        "cumsum": lambda x: x.cumsum(1), "cumsum of truths": lambda x: (x > 0).cumsum(-1), "diff": lambda x: x.diff(dim=1),
        "diff joined": lambda x: torch.diff(x, prepend=x[:, :, :1] - 1, append=x[:, :, :2]), "gather": lambda x: x.gather(1, (x > 0).to(torch.int64)[:, :2]),
        "repeat": lambda x: x.repeat(2, 1, 3, 1), "expand as": lambda x: x[:, :, :1].expand_as(x), "type as": lambda x: (x > 0).type_as(x),
        "norm": lambda x: torch.linalg.vector_norm(x, dim=-1, keepdim=True), "baddbmm": lambda x: torch.baddbmm(x, x @ x.transpose(1, 2), x, beta=0.5, alpha=2),
        "max of two": lambda x: torch.max(x, x.cos()), "min of two": lambda x: torch.min(x, x.cos()), "mixed": lambda x: x * (x > 0) + torch.arange(4),
        "division of integers": lambda x: torch.arange(4) / torch.arange(1, 5) + x, "clamp of integers": lambda x: (3 * x).to(torch.int64).clamp(-1, 2),
        "abs of integers": lambda x: (3 * x).to(torch.int32).abs(), "argmax of integers": lambda x: (x * 9).to(torch.int32).argmax(-1),
        "points": lambda x: x[torch.arange(3)[:, None], torch.tensor([[0, -1]])], "points behind": lambda x: x[:, torch.tensor([1, 2, 0]), torch.tensor([0, -1, 3])],
        "slice of a size": lambda x: x[:, x.shape[0] - 3 : x.shape[1] - 1], "softmax in float32": lambda x: x.softmax(-1, dtype=torch.float32),
        "cat with nothing": lambda x: torch.cat([torch.zeros(0), x], 1),
    }.items()},
}  # fmt: skip


def program(module: Any, *inputs: Any, decomposed: bool = False) -> bytes:
    made = torch.export.export(module.eval(), inputs)
    held = io.BytesIO()
    torch.export.save(made.run_decompositions() if decomposed else made, held)
    return held.getvalue()


def run(content: bytes, x: Any) -> np.ndarray:
    session = onnxruntime.InferenceSession(read_torch(content).SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


@pytest.mark.parametrize("name", list(CASES))
def test_the_graph_gives_what_torch_gives(name: str) -> None:
    shape, module = CASES[name]
    torch.manual_seed(0)
    x = torch.randn(shape) * 2
    with torch.no_grad():
        wanted = module.eval()(x).numpy()
    found = run(program(module, x), x)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_core_aten_operators_of_a_net(name: str = "net") -> None:
    net = nn.Sequential(
        nn.Conv2d(4, 5, 3), norm(5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3), nn.Softmax(1)
    )
    x = torch.randn(IMAGE)
    with torch.no_grad():
        np.testing.assert_allclose(
            run(program(net, x, decomposed=True), x), net.eval()(x).numpy(), rtol=1e-4, atol=1e-5
        )


def test_a_free_batch_stays_free() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 3))
    made = torch.export.export(net.eval(), (torch.randn(2, 6),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    held = io.BytesIO()
    torch.export.save(made, held)
    assert read_torch(held.getvalue()).graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def write_into_its_input(x: Any) -> Any:
    y = x.tanh()
    z = y.view(-1)
    y.add_(1.0)
    return z + y.view(-1)


@pytest.mark.parametrize(("function", "named"), [
    (lambda x: x.logcumsumexp(1), "logcumsumexp"), (lambda x: x.diff(n=2), "n is 2"), (lambda x: x[x[:, 0] > 0], "truths"),
    (lambda x: torch.arange(0.5, 6.5) + x, "start is"), (lambda x: x[None, None][torch.tensor([0]), :, torch.tensor([1])], "between"), (lambda x: x.to(torch.float64).tanh(), "float32"), (lambda x: F.softplus(x, beta=2), "beta"),
    (lambda x: F.avg_pool2d(x[None, None], (1, 3), 2, (0, 1), ceil_mode=True), "ceil_mode"),
    (write_into_its_input, "writes into"), (lambda x: torch.div(x, 2, rounding_mode="floor"), "div"),
])  # fmt: skip
def test_what_is_not_known_is_refused_by_name(function: Any, named: str) -> None:
    with pytest.raises(Refused, match=named):
        read_torch(program(Function(function), torch.randn(ROW)))


def test_damaged_files_are_refused() -> None:
    content = program(nn.Linear(6, 3), torch.randn(ROW))
    for damaged in (b"", b"PK", content[: len(content) // 2], content[:-40]):
        with pytest.raises(Refused):
            read_torch(damaged)
