"""The faults of a run as a tree for a terminal: where, what differs, how far it carries, what was tried and what worked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from safeconvert.certificate.faults import FaultState, Trial, read_faults, read_trials
from safeconvert.core.faults import TrialOutcome
from safeconvert.core.text import printable
from safeconvert.report.outcome import Tried

_FAULTS = 12
_TRIALS = 3
_STYLES = {"repaired": "bold green", "kept": "yellow", "deployment": "bold yellow"}
_STATES = {
    "repaired": "repaired",
    "repaired in ONNX only": "repaired in ONNX only: not in the target",
    "no gain": "not repaired: undoing it gains nothing",
    "could not be undone": "not repaired: it could not be undone",
    "not repaired": "not repaired: nothing was tried",
    "kept": "kept in fewer bits",
    "deployment": "in what the target is fed, not in its file",
}


def fault_tree(predicate: Mapping[str, Any]) -> Tree | None:
    """A branch for each of the first faults of a certificate's content; None where it has none."""
    faults = read_faults(predicate)
    if not faults:
        return None
    trials = {trial.number: trial for trial in read_trials(predicate)}
    tree = Tree(Text("faults"), guide_style="dim")
    for fault in faults[:_FAULTS]:
        word = "fault" if fault.proven else "suspicion"
        head = Text.assemble(
            f"{fault.position + 1}. {word} ",
            (fault.kind, "bold"),
            f": {fault.layers} ({fault.operator})",
        )
        branch = tree.add(head)
        branch.add(Text(fault.evidence))
        branch.add(Text(f"isolated error {_error(fault.isolated)}, propagated {_error(fault.propagated)}"))
        state = Text(_STATES.get(fault.state, fault.state), _STYLES.get(fault.state, "bold red"))
        tried = [trials[number] for number in fault.trials]
        if len(tried) == 1:
            branch.add(Text.assemble(state, f"; {_tried(tried[0], fault)}"))
            continue
        outcome = branch.add(state)
        for trial in tried[-_TRIALS:]:  # the last ones decided
            outcome.add(Text(_tried(trial, fault)))
        if len(tried) > _TRIALS:
            outcome.add(Text(f"and {len(tried) - _TRIALS} earlier trials"))
    if len(faults) > _FAULTS:
        tree.add(Text(f"and {len(faults) - _FAULTS} more faults; safeconvert show --json has them all"))
    return tree


def route_tree(attempts: Sequence[Tried]) -> Tree:
    """A branch for each route that was compared, the one kept last: outcome, distance, seconds, reason."""
    tree = Tree(Text("routes"), guide_style="dim")
    for tried in attempts:
        branch = tree.add(Text.assemble(f"{tried.route}: ", (tried.outcome.replace("_", " "), "bold")))
        distance = "" if tried.max_abs is None else f"max-abs {float(tried.max_abs):.3g}, "
        if distance or tried.seconds:
            branch.add(Text(f"{distance}{tried.seconds:.1f} s"))
        if tried.reason:
            branch.add(Text(printable(tried.reason)))
    return tree


def change(share: tuple[float | None, float | None], distance: tuple[float | None, float | None]) -> str:
    """From before to after in words: the share of inputs that differ, and where that stays, the distance."""
    before, after = share
    if before is None or after is None:
        return ""
    summary = f"{before:.1%} → {after:.1%} of inputs differ"
    one, two = distance
    return summary if before != after or one is None or two is None else f"{summary}, distance {one:.3g} → {two:.3g}"


def _tried(trial: Trial, fault: FaultState) -> str:
    others = [str(position + 1) for position in trial.faults if position != fault.position]
    together = f" with fault{'s' * (len(others) > 1)} {_listed(others)}" if others else ""
    outcome = "" if trial.outcome == TrialOutcome.ACCEPTED else f" {trial.outcome.replace('_', ' ')}"
    gained = change((trial.share_before, trial.share_after), (trial.distance_before, trial.distance_after))
    why = "; ".join(part for part in (gained, trial.reason) if part)
    return f"trial {trial.number}{together}{outcome}" + (f": {why}" if why else "")


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _error(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
