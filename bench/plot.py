"""Plots as SVG text, for pages that are read in a light or a dark theme. Needs nothing but Python.

    plot.lines("Title", plot.Axis("offered, records/s", log=True), plot.Axis("p99, ms", log=True),
               [plot.Series("ours", [(1000, 2.5), (5000, 4.1)])])
    plot.bars("Title", plot.Axis("records/s"), [("ours", 12000), ("theirs", 4000)])

Both return the text of a file. Colours keep their order in every plot, so what comes first in one
should come first in all; shapes differ as well, for those who cannot tell the colours apart. A log
axis shows positive values only: others are left out.
"""

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 84, 20, 78, 62
LEGEND_COLUMN = 310
LEGEND_ROW = 19
COLOURS = 6

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .axis { fill: none; stroke: #57606a; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .s0 { --c: #0969da } .s1 { --c: #cf222e } .s2 { --c: #bc4c00 }
  .s3 { --c: #1a7f37 } .s4 { --c: #8250df } .s5 { --c: #57606a }
  .line { stroke: var(--c) } .mark { fill: var(--c) }
  .paper { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .paper { fill: #0d1117 }
    .grid { stroke: #30363d } .axis { stroke: #8b949e }
    .s0 { --c: #58a6ff } .s1 { --c: #ff7b72 } .s2 { --c: #f0883e }
    .s3 { --c: #3fb950 } .s4 { --c: #bc8cff } .s5 { --c: #8b949e }
  }
"""


@dataclass
class Axis:
    title: str  # with the unit
    log: bool = False
    start: float | None = None  # where the axis begins, and ends; None: by the values
    end: float | None = None


@dataclass
class Series:
    name: str
    points: list  # (x, y)
    marks: bool = True  # off where points are many


class Scale:
    """Maps an axis' values to pixels, and chooses its ticks."""

    def __init__(self, axis, values, from_px, to_px):
        self.axis, self.from_px, self.to_px = axis, from_px, to_px
        values = [value for value in values if not axis.log or value > 0]
        if not values:
            raise ValueError(f"{axis.title}: there is nothing to plot")
        low, high = min(values), max(values)
        if axis.log:
            self.low = axis.start or below(low)
            self.high = axis.end or above(high)
            if self.low == self.high:
                self.high *= 10
            self.ticks = self.log_ticks()
        else:
            self.low = min(0, low) if axis.start is None else axis.start
            step = round_step(((high if axis.end is None else axis.end) - self.low) / 5 or 1)
            count = math.ceil(round((high - self.low) / step, 9)) or 1
            self.high = axis.end or self.low + step * count
            self.ticks = [self.low + i * step
                          for i in range(math.floor((self.high - self.low) / step + 1e-9) + 1)]

    def log_ticks(self):
        decades = math.log10(self.high / self.low)
        steps = (1, 2, 5) if decades <= 3.1 else (1,)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        ticks = [step * 10.0 ** power for power in range(first, last + 1) for step in steps]
        return [tick for tick in ticks if self.low * 0.999 <= tick <= self.high * 1.001]

    def __call__(self, value):
        if self.axis.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.from_px + share * (self.to_px - self.from_px)


def below(value):
    """The greatest of 1, 2, 5 times a power of ten that is not above the value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))


def above(value):
    power = 10.0 ** math.floor(math.log10(value))
    return min(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def round_step(step):
    return above(step)


def number_text(value):
    if value >= 1_000_000:
        return f"{value / 1_000_000:.3g} M"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def text(x, y, what, anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(what)}</text>'


def mark(series, x, y):
    """A shape of the series' own."""
    shapes = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"',
              f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"',
              f'<path d="M{x:.1f} {y - 5.5:.1f}l5 9h-10z"',
              f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6-6z"',
              f'<path d="M{x:.1f} {y + 5.5:.1f}l5-9h-10z"',
              f'<rect x="{x - 6:.1f}" y="{y - 2:.1f}" width="12" height="4"']
    return f'{shapes[series % len(shapes)]} class="mark s{series % COLOURS}"/>'


def frame(title, y_axis, y, height):
    """The title, and the y axis with its grid."""
    parts = [f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
             text(LEFT, 24, title, more=' class="title"')]
    for tick in y.ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 8, y(tick) + 4.5, number_text(tick), "end"))
    middle = (y.from_px + y.to_px) / 2
    parts.append(text(18, middle, y_axis.title, "middle",
                      f' transform="rotate(-90 18 {middle:.1f})"'))
    return parts


def svg(title, parts, height):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", *parts, "</svg>", ""])


def lines(title, x_axis, y_axis, series):
    """A line for each series."""
    more_rows = max(0, (len(series) + 1) // 2 - 2) * LEGEND_ROW
    height, top = HEIGHT + more_rows, TOP + more_rows
    points = [point for one in series for point in one.points]
    x = Scale(x_axis, [point[0] for point in points], LEFT, WIDTH - RIGHT - 8)
    y = Scale(y_axis, [point[1] for point in points], height - BOTTOM, top)
    parts = frame(title, y_axis, y, height)
    for tick in x.ticks:
        parts.append(f'<path class="grid" d="M{x(tick):.1f} {top}V{height - BOTTOM}"/>')
        parts.append(text(x(tick), height - BOTTOM + 19, number_text(tick), "middle"))
    parts.append(f'<path class="axis" d="M{LEFT} {top}V{height - BOTTOM}H{WIDTH - RIGHT}"/>')
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, height - 14, x_axis.title, "middle"))
    for number, one in enumerate(series):
        shown = [(x(a), y(b)) for a, b in one.points
                 if (a > 0 or not x_axis.log) and (b > 0 or not y_axis.log)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in shown)
        parts.append(f'<polyline class="line s{number % COLOURS}" points="{path}"/>')
        marked = shown if one.marks else shown[-1:]
        parts += [mark(number, a, b) for a, b in marked]
        at_x, at_y = LEFT + number % 2 * LEGEND_COLUMN, 44 + number // 2 * LEGEND_ROW
        parts.append(mark(number, at_x + 6, at_y - 4))
        parts.append(text(at_x + 18, at_y, one.name))
    return svg(title, parts, height)


def bars(title, axis, values):
    """A bar for each (name, value), named below it and with its value on top. Linear, from 0."""
    height = HEIGHT - 30
    y = Scale(axis, [0, *(value for _, value in values)], height - BOTTOM, TOP - 24)
    parts = frame(title, axis, y, height)
    room = (WIDTH - RIGHT - LEFT) / len(values)
    for number, (name, value) in enumerate(values):
        left, wide = LEFT + number * room + room * 0.2, room * 0.6
        parts.append(f'<rect class="mark s{number % COLOURS}" x="{left:.1f}" y="{y(value):.1f}" '
                     f'width="{wide:.1f}" height="{y(0) - y(value):.1f}"/>')
        parts.append(text(left + wide / 2, y(value) - 6, number_text(value), "middle"))
        for row, words in enumerate(two_rows(name)):
            parts.append(text(left + wide / 2, y(0) + 19 + row * 17, words, "middle"))
    parts.append(f'<path class="axis" d="M{LEFT} {y(0):.1f}H{WIDTH - RIGHT}"/>')
    return svg(title, parts, height)


def two_rows(name):
    """A name split where its rows are about equally long."""
    words = name.split(" ")
    if len(name) < 16 or len(words) == 1:
        return [name]
    splits = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    return min(splits, key=lambda rows: max(map(len, rows)))
