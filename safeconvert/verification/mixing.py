"""What PyTorch files say of training: layers by which a source mixes the samples of a call, and targets that were saved in that mode."""

from __future__ import annotations

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.formats import ModelFile, detect
from safeconvert.errors import AdapterFailure
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session


def mixing_layers(run: Run, file: ModelFile, request: ModelRequest) -> tuple[str, ...]:
    """A remark on the layers of a PyTorch source that compute with each call's own statistics; none where there are none."""
    layers = _asked(run, "source", "in_training", request) if file.format == "torch" else []
    if not layers:
        return ()
    named = ", ".join(layers[:3]) + (f" and {len(layers) - 3} more" if len(layers) > 3 else "")
    return (
        f"the source mixes the samples of a call: BatchNorm at {named} is in training mode and normalises by each call's own "
        "statistics; call model.eval() and save the model again",
    )


def saved_in_training(run: Run, session: Session, request: ModelRequest) -> tuple[str, ...]:
    """An obligation of whoever loads a TorchScript target that was saved in training mode; none of any other."""
    if session.adapter.format != "torch" or detect(request.path).variant != "torchscript":
        return ()
    operators = _asked(run, "target", "steered", request)
    if not operators:
        return ()
    return (
        f"target was saved in training mode, which {' and '.join(operators)} obey{'s' if len(operators) == 1 else ''}; it was compared as inference has it: "
        "call eval() behind torch.jit.load, or save it again behind eval()",
    )


def _asked(run: Run, worker: str, function: str, request: ModelRequest) -> list[str]:
    """What a function of the adapter gives; [] where it does not read the file."""
    adapter = framework("torch", run.adapters)
    call = CallFunction(adapter.folder, function, {"request": request.to_json()})
    try:
        return list(run.pool.worker(worker, adapter.python).call("torch", f"reading {request.path}", call))
    except AdapterFailure:
        return []
