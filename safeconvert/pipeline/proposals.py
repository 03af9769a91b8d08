"""Proposed targets verified, one after another, until one is the source's equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate
from safeconvert.pipeline.attempt import compare_pair, open_and_compare
from safeconvert.pipeline.results import Attempt, Crashed, Result
from safeconvert.registry.routes import Route
from safeconvert.repair.proposals import NotMade, TargetProposal
from safeconvert.workers.run import Run


def verify_proposals(
    run: Run, proposals: Iterable[TargetProposal], route: Route, options: ConvertOptions
) -> Iterator[Attempt]:
    """An attempt for each proposal, as far as the first that verifies.

    Args:
        run: the surroundings.
        proposals: in the order in which they are tried; each is made when those before it failed.
        route: that made the target which they are to replace.
        options: of the conversion.

    Raises:
        SafeconvertError: whatever making a proposal raises.
    """
    for proposal in proposals:
        attempt = Attempt(route, _verify(run, proposal, options), proposal.diagnosis, proposal)
        yield attempt
        if attempt.verified:
            return


def _verify(run: Run, proposal: TargetProposal, options: ConvertOptions) -> Result:
    """A new file is opened in a fresh process: nothing of the target before it stands in the way of the verdict."""
    made = proposal.made
    if isinstance(made, NotMade):
        return Crashed(f"{proposal.description}: {made.reason}")
    if isinstance(made, Candidate):
        run.pool.worker("target").close()
        return open_and_compare(run, made, "the repair", proposal.source, options)
    return compare_pair(run, made, options.verify)
