"""A proof for a person: its level, its steps, and what it leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from safeconvert.certificate.untrusted_json import mapping, mappings, sequence, text
from safeconvert.core.proof import ProofLevel

_SHOWN = 24


def proof_line(proof: Mapping[str, Any]) -> str:
    """The level of a proof in a sentence that says between what. The proof may come from anybody."""
    these = "these sizes alone" if proof.get("alone") else "these sizes"
    apart = f"over the reals (constants at most {text(proof.get('apart'))} apart)"
    if proof.get("level") == ProofLevel.NATIVE:
        return f"source and target are one function for every input of {these}, {apart}"
    if proof.get("level") == ProofLevel.ONNX:
        sizes = f" for every input of {these}," if proof.get("alone") else ""
        return f"the ONNX forms of source and target are one function{sizes} {apart}; that they are the native models is sampled"
    return f"sampled: {text(proof.get('reason'))}"


def proof_words(proof: object) -> str:
    """The level of a proof in three words; "" for none."""
    words: dict[str, str] = {ProofLevel.NATIVE: "proven end to end", ProofLevel.ONNX: "proven between ONNX forms"}
    found = words.get(text(mapping(proof).get("level")), "")
    return f"{found} at these sizes alone" if found and mapping(proof).get("alone") else found


def print_proof(proof: Mapping[str, Any], document: Mapping[str, Any], console: Console, whole: bool) -> None:
    """What was shown, step by step, and what was not.

    Args:
        proof: as the certificate has it.
        document: the proof object; {} where there is none.
        console: where to.
        whole: all steps, however many.
    """
    for name, shape in mapping(proof.get("sizes")).items():
        console.print(Text(f"  for every input {text(name)} of the shape {text(list(sequence(shape)))}"))
    inputs = list(mappings(mapping(document.get("statement")).get("inputs")))
    steps = list(mappings(document.get("steps")))
    for number, one in enumerate(inputs):
        console.print(
            Text(
                f"  {number:>3}  input {text(one.get('source'))} = {text(one.get('target'))}{_order(one.get('order'))}"
            )
        )
    for number, step in enumerate(steps if whole else steps[:_SHOWN], len(inputs)):
        console.print(Text(f"  {number:>3}  {_step(step)}"))
    if len(steps) > _SHOWN and not whole:
        console.print(Text(f"       and {len(steps) - _SHOWN} more; -v shows them"))
    for axiom, count in mapping(proof.get("axioms")).items() if document else ():
        console.print(Text(f"  axiom {text(axiom)}: in {text(count)} {'step' if count == 1 else 'steps'}"))
    for one in mappings(proof.get("unproven")):
        reads = ", ".join(map(text, sequence(one.get("reads")))) or "nothing"
        console.print(
            Text(
                f"  unproven: {text(one.get('operator'))} {text(one.get('target'))} of the target, which reads {reads}"
            )
        )
        for node in sequence(one.get("source")):
            console.print(Text(f"    of these the source makes: {text(node)}"))
        console.print(Text(f"    missing: {text(one.get('missing'))}"))


def _step(step: Mapping[str, Any]) -> str:
    sides = f"{text(step.get('source'))} = {text(step.get('target'))}"
    moved = "" if step.get("source_axes") == step.get("target_axes") else (
        f", whose axes {_axes(step.get('target_axes'))} are the source's {_axes(step.get('source_axes'))}"
    )  # fmt: skip
    names = ", ".join(map(text, sequence(step.get("axioms")))) or "nothing but names"
    before = ", ".join(map(text, sequence(step.get("from"))))
    apart = f"; constants {text(step.get('apart'))} apart" if step.get("apart") else ""
    return f"{sides}{moved}: from {before} by {names}{apart}"


def _axes(groups: object) -> str:
    return " ".join("".join(map(str, sequence(group))) or "-" for group in sequence(groups))


def _order(order: object) -> str:
    return f", its axes in the order {text(list(sequence(order)))}" if order else ""
