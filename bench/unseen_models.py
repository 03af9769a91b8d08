"""The models of the unseen bench: `python bench/unseen_models.py NAME FILE`, with twelve inputs beside it as `.npz`.

Models of PyTorch are ExportedPrograms with a free batch, or one of 1 where the architecture itself fixes it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from forked import serve


def torch_model(family: str, name: str, file: Path) -> None:
    """Make one of PyTorch."""
    import declare_torchvision  # noqa: F401
    import torch
    import unseen_torch

    if family == "transformers":
        from unseen_transformers import transformers_model as maker
    else:
        maker = getattr(unseen_torch, f"{family}_model")
    made = maker(name)
    module = made.module.eval()
    example = tuple(torch.tensor(array[:2]) for array in made.inputs.values())
    batch = torch.export.Dim("batch", min=1, max=1024)
    free = ({0: batch},) * len(example)
    with torch.no_grad():
        module(*example)  # some keep what belongs to a size
        try:
            program = torch.export.export(module, example, dynamic_shapes=_shapes(module, free))
        except (RuntimeError, ValueError, TypeError) as error:  # the batch of this architecture is fixed
            print(f"{name}: fixed batch: {str(error).splitlines()[0][:200]}", file=sys.stderr)
            module(*(one[:1] for one in example))
            program = torch.export.export(module, tuple(one[:1] for one in example))
    torch.export.save(program, file)
    takers = [one.arg.name for one in program.graph_signature.input_specs if one.kind.name == "USER_INPUT"]
    np.savez(file.with_suffix(".npz"), **dict(zip(takers, made.inputs.values(), strict=True)))


def _shapes(module: object, free: tuple[object, ...]) -> tuple[object, ...]:
    """Dynamic shapes as the module's signature has them: one tuple for a `forward(*tensors)`."""
    import inspect

    kinds = [one.kind for one in inspect.signature(module.forward).parameters.values()]
    return (free,) if kinds == [inspect.Parameter.VAR_POSITIONAL] else free


def main(family: str, name: str, file: str) -> None:
    """Make one."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    if family == "keras":
        import unseen_keras

        unseen_keras.save(name, Path(file))
    else:
        torch_model(family, name, Path(file))


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve(
            main,
            (
                "declare_torchvision",
                "torch",
                "unseen_torch",
                "unseen_transformers",
                "timm",
                "transformers.generation",
                "keras",
            ),
        )
    else:
        main(*sys.argv[1:])
