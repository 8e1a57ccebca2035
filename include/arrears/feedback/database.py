"""Reports from a database: one SELECT, whose rows are known again when they come again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from arrears.errors import SourceQueryError, SourceUnreachableError
from arrears.feedback.intake import Delivery, Row

if TYPE_CHECKING:
    from datetime import datetime

    from arrears.feedback.sources import DatabaseOfReports

CONNECT_SECONDS = 10


def read_database(source: DatabaseOfReports, select: str, portfolio: str, code: str, since: datetime) -> Delivery:
    """The SELECT's rows of now.

    Raises:
        SourceUnreachableError: The server did not answer.
        SourceQueryError: The SELECT does not run.
    """
    where = f"{portfolio}/feedback/{source.select}"
    try:
        engine = create_engine(source.url, poolclass=NullPool, hide_parameters=True)
        with engine.connect() as connection:
            bound = {"since": since} if ":since" in select else {}
            found = connection.execute(text(select), bound).mappings().all()
    except OperationalError:
        raise SourceUnreachableError("the server did not answer", "a reachable source of reports", where) from None
    except (DBAPIError, SQLAlchemyError):
        raise SourceQueryError("the SELECT does not run", "columns as of a report", where) from None
    rows = tuple(Row(number, _said(dict(row))) for number, row in enumerate(found, start=1))
    content = json.dumps([dict(row.values) for row in rows], default=str, sort_keys=True)
    return Delivery(portfolio, code, hashlib.sha256(content.encode()).hexdigest(), "database", source.select, rows)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
