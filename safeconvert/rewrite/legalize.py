"""Bring an ONNX graph into the forms that a converter handles, and see on probes that it is still the same function."""

from __future__ import annotations

import hashlib
import importlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from safeconvert.core.text import first_line
from safeconvert.rewrite import rules as known_rules
from safeconvert.rewrite.probes import NotComparable, difference, probes


@dataclass(frozen=True)
class Legalised:
    """A rewritten graph.

    Attributes:
        model: the graph, its function unchanged on the probes.
        applied: names of the rules that changed it, in order.
        dropped: rules that were not used, each with its reason: it changed the function, or failed.
        unchecked: why nothing could be compared; "" where it was.
    """

    model: onnx.ModelProto
    applied: tuple[str, ...]
    dropped: tuple[str, ...]
    unchecked: str = ""

    def notes(self) -> tuple[str, ...]:
        """The same for a certificate, one line each."""
        lines = [f"rewritten before the converter: {', '.join(self.applied)}"] if self.applied else []
        lines += [f"rewrite not used: {reason}" for reason in self.dropped]
        return (*lines, *([f"rewrites not checked: {self.unchecked}"] if self.unchecked and self.applied else []))


def rules_of(adapter: str) -> tuple[str, ...]:
    """The rules in the manifest beside an adapter's code. Its names were checked when the manifest was read."""
    manifest = tomllib.loads(Path(adapter).with_name("adapter.toml").read_text(encoding="utf-8"))
    return tuple(manifest.get("rules", []))


def preloaded(adapter: str) -> tuple[str, ...]:
    """What the rules in the manifest beside an adapter's code import at their first graph: two thirds of the time of a small one."""
    rules = rules_of(adapter)
    named = (f"{known_rules.__name__}.{rule}" for rule in rules)
    return ("onnxruntime", *named, *(["onnxscript.optimizer"] if "constants_folded" in rules else []))


def legalise(model: onnx.ModelProto, rules: Sequence[str], reads: frozenset[str] = frozenset()) -> Legalised:
    """Apply rules in order; those that change the function are left out.

    The model with all rules applied is compared with the model first. Only where that differs is each rule checked by itself.

    Args:
        model: is left as it is.
        rules: names, see `safeconvert.rules`.
        reads: operators that the converter knows.
    """
    fed = probes(model)
    after, applied, dropped = _applied(model, rules, reads)
    if not applied:
        return Legalised(after, (), tuple(dropped))
    try:
        reason = difference(model, after, fed)
    except NotComparable as failure:
        return Legalised(after, tuple(applied), tuple(dropped), first_line(str(failure)))
    if not reason:
        return Legalised(after, tuple(applied), tuple(dropped))
    kept: list[str] = []
    after = model
    for rule in applied:
        following, changed, failed = _applied(after, [rule], reads)
        reason = difference(model, following, fed) if changed else ""
        if reason:
            dropped.append(f"{rule}: {reason}")
        else:
            dropped += failed
            after = following
            kept += changed
    return Legalised(after, tuple(kept), tuple(dropped))


def _applied(
    model: onnx.ModelProto, rules: Sequence[str], reads: frozenset[str]
) -> tuple[onnx.ModelProto, list[str], list[str]]:
    """The model after the rules, which of them changed it, and which failed and why.

    All work on one copy, since large nets are slow to copy; where one fails half-way, the others start again without it.
    """
    failed: dict[str, str] = {}
    while True:
        current, changed = onnx.ModelProto(), []
        current.CopyFrom(model)
        print_before = _print(current)
        for name in rules:
            if name in failed:
                continue
            try:
                rewrite = importlib.import_module(f"{known_rules.__name__}.{name}").rewrite
                current = rewrite(current, reads)
            except NotImplementedError:
                raise  # the graph holds what no converter behind this rule could take
            except Exception as error:  # noqa: BLE001 - a rule that fails is left out and named, whatever it raised
                failed[name] = f"{name}: {type(error).__name__}: {first_line(str(error), 120)}"
                break
            print_after = _print(current)
            if print_after != print_before and name not in changed:
                changed.append(name)
            print_before = print_after
        else:
            return current, changed, list(failed.values())


def _print(model: onnx.ModelProto) -> bytes:
    """What tells two states of a graph apart; constants by their names, which a rule never gives other values."""
    light = onnx.ModelProto()
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    for field in ("node", "input", "output"):
        getattr(light.graph, field).extend(getattr(model.graph, field))
    names = "\n".join(sorted(tensor.name for tensor in model.graph.initializer))
    return hashlib.sha256(light.SerializeToString(deterministic=True) + names.encode()).digest()
