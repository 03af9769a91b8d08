"""A source and a target that are compared, and how their tensors correspond."""

from __future__ import annotations

from dataclasses import dataclass

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.contract import Contract
from safeconvert.conversion.route import Candidate
from safeconvert.verification.source import Source
from safeconvert.workers.session import Session


@dataclass(frozen=True)
class TargetModel:
    """An opened target.

    Attributes:
        session: the model in its worker.
        request: how it was opened.
        candidate: the file to keep, and what is known of the order of its dimensions.
    """

    session: Session
    request: ModelRequest
    candidate: Candidate


@dataclass(frozen=True)
class Pair:
    """What one verification is of.

    Attributes:
        source: evaluated.
        target: opened.
        contract: which tensors correspond, and how.
    """

    source: Source
    target: TargetModel
    contract: Contract
