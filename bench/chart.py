"""A chart of horizontal bars as SVG, to be read on light and on dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760
LABELS = 240
FIGURES = 110
ROW = 26
TOP = 60
LEGEND = "The stroke is the goal: green within it, red beyond it."
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 15px; }
.note { fill: #59636e; }
.within { fill: #1a7f37; } .beyond { fill: #cf222e; }
.goal { stroke: #1f2328; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .note { fill: #9198a1; }
  .within { fill: #3fb950; } .beyond { fill: #f85149; }
  .goal { stroke: #e6edf3; }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """`goal` is the most it may be."""

    label: str
    value: float
    goal: float


def draw(title: str, bars: Sequence[Bar]) -> str:
    """Return the chart; a stroke marks each goal."""
    largest = max(max(bar.value, bar.goal) for bar in bars)
    scale = (WIDTH - LABELS - FIGURES) / largest
    height = TOP + ROW * len(bars) + 10
    rows = [line for number, bar in enumerate(bars) for line in _row(bar, TOP + ROW * number, scale)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<text class="title" x="8" y="22">{escape(title)}</text>',
            f'<text class="note" x="8" y="42">{LEGEND}</text>',
            *rows,
            "</svg>\n",
        ]
    )


def _row(bar: Bar, y: int, scale: float) -> list[str]:
    colour = "within" if bar.value <= bar.goal else "beyond"
    end = LABELS + max(bar.value, bar.goal) * scale
    goal = f"{LABELS + bar.goal * scale:.1f}"
    return [
        f'<text x="{LABELS - 8}" y="{y + 15}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{colour}" x="{LABELS}" y="{y + 3}" width="{bar.value * scale:.1f}" height="{ROW - 9}"/>',
        f'<line class="goal" x1="{goal}" x2="{goal}" y1="{y}" y2="{y + ROW - 3}"/>',
        f'<text x="{end + 8:.1f}" y="{y + 15}">{bar.value:.1f} of {bar.goal:.1f}</text>',
    ]
