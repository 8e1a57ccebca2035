"""The golden days: stories in, tables out, through the real jobs in a lake of their own."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import yaml
from arrears.jobs.day import Day
from pydantic import SecretStr

from support.books import FIRST, PORTFOLIO, make_book, rows_of
from support.floor import LOANS, aged, put_ledger, work

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from arrears.settings import Settings

ZONE = ZoneInfo("Asia/Shanghai")
Story = dict[str, Any]
TERMS = """\
assignment: {stale_days: 4, overflow_queue: bot}
"""


def read_stories(path: Path) -> dict[str, Any]:
    """The file, each story with the borrower it is about."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for number, story in enumerate(content["stories"]):
        story["borrower"] = f"s{number:02d}"
    return content


def make_golden(folder: Path, strategy: Path, policies: Path) -> Settings:
    """Settings of a deployment with the portfolio ``book`` and the strategy of the golden days."""
    key = SecretStr("golden")
    settings = make_book(folder).model_copy(update={"policies": policies, "experiment_key": key})
    text = PORTFOLIO.replace("packs: [house]", "packs: [house_humane]").replace("strategy: early", "strategy: strategy")
    (folder / "portfolios/book/portfolio.yaml").write_text(text + TERMS)
    (folder / "strategies/strategy.yaml").write_text(strategy.read_text())
    return settings


def run_days(settings: Settings, content: dict[str, Any]) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """Work every day of the stories; the tables by day."""
    floor = _Floor(content)
    last = max(day["day"] for story in content["stories"] for day in story["days"])
    found = {}
    for number in range(last + 1):
        floor.begin(number)
        put_ledger(settings, floor.day, floor.loans(), **floor.tables())
        work(settings, floor.day)
        found[number] = {
            name: rows_of(settings, table, floor.day)
            for name, table in (
                ("case", "core__case_daily"),
                ("assigned", "out__assignment_daily"),
                ("plan", "out__contact_plan_daily"),
            )
        }
    assert Day.open("book", floor.day, settings=settings).lake.find
    return found


class _Floor:
    """The ledger as the stories have left it by a day."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.day: date = FIRST
        self.number = 0
        self._loans: dict[str, dict[str, Any]] = {}
        self._kept: dict[str, list[dict[str, Any]]] = {"transaction": [], "flag": [], "instalment": [], "promise": []}
        self._deferrals: list[dict[str, Any]] = []
        self._today: dict[str, list[dict[str, Any]]] = {}

    def begin(self, number: int) -> None:
        """Let a day pass, and take in what it brings."""
        self.number, self.day = number, FIRST + timedelta(days=number)
        self._today = {"pause": list(self._deferrals), "differences": []}
        for loan in self._loans.values():
            if loan["days"]:
                loan["days"] += 1
        for story in self.content["stories"]:
            for day in story["days"]:
                if day["day"] == number:
                    self._take(story["borrower"], day)

    def _take(self, borrower: str, day: dict[str, Any]) -> None:
        for name, given in day.get("loans", {}).items():
            loan = f"{borrower}-{name}"
            if given == "gone":
                del self._loans[loan]
                continue
            known = self._loans.get(loan, {"borrower": borrower, "status": "active", "disbursed": -400})
            news = given if isinstance(given, dict) else {"days": given}
            self._loans[loan] = {**known, "days": 0, "delinquent": None, "penalty": 0, **news}
        for name, amount in day.get("paid", {}).items():
            self._kept["transaction"].append(self._payment(f"{borrower}-{name}", amount))
        for promise in day.get("promises", ()):
            self._kept["promise"].append(self._promise(borrower, promise))
        for flag in day.get("flags", ()):
            self._kept["flag"].append(self._flag(borrower, flag))
        for name, ahead in day.get("due", {}).items():
            due_on = self.day + timedelta(days=ahead)
            self._kept["instalment"].append(
                {"loan_id": f"{borrower}-{name}", "seq": 1, "due_on": due_on, "principal_minor": 1000}
            )
        for name in day.get("paused", ()):
            self._today["pause"].append(
                {"loan_id": f"{borrower}-{name}", "starts_on": self.day, "reason_code": "deferral"}
            )
        for name, days in day.get("deferred", {}).items():
            granted = {
                "loan_id": f"{borrower}-{name}",
                "starts_on": self.day,
                "ends_on": self.day + timedelta(days=days),
            }
            self._deferrals.append({**granted, "reason_code": "hardship", "effect_code": "deferral"})
            self._today["pause"].append(self._deferrals[-1])
        for name in day.get("differs", ()):
            self._today["differences"].append({"loan_id": f"{borrower}-{name}", "figure_code": "past_due_days"})

    def _payment(self, loan: str, amount: int) -> dict[str, Any]:
        paid_on = self.day - timedelta(days=1)
        # Paid on the day before, booked in the night: what the ledger closed on yesterday shows today.
        return {
            "transaction_id": f"t{len(self._kept['transaction'])}",
            "loan_id": loan,
            "kind_code": "repayment",
            "effective_on": paid_on,
            "booked_at": datetime.combine(paid_on, time(12), UTC),
            "amount_minor": amount,
        }

    def _promise(self, borrower: str, promise: dict[str, Any]) -> dict[str, Any]:
        made_on = self.day - timedelta(days=1)
        return {
            "promise_id": f"{borrower}-{self.number}",
            "seq": promise.get("part", 1),
            "loan_ids": f"{borrower}-{promise['loan']}",
            "made_at": datetime.combine(made_on, time(4), UTC),
            "amount_minor": promise["amount"],
            "currency": "CNY",
            "due_on": FIRST + timedelta(days=promise["due"]),
        }

    def _flag(self, borrower: str, flag: dict[str, Any]) -> dict[str, Any]:
        starts = datetime.combine(self.day, time(0), ZONE)
        ends = datetime.combine(FIRST + timedelta(days=flag["until"]), time(0), ZONE) if "until" in flag else None
        about = {"loan_id": f"{borrower}-{flag['loan']}"} if "loan" in flag else {"party_id": borrower}
        number = len(self._kept["flag"])
        return {"flag_id": f"f{number}", "flag_code": flag["code"], "starts_at": starts, "ends_at": ends, **about}

    def loans(self) -> list[dict[str, Any]]:
        """Rows of the aged loans."""
        rows = []
        for loan_id, loan in sorted(self._loans.items()):
            is_open = loan["status"] in ("active", "charged_off")
            days = loan["days"] if is_open else 0
            delinquent = days if loan["delinquent"] is None else loan["delinquent"]
            owed = 1000 * days
            row = aged(
                loan_id,
                days,
                borrower_id=loan["borrower"],
                status_code=loan["status"],
                is_open=is_open,
                delinquent_days=delinquent,
                bucket=aged("l0", delinquent)["bucket"],
                past_due_minor=owed,
                past_due_principal_minor=owed - loan["penalty"] if owed else 0,
                past_due_penalty_minor=loan["penalty"] if owed else 0,
                product_code="trip",
            )
            rows.append(row)
        return rows

    def tables(self) -> dict[str, Any]:
        """The ledger tables around them."""
        stories = self.content["stories"]
        parties = [
            {
                "party_id": story["borrower"],
                "person_id": f"p-{story['borrower']}",
                "is_minor": False,
                "language": "zh-CN",
                **story.get("party", {}),
            }
            for story in stories
        ]
        points = [
            {
                "contact_point_id": f"{kind}-{story['borrower']}",
                "party_id": story["borrower"],
                "kind_code": kind,
                "place_code": place,
                "timezone": "Asia/Shanghai",
            }
            for story in stories
            for kind, place in story.get("points", {"mobile": "personal", "email": "personal"}).items()
        ]
        absent = self.content["absent"].get(self.number, ())
        shifts = [
            {
                "agent_id": name,
                "shift_on": self.day,
                "queue_ids": agent["queues"],
                "languages": agent["languages"],
                "productive_minutes": agent["minutes"],
                "team_id": agent["team"],
                "absence_code": "leave" if name in absent else None,
            }
            for name, agent in self.content["roster"].items()
        ]
        agreed = [
            {
                "loan_id": loan_id,
                "borrower_id": loan["borrower"],
                "disbursed_on": FIRST + timedelta(days=loan["disbursed"]),
                "restructured_on": FIRST + timedelta(days=loan["restructured"]) if "restructured" in loan else None,
            }
            for loan_id, loan in self._loans.items()
        ]
        conflicts = [
            {"agent_id": agent, "party_id": story["borrower"]}
            for story in stories
            for agent in story.get("conflicts", ())
        ]
        return {
            "loan": agreed,
            "party": parties,
            "contact_point": points,
            "agent_shift": shifts,
            "agent_conflict": conflicts,
            **self._kept,
            **self._today,
        }


assert LOANS  # the table that ``put_ledger`` writes them to
