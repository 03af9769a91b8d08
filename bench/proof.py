"""Proofs: wrong targets of which none may be proven, right ones, real conversions, and how the time grows with the number of nodes.

    python bench/proof.py [SECONDS]

Spoiled targets are those of `evidence_kinds.py`, both sides ONNX, in this process. Conversions are begun in the order of the list until
SECONDS (900) are over; each is kept under build/bench/proof/, so that a run that was broken off goes on where it stood, and a result belongs to
the files of the package that made it, by their digest.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from common import DATA, ROOT, WORK, table, write
from evidence_kinds import KINDS
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(ROOT))

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.config.options import ConvertOptions, DataOptions, ModelOptions
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import ExitCode, SafeconvertError
from safeconvert.pipeline.convert import convert
from safeconvert.prove.prover import prove
from safeconvert.verification.proof import prove_forms
from safeconvert.workers.run import open_run

SEEDS = 10
CHAINS = (100, 300, 1000, 3000, 10000)
SOURCES = (
    ("resnet8_cifar10.h5", "keras"), ("resnet20_cifar10.pt", "torch"), ("resnet8_cifar10_float.tflite", "tflite"),
    ("mobilenetv1_025_imagenet_float.tflite", "tflite"), ("squeezenet11_imagenet.pt", "torch"), ("mobilenetv2_imagenet.keras", "keras"),
    ("mobilenetv2_imagenet.pt", "torch"),
)  # fmt: skip
SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
SHAPES = {"resnet20_cifar10.pt": (0, 3, 32, 32)}
FOLDER = WORK / "proof"


def main(seconds: float) -> None:
    """Run all three, and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    body = [_conversions(seconds), _spoiled(), _chains()]
    write("proof", "What is proven, and what must not be", f"python bench/proof.py {seconds:.0f}", "\n\n".join(body))


def _spoiled() -> str:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    proven = []
    for kind, make in KINDS.items():
        for seed in range(SEEDS):
            case = make(seed)
            wrong, right = (_proven(case.source, target) for target in (case.wrong, case.right))
            counts[kind].update(cases=1, wrong=wrong, right=right)
            if wrong:
                proven.append(f"- {kind}, seed {seed}")
    total = sum(counts.values(), Counter())
    rows = [(kind, n["cases"], n["wrong"], n["right"]) for kind, n in [*counts.items(), ("all", total)]]
    return (
        f"## Spoiled targets\n\nOf each kind, {SEEDS} sources with a target with one fault, and one that is the same function written otherwise.\n\n"
        + table(("kind", "cases", "wrong targets proven", "right targets proven"), rows)
        + "\n\nWrong targets proven:\n\n" + ("\n".join(proven) or "none")
    )  # fmt: skip


def _proven(source: onnx.ModelProto, target: onnx.ModelProto) -> bool:
    return prove(source, target, _same_names(source, target)).proven


def _same_names(source: onnx.ModelProto, target: onnx.ModelProto) -> Contract:
    """Inputs and outputs in order, with axes in one order."""

    def tensors(ours: Any, theirs: Any) -> tuple[TensorContract, ...]:
        pairs = zip(ours, theirs, strict=True)
        specs = [(TensorSpec(a.name, (), ""), TensorSpec(b.name, (), "")) for a, b in pairs]
        return tuple(TensorContract(a, b, None, "in order") for a, b in specs)

    return Contract(
        tensors(source.graph.input, target.graph.input), tensors(source.graph.output, target.graph.output), ()
    )


def _chains() -> str:
    rows = []
    for nodes in CHAINS:
        source, target = _chain(nodes, folded=False), _chain(nodes, folded=True)
        began = time.process_time()
        found = prove(source, target, _same_names(source, target))
        taken = time.process_time() - began
        rows.append(
            (
                nodes,
                len(target.graph.node),
                "proven" if found.proven else "not proven",
                f"{taken:.2f}",
                f"{1e3 * taken / nodes:.2f}",
            )
        )
    head = ("nodes of the source", "of the target", "found", "processor seconds", "ms a node")
    return (
        "## Chains\n\nProduct with a matrix, sum, factor and Relu in turn; the target has factor and sum folded into one Gemm.\n\n"
        + table(head, rows)
    )  # fmt: skip


def _chain(nodes: int, folded: bool) -> onnx.ModelProto:
    random, made, constants, last = np.random.default_rng(0), [], [], "x"
    for block in range(nodes // 4):
        w, b, f = (random.normal(size=size).astype(np.float32) for size in ((4, 4), 4, 4))
        arrays = {"w": w * f, "b": b * f} if folded else {"w": w, "b": b, "f": f}
        constants += [numpy_helper.from_array(array, f"{name}{block}") for name, array in arrays.items()]
        parts = [("Gemm", ("w", "b"))] if folded else [("MatMul", ("w",)), ("Add", ("b",)), ("Mul", ("f",))]
        for operator, read in [*parts, ("Relu", ())]:
            tensor = f"t{len(made)}"
            made.append(helper.make_node(operator, [last, *(f"{name}{block}" for name in read)], [tensor]))
            last = tensor
    made[-1].output[0] = "y"
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy")
    graph = helper.make_graph(made, "chain", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _conversions(seconds: float) -> str:
    code, until = _digest(), time.monotonic() + seconds
    cases = [(name, source, target) for name, source in SOURCES for target in SUFFIX if target != source]
    rows = []
    for name, _, target in cases:
        kept = FOLDER / f"{name}-{target}.json"
        known = json.loads(kept.read_text()) if kept.exists() else {}
        if known.get("code") != code:
            if time.monotonic() > until:
                continue
            known = {"code": code, **_conversion(DATA / "models" / name, target)}
            kept.write_text(json.dumps(known, indent=1))
            print(name, target, known["exit"], known.get("level", ""), known.get("reason", "")[:120], flush=True)
        rows.append((f"{name} → {target}", known))
    verified = [known for _, known in rows if known["exit"] == 0]
    different = [known for known in verified if not known["same"]]
    proven = [known for known in verified if known["level"] != "sampled"]
    shares = sorted(known["proving"] / known["seconds"] for known in verified)
    lines = [
        (name, known.get("level", "-"), known.get("steps", ""), known.get("apart", ""), known.get("proving", ""), known.get("seconds", ""),
         known.get("missing") or known["reason"][:140])
        for name, known in rows
    ]  # fmt: skip
    return (
        f"## Conversions\n\n{len(rows)} of {len(cases)} conversions of the pairs bench were run, on 24 generated inputs; {len(verified)} verified. Of these "
        f"{len(verified) - len(different)} have one and the same ONNX graph on both sides, so that there is nothing to prove between them; of the other "
        f"{len(different)}, {len(proven)} are proven. Proving took {statistics.median(shares or [0]):.1%} of the conversion's time in the median, "
        f"{max(shares or [0]):.1%} at most.\n\n"
        + table(("conversion", "level", "steps", "constants apart", "s proving", "s in all", "what is missing"), lines)
    )  # fmt: skip


def _conversion(path: Path, target: str) -> dict[str, Any]:
    shape = SHAPES.get(path.name)
    model = ModelOptions({"": shape} if shape else {})
    out = FOLDER / f"{path.stem}-to-{target}{SUFFIX[target]}"
    options = ConvertOptions(path, target, out, model=model, data=DataOptions(limit=24))
    began = time.monotonic()
    try:
        with open_run(load_settings(), Phases()) as run:
            found = convert(run, options)
            if found.exit_code is not ExitCode.VERIFIED:
                return {"exit": int(found.exit_code), "reason": found.reason}
            record = prove_forms(run, found.source, found.verification, found.exporter)
            proving = run.phases.seconds.get("proving", 0.0)
    except SafeconvertError as error:
        return {"exit": int(error.exit_code), "reason": error.message}
    unproven = record.unproven[:1]
    return {
        "exit": 0, "level": record.level.value, "reason": record.reason, "apart": record.apart, "steps": len(record.document.get("steps", ())),
        "missing": "".join(f"{one['operator']} {one['target']}: {one['missing']}" for one in unproven)[:200],
        "same": "one and the same ONNX graph" in record.reason, "proving": round(proving, 2), "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _digest() -> str:
    """Of the package's files, so that results of other code are not taken for this one's."""
    total = hashlib.sha256()
    for path in sorted([*(ROOT / "safeconvert").rglob("*.py"), ROOT / "configs" / "default.toml"]):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 900)
