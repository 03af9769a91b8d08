"""Whether a TorchScript archive and an ONNX file give the same on fresh inputs: `torch_answers.py SOURCE TARGET`; prints "same" or what differs."""

import sys

import numpy as np
import onnxruntime
import torch

source, target = sys.argv[1:]
module = torch.jit.load(source, map_location="cpu").eval()
session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
(taken,) = session.get_inputs()
worst = 0.0
for draw, (scale, shift) in enumerate(((1, 0), (1, 2), (1, -2), (0.01, 0), (30, 0))):
    shape = [size if isinstance(size, int) else 3 for size in taken.shape]
    values = (np.random.default_rng(draw).normal(size=shape) * scale + shift).astype(np.float32)
    with torch.inference_mode():
        ours = torch.utils._pytree.tree_leaves(module(torch.from_numpy(values)))
    for one, other in zip(ours, session.run(None, {taken.name: values}), strict=True):
        largest = float(one.abs().max()) or 1.0
        worst = max(worst, float(np.abs(one.numpy() - other).max()) / largest)
print("same" if worst < 2e-3 else f"{worst:.3g} of the largest value apart")
