"""Targets that a repair proposes. Whether one of them is right is not decided here: the pipeline verifies each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate, RouteRun, convert_along
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.manifest import Adapter
from safeconvert.registry.routes import Route, routes
from safeconvert.repair.types import Diagnosis, PreprocessingFault
from safeconvert.verification.pair import Pair
from safeconvert.verification.source import Source
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class NotMade:
    """No target came of it.

    Attributes:
        reason: one line.
    """

    reason: str


@dataclass(frozen=True)
class TargetProposal:
    """A target that may be the source's equal.

    Attributes:
        description: how it came about, for the certificate.
        made: the new file; the pair, where it is the same opened target that is fed otherwise; or why there is none.
        source: what it is compared with.
        diagnosis: what it repairs; None where nothing was localized.
        obligation: what the target has to be fed, where that is other than the source is; "" otherwise.
        preprocessing: the fault that feeding it so undoes.
    """

    description: str
    made: Candidate | Pair | NotMade
    source: Source
    diagnosis: Diagnosis | None = None
    obligation: str = ""
    preprocessing: PreprocessingFault | None = None


@dataclass(frozen=True)
class Regraph:
    """An ONNX graph that replaces the one behind a target.

    Attributes:
        graph: the graph.
        signature: of its inputs and outputs.
        made: the target that it replaces; what its converters declared holds on.
        converter: that made this target; None where it is an existing conversion.
    """

    graph: Path
    signature: Signature
    made: Candidate
    converter: Adapter | None


def converted_again(run: Run, new: Regraph, options: ConvertOptions) -> Iterator[tuple[Route, Candidate | NotMade]]:
    """Targets made from an ONNX graph along each route in turn.

    A converter that was given arguments of its own is given them again, and no other is tried.
    """
    for route in routes("onnx", options.target_format, run.adapters):
        if options.arguments and route.adapters[-1] != new.converter:
            continue
        model = ModelRequest(str(new.graph))
        job = RouteRun(route, model, new.signature, None, new.made.path.name, replace(options, opset=0))
        try:
            candidate = convert_along(run, job)
        except (AdapterFailure, UnusableInput) as error:
            yield route, NotMade(str(error))
        else:
            yield route, replace(candidate, reply=new.made.reply.then(candidate.reply))
