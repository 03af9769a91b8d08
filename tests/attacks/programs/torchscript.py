"""TorchScript archives that would write or read files when torch loads or runs them: `python torchscript.py FOLDER`."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from places import Place, make_all, rewritten

SIZE = 64


class Reads(torch.nn.Module):
    """Adds the numbers of a file to its input."""

    def __init__(self, path: str, shared: bool) -> None:
        super().__init__()
        self.path, self.shared = path, shared

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Opening a shared file makes it, where there is none."""
        return x + torch.from_file(self.path, self.shared, 64)


class Saves(torch.nn.Module):
    """Writes its input to a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`aten::save` is torch.save."""
        torch.save(x, self.path)
        return x


class OnLoad(torch.nn.Module):
    """Writes a file as it is loaded; what it computes is harmless."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.read = torch.zeros(64)

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        return self.path, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        self.path, self.training = state
        self.read = torch.from_file(self.path, True, 64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Nothing."""
        return x * 2


class Harmless(torch.nn.Module):
    """A legitimate module, with control flow, a submodule and text."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(SIZE, SIZE), torch.nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Some of everything."""
        assert x.dim() == 2, "torch.load ops.aten.from_file"
        for _ in range(2):
            if x.size(0) > 1:
                x = self.inner(x)
        return x


def scripted(module: torch.nn.Module) -> bytes:
    """The archive of a scripted module."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module.eval()), buffer)
    return buffer.getvalue()


def write(place: Place, content: bytes) -> None:
    """The model's file."""
    (place.model / "model.pt").write_bytes(content)


def spelled(place: Place, change: Callable[[str], str]) -> None:
    """A module that makes the marker's file, its code written otherwise."""
    write(place, rewritten(scripted(Reads(place.marker, True)), {".py": lambda data: change(data.decode()).encode()}))


def file_read(place: Place) -> None:
    """Bakes a local file into the outputs."""
    write(place, scripted(Reads(place.secret, False)))


def file_written(place: Place) -> None:
    """Makes a file."""
    write(place, scripted(Reads(place.marker, True)))


def tensor_saved(place: Place) -> None:
    """Writes a tensor to a file."""
    write(place, scripted(Saves(place.marker)))


def state_set(place: Place) -> None:
    """Makes a file while it is loaded, before anything is run."""
    Path(place.marker).write_bytes(bytes(256))  # scripting runs nothing, but saving asks for the state
    write(place, scripted(OnLoad(place.marker)))
    Path(place.marker).unlink()


def as_a_method(place: Place) -> None:
    """The operator as a method of the file's name."""
    spelled(place, lambda code: code.replace("torch.from_file(path, shared, 64)", "(path).from_file(shared, 64)"))


def by_namespace(place: Place) -> None:
    """The operator by its namespace."""
    spelled(place, lambda code: code.replace("torch.from_file(", "ops.aten.from_file("))


def under_another_name(place: Place) -> None:
    """The operator behind a name of its own."""

    def change(code: str) -> str:
        (line,) = (line for line in code.splitlines() if "torch.from_file(" in line)
        indent = line[: len(line) - len(line.lstrip())]
        return code.replace(line, f"{indent}relu = torch.from_file\n{line.replace('torch.from_file(', 'relu(')}")

    spelled(place, change)


ATTACKS = {
    one.__name__: one
    for one in (file_read, file_written, tensor_saved, state_set, as_a_method, by_namespace, under_another_name)
}

if __name__ == "__main__":
    make_all(ATTACKS, Path(sys.argv[1]))
    (Path(sys.argv[1]) / "legitimate.pt").write_bytes(scripted(Harmless()))
