"""Plays a session with the wizard and draws its screen: `uv run python -m docs.record_wizard` writes wizard.svg."""

import itertools
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

from tests.baking import ROOT, template
from tests.terminal import CTRL_C, DOWN, ENTER, Terminal

COLUMNS, LINES = 78, 14
CELL, LINE, MARGIN, BAR = 8.43, 21, 22, 40
COLOURS = {"default": "#d7dae0", "cyan": "#56b6c2", "brightblack": "#7f8794", "red": "#e06c75"}
KEYS = {
    "Name": "Ada's Shop" + ENTER,
    "Slug": ENTER,
    "Description": "Sells analytical engines." + ENTER,
    "Author": "Ada Lovelace" + ENTER,
    "E-mail": "ada@example.com" + ENTER,
    "Web framework": DOWN + DOWN,
}


def texts(terminal: Terminal) -> Iterator[str]:
    """The screen, as one SVG text for each run of characters that look the same."""
    for row in range(LINES):
        cells = [terminal.screen.buffer[row][column] for column in range(COLUMNS)]
        runs = itertools.groupby(enumerate(cells), key=lambda cell: (cell[1].fg, cell[1].bold))
        for (colour, bold), run in runs:
            places, drawn = zip(*run, strict=True)
            text = "".join(cell.data for cell in drawn)
            x = MARGIN + (places[0] + len(text) - len(text.lstrip())) * CELL
            weight = ' font-weight="bold"' if bold else ""
            if text := text.strip():
                yield (
                    f'<text x="{x:.1f}" y="{BAR + MARGIN + row * LINE}" fill="{COLOURS[colour]}"{weight}'
                    f' textLength="{len(text) * CELL:.1f}">{escape(text)}</text>'
                )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(
            "cookiecutter", str(template()), cwd=Path(folder), env={"HOME": folder}, columns=COLUMNS, lines=LINES
        )
        for question, keys in KEYS.items():
            terminal.see(f"? {question}")
            terminal.type(keys)
        terminal.see("▸ FastAPI")
        drawn = "\n".join(texts(terminal))
        terminal.type(CTRL_C)
        terminal.status()
    width, height = 2 * MARGIN + COLUMNS * CELL, BAR + MARGIN + LINES * LINE
    lights = "".join(
        f'<circle cx="{MARGIN + 20 * place}" cy="20" r="6" fill="{colour}"/>'
        for place, colour in enumerate(["#e06c75", "#e5c07b", "#98c379"])
    )
    (ROOT / "docs" / "wizard.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img"'
        ' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">\n'
        "<title>The wizard asks for the web framework</title>\n"
        f'<rect width="100%" height="100%" rx="10" fill="#21252b"/>\n{lights}\n'
        f'<g xml:space="preserve">\n{drawn}\n</g>\n</svg>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
