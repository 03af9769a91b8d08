"""One converter run on one model; the same step of the same model is run once in a run, and its file copied."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest
from safeconvert.core.files import clone
from safeconvert.registry.manifest import Adapter
from safeconvert.workers.run import Run
from safeconvert.workers.session import run_converter


def run_step(run: Run, role: str, adapter: Adapter, request: ConvertRequest) -> ConvertReply:
    """Convert, or copy what the same request gave before under another name: a source's ONNX form may be the target.

    Args:
        run: the surroundings.
        role: of the worker that does it.
        adapter: the converter.
        request: whose model nobody writes any more.

    Raises:
        UnusableInput, AdapterFailure: as `run_converter`.
    """

    def convert() -> tuple[Path, ConvertReply]:
        return Path(request.target), run_converter(run.pool.worker(role, adapter.python), adapter, request)

    made, reply = run.steps.get(step_key(adapter, request), convert)
    target = Path(request.target)
    if made == target:
        return reply
    if not _plain(made.parent) or not (_alone(made) or made.name == target.name):
        return convert()[1]
    for file in made.parent.iterdir():
        clone(file, target.parent / (target.name if file == made else file.name))
    return reply


def step_key(adapter: Adapter, request: ConvertRequest) -> tuple[str, str]:
    """All that the result depends on, the format too, which the target's suffix says. That sizes stay free is no difference
    where none are."""
    open_sizes = request.signature is not None and any(spec.open for spec in request.signature.inputs)
    same = replace(request, target=Path(request.target).suffix, keep_open=request.keep_open and open_sizes)
    return str(adapter.folder), json.dumps(same.to_json(), sort_keys=True)


def _alone(path: Path) -> bool:
    """Whether it is a file without others beside it, which it might name."""
    return len(list(path.parent.iterdir())) == 1


def _plain(folder: Path) -> bool:
    """Whether a folder holds plain files alone."""
    return all(file.is_file() and not file.is_symlink() for file in folder.iterdir())
