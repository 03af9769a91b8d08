"""The report's charts, as SVG: errors along the layers, the repair's trajectory, the four models."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from safeconvert.certificate.faults import Trial
from safeconvert.certificate.untrusted_json import mapping, mappings, number, numbers, text
from safeconvert.core.faults import TrialOutcome
from safeconvert.report.svg import (
    LOWEST,
    Box,
    LogScale,
    ShareScale,
    dot,
    figure,
    grid,
    line,
    log_scale,
    path,
    share_scale,
    words,
)

_POINTS = 400  # of a line; longer ones are thinned, the largest of a group kept


@dataclass(frozen=True)
class Layer:
    """One cut point; errors are None where none was measured."""

    source: str
    target: str
    operator: str
    isolated: float | None
    propagated: float | None
    repaired: float | None
    faults: tuple[int, ...]


def read_layers(along: object) -> list[Layer]:
    """The cut points of an evidence file."""
    return [
        Layer(
            text(item.get("source")),
            text(item.get("target")),
            text(item.get("operator")),
            number(item.get("isolated")),
            number(item.get("propagated")),
            number(item.get("repaired")),
            tuple(numbers(item.get("faults"))),
        )
        for item in mappings(along)
    ]


def layers_chart(layers: Sequence[Layer], repaired: bool) -> Markup:
    """Isolated and propagated error at every cut point, the faults marked.

    Args:
        layers: in the target's order.
        repaired: draw the error after the repair as well.
    """
    if not layers:
        return Markup()
    width, box = 760.0, Box(56, 34, 744, 250)
    known = [
        value
        for layer in layers
        for value in (layer.isolated, layer.propagated)
        if value is not None and not math.isnan(value)
    ]
    scale = log_scale(box, known)
    step = (box.right - box.left) / max(len(layers) - 1, 1)

    def x(index: int) -> float:
        return box.left + step * index if len(layers) > 1 else (box.left + box.right) / 2

    def drawn_line(name: str, values: Sequence[float | None]) -> Markup:
        points = [(x(index), scale.y(value)) for index, value in enumerate(values) if value is not None]
        return path(name, _thinned(points))

    parts = grid(box, scale.ticks())
    for index, layer in enumerate(layers):
        if layer.faults:
            parts.append(line("fault-line", x(index), box.top, x(index), box.bottom))
    if repaired:
        parts.append(drawn_line("repaired", [layer.repaired for layer in layers]))
    parts.append(drawn_line("propagated", [layer.propagated for layer in layers]))
    shown = sorted(range(len(layers)), key=lambda index: -(layers[index].isolated or 0.0))[:_POINTS]
    for index in sorted(shown):
        layer = layers[index]
        if layer.isolated is None:
            continue
        title = (
            f"{layer.operator} {layer.target}: isolated {layer.isolated:.3g}, propagated {_figure(layer.propagated)}"
        )
        y = scale.y(layer.isolated)
        if layer.isolated > LOWEST and len(layers) <= _POINTS:
            parts.append(line("stem", x(index), box.bottom, x(index), y))
        kind, size = ("isolated fault", 5.0) if layer.faults else ("isolated", 2.5)
        if layer.isolated <= LOWEST and not layer.faults:
            kind, size = "isolated quiet", 1.8
        parts.append(dot(kind, x(index), y, size, title))
    last = -math.inf
    for index, layer in enumerate(layers):
        if layer.faults and x(index) - last > 20:  # labels that would cover each other are left out
            last = x(index)
            parts.append(words("mark", x(index), box.top - 10, ",".join(str(n + 1) for n in layer.faults), "middle"))
    parts += [
        words("axis", box.left, 272, "input"),
        words("axis", (box.left + box.right) / 2, 272, f"{len(layers)} tensors of the target, in order", "middle"),
        words("axis", box.right, 272, "output", "end"),
    ]
    return figure("layers", width, 282, "Error along the layers", _layers_described(layers), parts)


def _layers_described(layers: Sequence[Layer]) -> str:
    """The chart in words."""
    marked = [
        f"fault {', '.join(str(n + 1) for n in layer.faults)} at {layer.target}" for layer in layers if layer.faults
    ]
    return (
        f"Relative error at {len(layers)} tensors. Largest isolated error {_largest(layers, 'isolated')}, largest "
        f"propagated error {_largest(layers, 'propagated')}. Marked: {'; '.join(marked) or 'no fault'}."
    )


def trajectory_chart(trials: Sequence[Trial], repair: Mapping[str, Any], dotted: Container[int]) -> Markup:
    """Share of inputs that differ, and distance, from trial to trial; empty where none was made.

    Args:
        trials: in order.
        repair: of the certificate: `before` and `after` all trials.
        dotted: numbers of the trials that get a dot.
    """
    if not trials:
        return Markup()
    start, end = mapping(repair.get("before")), mapping(repair.get("after"))
    drawn: list[Markup] = []
    remarks = [f"{len(trials)} trials, {sum(trial.outcome == 'accepted' for trial in trials)} accepted"]
    for key, title, box in _PANELS:
        first, last = number(start.get(key)), number(end.get(key))
        values = [trial.share_after if key == "discrepancy" else trial.distance_after for trial in trials]
        drawn += [
            words("panel", box.left, box.top - 12, title),
            *_panel(box, key == "distance", trials, first, values, last, dotted),
        ]
        remarks.append(f"{title} {_figure(first)} before, {_figure(last)} after")
    drawn += [
        words("axis", 56, 328, "as converted"),
        words("axis", 400, 328, f"{len(trials)} trial{'s' * (len(trials) != 1)}", "middle"),
        words("axis", 744, 328, "at the end", "end"),
    ]
    return figure("trajectory", 760, 338, "The repair, trial by trial", "; ".join(remarks) + ".", drawn)


_PANELS = (
    ("discrepancy", "share of inputs that differ", Box(56, 34, 744, 150)),
    ("distance", "mean relative distance", Box(56, 190, 744, 306)),
)


def _panel(
    box: Box,
    decades: bool,
    trials: Sequence[Trial],
    first: float | None,
    values: Sequence[float | None],
    last: float | None,
    dotted: Container[int],
) -> list[Markup]:
    """One figure from the start over the trials to the end: a line through what was accepted, and a dot a trial."""
    known = [value for value in (first, *values, last) if value is not None and not math.isnan(value)]
    scale: LogScale | ShareScale = log_scale(box, known) if decades else share_scale(box, known)
    step = (box.right - box.left) / (len(trials) + 1)
    line_points = [(box.left, scale.y(first))] if first is not None else []
    dots = []
    for trial, value in zip(trials, values, strict=True):
        x = box.left + step * trial.number
        if value is None or math.isnan(value):
            if trial.number in dotted:
                dots.append(words("cross", x, box.top + 6, "×", "middle"))
            continue
        y = scale.y(value)
        if trial.outcome == TrialOutcome.ACCEPTED:
            line_points += [(x, line_points[-1][1]), (x, y)] if line_points else [(x, y)]
        if trial.number not in dotted:
            continue
        undone = ", ".join(str(position + 1) for position in trial.faults)
        title = f"trial {trial.number}, faults {undone}: {trial.outcome.replace('_', ' ')}, {_figure(value)}"
        dots.append(dot("accepted" if trial.outcome == TrialOutcome.ACCEPTED else "no_gain", x, y, 4.5, title))
    if line_points:
        line_points.append((box.right, line_points[-1][1] if last is None else scale.y(last)))
    return [*grid(box, scale.ticks()), path("state", line_points), *dots]


CORNERS = {
    "source native": (150.0, 60.0),
    "target native": (610.0, 60.0),
    "source ONNX": (150.0, 260.0),
    "target ONNX": (610.0, 260.0),
}
"""Where each model stands."""


def models_chart(pairs: Mapping[str, Any], names: Mapping[str, str]) -> Markup:
    """The four models at the corners of a square, with the relative distance of each pair between them.

    Args:
        pairs: by "one vs two", the figures.
        names: by corner, what stands under its title.
    """
    drawn: list[Markup] = []
    labels: list[Markup] = []
    remarks = []
    for name, figures in pairs.items():
        one, _, two = name.partition(" vs ")
        if one not in CORNERS or two not in CORNERS:
            continue
        figures = mapping(figures)
        (x1, y1), (x2, y2) = CORNERS[one], CORNERS[two]
        relative, equal = number(figures.get("relative")), figures.get("equal") is True
        kind = "equal" if equal else "differs"
        drawn.append(line(f"edge {kind}", x1, y1, x2, y2))
        # on a diagonal the label stands off the crossing, near the upper model
        share = 0.5 if x1 == x2 or y1 == y2 else 0.3 if y1 < y2 else 0.7
        x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
        sign = "=" if equal else "≠"
        labels.append(
            Markup('<rect class="label" x="{:.1f}" y="{:.1f}" width="132" height="26" rx="13"/>').format(x - 66, y - 13)
        )
        labels.append(words(f"distance {kind}", x, y + 5, f"{sign} {_figure(relative)}", "middle"))
        remarks.append(f"{name}: {'equal' if equal else 'different'}, relative distance {_figure(relative)}")
    for corner, (x, y) in CORNERS.items():
        labels.append(
            Markup('<rect class="model" x="{:.1f}" y="{:.1f}" width="212" height="58" rx="8"/>').format(x - 106, y - 29)
        )
        labels.append(words("corner", x, y - 4, corner, "middle"))
        labels.append(words("file", x, y + 16, names.get(corner, "-"), "middle"))
    return figure(
        "models", 760, 320, "The four models", "; ".join(remarks) or "No pair was compared.", [*drawn, *labels]
    )


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `_POINTS` of them: of each group the highest, which is the largest error."""
    size = -(-len(points) // _POINTS)
    return [min(points[start : start + size], key=lambda p: p[1]) for start in range(0, len(points), max(size, 1))]


def _largest(layers: Sequence[Layer], key: str) -> str:
    values = [value for layer in layers if (value := getattr(layer, key)) is not None]
    return _figure(max(values, default=None))


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
