"""Architectures that are not in the zoo, by target: safeconvert, and the raw converters on the same.

Of timm, transformers, ultralytics, torchvision's segmentation models, keras.applications and nets as Keras' examples build them; needs the
extra `bench` (`pip install -e '.[bench]'`, or these packages in a folder of their own that BENCH_MODELS_PATH names).
`python bench/unseen.py [--only MODEL-PAIR] [--count N] [--without-raw] [--table]`; resumes.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial

import cells
from cells import Cell
from common import ROOT, WORK, Slot, table, write
from forked import Forked

FOLDER = WORK / "unseen"
MAKING_SECONDS = 900
TARGETS = {"torch": ("tflite", "keras", "onnx"), "keras": ("tflite", "torch", "onnx")}
LATER = frozenset({
    "mixnet_s", "fbnetc_100", "hrnet_w18_small", "res2net50_48w_2s", "cspresnet50", "mobileone_s0", "dpn48b", "eca_botnext26ts_256",
    "halonet26t", "levit_128s", "pit_ti_224", "mixer_s32_224", "resmlp_12_224", "gmlp_ti16_224", "crossvit_tiny_240",
    "xcit_nano_12_p16_224", "efficientformer_l1", "fastvit_t8", "tiny_vit_5m_224", "coatnet_pico_rw_224", "twins_pcpvt_small",
    "focalnet_tiny_srf", "davit_tiny", "rdnet_tiny", "sequencer2d_s", "caformer_s18", "hiera_tiny_224", "mpnet", "fnet", "bloom", "phi",
    "marian", "deit_hf", "poolformer_hf", "siglip_vision", "hubert", "yolo11n", "yolov8n-cls", "deeplabv3_mobilenet_v3_large",
    "fcn_resnet50", "InceptionResNetV2", "series_transformer", "scan_3d", "mlp_mixer", "super_resolution",
})  # fmt: skip
"""The large ones, and those that resemble another: behind the others, so that a run that stops early has many architectures to many targets."""


@dataclass(frozen=True)
class Unseen:
    """An architecture.

    Attributes:
        family: where it is from.
        name: there.
    """

    family: str
    name: str

    @property
    def source(self) -> str:
        """Its format."""
        return "keras" if self.family == "keras" else "torch"

    def cell(self, target: str) -> Cell:
        """Its conversion to a format."""
        file = FOLDER / f"{self.family}-{self.name}{'.keras' if self.source == 'keras' else '.pt2'}"
        flags = ("--inputs", str(file.with_suffix(".npz")), "--search", "0")
        return Cell(f"{self.family}-{self.name}", f"{self.source}2{target}", file, flags)


def models() -> list[Unseen]:
    """All of them, family by family in turn; the names are read from the makers' files, which import their framework only when they make one."""
    import ast

    def listed(file: str, *names: str) -> list[str]:
        found: dict[str, list[str]] = {}
        for node in ast.parse((ROOT / "bench" / file).read_text(encoding="utf-8")).body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            for target in targets:
                if isinstance(target, ast.Name) and target.id in names:
                    found[target.id] = _strings(node.value)
        return [one for name in names for one in found[name]]

    families = [
        [Unseen("timm", name) for name in listed("unseen_torch.py", "TIMM")],
        [Unseen("transformers", name) for name in listed("unseen_transformers.py", "TEXT", "DECODERS", "PAIRS", "IMAGES", "AUDIO", "OTHERS")],
        [Unseen("ultralytics", name) for name in listed("unseen_torch.py", "ULTRALYTICS")],
        [Unseen("segmentation", name) for name in listed("unseen_torch.py", "SEGMENTATION")],
        [Unseen("keras", name) for name in listed("unseen_keras.py", "APPLICATIONS", "EXAMPLES")],
    ]  # fmt: skip
    return [one for row in itertools.zip_longest(*families) for one in row if one is not None]


def _strings(value: object) -> list[str]:
    """The keys of a dict, or the strings of a tuple, as they are written; of a comprehension, the names that it goes over."""
    import ast

    if isinstance(value, ast.Dict):
        return [one.value for one in value.keys if isinstance(one, ast.Constant)]
    if isinstance(value, ast.DictComp):
        return [one.id for one in value.generators[0].iter.elts if isinstance(one, ast.Name)]
    return [one.value for one in getattr(value, "elts", []) if isinstance(one, ast.Constant)]


def grid() -> list[Cell]:
    """Every conversion: every model to a first target before any to a second, the targets in turn, so that a run that stops early has as many
    of each; then the same of what comes `LATER`."""
    first, later = ([one for one in models() if (one.name in LATER) == late] for late in (False, True))
    first.sort(key=_cost)
    return [
        one.cell(TARGETS[one.source][(place + turn) % 3])
        for part in (first, later)
        for turn in range(3)
        for place, one in enumerate(part)
    ]


def _cost(one: Unseen) -> int:
    """0 for the cheapest: small ones, those of an image of 64 pixels, those of a hundred layers."""
    if one.family in ("ultralytics", "segmentation") or one.name.startswith("ResNet"):
        return 2
    return int(one.family == "timm" or one.name.startswith("MobileNet"))


def main() -> None:
    """Run what is missing, then print and keep the table."""
    every = grid()
    family = {cell.source: cell.model.partition("-") for cell in every}
    command, maker = Slot(), Forked(ROOT / "bench" / "unseen_models.py", _with_models())
    judged = (
        None
        if "--without-raw" in sys.argv
        else partial(cells.raw_judged, judge=Forked(ROOT / "bench" / "raw_judge.py"))
    )
    begun = {cell.model for cell in every if cell.kept(FOLDER).exists()}
    for cell in sorted(cells.missing(every, FOLDER, sys.argv), key=lambda cell: cell.model in begun):
        if not cell.source.exists():
            kind, _, name = family[cell.source]
            made = maker.call([kind, name, str(cell.source)], MAKING_SECONDS)
            if made.code:
                cell.source.unlink(missing_ok=True)
                print(cell.model, "was not made:", made.err.strip().splitlines()[-1:], flush=True)
                continue
        cells.run(cell, FOLDER, judged, command)
    done = [(cell, cells.load(cell, FOLDER)) for cell in every if cell.kept(FOLDER).exists()]
    write("unseen", f"{len(models())} unseen architectures", "python bench/unseen.py", _table(every, done))


def _with_models() -> dict[str, str]:
    """The environment in which models are made: with the folder of their packages, which conversions do not see."""
    path = [os.environ.get("BENCH_MODELS_PATH", ""), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def _free_sizes(row: dict) -> tuple[int, int]:
    """How many sizes of its inputs the source leaves free, the batch among them, and how many of these the target does."""
    left = kept = 0
    for tensor in row.get("contract", {}).get("inputs", ()):
        source, target = tensor["source"], tensor["target"]
        order = tensor["permutation"] or range(len(source["shape"]))
        for index, axis in enumerate(order):
            if source["shape"][axis] is None or axis in source["open"]:
                left += 1
                kept += target["shape"][index] is None or index in target["open"]
    return left, kept


def _table(every: list[Cell], rows: list[tuple[Cell, dict]]) -> str:
    verdicts = Counter(cells.verdict(row) for _, row in rows)
    raw = Counter(row["raw"]["outcome"] for _, row in rows)
    right = [row for _, row in rows if cells.verdict(row) == "verified"]
    free = [sizes for sizes in map(_free_sizes, right) if sizes[0]]
    families = Counter(model.partition("-")[0] for model in {cell.model for cell, _ in rows})
    lost = sum(row["raw"]["outcome"] == "equal" and cells.verdict(row) != "verified" for _, row in rows)
    refused = [row for _, row in rows if row["exit"] in (2, 3, 4)]
    named = sum(bool(row.get("obstacles")) or "node" in row["reason"] for row in refused)
    by_pair = Counter((cell.pair, cells.verdict(row)) for cell, row in rows)
    pairs = "; ".join(
        f"{pair} {by_pair[pair, 'verified']} of {sum(count for (one, _), count in by_pair.items() if one == pair)}"
        for pair in dict.fromkeys(cell.pair for cell, _ in rows)
    )
    header = (
        "model",
        "pair",
        "safeconvert",
        "differ, max-abs",
        "s",
        "route, or why not",
        "free sizes, kept",
        "raw converters",
    )
    body = [
        (cell.model, cell.pair, cells.verdict(row), cells.figures(row), f"{row['seconds']:.0f}", cells.route(row),
         "{}, {}".format(*_free_sizes(row)), cells.raw(row))
        for cell, row in rows
    ]  # fmt: skip
    return (
        f"**{verdicts['verified']} of {len(rows)} verified**{cells.unfinished(every, rows)}; "
        f"{', '.join(f'{count} {kind}' for kind, count in sorted(verdicts.items()) if kind != 'verified') or 'nothing else'}. By pair: {pairs}. "
        f"Of {len(refused)} refused, {named} name an operator or node. Of {len(free)} verified whose source leaves sizes free, "
        f"{sum(left == kept for left, kept in free)} keep all of them free. Architectures: {', '.join(f'{count} {name}' for name, count in sorted(families.items()))}. "
        f"Raw converters on the same: {', '.join(f'{count} {kind}' for kind, count in sorted(raw.items()))}; {lost} that they get right are not verified.\n\n"
        "Twelve inputs: images for the image models of timm, ultralytics, torchvision and keras.applications, seeded numbers for the others. "
        "No search behind the verdict (`--search 0`). Seeded weights, small configurations; BatchNorm statistics from the inputs, and no bias, norm or layer scale left at its initial constant. "
        "The raw converters' chain is judged on the same inputs, whatever order and layout of inputs and outputs comes nearest counting for it.\n\n"
        + table(header, body)
    )


if __name__ == "__main__":
    main()
