"""Exports a TorchScript net that flattens its images, by the dynamo exporter, and runs it on three: `free_batch.py FOLDER`."""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter

folder, adapters = Path(sys.argv[1]), Path(data_folder("adapters"))
net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(1), nn.Linear(32, 3)).eval()
torch.jit.trace(net, torch.zeros(1, 1, 6, 6)).save(str(folder / "net.pt"))
request = ModelRequest(str(folder / "net.pt"), {"": (0, 1, 6, 6)})
signature = load_adapter(str(adapters / "torch")).load(request.to_json()).signature()
step = ConvertRequest(request, str(folder / "net.onnx"), signature)
load_adapter(str(adapters / "torch_onnx_dynamo")).convert(step.to_json())
session = onnxruntime.InferenceSession(str(folder / "net.onnx"), providers=["CPUExecutionProvider"])
x = np.random.default_rng(0).normal(size=(3, 1, 6, 6)).astype(np.float32)
(got,) = session.run(None, {session.get_inputs()[0].name: x})
print("apart", float(np.abs(got - net(torch.from_numpy(x)).detach().numpy()).max()))
