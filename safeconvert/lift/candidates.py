"""Native targets made from a repaired ONNX graph, the nearest to the target that was converted first.

The graph itself where the target is ONNX; else the target with other weights and attributes, where the repair is nothing else; else the
repaired graph converted again. Whether one of them is right is not decided here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from safeconvert.adapter_api.changes import Changes
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.manifest import framework
from safeconvert.repair.proposals import NotMade, Regraph, TargetProposal, converted_again
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.source import Source
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run


def lift_repair(
    run: Run, diagnosis: Diagnosis, repaired: Regraph, source: Source, options: ConvertOptions
) -> Iterator[TargetProposal]:
    """Propose native targets that carry a repair.

    Args:
        run: the surroundings.
        diagnosis: what was repaired.
        repaired: the repaired graph, and the target that it replaces.
        source: what the target is compared with.
        options: of the conversion.
    """
    if options.target_format == "onnx":
        path = run.folder("lift") / repaired.made.path.name
        shutil.copyfile(repaired.graph, path)
        made = replace(repaired.made, path=path)
        yield TargetProposal("repaired in the ONNX file", made, source, diagnosis)
        return
    if diagnosis.changes is not None:
        description, patched = _patched(run, diagnosis.changes, repaired.made, options)
        yield TargetProposal(description, patched, source, diagnosis)
    for route, again in converted_again(run, repaired, options):
        yield TargetProposal(f"repaired graph converted again by {route}", again, source, diagnosis)


def _patched(run: Run, changes: Path, made: Candidate, options: ConvertOptions) -> tuple[str, Candidate | NotMade]:
    """The target with the changed weights and attributes written into it, and what was written in words."""
    target_format = options.target_format
    wanted = Changes.load(changes)
    what = " and ".join(
        name for name, given in (("weights", wanted.constants), ("attributes", wanted.attributes)) if given
    )
    description = f"{what} patched in the {target_format} file"
    path = run.folder("lift") / made.path.name
    adapter = framework(target_format, run.adapters)
    model = ModelRequest(str(made.path), trust_pickle=options.model.trust_pickle)
    request = CallFunction(adapter.folder, "patch", {"request": model.to_json(), "changes": changes, "target": path})
    try:
        with run.phases.phase(f"patching the {target_format} file"):
            run.pool.worker("convert", adapter.python).call(adapter.name, f"patching {made.path.name}", request)
    except (AdapterFailure, UnusableInput) as error:
        return description, NotMade(str(error))
    return description, replace(made, path=path)
