"""Print outcomes for a person, on stdout, with rich (which drops colours where stdout is no terminal)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.segment import Segment, Segments

from safeconvert.certificate.export_faults import export_fault_lines
from safeconvert.certificate.untrusted_json import number
from safeconvert.core.faults import TrialOutcome
from safeconvert.core.text import printable, shown
from safeconvert.errors import ExitCode
from safeconvert.report.certificate import render
from safeconvert.report.coverage import coverage_line, figures_line
from safeconvert.report.next_step import next_step
from safeconvert.report.outcome import Outcome
from safeconvert.report.proof import print_proof, proof_line, proof_words
from safeconvert.report.quantization import fidelity_words, quantization_line, repair_lines
from safeconvert.report.routes import route_lines
from safeconvert.report.tree import change, fault_tree, route_tree

if TYPE_CHECKING:
    from rich.tree import Tree

    from safeconvert.app.proofs import Proving
    from safeconvert.certificate.check import CheckReport
    from safeconvert.registry.status import AdapterState
    from safeconvert.report.outcome import Demo

_LAYERS_SHOWN = 5
_OFFERS_SHOWN = 2
_MARKS = {"absent": "--", "outdated": "--"}
_INDENT = "  "
_NARROWEST = 30  # columns that a tree takes where a terminal has fewer
_UNLIMITED = 1 << 16
_WORDS = {
    ExitCode.VERIFIED: "[bold green]verified[/]",
    ExitCode.NOT_EQUIVALENT: "[bold red]not equivalent[/]",
    ExitCode.NO_ROUTE: "[bold red]no route could convert[/]",
    ExitCode.NO_VERDICT: "[bold yellow]no verdict possible[/]",
}


def print_outcome(outcome: Outcome, verbose: bool, words: Sequence[str] = ()) -> None:
    """The verdict, and what a person needs to go on, down to the next command; the whole certificate with `verbose`.

    Args:
        outcome: of the run.
        verbose: print the certificate too.
        words: the command line, where the next command follows from it.
    """
    console = _console()
    console.print(f"{_WORDS[outcome.exit_code]}  {escape(shown(outcome.target))}")
    console.print(f"  {escape(outcome.reason)}")
    content = outcome.predicate
    beside = [figures_line(content), fidelity_words(content), coverage_line(content), proof_words(content.get("proof"))]
    if any(beside):
        console.print(f"  {escape(printable('; '.join(filter(None, beside))))}")
    reduced = quantization_line(content)
    if reduced:
        console.print(f"  quantised: {escape(printable(reduced))}")
    for line in repair_lines(content):
        console.print(f"    {escape(printable(line))}")
    if outcome.settings_file is not None:
        console.print(f"  settings: {escape(shown(outcome.settings_file))}")
    for line in outcome.predicate.get("settings", {}).get("loosened", []):
        console.print(f"  [yellow]loosened[/]: {escape(line)}")
    _print_routes(outcome, console)
    for side in ("source", "target"):
        exporter = outcome.predicate.get("exporters", {}).get(side, {})
        if exporter.get("verdict") in ("different", "failed") and not _beside_the_point(outcome, exporter):
            console.print(f"  [yellow]exporter fault[/] ({side} ONNX only): {escape(exporter['reason'])}")
            for line in export_fault_lines(exporter):
                console.print(f"    {escape(printable(line))}")
    _print_faults(outcome.predicate, console)
    for remark in outcome.predicate.get("remarks", []):
        console.print(f"  remark: {escape(printable(remark))}")
    for obligation in outcome.predicate.get("obligations", []):
        console.print(f"  obligation: {escape(obligation)}")
    for line in _weaknesses(outcome.predicate):
        console.print(f"  [yellow]containment[/]: {escape(line)}")
    for path in outcome.kept:
        console.print(f"  what stood there is kept at {escape(shown(path))}")
    if outcome.rejected is not None:
        console.print(f"  rejected candidate kept at {escape(shown(outcome.rejected))}")
    if outcome.certificate is not None:
        console.print(f"  certificate: {escape(shown(outcome.certificate))}")
    if outcome.report is not None:
        console.print(f"  report: {escape(shown(outcome.report))}")
    if outcome.log is not None and outcome.exit_code is not ExitCode.VERIFIED:
        console.print(f"  full logs: {escape(str(outcome.log))}")
    following = next_step(outcome, words)
    if following:
        console.print(f"  next: {escape(printable(following))}")
    if verbose and outcome.predicate:
        render(outcome.predicate, console)


def _beside_the_point(outcome: Outcome, exporter: Mapping[str, Any]) -> bool:
    """Whether an exporter's fault says nothing to who asked: the target is right, and another route led to it."""
    used = [step.get("adapter") for step in outcome.predicate.get("route", [])]
    return outcome.exit_code is ExitCode.VERIFIED and bool(used) and exporter.get("adapter") not in used


def _print_routes(outcome: Outcome, console: Console) -> None:
    """The routes that were tried, each once and no reason twice, and what adapters that are not installed offer."""
    if outcome.compared:
        _print_tree(route_tree(outcome.attempts), console)
    elif len(outcome.attempts) > 1 or outcome.exit_code is ExitCode.VERIFIED:
        for line in route_lines(outcome.attempts, outcome.reason):
            console.print(f"  {escape(printable(line))}")
    for offer in outcome.offers:
        shown_ways = "; ".join(offer.routes[:_OFFERS_SHOWN])
        more = f" and {len(offer.routes) - _OFFERS_SHOWN} more" if len(offer.routes) > _OFFERS_SHOWN else ""
        console.print(
            f"  not tried: {escape(offer.adapter)} ({escape(offer.reason)}) offers {escape(shown_ways)}{more}"
        )
        console.print(f"    try: {escape(offer.command)}")


def _weaknesses(predicate: Mapping[str, Any]) -> list[str]:
    """What containment of the workers lacked; nothing where all of it held."""
    found = predicate.get("containment", {})
    if not found or found["level"] == "full":
        return []
    if found["level"] == "off":
        return ["off; what is in the model files could do whatever you can"]
    return [f"{lack}; run only models that you trust, or give --containment require" for lack in found["lacking"]]


def _print_faults(predicate: Mapping[str, Any], console: Console) -> None:
    """The faults with what was tried, the layers' ranking, and the way from before to after."""
    tree = fault_tree(predicate)
    if tree is not None:
        _print_tree(tree, console)
    for index, layer in enumerate(predicate.get("layers", [])[:_LAYERS_SHOWN], start=1):
        console.print(
            f"  layer analysis {index}: {escape(printable(layer['target']))} {layer['rate']:.1%} of "
            f"{layer['elements']} elements"
        )
    if predicate.get("unranked"):
        console.print(f"  layer analysis: no ranking: {escape(printable(predicate['unranked']))}")
    trials = predicate.get("trials", [])
    if trials:
        repair = predicate["repair"]
        accepted = sum(trial["outcome"] == TrialOutcome.ACCEPTED for trial in trials)
        before, after = repair["before"], repair["after"]
        share = float(before["discrepancy"]), float(after["discrepancy"])
        gained = change(share, (number(before.get("distance")), number(after.get("distance"))))
        how = f"; {repair['lift']}" if repair["lift"] else ""
        console.print(f"  repair: {len(trials)} tried, {accepted} accepted; {gained}{escape(how)}")


def _print_tree(tree: Tree, console: Console) -> None:
    """Wrapped within its branches at a terminal's width; in a pipe each branch is one line, however long."""
    width = max(console.width, _NARROWEST) - len(_INDENT) if console.is_terminal else _UNLIMITED
    for line in console.render_lines(tree, console.options.update(width=width), pad=False):
        console.print(Segments([Segment(_INDENT), *line, Segment.line()]), end="")


def print_demo(demo: Demo) -> None:
    """What the demo made, and what to type next."""
    console = _console()
    console.print(
        f"trained on {demo.trained_on} handwritten digits; reads {demo.accuracy:.1%} of {demo.held_out} held-out ones"
    )
    print_outcome(demo.outcome, verbose=False)
    console.print(f"  model: {escape(shown(demo.model))}\n  inputs: {escape(shown(demo.inputs))}")
    if demo.outcome.certificate is not None:
        console.print(f"next: safeconvert check {escape(shown(demo.outcome.certificate))}")


def print_adapters(states: Sequence[AdapterState]) -> None:
    """Two lines an adapter: what it is and whether it loads here, and its versions; a third says what to do."""
    console = _console()
    width = max(len(state.name) for state in states)
    for state in states:
        mark = "[green]ok[/]" if state.loads else _MARKS.get(state.state, "[bold red]no[/]")
        console.print(f"{mark}  {state.name:{width}}  {escape(state.summary)}")
        versions = ", ".join(f"{name} {version or 'absent'}" for name, version in state.versions.items())
        console.print(f"    {'':{width}}  {escape(versions)}")
        if not state.loads:
            what = state.reason if state.state in _MARKS else f"does not load here: {state.reason}"
            console.print(f"    {'':{width}}  {escape(what)}. {escape(state.advice)}")
    for line in sorted({state.containment for state in states if state.containment}):
        console.print(f"containment: {escape(line)}")


def print_proving(found: Proving, target: Path, verbose: bool) -> None:
    """What `prove` came to: the level, the steps, and what is unproven; all steps with `verbose`."""
    console = _console()
    proof = found.record.to_json()
    words = {
        ExitCode.VERIFIED: f"[bold green]{proof_words(proof) or 'the same graph'}[/]",
        ExitCode.NO_VERDICT: "[bold yellow]not proven[/]",
    }
    console.print(f"{words.get(found.exit_code, _WORDS[found.exit_code])}  {escape(shown(target))}")
    console.print(f"  {escape(printable(found.reason or proof_line(proof)))}")
    print_proof(proof, found.record.document, console, verbose)


def print_check(report: CheckReport, certificate: Path) -> None:
    """One line a file, and the sum."""
    console = _console()
    for item in report.items:
        mark = "[green]ok[/]" if item.ok else "[bold red]FAILED[/]"
        mark = "[bold yellow]--[/]" if item.status.value.startswith("UNSIGNED") else mark
        console.print(
            f"  {mark} {escape(item.name)} {escape(printable(shown(item.path)))}: {escape(item.status.value)}"
            f"{escape(printable(f': {item.detail}' if item.detail else ''))}"
        )
    word = "[bold green]unchanged[/]" if report.ok else "[bold red]not what was certified[/]"
    console.print(f"{word}  {escape(str(certificate))}")


def check_json(report: CheckReport) -> dict[str, Any]:
    """The JSON object of `check --json`."""
    return {
        "ok": report.ok,
        "items": [
            {
                "name": item.name,
                "path": str(item.path),
                "status": item.status.value,
                "ok": item.ok,
                **({"detail": item.detail} if item.detail else {}),
            }
            for item in report.items
        ],
    }


def print_certificate(content: dict[str, Any]) -> None:
    """A certificate for a person."""
    render(content, _console())


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, emoji=False)
