"""Proofs: wrong targets of which none may be proven, right ones, real conversions, and how the time grows with the number of nodes.

    python bench/proof.py [SECONDS [OPERATORS [SECTION ...]]]

Only the sections named are run (all where none is); the others stay in the table as the run before left them, with its date and commit. Spoiled targets are those of `evidence_kinds.py`, both sides ONNX, in this process. Conversions are begun in the order of the list until
SECONDS (900) are over, those of the nets in a seeded order; each is kept under build/bench/proof/, so that a run that was broken off goes on where it stood, with the
files that it made: what the prover says of them is asked again where its code is another.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from common import DATA, ROOT, WORK, table, write
from evidence_kinds import KINDS
from onnx import TensorProto, helper, numpy_helper
from proof_nets import SHAPES as NETS
from proof_nets import SUFFIX, ensure

sys.path.insert(0, str(ROOT))

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.config.options import ConvertOptions, DataOptions, ModelOptions
from safeconvert.config.settings import Settings, load_settings
from safeconvert.core.formats import detect
from safeconvert.core.progress import Phases
from safeconvert.core.proof import ProofLevel
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import ExitCode, SafeconvertError
from safeconvert.graph.view import tidy
from safeconvert.pipeline.convert import convert
from safeconvert.prove.disprove import Tolerances, counterexample
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from safeconvert.prove.readers.read import read_native
from safeconvert.prove.structure import same_structure
from safeconvert.verification.proof import exporters_forms, forms_contract, prove_forms, prove_pair
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification
from safeconvert.workers.run import open_run
from tests.prove.graphs import numbers
from tests.scenarios.published_bugs import BUGS, KIND, RIGHT, SOURCE, WRONG

SEEDS = 10
MUTANTS = 20
CHAINS = (100, 300, 1000, 3000, 10000)
SOURCES = (
    ("resnet8_cifar10.h5", "keras"), ("resnet20_cifar10.pt", "torch"), ("resnet8_cifar10_float.tflite", "tflite"),
    ("mobilenetv1_025_imagenet_float.tflite", "tflite"), ("squeezenet11_imagenet.pt", "torch"), ("mobilenetv2_imagenet.keras", "keras"),
    ("mobilenetv2_imagenet.pt", "torch"),
)  # fmt: skip
SHAPES = {"resnet20_cifar10.pt": (0, 3, 32, 32)}
FOLDER = WORK / "proof"
PROVER = ("safeconvert/prove/", "verification/proof", "verification/native_forms")
PHASES = ("proving", "reading the source file", "reading the target file")


def main(seconds: float, operators: int, wanted: Sequence[str]) -> None:
    """Run the sections that are wanted, and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    sections: dict[str, Callable[[], str]] = {
        "Conversions": lambda: _conversions(seconds),
        "Recurrent nets": _recurrent,
        "Spoiled targets": _spoiled,
        "Published bugs": _published,
        "Spoiled files": _files,
        "Operators through raw converters": lambda: _operators(operators),
        "Chains": _chains,
        "Large nets": _large,
    }
    kept = _kept()
    asked = [name for name in sections if not wanted or name in wanted or name in kept]
    body = [sections[name]() if not wanted or name in wanted else kept[name] for name in asked]
    command = " ".join(["python bench/proof.py", f"{seconds:.0f}", str(operators), *(repr(name) for name in wanted)])
    write("proof", "What is proven, and what must not be", command, "\n\n".join(body))


def _kept() -> dict[str, str]:
    """The sections of the table as it stands, each with the date and commit of its run."""
    path = ROOT / "bench" / "results" / "proof.md"
    if not path.exists():
        return {}
    head, *sections = path.read_text(encoding="utf-8").split("\n## ")
    said = head.split("`", 2)[2].split(";")[0].strip()
    found = {}
    for section in sections:
        name, text = section.split("\n", 1)
        dated = text.strip() if text.strip().startswith("Run ") else f"Run {said}.\n\n{text.strip()}"
        found[name] = f"## {name}\n\n{dated}"
    return found


def _recurrent() -> str:
    """All pairs of the recurrent net, kept files proven again."""
    until = time.monotonic() + 10**6
    cases = [("recurrent", source, target) for source in SUFFIX for target in SUFFIX if target != source]
    rows = _rows(cases, until)
    verified = [known for _, known in rows if known["exit"] == 0]
    lines = [(name, known.get("level", "-"), "yes" if known.get("onnx") else "no", known.get("steps", ""), known.get("apart", ""),
              known.get("proving", ""), known.get("missing") or known["reason"][:140]) for name, known in rows]  # fmt: skip
    return (
        f"## Recurrent nets\n\nAn LSTM below a GRU in each format, to each other format, with batches of free size: {len(verified)} of {len(rows)} conversions verified when they were made; "
        "what is said of proofs is of their files, asked again. "
        f"{sum(known['onnx'] for known in verified)} of these are proven between ONNX forms, and {sum(known['level'] == 'native' for known in verified)} end to end: operators, steps spelled out, "
        "and loops.\n\n" + table(("conversion", "level", "between ONNX forms", "steps", "constants apart", "s proving", "what is missing"), lines)
    )  # fmt: skip


def _published() -> str:
    """Published bugs rebuilt: proven, refuted, and whether what is right is proven."""
    lines = []
    for bug in BUGS:
        source, wrong = bug.model(SOURCE), bug.model(WRONG)
        contract = _same_names(source, wrong)
        found = prove(source, wrong, contract)
        shown = counterexample(
            (source, wrong), contract, [numbers(bug.shape, 3)], found.unproven, Tolerances(1e-4, 1e-5)
        )
        lines.append((bug.name, bug.published, found.proven, shown is not None, _proven(source, bug.model(RIGHT))))
    reported = sum(bug.published != KIND for bug in BUGS)
    rows = [(name, where, *("yes" if one else "no" for one in said)) for name, where, *said in lines]
    return (
        f"## Published bugs\n\nBugs of ONNX' optimizer, of ONNX Runtime's and of converters, {reported} with a report and {len(BUGS) - reported} without, rebuilt as a source and what the bug makes of it: "
        f"{sum(line[2] for line in lines)} of {len(lines)} proven, {sum(line[3] for line in lines)} refuted by an input. Of what a right tool makes instead, {sum(line[4] for line in lines)} are proven.\n\n"
        + table(("bug", "published", "wrong target proven", "refuted", "right target proven"), rows)
    )  # fmt: skip


def _printed(script: str, *given: int) -> str:
    """What another file of the bench prints, in a process of its own."""
    command = [sys.executable, str(Path(__file__).parent / script), *map(str, given)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _files() -> str:
    """Native files spoiled in one place; a process of its own, since TensorFlow is loaded for it."""
    made = _printed("proof_readers.py", MUTANTS)
    return (
        f"## Spoiled files\n\nOf each format {MUTANTS} files of four nets with one number of the weights or one setting changed, read by the readers, and proven against what is read of the file as it was "
        "or not. Harmless ones compute the same.\n\n" + made[made.index("| format") :].strip()
    )  # fmt: skip


def _operators(count: int) -> str:
    """Raw converters' targets of single operators; a process of its own, since PyTorch and TensorFlow are loaded for it."""
    made = _printed("proof_operators.py", count)
    return (
        f"## Operators through raw converters\n\n{count or 'All'} of onnx' own node tests, a seeded sample (of Keras and TFLite an eighth of it), through the raw converters; their native files read by the readers, "
        "and proven against the test's graph or not. What the suite expects says which are right.\n\n"
        + made[made.index("| raw converter") :]
    )


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


def _large() -> str:
    made = _printed("proof_large.py")
    text = "Traced torchvision nets, read from their files, beside what PyTorch's exporter makes of them; processor seconds."
    return f"## Large nets\n\n{text}\n\n{made[made.index('| net') :].strip()}"


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
    draw, made, constants, last = np.random.default_rng(0), [], [], "x"
    for block in range(nodes // 4):
        w, b, f = (draw.normal(size=size).astype(np.float32) for size in ((4, 4), 4, 4))
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
    until = time.monotonic() + seconds
    cases = [(name, source, target) for name, source in SOURCES for target in SUFFIX if target != source]
    nets = [(net, source, target) for net in NETS for source in SUFFIX for target in SUFFIX if target != source]
    random.Random(0).shuffle(nets)  # seeded: what is there so far is a fair sample
    cases = nets + cases
    rows = _rows(cases, until)
    verified = [known for _, known in rows if known["exit"] == 0]
    different = [known for known in verified if not known["same"]]
    between = [known for known in different if known["onnx"]]
    whole = [known for known in verified if known["level"] == "native"]
    shares = sorted(known["proving"] / known["seconds"] for known in verified)
    lines = [
        (name, known.get("level", "-"), known.get("steps", ""), known.get("apart", ""), known.get("proving", ""), known.get("seconds", ""),
         known.get("missing") or known["reason"][:140])
        for name, known in rows
    ]  # fmt: skip
    return (
        f"## Conversions\n\n{len(rows)} of {len(cases)} conversions (all pairs of five nets, and those of the pairs bench) were run, on 24 generated inputs; {len(verified)} verified. Of these "
        f"{len(verified) - len(different)} have one and the same ONNX graph on both sides, so that there is nothing to prove between them; of the other "
        f"{len(different)}, {len(between)} are proven between ONNX forms ({_share(between, different)}). End to end, between graphs read from the files, "
        f"{len(whole)} of all {len(verified)} are ({_share(whole, verified)}). Proving took {statistics.median(shares or [0]):.1%} of the conversion's time in the median, "
        f"{max(shares or [0]):.1%} at most.\n\n"
        + table(("conversion", "level", "steps", "constants apart", "s proving", "s in all", "what is missing"), lines)
    )  # fmt: skip


def _rows(cases: Sequence[tuple[str, str, str]], until: float) -> list[tuple[str, dict[str, Any]]]:
    """What is said of each conversion; those not run before are run until the time is over."""
    prover = _digest()
    rows = []
    for name, source, target in cases:
        kept = FOLDER / f"{name}-{source}-{target}.json"
        path = FOLDER.parent / "proof_nets" / f"{name}{SUFFIX[source]}" if name in NETS else DATA / "models" / name
        known = json.loads(kept.read_text()) if kept.exists() else {}
        if not known:
            if time.monotonic() > until:
                continue
            known = {"prover": prover, **_conversion(ensure(name, source) if name in NETS else path, target)}
            kept.write_text(json.dumps(known, indent=1))
            print(
                name, source, target, known["exit"], known.get("level", ""), known.get("reason", "")[:120], flush=True
            )
        elif known.get("prover") != prover and known["exit"] == 0:
            known |= {"prover": prover, **_again(path, target)}
            kept.write_text(json.dumps(known, indent=1))
            print(name, source, target, known.get("level", ""), known.get("reason", "")[:120], flush=True)
        rows.append((f"{name}, {source} → {target}", known))
    return rows


def _share(some: list[Any], of: list[Any]) -> str:
    return f"{len(some) / max(len(of), 1):.0%}"


def _conversion(path: Path, target: str) -> dict[str, Any]:
    shape = SHAPES.get(path.name)
    model = ModelOptions({"": shape} if shape else {})
    out = _out(path, target)
    options = ConvertOptions(path, target, out, model=model, data=DataOptions(limit=24))
    began = time.monotonic()
    try:
        with open_run(_settings(), Phases()) as run:
            found = convert(run, options)
            if found.exit_code is not ExitCode.VERIFIED:
                return {"exit": int(found.exit_code), "reason": found.reason}
            made = found.decisive.candidate.path
            file = (made, target)
            record = prove_pair(run, found.source, found.verification, found.exporter, file, options.verify).record
            proving = sum(run.phases.seconds.get(phase, 0.0) for phase in PHASES)
            forms = record
            if record.level is ProofLevel.NATIVE:
                checked = (found.exporter, found.verification)
                check, verification = exporters_forms(run, found.source, checked, file, options.verify)
                forms = prove_forms(run, found.source, verification, check)
            _keep(found.source, found.verification, found.exporter, out, made)
    except SafeconvertError as error:
        return {"exit": int(error.exit_code), "reason": error.message}
    unproven = forms.unproven[:1]
    return {
        "exit": 0, "level": record.level.value, "onnx": forms.level is not ProofLevel.SAMPLED,
        "reason": record.reason if record.level is not ProofLevel.SAMPLED else forms.reason, "apart": record.apart,
        "steps": len(record.document.get("steps", ())), "proving": round(proving, 2), "seconds": round(time.monotonic() - began, 1),
        "missing": "".join(f"{one['operator']} {one['target']}: {one['missing']}" for one in unproven)[:200],
        "same": "one and the same ONNX graph" in forms.reason,
    }  # fmt: skip


def _again(path: Path, target: str) -> dict[str, Any]:
    """What the prover says now of a conversion that was run before, from its files. A graph that was read counts where it gives what the exporter's gives."""
    base = _out(path, target)
    contract = Contract.from_json(json.loads(Path(f"{base}.json").read_text()))
    forms = [onnx.load(f"{base}.{side}.onnx") for side in ("source", "target")]
    began = time.monotonic()
    found, level, reason = prove(forms[0], forms[1], contract), ProofLevel.SAMPLED, ""
    try:
        read = [
            onnx.load(file) if file.suffix == ".onnx" else read_native(file, detect(file).format)
            for file in (path, base)
        ]
        if all(_alike(one, two) for one, two in zip(read, forms, strict=True)):
            whole = prove(read[0], read[1], _renamed(contract, read[0], read[1]))
            level, reason = (ProofLevel.NATIVE, "") if whole.proven else (level, whole.reason)
    except Refused as error:
        reason = str(error)
    one_graph = found.proven and (found.same_file or same_structure(tidy(forms[0]), tidy(forms[1])))
    if level is ProofLevel.SAMPLED and found.proven and not one_graph:
        level, reason = ProofLevel.ONNX, f"not end to end: {reason}"
    shown = found if level is not ProofLevel.NATIVE else whole
    return {
        "level": level.value, "onnx": found.proven, "same": one_graph, "reason": reason, "apart": shown.apart,
        "steps": len(shown.document.get("steps", ())), "proving": round(time.monotonic() - began, 2),
        "missing": "".join(f"{one.operator} {one.target}: {one.missing}" for one in found.unproven[:1])[:200],
    }  # fmt: skip


def _alike(one: onnx.ModelProto, two: onnx.ModelProto) -> bool:
    """Whether two graphs give the same on a few random inputs."""
    draw, feeds = np.random.default_rng(0), []
    for value in one.graph.input:
        shape = [d.dim_value or 3 for d in value.type.tensor_type.shape.dim]
        feeds.append(draw.normal(size=shape).astype(np.float32))
    results = []
    for model in (one, two):
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        results.append(session.run(None, dict(zip([i.name for i in session.get_inputs()], feeds, strict=True))))
    return all(np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(*results, strict=True))


def _renamed(contract: Contract, source: onnx.ModelProto, target: onnx.ModelProto) -> Contract:
    """The contract of two other graphs, whose tensors are in the same order."""

    def tensors(known: Any, ours: Any, theirs: Any) -> tuple[TensorContract, ...]:
        return tuple(
            TensorContract(TensorSpec(a.name, (), ""), TensorSpec(b.name, (), ""), one.permutation, "in order")
            for one, a, b in zip(known, ours, theirs, strict=True)
        )

    return Contract(
        tensors(contract.inputs, source.graph.input, target.graph.input),
        tensors(contract.outputs, source.graph.output, target.graph.output), (),
    )  # fmt: skip


def _out(path: Path, target: str) -> Path:
    return FOLDER / f"{path.name}-to-{target}{SUFFIX[target]}"


def _settings() -> Settings:
    """The defaults, without a search for inputs on which both models differ: it costs time, and proves nothing."""
    found = load_settings()
    return replace(found, inputs=replace(found.inputs, search_rounds=0))


def _keep(source: Source, verification: Verification, check: ExporterCheck, target: Path, made: Path) -> None:
    """The target, both ONNX forms and their contract, so that the prover can be worked on without converting again."""
    if made.is_file():
        shutil.copy(made, target)
    else:
        shutil.copytree(made, target, dirs_exist_ok=True)
    for side, path in (("source", source.exported.path), ("target", verification.exported.path)):
        if path is not None:
            shutil.copy(path, f"{target}.{side}.onnx")
    Path(f"{target}.json").write_text(json.dumps(forms_contract(source, verification, check).to_json()))


def _digest() -> str:
    """Of the files that prove, so that what other code proved is not taken for this one's."""
    total = hashlib.sha256()
    for path in sorted((ROOT / "safeconvert").rglob("*.py")):
        if any(part in path.as_posix() for part in PROVER):
            total.update(path.read_bytes())
    return total.hexdigest()[:16]


if __name__ == "__main__":
    seconds, count = ([float(one) for one in sys.argv[1:3]] + [900, 300][len(sys.argv[1:3]) :])[:2]
    main(seconds, int(count), sys.argv[3:])
