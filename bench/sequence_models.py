"""Three sequence models over token numbers: an encoder as BERT is built, an LSTM classifier, a decoder as GPT is built.

Written out here, small, seeded; saved as ExportedPrograms with a free batch.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

VOCABULARY, LENGTH, WIDTH, HEADS, BLOCKS = 500, 32, 64, 4, 3


class Attention(nn.Module):
    """Scaled dot products over several heads; a mask is added to the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, T, WIDTH) and a mask that broadcasts to (N, HEADS, T, T)."""
        query, key, value = (
            layer(x).reshape(-1, LENGTH, HEADS, WIDTH // HEADS).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        weights = (query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS) + mask).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).reshape(-1, LENGTH, WIDTH))


class Block(nn.Module):
    """Attention and two dense layers; the norm behind each sum (BERT) or in front of each (GPT)."""

    def __init__(self, norm_first: bool) -> None:
        super().__init__()
        self.attention, self.norm_first = Attention(), norm_first
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.dense = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU("tanh" if norm_first else "none"), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, T, WIDTH) to the same."""
        if self.norm_first:
            x = x + self.attention(self.first(x), mask)
            return x + self.dense(self.second(x))
        x = self.first(x + self.attention(x, mask))
        return self.second(x + self.dense(x))


class Bert(nn.Module):
    """Token numbers and a mask of 0 and 1 to 10 classes, from the first token."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.blocks = nn.ModuleList(Block(norm_first=False) for _ in range(BLOCKS))
        self.pooler, self.classifier = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 10)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """int64 (N, T) each to (N, 10)."""
        x = self.norm(self.tokens(input_ids) + self.positions.weight)
        mask = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
        for block in self.blocks:
            x = block(x, mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class Lstm(nn.Module):
    """Token numbers to 10 classes, from the last step of two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.lstm = nn.LSTM(WIDTH, WIDTH, num_layers=2, batch_first=True)
        self.classifier = nn.Linear(WIDTH, 10)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """int64 (N, T) to (N, 10)."""
        return self.classifier(self.lstm(self.tokens(input_ids))[0][:, -1])


class Gpt(nn.Module):
    """Token numbers to the scores of each next token; the head shares the embedding's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.ModuleList(Block(norm_first=True) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.register_buffer("mask", torch.full((LENGTH, LENGTH), -1e9).triu(1))

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """int64 (N, T) to (N, T, VOCABULARY)."""
        x = self.tokens(input_ids) + self.positions.weight
        for block in self.blocks:
            x = block(x, self.mask)
        return self.norm(x) @ self.tokens.weight.T


def save(name: str, file: str) -> None:
    """Make one by name and save it."""
    torch.manual_seed(0)
    model: Any = {"bert": Bert, "lstm": Lstm, "gpt": Gpt}[name]().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.std() == 0:  # norms and biases
                parameter.add_(0.2 * torch.randn_like(parameter))
    example = tuple(torch.zeros(2, LENGTH, dtype=torch.int64) for _ in range(2 if name == "bert" else 1))
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.export.export(model, example, dynamic_shapes=({0: batch},) * len(example))
    torch.export.save(program, file)
