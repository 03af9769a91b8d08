"""28 official or usual architectures, beside each other: safeconvert and the raw converters.

15 of torchvision and 3 sequence models to Keras, TF and TFLite; 10 of keras.applications to PyTorch and TFLite.
`python bench/zoo.py [--only MODEL-PAIR] [--count N] [--without-raw] [--table]`; resumes.
"""

from __future__ import annotations

import subprocess
import sys

import cells
import zoo_models
from cells import Cell
from common import DATA, ROOT, WORK, table, write

FOLDER = WORK / "zoo"
SAMPLES = 12
ON_PICTURES = {"VGG16": ("--preprocessing", "keras.mobilenet_v2"), "ConvNeXtTiny": ()}
"""Without trained weights, their float32 outputs on generated pictures of one colour are 1e-3 of the scale off float64."""


def grid() -> list[Cell]:
    """The 74 conversions."""
    return [
        *(_cell(name, ".pt", "torch", to) for name in zoo_models.TORCHVISION for to in ("keras", "tf", "tflite")),
        *(_cell(name, ".keras", "keras", to) for name in zoo_models.APPLICATIONS for to in ("torch", "tflite")),
        *(_cell(name, ".pt2", "torch", to) for name in zoo_models.SEQUENCES for to in ("keras", "tf", "tflite")),
    ]


def _cell(name: str, suffix: str, source: str, to: str) -> Cell:
    size = zoo_models.size_of(name)
    shape = ("--input-shape", f"1,3,{size},{size}") if suffix == ".pt" else ()
    if name in ON_PICTURES:
        shape = ("--inputs", str(DATA / "images" / "imagenet_val"), *ON_PICTURES[name])
    return Cell(name, f"{source}2{to}", FOLDER / f"{name}{suffix}", ("--samples", str(SAMPLES), *shape))


def main() -> None:
    """Run what is missing, then print and keep the table."""
    every = grid()
    for cell in cells.missing(every, FOLDER, sys.argv):
        if not cell.source.exists():
            made = [sys.executable, str(ROOT / "bench" / "zoo_models.py"), cell.model, str(cell.source)]
            subprocess.run(made, check=True)
        cells.run(cell, FOLDER, None if "--without-raw" in sys.argv else cells.raw_verified)
        if all(other.raw(FOLDER).exists() for other in every if other.source == cell.source):
            cells.delete(cell.source)
    done = [(cell, cells.load(cell, FOLDER)) for cell in every if cell.kept(FOLDER).exists()]
    write(cells.table_name("zoo", every, done), "28 architectures", "python bench/zoo.py", _table(done))


def _table(rows: list[tuple[Cell, dict]]) -> str:
    verdicts = [cells.verdict(row) for _, row in rows]
    outcomes = [row["raw"]["outcome"] for _, row in rows]
    counted = ", ".join(f"{verdicts.count(kind)} {kind}" for kind in sorted(set(verdicts) - {"verified"}))
    raw = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in ("equal", "differs", "does not run", "crashed"))
    beside = f"Raw converters on the same: {raw}." if set(outcomes) != {"not run"} else "Raw converters were not run."
    header = (
        "model",
        "pair",
        "safeconvert",
        "differ, max-abs",
        "s",
        "s of proof",
        "proof",
        "route, or why not",
        "raw converters",
    )
    body = [
        (cell.model, cell.pair, cells.verdict(row), cells.figures(row), f"{row['seconds']:.0f}", row.get("proving", ""), cells.proof(row), cells.route(row), cells.raw(row))
        for cell, row in rows
    ]  # fmt: skip
    return (
        f"**{verdicts.count('verified')} of {len(rows)} verified**{f', {counted}' if counted else ''}"
        f"{cells.unfinished(grid(), rows)}. "
        f"{cells.proven([row for _, row in rows])}{cells.commits([row for _, row in rows])}{cells.raw_dates([row for _, row in rows])} {beside}\n\n"
        f"{SAMPLES} generated inputs, half of them held out ({' and '.join(ON_PICTURES)} of Keras: pictures; on generated ones of "
        "one colour their untrained float32 outputs are 1e-3 of the scale off float64, the source's too). Seeded weights; BatchNorm statistics and classifiers from "
        "pictures, and no bias, norm or layer scale left at its initial constant.\n\n" + table(header, body)
    )


if __name__ == "__main__":
    main()
