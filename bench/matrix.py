"""The paper's Figure 1, done again: three models, the 12 ordered pairs of Keras, PyTorch, TensorFlow and TFLite.

Each source is the official architecture in its own format: keras.applications for Keras, the same exported for TF and TFLite,
torchvision for PyTorch (see paper_models). `python bench/matrix.py [--only MODEL-PAIR] [--count N] [--without-raw] [--table]`; resumes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cells
from cells import Cell
from common import DATA, WORK, table, write
from paper_models import FOLDER as MADE
from paper_models import ensure

FOLDER = WORK / "matrix"
IMAGES = DATA / "images" / "imagenet_val"
FORMATS = ("keras", "torch", "tf", "tflite")
PICTURES = 20
SIZE = {"MobileNetV2": 224, "ResNet101V2": 224, "InceptionV3": 299}
SOURCES = {
    "MobileNetV2": {
        "keras": DATA / "models" / "mobilenetv2_imagenet.keras",
        "torch": DATA / "models" / "mobilenetv2_imagenet.pt",
    },
    "ResNet101V2": {"torch": MADE / "resnet101.pt"},
    "InceptionV3": {"torch": MADE / "inception_v3.pt"},
}


def source(model: str, source_format: str) -> Path:
    """The source file of a model in a format."""
    made = {"keras": f"{model}.keras", "tf": f"{model}_saved_model", "tflite": f"{model}_float.tflite"}
    return SOURCES[model].get(source_format) or MADE / made[source_format]


def grid() -> list[Cell]:
    """The 36 conversions."""
    return [
        Cell(model, f"{one}2{other}", source(model, one), _inputs(model, one))
        for model in SIZE
        for one in FORMATS
        for other in FORMATS
        if one != other
    ]


def _inputs(model: str, source_format: str) -> tuple[str, ...]:
    trained = "torchvision" if source_format == "torch" else "keras.mobilenet_v2"
    shape = ("--input-shape", f"1,3,{SIZE[model]},{SIZE[model]}") if source_format == "torch" else ()
    return ("--inputs", str(IMAGES), "--preprocessing", trained, "--samples", str(PICTURES), *shape)


def main() -> None:
    """Run what is missing, then print and keep the table."""
    for cell in cells.missing(grid(), FOLDER, sys.argv):
        ensure(cell.source)
        cells.run(cell, FOLDER, None if "--without-raw" in sys.argv else cells.raw_verified)
    done = [(cell, cells.load(cell, FOLDER)) for cell in grid() if cell.kept(FOLDER).exists()]
    name = cells.table_name("matrix", grid(), done)
    write(name, "The paper's matrix: three models, 12 pairs of formats", "python bench/matrix.py", _table(done))


def _table(rows: list[tuple[Cell, dict]]) -> str:
    verified = sum(row["exit"] == 0 for _, row in rows)
    outcomes = [row["raw"]["outcome"] for _, row in rows]
    counted = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in ("equal", "differs", "does not run", "crashed"))
    header = (
        "model",
        "pair",
        "safeconvert",
        "labels that differ, max-abs",
        "s",
        "s of proof",
        "proof",
        "route",
        "raw converters",
    )
    body = [
        (cell.model, cell.pair, cells.verdict(row), cells.figures(row), f"{row['seconds']:.0f}", row.get("proving", ""), cells.proof(row), cells.route(row), cells.raw(row))
        for cell, row in rows
    ]  # fmt: skip
    return (
        f"**{verified} of {len(rows)} verified**{cells.unfinished(grid(), rows)}. "
        f"{cells.proven([row for _, row in rows])}{cells.commits([row for _, row in rows])}{cells.raw_dates([row for _, row in rows])} Raw converters on the same: {counted}. The paper's Figure 1: 11 of 36 "
        "crashed, 15 with other labels, 10 equal.\n\n"
        f"{PICTURES} pictures, half of them held out; figures are those of the held-out ones. MobileNetV2 has trained "
        "weights; the others are seeded, BatchNorm and classifier calibrated on pictures. torchvision has no ResNet101V2: "
        "the rows from torch are its ResNet101. TF and TFLite sources are the Keras model, exported by Keras and by "
        "TFLiteConverter.\n\n" + _figure(rows) + "\n\n" + table(header, body)
    )


def _figure(rows: list[tuple[Cell, dict]]) -> str:
    """Figure 1: a row each model and source, a column each target; safeconvert, then raw."""
    by_key = {(cell.model, cell.pair): row for cell, row in rows}
    body = []
    for model in SIZE:
        for one in FORMATS:
            cellular = [by_key.get((model, f"{one}2{other}")) for other in FORMATS]
            body.append((f"{model}, from {one}", *("" if row is None else _brief(row) for row in cellular)))
    return table(("safeconvert / raw converters", *(f"to {other}" for other in FORMATS)), body)


def _brief(row: dict) -> str:
    found = row["raw"]
    if "samples" in found and found["outcome"] == "differs":
        return f"{cells.verdict(row)} / {found['disagreements'] / found['samples']:.0%}"
    return f"{cells.verdict(row)} / {found['outcome']}"


if __name__ == "__main__":
    main()
