"""Why the samples of a call are mixed by a source, where its layers tell."""

from __future__ import annotations

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.formats import ModelFile
from safeconvert.errors import AdapterFailure
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run


def mixing_layers(run: Run, file: ModelFile, request: ModelRequest) -> tuple[str, ...]:
    """A remark on the layers of a PyTorch source that compute with each call's own statistics; none where there are none."""
    if file.format != "torch":
        return ()
    adapter = framework("torch", run.adapters)
    call = CallFunction(adapter.folder, "in_training", {"request": request.to_json()})
    try:
        layers = run.pool.worker("source", adapter.python).call("torch", f"reading {file.path.name}", call)
    except AdapterFailure:
        return ()
    if not layers:
        return ()
    named = ", ".join(layers[:3]) + (f" and {len(layers) - 3} more" if len(layers) > 3 else "")
    return (
        f"the source mixes the samples of a call: BatchNorm at {named} is in training mode and normalises by each call's own "
        "statistics; call model.eval() and save the model again",
    )
