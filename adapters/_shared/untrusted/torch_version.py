"""For which versions of torch it is known what loading an ExportedProgram evaluates, imports and unpickles."""

from __future__ import annotations

import torch

from safeconvert.errors import UnusableInput

READ = ("2.13",)
"""Whose loader was read line by line; `exported_program` gives checked parts to functions that are torch's own business."""


def require_read_loader(path: str, version: str = torch.__version__) -> None:
    """Raise UnusableInput where another torch is installed: what was checked is then not what is loaded."""
    if ".".join(version.split(".")[:2]) not in READ:
        raise UnusableInput(
            f"{path}: an ExportedProgram is checked by what the loader of torch {', '.join(READ)} does with it, and this is torch "
            f"{version}; refused",
            f"pip install 'torch=={READ[-1]}.*', save it as TorchScript, or pass --trust-pickle if you trust whoever made the file",
        )
