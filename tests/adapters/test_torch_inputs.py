"""How torch files are called: keywords and nests of an ExportedProgram, sizes and types that TorchScript does not declare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput
from tests.command import ROOT
from tests.program import DYNAMO, run_program

torch = pytest.importorskip("torch")
sys.path.insert(0, str(ROOT))

from adapters.torch.adapter import load  # noqa: E402 - adapters are no package of the project's


def opened(path: Path, **request: Any) -> Any:
    """A torch file as the adapter opens it."""
    return load(ModelRequest(str(path), **request).to_json())


class Nested(torch.nn.Module):
    """Takes a tensor, a dictionary and a keyword that may be left out; gives a nested answer."""

    def forward(self, x: Any, states: Any, scale: Any = None, *, bias: Any) -> Any:
        shifted = x + bias + (0 if scale is None else scale)
        return {"sum": shifted + states["a"][0], "rest": (states["a"][1], states["b"] * 2)}


def test_keywords_and_nests_are_fed_by_name(tmp_path: Path) -> None:
    x, a, b, c, bias = (torch.randn(2, 3) for _ in range(5))
    program = torch.export.export(Nested(), (x, {"a": (a, b), "b": c}), {"bias": bias})
    torch.export.save(program, tmp_path / "m.pt2")
    model = opened(tmp_path / "m.pt2")
    names = [spec.name for spec in model.signature().inputs]
    assert names == ["x", "states_a_0", "states_a_1", "states_b", "bias"]
    assert [spec.name for spec in model.signature().outputs] == ["sum", "rest_0", "rest_1"]
    found = model.predict(dict(zip(names, (t.numpy() for t in (x, a, b, c, bias)), strict=True)))
    np.testing.assert_allclose(found["sum"], (x + bias + a).numpy())
    np.testing.assert_allclose(found["rest_1"], (c * 2).numpy())


class Image(torch.nn.Module):
    """A convolution over an image of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Any) -> Any:
        return self.conv(x)


def test_free_sizes_are_those_that_it_was_exported_with(tmp_path: Path) -> None:
    free = {0: torch.export.Dim("n"), 2: torch.export.Dim("h", min=4), 3: torch.export.Dim("w", min=4)}
    torch.export.save(
        torch.export.export(Image(), (torch.randn(2, 3, 6, 9),), dynamic_shapes=(free,)), tmp_path / "m.pt2"
    )
    (spec,) = opened(tmp_path / "m.pt2").signature().inputs
    assert spec.shape == (None, 3, 6, 9) and spec.open == (2, 3)
    (spec,) = opened(tmp_path / "m.pt2", input_shapes={"": (1, 3, 8, 5)}).signature().inputs
    assert spec.shape == (None, 3, 8, 5)


def test_a_batch_that_starts_at_two_is_fixed(tmp_path: Path) -> None:
    free = {0: torch.export.Dim("n", min=2, max=64)}
    torch.export.save(
        torch.export.export(Image(), (torch.randn(3, 3, 6, 6),), dynamic_shapes=(free,)), tmp_path / "m.pt2"
    )
    assert opened(tmp_path / "m.pt2").signature().inputs[0].shape == (3, 3, 6, 6)


def test_half_precision_is_read_off_the_parameters(tmp_path: Path) -> None:
    torch.jit.trace(Image().half(), torch.randn(1, 3, 8, 8).half()).save(tmp_path / "m.pt")
    (spec,) = opened(tmp_path / "m.pt", input_shapes={"": (1, 3, 8, 8)}).signature().inputs
    assert spec.dtype == "float16" and spec.open == (2, 3)


class Positions(torch.nn.Module):
    """A table of twelve positions: sequences of up to twelve vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.randn(1, 12, 5))

    def forward(self, x: Any) -> Any:
        return x + self.table[:, : x.size(1)]


def test_a_size_is_free_where_only_smaller_ones_go_through(tmp_path: Path) -> None:
    torch.jit.trace(Positions(), torch.randn(1, 8, 5)).save(tmp_path / "m.pt")
    (spec,) = opened(tmp_path / "m.pt", input_shapes={"": (1, 8, 5)}).signature().inputs
    assert spec.open == (1,)


class Lengths(torch.nn.Module):
    """A recurrent layer over packed sequences, whose lengths may not be zero."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = torch.nn.GRU(4, 5, batch_first=True)

    def forward(self, x: Any, n: Any) -> Any:
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False)
        return torch.nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=6)[0]


@pytest.mark.parametrize("names", [("x", "n"), ("p", "q")])
def test_given_arrays_are_tried_by_name_or_in_order(tmp_path: Path, names: tuple[str, str]) -> None:
    lengths = torch.tensor([6, 4, 2])
    torch.jit.trace(Lengths().eval(), (torch.randn(3, 6, 4), lengths), check_trace=False).save(tmp_path / "m.pt")
    calls = {
        names[0]: np.random.default_rng(0).normal(size=(5, 3, 6, 4)).astype("f4"),
        names[1]: np.tile(lengths.numpy(), (5, 1)),
    }
    np.savez(tmp_path / "calls.npz", **calls)
    first, second = opened(tmp_path / "m.pt", sample=str(tmp_path / "calls.npz")).signature().inputs
    assert (first.name, first.shape[1:], first.dtype) == ("x", (6, 4), "float32")
    assert (second.name, len(second.shape), second.dtype) == ("n", 1, "int64")


def test_arrays_that_do_not_fit_are_named_as_the_reason(tmp_path: Path) -> None:
    torch.jit.trace(torch.nn.Linear(4, 2), torch.randn(1, 4)).save(tmp_path / "m.pt")
    np.savez(tmp_path / "calls.npz", a=np.zeros((2, 9), "f4"), b=np.zeros((2, 9), "f4"))
    assert opened(tmp_path / "m.pt", sample=str(tmp_path / "calls.npz")).signature().inputs[0].shape == (None, 4)
    with pytest.raises(UnusableInput, match="could not be worked out with the shape given"):
        opened(tmp_path / "m.pt", input_shapes={"": (1, 9)})


def test_a_free_batch_of_torchscript_stays_free_through_the_dynamo_exporter(tmp_path: Path) -> None:
    printed = run_program(Path(__file__).parent / "programs" / "free_batch.py", tmp_path, modules=DYNAMO)
    assert float(printed.split("apart ")[1]) < 1e-5


class Detector(torch.nn.Module):
    """Scores of a row, and a table before its weights that is as long whatever it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.randn(7, 4))
        self.scores = torch.nn.Linear(6, 5)

    def forward(self, x: Any) -> Any:
        return self.scores(x), self.anchors * 1.0


def test_a_table_beside_the_outputs_neither_hides_the_features_nor_fixes_the_batch(tmp_path: Path) -> None:
    torch.jit.trace(Detector().eval(), torch.zeros(1, 6)).save(tmp_path / "m.pt")
    signature = opened(tmp_path / "m.pt").signature()
    assert [spec.shape for spec in signature.inputs] == [(None, 6)]
    assert [spec.shape for spec in signature.outputs] == [(None, 5), (7, 4)]


class Looked(torch.nn.Module):
    """Runs on numbers of either type, in either place."""

    def forward(self, first: Any, second: Any) -> Any:
        return first * 2, second.to(torch.float32) / 3


def test_types_are_those_of_the_other_model_of_a_pair(tmp_path: Path) -> None:
    torch.jit.trace(Looked(), (torch.zeros(1, 6), torch.zeros(1, 6))).save(tmp_path / "m.pt")
    other = (("second", (0, 6), "int32"), ("first", (0, 6), "float32"))
    inputs = opened(tmp_path / "m.pt", candidate_inputs=other).signature().inputs
    assert [(spec.name, spec.dtype) for spec in inputs] == [("first", "float32"), ("second", "int32")]
