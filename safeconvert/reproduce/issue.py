"""The text of an issue, written from what was found and what was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeconvert.certificate.replay import replay
from safeconvert.certificate.untrusted_json import mapping, text
from safeconvert.core.faults import kind_name
from safeconvert.reproduce.regions import FaultRegion

if TYPE_CHECKING:
    from safeconvert.reproduce.types import Tried

_PACKAGES = {"tflite_converter": "tensorflow", "keras_export": "keras", "torch_onnx_script": "torch",
             "torch_onnx_dynamo": "torch"}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What is the same for all issues of a certificate: its content, its file name, the converters of its route."""

    content: Mapping[str, Any]
    certificate: str
    route: Sequence[str]


def issue(
    facts: Facts,
    region: FaultRegion,
    tried: Sequence[Tried],
    wrong: Tried | None,
    program: str,
    versions: Mapping[str, str],
) -> tuple[str, str]:
    """Title and text in Markdown.

    Args:
        facts: of the certificate.
        region: the faults and what was kept of the graph.
        tried: every run of a raw converter.
        wrong: the one that is packed; None where none went wrong.
        program: what lies beside as `reproduce.py`; "" where nothing could be written.
        versions: of the packages at work.
    """
    first = region.faults[0]
    converter = wrong.subject if wrong is not None else " → ".join(facts.route)
    version = versions.get(_PACKAGES.get(converter, converter), "")
    named = f"{converter} {version}".strip() or "A converter that is not known"
    title = _line(f"{named}: {first.operator} is converted wrongly ({kind_name(first.kind) or first.kind})")
    lines = [f"# {title}", "", *_what(facts, region, wrong, named), "", "## Where", ""]
    for fault in region.faults:
        lines.append(f"- `{_line(fault.operator)}`: {_line(fault.evidence)}")
        lines.append(
            f"  (source node `{_line(fault.source)}`, target node `{_line(fault.target)}`, error there "
            f"{text(fault.isolated)} of the largest magnitude, {fault.state})"
        )
    lines += ["", "## To reproduce", "", *_how(region, wrong, program, versions)]
    if tried:
        lines += ["", "## Tried", "", "| converter | graph | outcome | figures |", "|---|---|---|---|"]
        lines += [
            f"| {run.subject} | {_line(' → '.join(run.operators))} | {run.outcome} | {_line(run.message)} |"
            for run in tried
        ]
    lines += ["", "## Environment", "", *_environment(facts, versions), ""]
    return title, "\n".join(lines)


def _what(facts: Facts, region: FaultRegion, wrong: Tried | None, named: str) -> list[str]:
    if wrong is not None:
        nodes = f"{len(wrong.operators)} nodes" if len(wrong.operators) > 1 else "one node"
        return [
            f"{named} converts the graph `{_line(' → '.join(wrong.operators))}` ({nodes}) into a model that computes "
            "something else. ONNX gives the expected output; the figures are those of `reproduce.py`:",
            "",
            f"    {_line(wrong.message)}",
        ]
    if not region.levels:
        return [f"In a model converted by {named} a place computes something else than in its source. No part of the "
                f"graph could be cut out: {_line(region.left_out)}."]  # fmt: skip
    paragraph = [f"In a model converted by {named} the place below computes something else than in its source."]
    again = replay(facts.content)
    paragraph.append("It does not go wrong alone: no raw converter that could be run on the cut-out graph errs there, so that more "
                "of the model than is packed has a part in it. `reproduce.py` therefore runs no converter; it holds that place "
                "of the converted model (`target.onnx`) against that of the source (`model.onnx`).")  # fmt: skip
    return [*paragraph, *(["", f"The whole model, in the folder of `{_line(facts.certificate)}`:", "", f"    {again}"]
                     if again else [])]  # fmt: skip


def _how(region: FaultRegion, wrong: Tried | None, program: str, versions: Mapping[str, str]) -> list[str]:
    if not program:
        return ["`model.onnx` and `test_data_set_0` are attached: what this place has to compute." if region.levels
                else "Nothing smaller than the whole model is at hand."]  # fmt: skip
    pinned = " ".join(f"{name}=={version}" for name, version in sorted(versions.items()))
    attached = "`model.onnx`, `test_data_set_0/` (inputs and expected output) and `reproduce.py` are attached"
    needs = f"pip install {pinned}" if wrong is not None else "pip install numpy onnx onnxruntime"
    return [f"{attached}; exit code 1 is the fault.", "", f"    {needs}", "    python reproduce.py", "", "```python",
            program.rstrip(), "```"]  # fmt: skip


def _environment(facts: Facts, versions: Mapping[str, str]) -> list[str]:
    environment = mapping(facts.content.get("environment"))
    tool = mapping(facts.content.get("tool"))
    lines = [f"- Python {text(environment.get('python'))}, {text(environment.get('platform'))}"]
    packages = {
        **versions,
        **{str(name): text(version) for name, version in mapping(environment.get("packages")).items()},
    }
    lines += [f"- {_line(name)} {_line(version)}" for name, version in sorted(packages.items())]
    return [*lines, f"- found by safeconvert {text(tool.get('version'))}"]


def _line(value: str) -> str:
    """Text of unknown origin as part of a line of Markdown."""
    return text(value).replace("`", "'").replace("|", "/")
