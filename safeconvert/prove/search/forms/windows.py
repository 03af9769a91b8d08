"""Pooling in windows. A window that covers the whole of every axis is a reduction; an axis of length 1 with a window of 1 is none."""

from __future__ import annotations

from safeconvert.prove.search.forms.axes import taken
from safeconvert.prove.search.forms.reductions import reduced
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.values import Value, canonical


def pool(step: Step) -> list[Value] | None:
    """MaxPool and AveragePool with explicit pads and one output."""
    value = step.value(0)
    if value is None or step.shape is None or any(step.node.output[1:]) or "auto_pad" in step.attributes:
        return None
    spatial = len(value.groups) - 2
    kernel = list(step.attributes["kernel_shape"])
    strides = list(step.attributes.get("strides", [1] * spatial))
    dilations = list(step.attributes.get("dilations", [1] * spatial))
    pads = list(step.attributes.get("pads", [0] * (2 * spatial)))
    shape = value.shape
    average = step.node.op_type == "AveragePool"
    if (
        not any(pads)
        and kernel == list(shape[2:])
        and all(size == 1 for size in step.shape[2:])
        and max(dilations) == 1
    ):
        operator = "ReduceMean" if average else "ReduceMax"
        return [reduced(step.store, operator, value, range(2, 2 + spatial))]
    if set(kernel) == {1} and not any(pads):
        found: Value | None = value
        for axis, count in enumerate(step.shape[2:]):
            if found is not None:
                found = taken(step.store, found, 2 + axis, range(0, (count - 1) * strides[axis] + 1, strides[axis]))
        if found is not None:
            return [found]
    kept = [
        axis
        for axis in range(spatial)
        if not (shape[2 + axis] == kernel[axis] == 1 and pads[axis] == pads[spatial + axis] == 0)
    ]
    overhang = []
    for axis in kept:
        reach = (step.shape[2 + axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
        overhang.append(reach - shape[2 + axis] - pads[axis])
    counted = bool(step.attributes.get("count_include_pad", 0)) and any(pads)
    if counted and any(behind != pads[spatial + axis] for behind, axis in zip(overhang, kept, strict=True)):
        return None  # ceil_mode beside counted padding: its divisor is the operator's own matter
    window = tuple(
        (kernel[a], strides[a], dilations[a], pads[a], max(behind, 0)) for a, behind in zip(kept, overhang, strict=True)
    )
    form, groups = canonical(step.shape)
    read = tuple(group for number, group in enumerate(value.groups) if number < 2 or number - 2 in kept)
    operator = step.node.op_type + (" counting its padding" if average and counted else "")
    return [Value(step.store.term(operator, form, (value.term.number,), (window, read)), groups)]
