"""What every page shares: the reader's language, the picker, tables with their CSV, and the one place that renders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from arrears.errors import ArrearsError
from arrears.portfolio import load_folder
from arrears.settings import load_settings
from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from arrears_ui.access import PORTFOLIO_COOKIE, User, form_token, portfolios_of
from arrears_ui.assets import address, plotly_style
from arrears_ui.formats import Formats
from arrears_ui.tables import Kind, Table, text
from arrears_ui.words import LANGUAGES, Words, language_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arrears.portfolio import Portfolio

    from arrears_ui.reading import Rows

LANGUAGE_COOKIE = "arrears_language"
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Shown:
    """A table with its rows, ready for a template.

    Attributes:
        table: What the columns are.
        rows: The figures.
        query: Address of its CSV.
        lede: The one sentence to take away; empty for none.
        figures: Charts of it, as (currency or "", Plotly figure).
        is_open: Whether the rows show without a click.
    """

    table: Table
    rows: Rows
    query: str
    lede: str = ""
    figures: tuple[tuple[str, dict[str, Any]], ...] = ()
    is_open: bool = False


class View:
    """One request's page.

    Args:
        request: The request.
        user: Who asks.
        language: Chosen with the page, kept in a cookie.
    """

    def __init__(
        self, request: Request, user: User, language: Annotated[str | None, Query(alias="lang", max_length=8)] = None
    ) -> None:
        self.request = request
        self.user = user
        self.chosen_language = language if language in LANGUAGES else None
        wanted = self.chosen_language or request.cookies.get(LANGUAGE_COOKIE)
        self.words = Words(language_of(wanted, request.headers.get("accept-language", "")))
        self.knows_language = wanted in LANGUAGES

    def formats(self, portfolio: str | None) -> Formats:
        """How figures of that portfolio read."""
        return Formats(self.words.language, zone_of(portfolio))

    @cached_property
    def form_token(self) -> str:
        """For the page's forms."""
        return form_token(self.user)

    def may_act(self, portfolio: str) -> bool:
        """Whether the page offers to change anything; the routes ask again."""
        return portfolio in portfolios_of(self.user, "PUT")

    def page(self, template: str, *, status: int = 200, portfolio: str | None = None, **values: Any) -> HTMLResponse:  # noqa: ANN401  the template's
        """Render a page."""
        t, formats = self.words, self.formats(portfolio)
        depth = self.request.url.path.removeprefix(self.request.scope.get("root_path", "")).strip("/").count("/")
        rendered = (
            environment()
            .get_template(template)
            .render(
                t=t,
                formats=formats,
                languages=LANGUAGES,
                languages_url=self._in_language,
                knows_language=self.knows_language,
                portfolio=portfolio,
                root="../" * depth,
                asset=address,
                plotly_style=plotly_style(),
                here=template.removesuffix(".html"),
                cell=lambda column, row: text(column, row, t, formats),
                href=_href,
                Kind=Kind,
                view=self,
                **values,
            )
        )
        response = HTMLResponse(rendered, status_code=status)
        if self.chosen_language:
            _remember(response, LANGUAGE_COOKIE, self.chosen_language)
        if portfolio is not None and self.request.query_params.get("portfolio") == portfolio:
            _remember(response, PORTFOLIO_COOKIE, portfolio)
        return response

    def _in_language(self, language: str) -> str:
        """This very page in another language."""
        return "?" + urlencode(
            [*((k, v) for k, v in self.request.query_params.multi_items() if k != "lang"), ("lang", language)]
        )


def _remember(response: HTMLResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="lax", path="/")


Viewed = Annotated[View, Depends(View)]


def shown(table: Table, rows: Rows, values: dict[str, Any], **more: Any) -> Shown:  # noqa: ANN401  of Shown
    """A table whose CSV is asked for with the same values as its rows."""
    asked = {"name": table.name, **{key: value for key, value in values.items() if value is not None}}
    return Shown(table, rows, "table.csv?" + urlencode(asked), **more)


def by_currency(rows: Rows) -> dict[str, Rows]:
    """Rows by their currency: money of two currencies never shares an axis."""
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(row["currency"], []).append(row)
    return found


def zone_of(portfolio: str | None) -> ZoneInfo:
    """The portfolio's time zone; UTC, which the shown instants say, where its folder cannot be read."""
    config = configuration(portfolio)
    return config.zone if config else ZoneInfo("UTC")


def configuration(portfolio: str | None) -> Portfolio | None:
    """The portfolio's configuration, read again when it changes; None where its folder cannot be read."""
    if portfolio is None:
        return None
    file = load_settings().portfolios / portfolio / "portfolio.yaml"
    try:
        return _configuration(portfolio, file.stat().st_mtime_ns)
    except (ArrearsError, OSError):
        return None


@cache
def _configuration(portfolio: str, _changed: int) -> Portfolio:
    return load_folder(portfolio, load_settings()).portfolio


def _href(page: str, **query: object) -> str:
    """Address of a page of ours beside the present one."""
    asked = urlencode({key: value for key, value in query.items() if value is not None and value != ""})
    return f"{page}?{asked}" if asked else page


@cache
def environment() -> Environment:
    """Our own templates; everything that is put into one is escaped."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": str}
    return made


def codes_in(tables: Sequence[Table]) -> set[str]:
    """Catalogue prefixes that the tables' codes need."""
    return {column.codes for table in tables for column in table.columns if column.kind is Kind.CODE}
