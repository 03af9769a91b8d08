"""Parts of which the report's charts are drawn: scales and SVG elements. Colours and type come from the page's style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

LOWEST = 1e-8
"""What is smaller is drawn here: rounding of float32."""


@dataclass(frozen=True)
class Box:
    """The plot's place in a chart: left, top, right and bottom edge in user units."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class LogScale:
    """Decades from `low` to `high` exponents, over a box' height."""

    box: Box
    low: int
    high: int

    def y(self, value: float) -> float:
        """Height of a value; what lies outside is drawn at the edge."""
        exponent = self.high if math.isinf(value) else math.log10(max(value, 10.0**self.low))
        share = (min(max(exponent, self.low), self.high) - self.low) / (self.high - self.low)
        return self.box.bottom - share * (self.box.bottom - self.box.top)

    def ticks(self) -> list[tuple[float, str]]:
        """(height, label) of every second decade, or every fourth where there is little room."""
        step = 2 if self.box.bottom - self.box.top > 150 else 4
        return [(self.y(10.0**e), "1" if e == 0 else f"1e{e}") for e in range(self.low, self.high + 1, step)]


def log_scale(box: Box, values: Sequence[float]) -> LogScale:
    """Decades that hold all values, from 1e-8 to at least 1."""
    largest = max((value for value in values if math.isfinite(value)), default=0.0)
    high = min(max(math.ceil(math.log10(largest)) if largest > 0 else 0, 0), 12)
    high += high % 2  # so that the ticks meet both ends
    return LogScale(box, int(math.log10(LOWEST)), high)


@dataclass(frozen=True)
class ShareScale:
    """Shares from 0 to `top`, over a box' height."""

    box: Box
    top: float

    def y(self, value: float) -> float:
        """Height of a share; what lies outside is drawn at the edge."""
        return self.box.bottom - min(max(value / self.top, 0.0), 1.0) * (self.box.bottom - self.box.top)

    def ticks(self) -> list[tuple[float, str]]:
        """(height, label) of none, half and all."""
        return [(self.y(self.top * part), f"{self.top * part:.3g}" if self.top < 0.01 else f"{self.top * part:.0%}")
                for part in (0, 0.5, 1)]  # fmt: skip


def share_scale(box: Box, values: Sequence[float]) -> ShareScale:
    """Shares up to the largest."""
    return ShareScale(box, max((value for value in values if 0 < value <= 1), default=1.0))


def line(name: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A straight line of a class."""
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(name, x1, y1, x2, y2)


def path(name: str, points: Sequence[tuple[float, float]]) -> Markup:
    """A line through points."""
    drawn = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup('<path class="{}" d="M{}"/>').format(name, drawn) if points else Markup()


def words(name: str, x: float, y: float, content: str, anchor: str = "start") -> Markup:
    """Text of a class."""
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        name, x, y, anchor, content
    )


def dot(name: str, x: float, y: float, radius: float, title: str) -> Markup:
    """A dot that tells its meaning where it is pointed at."""
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>').format(
        name, x, y, radius, title
    )


def figure(identity: str, width: float, height: float, title: str, description: str, drawn: Sequence[Markup]) -> Markup:
    """A whole chart, with its title and its description for those who do not see it."""
    head = Markup(
        '<svg class="chart" id="{0}" viewBox="0 0 {1:g} {2:g}" role="img" aria-labelledby="{0}-t {0}-d">'
        '<title id="{0}-t">{3}</title><desc id="{0}-d">{4}</desc>'
    ).format(identity, width, height, title, description)
    return head + Markup("").join(drawn) + Markup("</svg>")


def grid(box: Box, ticks: Sequence[tuple[float, str]]) -> list[Markup]:
    """Horizontal lines with their labels at the left."""
    drawn = []
    for y, label in ticks:
        drawn += [line("grid", box.left, y, box.right, y), words("tick", box.left - 8, y + 4, label, "end")]
    return drawn
