"""A browser window on a running Airflow, and what stands behind its pages."""

from dataclasses import dataclass

import psycopg

EMPTY = "demo_loan_us"  # its folder is there, its demo ledger is not


@dataclass
class Site:
    """Where the pages are, and what is behind them.

    Attributes:
        address: Of the Airflow UI.
        password: Of its one user.
        url: Of the warehouse, for asking SQL.
        portfolio: The one that was worked.
        dates: Its published dates, oldest first.
        run_id: Of the newest date.
        failed_run_id: Of a run that ended with an error.
    """

    address: str
    password: str
    url: str
    portfolio: str
    dates: list
    run_id: str
    failed_run_id: str

    @property
    def dag_id(self):
        return f"collections_daily__{self.portfolio}"

    def sql(self, statement, *values):
        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            return connection.execute(statement, values).fetchall()


@dataclass
class Window:
    """A browser window that is logged in, and notes what must not happen."""

    page: object
    site: Site
    outside: list
    broken: list

    def open(self, path):
        self.page.goto(f"{self.site.address}{path}", timeout=180_000)
        self.page.wait_for_load_state("networkidle")
        return self.page


def note_outside(window, address):
    if not address.startswith((window.site.address, "data:", "blob:")):
        window.outside.append(address)
