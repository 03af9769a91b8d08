"""Native files spoiled in one place each: the graph that is read must not be proven equal to that of the file as it was.

    python bench/proof_readers.py [MUTANTS]

Of each net and format that `proof_nets.py` makes, MUTANTS (20) seeded copies have one number of the weights, or one setting, changed. A copy may be
refused by the reader, differ in its graph and not be proven, or give what the file gave (a setting that changes nothing); only the last may be proven.
"""

from __future__ import annotations

import sys
from collections import Counter

from common import ROOT, table
from onnx import TensorProto
from proof_nets import SHAPES, channels_first, ensure

sys.path.insert(0, str(ROOT))

from safeconvert.prove.readers.writer import Input
from tests.scenarios.spoiled_files import SPOILS, mutant

NETS = ("mlp", "cnn", "residual", "encoder")


def rows(count: int) -> list[tuple[object, ...]]:
    """A row for each format: how many mutants were refused, not proven, proven though they compute something else, or harmless."""
    found = []
    for file_format in SPOILS:
        outcomes: Counter[str] = Counter()
        wrong = []
        for seed in range(count):
            net = NETS[seed % len(NETS)]
            outcome, what = mutant(ensure(net, file_format), file_format, seed, given(net, file_format))
            outcomes[outcome] += 1
            if outcome == "proven":
                wrong.append(f"{net}, {what}")
        found.append(
            (
                file_format,
                count,
                outcomes["refused"],
                outcomes["not proven"],
                outcomes["harmless"],
                outcomes["proven"],
                "; ".join(wrong),
            )
        )
    return found


def given(net: str, file_format: str) -> list[Input]:
    """Inputs of a net, for files that do not say them."""
    if file_format != "torchscript":
        return []
    name = "input" if net in ("cnn", "mlp") else "x"
    return [Input(name, TensorProto.FLOAT, (None, *channels_first(SHAPES[net])))]


HEAD = ("format", "mutants", "refused", "not proven", "harmless", "wrong and proven", "which")


if __name__ == "__main__":
    print(table(HEAD, rows(int(sys.argv[1]) if len(sys.argv) > 1 else 20)))
