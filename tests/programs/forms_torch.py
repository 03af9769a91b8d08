"""A small model in every form of PyTorch and ONNX: `forms_torch.py FOLDER`."""

import importlib
import sys
from pathlib import Path

import onnx
import torch

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
(folder / "factory.py").write_text(
    "import torch\n\n\ndef build():\n"
    "    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 5))\n"
)

torch.manual_seed(3)
net = importlib.import_module("factory").build().eval()
example = torch.randn(2, 3, 8, 8)
torch.jit.trace(net, example).save(str(folder / "script.pt"))
torch.export.save(torch.export.export(net, (example,)), str(folder / "program.pt2"))
torch.onnx.export(
    net, (example,), str(folder / "model.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}}
)
onnx.save(
    onnx.load(folder / "model.onnx"),
    folder / "external.onnx",
    save_as_external_data=True,
    size_threshold=0,
    location="external.bin",
)
torch.save(net.state_dict(), folder / "weights.pth")
torch.save(net, folder / "pickled.pt")


class Tokens(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = torch.nn.Embedding(50, 8), torch.nn.Linear(8, 4)

    def forward(self, ids):
        return self.head(self.table(ids).mean(1))


class Two(torch.nn.Module):
    def forward(self, a, b):
        return a * 2 + b, torch.tanh(b)


torch.jit.trace(Tokens().eval(), torch.randint(0, 50, (2, 6))).save(str(folder / "tokens.pt"))
torch.export.save(torch.export.export(Two(), (torch.randn(2, 3), torch.randn(2, 3))), str(folder / "two.pt2"))
dropout = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.5))
torch.jit.script(dropout).save(str(folder / "dropout.pt"))
