"""Proofs: wrong targets of which none may be proven, right ones, real conversions, and how the time grows with the number of nodes.

    python bench/proof.py [OPERATORS [SECTION ...]]

Only the sections named are run (all where none is); the others stay in the table as the run before left them, with its date and commit. Spoiled targets are those of `evidence_kinds.py`, both sides ONNX, in this process.
The shares are counted in the tables that the other benches keep.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
from common import ROOT, table, write
from evidence_kinds import KINDS
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(ROOT))

from in_order import in_order
from proof_conversions import recurrent
from proof_shares import shares

from safeconvert.prove.disprove import Tolerances, counterexample
from safeconvert.prove.prover import prove
from tests.prove.graphs import numbers
from tests.scenarios.published_bugs import BUGS, KIND, RIGHT, SOURCE, WRONG

SEEDS = 10
MUTANTS = 20
TRANSFORMERS = 40
FAULTS = 100
CHAINS = (100, 300, 1000, 3000, 10000)


def main(operators: int, wanted: Sequence[str]) -> None:
    """Run the sections that are wanted, and write the table."""
    sections: dict[str, Callable[[], str]] = {
        "Shares": shares,
        "Recurrent nets": recurrent,
        "Spoiled targets": _spoiled,
        "Published bugs": _published,
        "Injected faults": _faults,
        "Spoiled files": _files,
        "Spoiled transformers": _transformers,
        "Operators through raw converters": lambda: _operators(operators),
        "Chains": _chains,
        "Large nets": _large,
    }
    kept = _kept()
    asked = [name for name in sections if not wanted or name in wanted or name in kept]
    body = [sections[name]() if not wanted or name in wanted else kept[name] for name in asked]
    command = " ".join(["python bench/proof.py", str(operators), *(repr(name) for name in wanted)])
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


def _published() -> str:
    """Published bugs rebuilt: proven, refuted, and whether what is right is proven."""
    lines = []
    for bug in BUGS:
        source, wrong = bug.model(SOURCE), bug.model(WRONG)
        contract = in_order(source, wrong)
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


def _faults() -> str:
    """The targets of the fault bench; a process of its own, so that it can be run alone."""
    made = _printed("proof_faults.py", FAULTS)
    return (
        f"## Injected faults\n\n{FAULTS} targets of each small net with one to five faults, as those of the bench of faults, under other names, channels last or with BatchNorm folded, and the same "
        "without faults; of each real net a fifth as many. Some faults change nothing (an Abs behind a Relu), or find no place.\n\n"
        + made[made.index("| net") :].strip()
    )


def _transformers() -> str:
    """Spoiled ONNX targets of transformers; a process of its own, which needs the extra `bench`."""
    made = _printed("proof_transformers.py", TRANSFORMERS)
    return (
        f"## Spoiled transformers\n\nSix tiny seeded nets, read from their ExportedProgram, beside PyTorch's ONNX file of them: as it was, and {TRANSFORMERS} seeded copies of each with one number, "
        "attribute or operator changed or two operands exchanged. Harmless ones compute the same. Proofs of `these sizes` are for those of the run alone.\n\n"
        + made[made.index("| net") :].strip()
    )


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
    return prove(source, target, in_order(source, target)).proven


def _large() -> str:
    made = _printed("proof_large.py")
    text = "Traced torchvision nets, read from their files, beside what PyTorch's exporter makes of them; processor seconds."
    return f"## Large nets\n\n{text}\n\n{made[made.index('| net') :].strip()}"


def _chains() -> str:
    rows = []
    for nodes in CHAINS:
        source, target = _chain(nodes, folded=False), _chain(nodes, folded=True)
        began = time.process_time()
        found = prove(source, target, in_order(source, target))
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


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300, sys.argv[2:])
