"""Letters as one print-ready PDF: A4 or Letter, fonts embedded, each letter on sheets of its own.

Belongs here: how a letter looks, and whether the deployment's font has every character of it: a letter with holes in it
is not printed. When a batch is written, and what may be taken out of one, stands in ``handover``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import TTFFont

from arrears.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from arrears.sending.values import Message

FAMILY, COLLECTIONS = "letter", (".ttc", ".otc")
POINTS, LINE_MM = 10.5, 5.2
MARGIN_MM = 20.0
# The window of DIN 5008 form B, and of the Chinese and American window envelopes near enough: 20 mm in, 45 mm down.
SENDER_MM, WINDOW_MM, BODY_MM = 45.0, 50.0, 100.0
ADDRESS_LINES = 7
SPACES = " \n\t\r"
BREAKS_ANYWHERE = ("/zh-CN", "/zh-TW", "/zh-HK", "/ja-JP")


@dataclass(frozen=True)
class Style:
    """How letters look.

    Attributes:
        font: TrueType or OpenType file with every character that letters may hold; collections too.
        font_number: Which font of a collection.
        paper: ``a4`` or ``letter``.
        is_duplex: Whether sheets are printed on both sides: then each letter has an even number of pages.
    """

    font: Path
    font_number: int = 0
    paper: str = "a4"
    is_duplex: bool = True

    def missing(self, message: Message) -> bool:
        """Whether the font lacks a character of the letter."""
        content = message.content
        said = (message.address.reveal(), content.subject.reveal(), content.body.reveal(), *content.facts.values())
        return not {char for text in said for char in text if char not in SPACES} <= characters(
            self.font, self.font_number
        )


@cache
def characters(font: Path, number: int) -> frozenset[str]:
    """Every character of a font.

    Raises:
        ConfigurationError: There is no such font.
    """
    try:
        embedded = _with_font(FPDF(), font, number).fonts[FAMILY]
    except Exception as error:  # noqa: BLE001  a damaged font fails in as many ways as it has tables
        raise ConfigurationError(f"{type(error).__name__} in {font.name}", "a readable font", "letter.font") from None
    return frozenset(map(chr, embedded.cmap)) if isinstance(embedded, TTFFont) else frozenset()


def _with_font(paper: FPDF, font: Path, number: int) -> FPDF:
    """Embed the font; of a collection the one of that number."""
    paper.add_font(FAMILY, fname=str(font), collection_font_number=number if font.suffix.lower() in COLLECTIONS else 0)
    return paper


class _Paper(FPDF):
    """Pages with the letter's reference and its own page numbers at their foot."""

    def __init__(self, style: Style, made_at: datetime) -> None:
        super().__init__(format=style.paper)
        self.set_creation_date(made_at)
        self.set_creator("arrears")
        self.set_title("letters")
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=MARGIN_MM)
        _with_font(self, style.font, style.font_number)
        self.reference = ""
        self.first_page = 1

    def footer(self) -> None:
        """Reference and page; nothing on the empty back of a last sheet."""
        if not self.reference:
            return
        self.set_y(-MARGIN_MM + LINE_MM)
        self.set_font(FAMILY, size=7)
        self.cell(0, LINE_MM, f"{self.reference}   {self.page - self.first_page + 1}", align="R")


def pdf_of(letters: Iterable[Mapping[str, Any]], style: Style, made_at: datetime) -> tuple[bytes, list[dict[str, Any]]]:
    """One PDF of all letters, in their order.

    Args:
        letters: As the spool holds them: reference, to (address, a line each), subject, body, written_at, facts with
            ``sender`` and ``sender_address``.
        style: How they look.
        made_at: Stands in the file as its date.

    Returns:
        The file, and by letter its reference, first page and pages.
    """
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table that it subsets
    paper, index = _Paper(style, made_at), []
    for letter in letters:
        _write(paper, letter)
        pages = paper.page - paper.first_page + 1
        index.append({"reference": letter["reference"], "first_page": paper.first_page, "pages": pages})
        if style.is_duplex and pages % 2:
            paper.add_page()
            paper.reference = ""
    return bytes(paper.output()), index


def _write(paper: _Paper, letter: Mapping[str, Any]) -> None:
    """Sender above the window, address in it, date, subject and text below."""
    facts = letter["facts"]
    paper.add_page()  # ends the page before, with that letter's foot
    paper.reference, paper.first_page = str(letter["reference"]), paper.page
    paper.set_xy(MARGIN_MM, SENDER_MM)
    paper.set_font(FAMILY, size=7)
    paper.cell(85, 4, " - ".join(part for part in (facts.get("sender"), facts.get("sender_address")) if part))
    paper.set_xy(MARGIN_MM, WINDOW_MM)
    paper.set_font(FAMILY, size=POINTS)
    for line in str(letter["to"]).splitlines()[:ADDRESS_LINES]:
        paper.cell(85, LINE_MM, line.strip(), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.set_xy(MARGIN_MM, BODY_MM - 2 * LINE_MM)
    paper.cell(0, LINE_MM, str(letter["written_at"])[:10], align="R")
    paper.set_xy(MARGIN_MM, BODY_MM)
    # Chinese breaks between any two characters, other words between words.
    wrap = WrapMode.CHAR if str(letter["template"]).endswith(BREAKS_ANYWHERE) else WrapMode.WORD
    for text, size in ((letter["subject"], POINTS + 1.5), (letter["body"], POINTS)):
        paper.set_font(FAMILY, size=size)
        paper.multi_cell(0, LINE_MM, str(text), align="L", wrapmode=wrap, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        paper.ln(LINE_MM)
