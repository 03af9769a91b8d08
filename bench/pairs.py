"""The 20 ordered pairs of formats on five real models, 200 real images each; the raw converters on the same beside them.

Sources whose format is missing are made by safeconvert itself from the native file, and are rows themselves. Resumes
where it stopped: each row is kept under build/bench/pairs/. `python bench/pairs.py [--only MODEL] [--without-raw] [--table]`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cells
from common import DATA, MEASURED, ROOT, WORK, safeconvert, table, write

FOLDER = WORK / "pairs"
FORMATS = ("torch", "keras", "tf", "tflite", "onnx")
SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
RAW_SUFFIX = SUFFIX | {"torch": ".pt"}
RAW_SECONDS = 600


@dataclass(frozen=True)
class Model:
    """A model of the data folder: its native files by format, its images and the preprocessing it was trained with."""

    name: str
    natives: dict[str, str]
    images: str
    preprocessing: dict[str, str]

    def inputs(self, source_format: str) -> list[str]:
        """The options that feed it 200 real images."""
        preset = self.preprocessing.get(source_format, next(iter(self.preprocessing.values())))
        return ["--inputs", str(DATA / "images" / self.images), "--preprocessing", preset, "--samples", "200"]


MODELS = (
    Model("resnet8_cifar10", {"keras": "resnet8_cifar10.h5"}, "cifar10", {"keras": "raw"}),
    Model("resnet20_cifar10", {"torch": "resnet20_cifar10.pt"}, "cifar10", {"torch": "torchvision"}),
    Model("mobilenetv1_025", {"tflite": "mobilenetv1_025_imagenet_float.tflite"}, "imagenet_val", {"tflite": "tflite.mobilenet"}),
    Model("squeezenet11", {"torch": "squeezenet11_imagenet.pt"}, "imagenet_val", {"torch": "torchvision"}),
    Model(
        "mobilenetv2",
        {"torch": "mobilenetv2_imagenet.pt", "keras": "mobilenetv2_imagenet.keras"},
        "imagenet_val",
        {"torch": "torchvision", "keras": "keras.mobilenet_v2"},
    ),
)  # fmt: skip


def main() -> None:
    """Run what is missing, then print and keep the table."""
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if "--table" not in sys.argv:
        for model in MODELS:
            if only in model.name:
                for source, target in _ordered(model):
                    _row(model, source, target)
    rows = [(model, _load(path)) for model in MODELS for path in _kept(model)]
    write("pairs", "20 pairs, five real models, 200 real images", "python bench/pairs.py", _summary(rows))


def _kept(model: Model) -> list[Path]:
    """The rows measured so far; certificates and what the raw converters did lie beside them."""
    return [path for path in sorted(FOLDER.glob(f"{model.name}-*.json")) if path.name.count(".") == 1]


def _load(path: Path) -> dict:
    raw = path.with_suffix(".raw.json")
    known = {"raw": json.loads(raw.read_text())} if raw.exists() else {}
    return json.loads(path.read_text().replace(f"{FOLDER}/", "")) | known


def _ordered(model: Model) -> Iterator[tuple[str, str]]:
    """Native sources first: they make the others."""
    for source in sorted(FORMATS, key=lambda name: name not in model.natives):
        for target in FORMATS:
            if source != target:
                yield source, target


def _source(model: Model, source: str) -> Path | None:
    """The native file, else what safeconvert made from a native one and verified."""
    if source in model.natives:
        return DATA / "models" / model.natives[source]
    made = [FOLDER / f"{model.name}-{native}2{source}{SUFFIX[source]}" for native in model.natives]
    return next((path for path in reversed(made) if path.exists()), None)


def _preset_of(model: Model, source: str) -> str:
    """Whose preprocessing a source takes: of the native file it was made from."""
    if source in model.natives:
        return source
    made = [n for n in model.natives if (FOLDER / f"{model.name}-{n}2{source}{SUFFIX[source]}").exists()]
    return made[-1] if made else next(iter(model.natives))


def _row(model: Model, source: str, target: str) -> None:
    kept = FOLDER / f"{model.name}-{source}2{target}.json"
    path = _source(model, source)
    if path is None:
        kept.write_text(json.dumps({"pair": f"{source}2{target}", "exit": "no source", "reason": "none was verified"}))
        return
    inputs = model.inputs(_preset_of(model, source))
    if not kept.exists():
        _safe(kept, path, target, inputs)
    raw = kept.with_suffix(".raw.json")
    if "--without-raw" not in sys.argv and not raw.exists():
        raw.write_text(json.dumps(_raw(model, source, target, path, inputs)))


def _safe(kept: Path, path: Path, target: str, inputs: list[str]) -> None:
    pair = kept.stem.split("-")[-1]
    out = kept.with_name(kept.stem + SUFFIX[target])
    began = time.perf_counter()
    code, outcome = safeconvert(pair, path, "-o", out, *inputs)
    seconds = time.perf_counter() - began
    row = {"pair": pair, "exit": code, "seconds": round(seconds, 1), "reason": outcome["reason"], "commit": MEASURED}
    predicate = outcome["predicate"]
    row["verification"] = predicate.get("verification", {})
    row["proving"] = cells.proof_seconds(predicate.get("seconds", {}))
    row["attempts"], row["proof"] = outcome.get("attempts", []), predicate.get("proof", {})
    kept.write_text(json.dumps(row, indent=1))
    print(kept.stem, code, f"{seconds:.1f} s", cells.proof(row), flush=True)


def _raw(model: Model, source: str, target: str, path: Path, inputs: list[str]) -> dict[str, str]:
    """What the raw converters do with the same: `crashed`, `mismatch`, `equal` or `no verdict`, with a line."""
    out = FOLDER / f"raw-{model.name}{RAW_SUFFIX[target]}"
    shutil.rmtree(out, ignore_errors=True)
    out.unlink(missing_ok=True)
    command = [sys.executable, str(ROOT / "bench" / "raw.py"), f"{source}2{target}", str(path), str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RAW_SECONDS)
    except subprocess.TimeoutExpired:
        return {"outcome": "crashed", "reason": f"hung past {RAW_SECONDS} s"}
    if done.returncode != 0 or not out.exists():
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        return {"outcome": "crashed", "reason": (lines or [f"exit {done.returncode}"])[-1][:160]}
    code, outcome = safeconvert("verify", path, out, *inputs, "--certificate", FOLDER / "raw.certificate.json")
    kinds = {0: "equal", 1: "mismatch"}
    return {"outcome": kinds.get(code, "does not run"), "reason": outcome["reason"][:160]}


def _summary(rows: list[tuple[Model, dict]]) -> str:
    header = (
        "model",
        "pair",
        "verdict",
        "labels differ",
        "max-abs",
        "upper bound",
        "s",
        "s of proof",
        "proof",
        "route",
        "raw converters",
    )
    body = []
    for model, row in rows:
        native = row.get("verification", {}).get("source native vs target native", {})
        used = next((a["route"] for a in row.get("attempts", []) if a["outcome"] == "verified"), "")
        failed = sum(a["outcome"] != "verified" for a in row.get("attempts", []))
        raw = row.get("raw", {})
        note = raw.get("outcome", "") + (f": {raw['reason']}" if raw.get("outcome") not in ("equal", None) else "")
        body.append((
            model.name, row["pair"], {0: "verified", 1: "not equivalent", 3: "no route", 4: "no verdict"}.get(row["exit"], row["exit"]),
            _share(native), _figure(native, "max_abs"), _percent(native), row.get("seconds", ""), row.get("proving", ""), cells.proof(row),
            used + (f" (after {failed} failed)" if failed else "") if used else row["reason"][:160], note,
        ))  # fmt: skip
    verified = sum(row["exit"] == 0 for _, row in rows)
    outcomes = [row.get("raw", {}).get("outcome") for _, row in rows]
    raw = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in ("equal", "mismatch", "does not run", "crashed"))
    text = (
        f"{verified} of {len(rows)} verified. {cells.proven([row for _, row in rows])}{cells.commits([row for _, row in rows])} Raw converters on the same: {raw}.\n\n"
        "Figures are those of the held-out 100 of the 200 images, source and target each in its own framework.\n\n"
    )
    return text + table(header, body)


def _share(native: dict) -> str:
    return f"{native['disagreements']} / {native['samples']}" if native else ""


def _figure(native: dict, name: str) -> str:
    return f"{native[name]:.2g}" if native else ""


def _percent(native: dict) -> str:
    return f"{native['upper_bound']:.2%}" if native else ""


if __name__ == "__main__":
    main()
