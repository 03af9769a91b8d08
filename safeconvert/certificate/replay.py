"""The commands that check a certificate and make the run again, written from what the certificate holds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence


@dataclass(frozen=True)
class Step:
    """One command, and what it is for."""

    why: str
    command: str


def steps(predicate: Mapping[str, Any], certificate: str) -> list[Step]:
    """What to type, in the certificate's folder.

    Args:
        predicate: the certificate's content.
        certificate: its file name; "" where none was written.
    """
    found = []
    if certificate:
        found.append(Step("Is the file still what was certified? In the certificate's folder:",
                          f"safeconvert check {shlex.quote(certificate)}"))  # fmt: skip
        if _unrepaired(predicate):
            folder = shlex.quote(certificate.removesuffix(".json").removesuffix(".certificate") + ".issues")
            found.append(Step("A minimal reproduction of each fault for the converter's issue tracker:",
                              f"safeconvert pack {shlex.quote(certificate)} -o {folder}"))  # fmt: skip
    again = replay(predicate)
    if again.startswith("safeconvert verify ") and _unlocalized(predicate):
        found.append(Step("Which nodes differ, and by how much?", again.replace(" verify ", " localize ", 1)))
    if again:
        inputs = mapping(predicate.get("inputs"))
        digest = inputs.get("sha256")
        found.append(Step("The same run again" + (f" (inputs of SHA-256 {digest}):" if digest else ":"), again))
    return found


def replay(predicate: Mapping[str, Any]) -> str:
    """The command that makes the run again, as far as the certificate tells; "" where it does not."""
    source, target = (mapping(predicate.get(role)) for role in ("source", "target"))
    one, two = source.get("path"), target.get("path")
    if not isinstance(one, str) or not isinstance(two, str):
        return ""
    route = [str(step.get("adapter")) for step in mappings(predicate.get("route"))]
    if route:
        words = ["safeconvert", "convert", one, "--to", str(target.get("format")), "--route", ",".join(route)]
        words += ["-o", f"again/{two.rsplit('/', 1)[-1].removesuffix('.rejected')}"]
    else:
        words = ["safeconvert", "verify", one, two]
    return shlex.join([*words, *_inputs(predicate), *_comparison(predicate)])


def _inputs(predicate: Mapping[str, Any]) -> list[str]:
    inputs = mapping(predicate.get("inputs"))
    origin, kinds = str(inputs.get("origin") or ""), sequence(inputs.get("kinds"))
    words = []
    if "array" in kinds or "image" in kinds:
        words += ["--inputs", origin.split(" (")[0]]
        preprocessing = mapping(mapping(predicate.get("contract")).get("preprocessing")).get("name")
        if preprocessing and preprocessing != "raw":
            words += ["--preprocessing", str(preprocessing)]
    count = number(inputs.get("count"))
    if count is not None and "array" not in kinds:
        words += ["--samples", f"{count:.0f}"]
    seed = number(inputs.get("split_seed"))
    return words if seed is None else [*words, "--seed", f"{seed:.0f}"]


def _comparison(predicate: Mapping[str, Any]) -> list[str]:
    comparator = mapping(predicate.get("comparator"))
    words = []
    if comparator.get("name") not in (None, "", "by output"):
        words += ["--comparator", str(comparator["name"])]
    tolerances = mapping(comparator.get("tolerances"))
    for key in ("rtol", "atol"):
        value = number(tolerances.get(key))
        if value is not None:
            words += [f"--{key}", f"{value:g}"]
    for name, own in mapping(comparator.get("per_output")).items():
        words += ["--tolerance", f"{name}={mapping(own).get('rtol')},{mapping(own).get('atol')}"]
    share = number(comparator.get("max_discrepancy"))
    return [*words, "--max-discrepancy", f"{share:g}"] if share else words


def _unrepaired(predicate: Mapping[str, Any]) -> bool:
    return predicate.get("verdict") != "verified" and bool(sequence(predicate.get("faults")))


def _unlocalized(predicate: Mapping[str, Any]) -> bool:
    return predicate.get("verdict") == "not_equivalent" and not sequence(predicate.get("faults"))
