"""How long large nets take to be read and proven: torchvision's ResNet101, ViT-B/16, Swin-T and InceptionV3, traced, beside what PyTorch's exporter makes of them.

    python bench/proof_large.py [NET ...]

Weights are seeded. The exporter folds BatchNormalization into convolutions, and spells attention and GELU out. Times are processor seconds of the reader and
of the prover, the checker's own pass among them, in one process.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from typing import Any

import declare_torchvision  # noqa: F401
import onnx
import torch
import torchvision
from common import ROOT, table

sys.path.insert(0, str(ROOT))

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.core.signature import TensorSpec
from safeconvert.prove.prover import prove
from safeconvert.prove.readers.torchscript.reader import read_torchscript
from safeconvert.prove.readers.writer import Input

NETS = ("resnet101", "vit_b_16", "swin_t", "inception_v3")
HEAD = ("net", "nodes of the source", "of the target", "found", "steps", "constants apart", "s reading", "s proving")


def rows(names: Sequence[str]) -> list[tuple[object, ...]]:
    """A row for each net."""
    return [_row(name) for name in names]


def _row(name: str) -> tuple[object, ...]:
    traced, exported = _made(name)
    began = time.process_time()
    source = read_torchscript(traced, [Input("x", onnx.TensorProto.FLOAT, (None, 3, 224, 224))])
    read = time.process_time()
    target = onnx.load_from_string(exported)
    pairs = [
        (TensorContract(TensorSpec(one.name, (), ""), TensorSpec(two.name, (), ""), None, "the same"),)
        for one, two in (
            (source.graph.input[0], target.graph.input[0]),
            (source.graph.output[0], target.graph.output[0]),
        )
    ]
    found = prove(source, target, Contract(pairs[0], pairs[1], ()))
    proven = time.process_time()
    return (
        name, len(source.graph.node), len(target.graph.node), "proven" if found.proven else f"not proven: {found.reason}",
        len(found.document.get("steps", ())), f"{found.apart:.2e}", f"{read - began:.1f}", f"{proven - read:.1f}",
    )  # fmt: skip


def _made(name: str) -> tuple[bytes, bytes]:
    """A net as TorchScript and as ONNX."""
    torch.manual_seed(0)
    model: Any = getattr(torchvision.models, name)(weights=None).eval()
    with torch.no_grad():
        for key, value in [*model.named_buffers(), *model.named_parameters()]:
            if "running_mean" in key or key.endswith("bias"):
                value.normal_(0, 0.1)
            elif "running_var" in key or key.startswith("heads"):
                value.uniform_(0.5, 1.5)
    x = torch.randn(1, 3, 224, 224)
    held, made = io.BytesIO(), io.BytesIO()
    with torch.no_grad():
        traced = torch.jit.trace(model, x, check_trace=False)  # a second trace numbers its modules otherwise
    torch.jit.save(traced, held)
    torch.backends.mha.set_fastpath_enabled(False)  # its exporter knows no fused attention
    try:
        torch.onnx.export(
            model, (x,), made, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}}, opset_version=17
        )
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return held.getvalue(), made.getvalue()


if __name__ == "__main__":
    print(table(HEAD, rows(sys.argv[1:] or NETS)))
