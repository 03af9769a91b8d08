"""Convert every model of a folder, and stop the build at the first that is not the same model any more.

python build.py models/ build/
"""

import sys
from pathlib import Path

import safeconvert


def build(models: Path, folder: Path) -> None:
    """Convert `models/*.pt2` to `folder/*.onnx`; targets that are newer than their source are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(models.glob("*.pt2")):
        target = folder / f"{source.stem}.onnx"
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            print(f"{target}: up to date")
            continue
        made = safeconvert.convert(source, to="onnx", output=target, samples=28, junit=folder / f"{source.stem}.xml")
        print(f"{made.target}: {made.reason}")
        for obligation in made.predicate["obligations"]:
            print(f"  to be met by whoever feeds it: {obligation}")


if __name__ == "__main__":
    try:
        build(Path(sys.argv[1]), Path(sys.argv[2]))
    except safeconvert.NotEquivalent as error:
        faults = [f"{fault['kind']} at {fault['target']}" for fault in error.certificate.get("faults", [])]
        sys.exit(f"{error.message}\n  {'; '.join(faults) or 'no fault could be named'}")
    except safeconvert.SafeconvertError as error:
        sys.exit(f"{error.message}\n  {error.advice}")
