"""Pieces of a web page that is one file: no scripts, nothing from the net."""

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isnan
from typing import TYPE_CHECKING, Any

from napari_cresunet.export._figures import figure_bytes
from napari_cresunet.export._pictures import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DASH = "\N{EN DASH}"
"""What stands for an unknown number."""

_STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --soft: #5c5c5c; --paper: #ffffff;
  --line: #d9d9d9; --panel: #f4f4f2; --warn: #fff3d6; --edge: #e69f00; }
@media (prefers-color-scheme: dark) { :root { --text: #ececec; --soft: #a9a9a9;
  --paper: #181818; --line: #3c3c3c; --panel: #242424; --warn: #3a2f14; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 68rem; color: var(--text);
  background: var(--paper); font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem;
  overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .7rem; border-bottom: 1px solid var(--line);
  padding-bottom: .25rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
h4 { margin: 1.2rem 0 .3rem; }
p { max-width: 50rem; }
.soft, figcaption { color: var(--soft); font-size: .86rem; }
.cards { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); margin: 1.4rem 0; }
.card { background: var(--panel); border-radius: .5rem; padding: .8rem 1rem; }
.card b { display: block; font-size: 1.65rem; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.warning { background: var(--warn); border-left: .3rem solid var(--edge);
  padding: .6rem 1rem; border-radius: .25rem; max-width: 50rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .65rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; white-space: normal;
  overflow-wrap: anywhere; min-width: 9rem; }
tr.total td { font-weight: 600; border-top: 2px solid var(--line); }
td.text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
figure { margin: 0; }
figure.chart img { background: #ffffff; border-radius: .4rem; max-width: 100%;
  height: auto; }
figure.picture { margin: 1.2rem 0; }
figure.picture img { max-width: 100%; height: auto; display: block;
  border-radius: .3rem; }
.side { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.pair { display: grid; gap: 0 1rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
.gallery { display: grid; gap: .7rem;
  grid-template-columns: repeat(auto-fill, minmax(7.6rem, 1fr)); }
.gallery img { width: 100%; height: auto; display: block; border-radius: .25rem;
  border-bottom: .3rem solid var(--kind, transparent); }
.gallery figcaption { font-size: .72rem; line-height: 1.3; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; padding: 0;
  list-style: none; font-size: .88rem; }
i.swatch, .legend i { display: inline-block; width: .9rem; height: .9rem;
  border-radius: .2rem; margin-right: .4rem; vertical-align: -.1rem;
  border: 1px solid var(--line); }
footer { margin-top: 3rem; color: var(--soft); font-size: .86rem; }
@media print { :root { --text: #000; --soft: #444; --paper: #fff; --line: #bbb;
  --panel: #f4f4f2; --warn: #fff3d6; } body { max-width: none; padding: 0;
  font-size: 10.5pt; } figure, .card, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; } .gallery {
  grid-template-columns: repeat(6, 1fr); } .wide { overflow: visible; } table {
  font-size: 7.5pt; } th, td { padding: .2rem .3rem; } * {
  print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Any text.
    parts : iterable of str
        HTML.

    Returns
    -------
    str
        HTML.
    """
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def cell(value: Any) -> str:
    """Return a number or text as people read it, ready for HTML."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return DASH
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return escape(str(value))


def percent(fraction: float | None) -> str:
    """Return a fraction with its sign in percent."""
    if fraction is None or isnan(fraction):
        return DASH
    return f"{100 * fraction:+.1f} %"


def several(n: int, noun: str) -> str:
    """Return a number with its noun, such as "3 images"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def table(
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, str]],
    *,
    has_total: bool = False,
) -> str:
    """Return a table.

    Parameters
    ----------
    columns : mapping of str to str
        Keys of the rows, and the text (not HTML) above each.
    rows : sequence of mapping
        HTML of each cell.
    has_total : bool, optional
        Whether the last row sums up the others.

    Returns
    -------
    str
        HTML; scrolls sideways where it is too wide.
    """
    lines = ['<div class="wide"><table>', "<thead><tr>"]
    lines += [f"<th>{escape(text)}</th>" for text in columns.values()]
    lines.append("</tr></thead><tbody>")
    for number, row in enumerate(rows, start=1):
        is_total = has_total and number == len(rows)
        lines.append('<tr class="total">' if is_total else "<tr>")
        lines += [f"<td>{row[name]}</td>" for name in columns]
        lines.append("</tr>")
    lines.append("</tbody></table></div>")
    return "".join(lines)


def facts(values: Mapping[str, str]) -> str:
    """Return names and texts (HTML) as a table without a head."""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="text">{text}</td></tr>'
        for name, text in values.items()
    )
    return f'<div class="wide"><table><tbody>{rows}</tbody></table></div>'


def flat_record(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a record as HTML texts."""
    return {
        name.replace("_", " "): escape(
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        )
        for name, value in record.items()
    }


def card(title: str, value: str, below: str = "") -> str:
    """Return one large number with what it is, all of it HTML."""
    soft = f'<span class="soft">{below}</span>' if below else ""
    return f'<div class="card">{title}<b>{value}</b>{soft}</div>'


def picture(pixels: Picture, alt: str) -> str:
    """Return a picture as an image element that holds it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (Y, X, 3)
        The picture; stored as JPEG.
    alt : str
        What is to be seen on it.

    Returns
    -------
    str
        HTML.
    """
    from PIL import Image

    content = io.BytesIO()
    # Thin colored lines suffer where color is stored at half the size.
    Image.fromarray(pixels).save(content, "JPEG", quality=85, subsampling=0)
    height, width = pixels.shape[:2]
    size = f' width="{width}" height="{height}"'
    return _image(content.getvalue(), "image/jpeg", alt, size)


def chart(figure: "Figure", alt: str) -> str:
    """Return a figure as an image element that holds it as SVG."""
    content = figure_bytes(figure, "svg")
    return f'<figure class="chart">{_image(content, "image/svg+xml", alt)}</figure>'


def _image(content: bytes, kind: str, alt: str, size: str = "") -> str:
    data = base64.b64encode(content).decode()
    return f'<img alt="{escape(alt)}"{size} src="data:{kind};base64,{data}">'
