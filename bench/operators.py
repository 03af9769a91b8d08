"""Every node test of onnx' own backend suite through each path, raw and through safeconvert: right, wrong or refused.

What the suite expects is the referee. Resumes where it stopped: one line a case is kept under build/bench/operators/.
`python bench/operators.py [--only raw|safeconvert] [--path onnx2keras] [--sample 200] [--table]`.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from common import ROOT, WORK, table, write
from operator_cases import Case, cases, judge, of_onnx_runtime

from safeconvert.compare.exchange import comparable_outputs
from safeconvert.config.options import ConvertOptions, DataOptions
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, ExitCode, SafeconvertError
from safeconvert.pipeline.convert import convert
from safeconvert.registry.manifest import Adapter
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run, open_run
from safeconvert.workers.session import load_files
from safeconvert.workers.worker import Limits, Worker

FOLDER = WORK / "operators"
PATHS = {
    "onnx2keras": ("keras", ".keras"), "onnx2torch": ("torch", ".pt2"), "onnx2tflite": ("tflite", ".tflite"),
    "onnx2tf": ("tf", "_saved_model"),
}  # fmt: skip
SAMPLES = 8
RAW_SECONDS = 10.0
SECONDS = 60.0  # of one call through safeconvert, an import of TensorFlow among them
_STEADY = {"scales", "roi"}  # of a Resize: other images, and not other sizes
_FRESH = 200  # cases after which a worker starts anew: frameworks keep what they have built


def main() -> None:
    """Run what is missing, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("raw", "safeconvert"))
    parser.add_argument("--path", choices=tuple(PATHS))
    parser.add_argument("--sample", type=int, default=0, help="so many cases, in the order of seed 0; 0 takes all")
    parser.add_argument("--table", action="store_true", help="only the tables, of what there is")
    own = parser.parse_args()
    chosen = cases()
    random.Random(0).shuffle(chosen)  # seeded: what is there so far is a fair sample
    chosen = chosen[: own.sample or None]
    for path in [own.path] if own.path else PATHS:
        if own.only != "safeconvert" and not own.table:
            _fill(f"raw-{path}", chosen, lambda path=path: _raw(path))
        if own.only != "raw" and not own.table:
            _fill(f"safeconvert-{path}", chosen, lambda path=path: _verified(path))
        _write_table(path)


def _write_table(path: str) -> None:
    """A table for each path, since each is filled at its own time."""
    rows, details = [], ""
    for side in ("raw", "safeconvert"):
        kept = {row[0]: row for row in _read(FOLDER / f"{side}-{path}.jsonl")}
        if not kept:
            continue
        both = {row[0] for row in _read(FOLDER / f"safeconvert-{path}.jsonl")}
        rows.append(_row(side, kept))
        if side == "safeconvert":
            details = _details(path, kept)
        elif both and len(both) < len(kept):
            rows.append(_row("raw, the cases of the next row", {n: kept[n] for n in both & kept.keys()}))
    if not rows:
        return
    header = (
        "converters", "right", "wrong", "does not run", "refused", "cases", "s a case", "run in ONNX Runtime",
        "right of those",
    )  # fmt: skip
    text = (
        f"{len(cases())} node tests of the `onnx` package's own backend suite: all whose tensors are floats, integers or booleans "
        "that numpy has, in the default operator domain. Right: on the suite's input, the target gives what the suite expects, "
        "within its tolerance (or a float32 rounding of the largest value, or two units in the last place of a float16), whatever the dtype. Raw is judged by that one input, onnx2keras with and without "
        "`change_ordering`, and the better counts. safeconvert has to verify the target natively first, on the suite's input and "
        f"{SAMPLES - 1} rearrangements of it, and saves it; what it refuses or what no route converts is refused. Run in ONNX Runtime: the cases that it loads and computes at all, whatever it gives. Where a path has fewer cases than there are, they are a seeded sample.\n\n"
    )
    known = {row[0] for row in _read(FOLDER / f"safeconvert-{path}.jsonl")}
    whole = len(known) == len(cases())  # a sample's table stands beside that of all and does not replace it
    write(f"operators-{path}" if whole else f"operators-{path}-sample", f"The node tests of onnx through {path}, raw and through safeconvert",
          f"python bench/operators.py --path {path}", text + table(header, rows) + "\n\n" + details)  # fmt: skip


def _row(side: str, kept: dict[str, list]) -> tuple[object, ...]:
    outcomes = Counter(row[1] for row in kept.values())
    seconds = f"{sum(row[3] for row in kept.values()) / len(kept):.2f}"
    counts = (outcomes[name] for name in ("right", "wrong", "does not run", "refused"))
    there = _runnable() & kept.keys()
    right = sum(kept[name][1] == "right" for name in there)
    return side, *counts, len(kept), seconds, len(there), f"{right} ({right / max(1, len(there)):.1%})"


@functools.cache
def _runnable() -> frozenset[str]:
    """Names of the cases that ONNX Runtime runs."""
    kept = FOLDER / "onnxruntime.json"
    if not kept.exists():
        kept.write_text(json.dumps({case.name: of_onnx_runtime(case) for case in cases()}))
    return frozenset(name for name, outcome in json.loads(kept.read_text()).items() if outcome != "does not run")


def _details(path: str, kept: dict[str, list]) -> str:
    """By which route cases were right, and which came out wrong."""
    routes = Counter(row[4] for row in kept.values() if row[1] == "right")
    wrong = [f"{row[0]} ({row[2]})" for row in kept.values() if row[1] == "wrong"]
    raw = {row[0] for row in _read(FOLDER / f"raw-{path}.jsonl") if row[1] == "right"}
    lost = sorted(name for name, row in kept.items() if name in raw and row[1] != "right")
    lines = ["- Right by route: " + ", ".join(f"{route} {count}" for route, count in routes.most_common())]
    lines.append(f"- Verified and not what the suite expects: {', '.join(wrong) or 'none'}")
    lines.append(f"- Right raw and not through safeconvert: {len(lost)}{' (' + ', '.join(lost) + ')' if lost else ''}")
    refused = {name: row[2] for name, row in kept.items() if row[1] == "refused" and name in _runnable()}
    broken = [f"{name} ({row[2]})" for name, row in kept.items() if row[4:5] == ["internal_error"]]
    lines.append(f"- Ended by an error of safeconvert's own: {', '.join(broken) or 'none'}")
    lines.append(f"- Refused though ONNX Runtime runs them, by reason: {_grouped(refused.values())}")
    lines.append(f"- The same by the types of their inputs and outputs: {_types(refused)}")
    return "\n".join(line for line in lines if line)


def _grouped(reasons: Iterable[str]) -> str:
    """How often each operator is refused, or each other reason is given."""
    counts: Counter[str] = Counter()
    for reason in reasons:
        named = re.search(r"operator (\w+)", reason)
        counts[named[1] if named else re.sub(r"\S*/\S+ ?|^\S+\.onnx: |[\d.]+", "", reason)[:60]] += 1
    return ", ".join(f"{name} {count}" for name, count in counts.most_common(40))


def _types(refused: Collection[str]) -> str:
    """In how many of these cases each type stands."""
    counts = Counter(
        kind
        for case in cases()
        if case.name in refused
        for kind in {array.dtype.name for array in (*case.inputs(), *case.outputs())}
    )
    return ", ".join(f"{kind} {count}" for kind, count in counts.most_common())


def _fill(name: str, chosen: list[Case], runner: Callable[[], object]) -> None:
    kept = FOLDER / f"{name}.jsonl"
    done = {row[0] for row in _read(kept)}
    missing = [case for case in chosen if case.name not in done]
    if not missing:
        return
    with runner() as run, kept.open("a") as file:
        for number, case in enumerate(missing):
            began = time.perf_counter()
            outcome, reason, *more = run(case)
            row = [case.name, outcome, reason, round(time.perf_counter() - began, 2), *more]
            file.write(json.dumps(row) + "\n")
            file.flush()
            if number % 100 == 0:
                print(name, number, "of", len(missing), case.name, outcome, flush=True)


def _read(path: Path) -> list[list]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def _raw(path: str) -> Iterator[Callable[[Case], list]]:
    """One worker for all cases; what hangs or dies costs its own case only."""
    adapter = ROOT / "bench" / "operator_raw"
    with tempfile.TemporaryDirectory() as folder:
        log = FOLDER / f"raw-{path}.log"
        worker = Worker(_python(path), log, Limits(RAW_SECONDS, 8 << 30), Path(folder))
        patient = Limits(120.0, 8 << 30)
        count = 0

        def call(function: str, arguments: dict, limits: Limits) -> list:
            worker._limits = limits
            return worker.call(path, "converting", CallFunction(adapter, function, arguments))

        def run(case: Case) -> list:
            nonlocal count
            if count % _FRESH == 0:
                worker.close()
            count += 1
            if not worker.running:
                call("warm", {"path": path}, patient)
            arguments = {"path": path, "model": str(case.model), "data": str(case.data)}
            try:
                return call("run", {**arguments, "rtol": case.rtol, "atol": case.atol}, Limits(RAW_SECONDS, 8 << 30))
            except AdapterFailure as failure:
                return ["refused", failure.cause]

        try:
            yield run
        finally:
            worker.close()


def _python(path: str) -> Path:
    """The interpreter of a raw converter: onnx2tf has an environment of its own (`safeconvert adapters install onnx2tf`)."""
    if path != "onnx2tf":
        return Path(sys.executable)
    with open_run(load_settings(), Phases()) as opened:
        return next(adapter.python for adapter in opened.adapters if adapter.name == path)


@contextmanager
def _verified(path: str) -> Iterator[Callable[[Case], list]]:
    """safeconvert's own conversion and native verification, its workers kept over the cases.

    The ONNX forms of the targets are left out: they serve localization, and the verdict does not rest on them.
    """
    target, suffix = PATHS[path]
    settings = load_settings()
    settings = replace(settings, limits=replace(settings.limits, seconds=SECONDS))
    with ExitStack() as stack:
        opened = None

        def run(case: Case) -> list:
            nonlocal opened, count
            if count % _FRESH == 0:
                stack.close()
                opened = stack.enter_context(open_run(settings, Phases()))
                opened = replace(opened, adapters=_without_exporters(opened.adapters))
            count += 1
            assert opened is not None
            with tempfile.TemporaryDirectory() as folder:
                return _convert(opened, case, target, Path(folder) / f"model{suffix}")

        count = 0
        yield run


def _without_exporters(known: tuple[Adapter, ...]) -> tuple[Adapter, ...]:
    return tuple(
        replace(adapter, steps=tuple(step for step in adapter.steps if step.target != "onnx")) for adapter in known
    )


def _convert(opened: Run, case: Case, target: str, output: Path) -> list:
    inputs = output.with_name("inputs.npz")
    names = [value.name for value in onnx.load(case.model).graph.input]
    arrays = {
        name: np.stack([array] * SAMPLES) if name in _STEADY else _samples(array)
        for name, array in zip(names, case.inputs(), strict=True)
    }
    np.savez(inputs, **arrays)
    options = ConvertOptions(case.model, target, output, data=DataOptions(inputs if arrays else None), repair=False)
    try:
        conversion = convert(opened, options)
    except SafeconvertError as error:
        return ["refused", first_line(error.message, 200), str(error.exit_code.name).lower()]
    except Exception as error:  # noqa: BLE001 - a fault of safeconvert's own is an outcome, and counted
        return ["refused", f"internal error: {type(error).__name__}: {first_line(str(error), 150)}", "internal_error"]
    decisive = conversion.decisive
    if conversion.exit_code is not ExitCode.VERIFIED or decisive.verification is None:
        return ["refused", first_line(conversion.reason, 200), decisive.outcome]
    if decisive.candidate is None or not decisive.candidate.path.exists():
        return ["refused", "nothing was saved", decisive.outcome]
    verification = decisive.verification
    _, found = comparable_outputs(
        verification.contract,
        load_files(conversion.source.outputs.outputs[0]),
        load_files(verification.outputs.outputs[0]),
    )
    outputs = [found[value.name] for value in onnx.load(case.model).graph.output]
    reason = judge(outputs, case.outputs(), case.rtol, case.atol)
    return ["wrong" if reason else "right", reason, str(decisive.route)]


def _samples(array: np.ndarray) -> np.ndarray:
    """The suite's array, and behind it the same values in other places, so that they stay in the operator's domain.

    Floats that are all the same become a little larger from sample to sample.
    Vectors of integers stay as they are: they are shapes, axes and the like more often than data.
    """
    generator = np.random.default_rng(0)
    if array.dtype.kind == "f" and np.unique(array).size < 2:  # whose rearrangements are no other samples
        with np.errstate(all="ignore"):
            return np.stack([(array * (1 + number / 64)).astype(array.dtype) for number in range(SAMPLES)])
    steady = array.size < 2 or (array.dtype.kind != "f" and array.ndim < 2)
    others = (
        array if steady else generator.permuted(array.reshape(-1)).reshape(array.shape) for _ in range(SAMPLES - 1)
    )
    return np.stack([array, *others])


if __name__ == "__main__":
    main()
