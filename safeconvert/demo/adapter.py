"""Train a small CNN on scikit-learn's handwritten digits. Runs in a worker: the only module here that needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

_EPOCHS = 12
_BATCH = 64
_HELD_OUT = 360


def train(folder: str, seed: int) -> dict[str, Any]:
    """Write `digits.pt` (TorchScript) and `digits.npy` (held-out images, N×1×8×8, 0 to 1) into a folder.

    The data set is the test part of UCI's Optical Recognition of Handwritten Digits, 1797 images that ship with
    scikit-learn.

    Returns:
        Sizes of both parts and the share of the held-out digits that the model reads correctly.
    """
    import torch
    from sklearn.datasets import load_digits
    from torch import nn

    torch.manual_seed(seed)
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, None]
    labels = torch.from_numpy(digits.target.astype(np.int64))
    order = np.random.default_rng(seed).permutation(len(images))
    train_part, test_part = order[_HELD_OUT:], order[:_HELD_OUT]
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, stride=2), nn.BatchNorm2d(32), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    data = torch.from_numpy(images)
    for _ in range(_EPOCHS):
        for batch in torch.from_numpy(np.random.default_rng(seed).permutation(train_part)).split(_BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(data[batch]), labels[batch]).backward()
            optimizer.step()
    model.eval()
    with torch.inference_mode():
        predicted = model(data[test_part]).argmax(dim=1)
    accuracy = float((predicted == labels[test_part]).float().mean())
    torch.jit.script(model).save(str(Path(folder) / "digits.pt"))
    np.save(Path(folder) / "digits.npy", images[test_part])
    return {"trained_on": len(train_part), "held_out": len(test_part), "accuracy": accuracy}
