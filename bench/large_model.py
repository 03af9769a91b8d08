"""Seeded transformers of a chosen size, for `bench/scaling.py large`: 50 MB of weights a layer."""

from __future__ import annotations

import sys

import torch

WIDTH, HEADS, TOKENS, WORDS = 1024, 16, 16, 500


class Transformer(torch.nn.Module):
    """Tokens (n, 16) to scores of the next word (n, 500)."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(WORDS, WIDTH)
        self.position = torch.nn.Parameter(torch.randn(TOKENS, WIDTH))
        self.blocks = torch.nn.ModuleList(_Block() for _ in range(layers))
        self.scores = torch.nn.Linear(WIDTH, WORDS)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Scores after the last token."""
        state = self.embedding(tokens) + self.position
        for block in self.blocks:
            state = block(state)
        return self.scores(state[:, -1])


class _Block(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
        self.taken = torch.nn.Linear(WIDTH, 3 * WIDTH)
        self.given = torch.nn.Linear(WIDTH, WIDTH)
        self.wide, self.narrow = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        parts = self.taken(self.before(state)).unflatten(2, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(parts[0] @ parts[1].transpose(2, 3) / (WIDTH // HEADS) ** 0.5, dim=3)
        state = state + self.given((weights @ parts[2]).transpose(1, 2).flatten(2))
        return state + self.narrow(torch.nn.functional.gelu(self.wide(self.between(state))))


def mb100() -> Transformer:
    """100 MB of weights."""
    return Transformer(2)


def mb300() -> Transformer:
    """300 MB of weights."""
    return Transformer(6)


def mb1000() -> Transformer:
    """1 GB of weights."""
    return Transformer(20)


def mb3000() -> Transformer:
    """3 GB of weights."""
    return Transformer(60)


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.save(globals()[sys.argv[1]]().state_dict(), sys.argv[2])
