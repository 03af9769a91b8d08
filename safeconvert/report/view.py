"""What the report's page shows, made from a certificate's content and its evidence: words and numbers, ready to print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.archive import Evidence
from safeconvert.report.sections.fewer_bits import fewer_bits
from safeconvert.report.sections.head import head
from safeconvert.report.sections.interface import obligations
from safeconvert.report.sections.layers import layers, ranking
from safeconvert.report.sections.models import models
from safeconvert.report.sections.provenance import provenance
from safeconvert.report.sections.repair import faults, repair
from safeconvert.report.thumbnails import sample_views


def view(
    predicate: Mapping[str, Any], evidence: Evidence | None, notices: list[str], certificate: str
) -> dict[str, Any]:
    """Everything that the template prints.

    Args:
        predicate: the certificate's content; {} and parts of it are shown as far as they go.
        evidence: what lies beside it, or None.
        notices: what a reader has to know first.
        certificate: the certificate's file name; "" where none was written.
    """
    content = evidence.content if evidence is not None else {}
    return {
        **head(predicate, certificate),
        "notices": notices,
        **models(predicate),
        **fewer_bits(predicate),
        **layers(predicate, content),
        **repair(predicate),
        **faults(predicate),
        **sample_views(evidence, predicate),
        **ranking(predicate),
        **obligations(predicate),
        **provenance(predicate, evidence, certificate),
    }
