"""Every node test of onnx' own backend suite in the last resorts alone, without the pipeline: expressed and right, wrong, or refused.

What the suite expects is the referee, on its one input. `python bench/last_resorts.py torch|keras [--sample 300]`; the table is of all that
was run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np
from common import ROOT, table, write
from operator_cases import FOLDER, Case, cases, judge, of_onnx_runtime

sys.path.insert(0, str(ROOT))
warnings.simplefilter("ignore")


def main() -> None:
    """Run the cases of one back end, and write the table of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("back_end", choices=("torch", "keras"))
    parser.add_argument("--sample", type=int, default=0, help="so many cases, in the order of seed 0; 0 takes all")
    own = parser.parse_args()
    chosen = cases()
    random.Random(0).shuffle(chosen)
    chosen = chosen[: own.sample or None]
    compute = _torch() if own.back_end == "torch" else _keras()
    found = {case.name: [*_outcome(compute, case), of_onnx_runtime(case)] for case in chosen}
    (FOLDER.parent / f"last-resort-{own.back_end}.json").write_text(json.dumps(found))
    _write_table()


def _outcome(compute: Callable[[Case], list[np.ndarray]], case: Case) -> tuple[str, str]:
    try:
        outputs = compute(case)
    except NotImplementedError as error:
        return "refused", " ".join(str(error).split())[:200]
    except Exception as error:  # noqa: BLE001 - a framework raises anything for what it cannot compute
        return "does not run", f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
    reason = judge(outputs, case.outputs(), case.rtol, case.atol)
    return ("wrong", reason) if reason else ("right", "")


def _torch() -> Callable[[Case], list[np.ndarray]]:
    import torch

    from adapters._operators.read import plain
    from adapters.torch_ops.module import GraphModule, as_tensor

    def compute(case: Case) -> list[np.ndarray]:
        model = plain(str(case.model), str(ROOT / "adapters" / "torch_ops" / "adapter.py")).model
        with torch.inference_mode():
            return [output.numpy() for output in GraphModule(model).eval()(*map(as_tensor, case.inputs()))]

    return compute


def _keras() -> Callable[[Case], list[np.ndarray]]:
    import keras

    from adapters._operators.read import plain
    from adapters.keras_ops.model import build

    def compute(case: Case) -> list[np.ndarray]:
        keras.backend.clear_session()
        model = plain(str(case.model), str(ROOT / "adapters" / "keras_ops" / "adapter.py")).model
        return [np.asarray(output) for output in keras.tree.flatten(build(model)(list(case.inputs())))]

    return compute


def _write_table() -> None:
    rows, lines = [], []
    for back_end in ("torch", "keras"):
        kept = FOLDER.parent / f"last-resort-{back_end}.json"
        if not kept.exists():
            continue
        found = json.loads(kept.read_text())
        counts = Counter(outcome for outcome, _, _ in found.values())
        there = [outcome for outcome, _, runtime in found.values() if runtime != "does not run"]
        right = there.count("right")
        rows.append((back_end, *(counts[name] for name in ("right", "wrong", "does not run", "refused")), len(found),
                     len(there), f"{right} ({right / max(1, len(there)):.1%})"))  # fmt: skip
        operators = Counter(reason.split()[1] if reason.startswith("operator ") else reason[:60]
                            for outcome, reason, _ in found.values() if outcome in ("refused", "does not run"))  # fmt: skip
        lines.append(
            f"- {back_end}, refused: {', '.join(f'{name} {count}' for name, count in operators.most_common())}"
        )
    header = (
        "last resort",
        "right",
        "wrong",
        "does not run",
        "refused",
        "cases",
        "run in ONNX Runtime",
        "right of those",
    )
    text = (
        "The node tests of the `onnx` package's own backend suite (see `operators-*.md`) expressed in plain torch functions and in "
        "keras.ops by the last resorts alone, and computed on the suite's one input: how far they reach. Nothing is exported, saved or "
        "verified here, so that a right one is no conversion yet. Where there are fewer cases than 1586, they are a seeded sample.\n\n"
    )
    write("last_resorts", "The node tests of onnx in the last resorts alone", "python bench/last_resorts.py torch|keras",
          text + table(header, rows) + "\n\n" + "\n".join(lines))  # fmt: skip


if __name__ == "__main__":
    main()
