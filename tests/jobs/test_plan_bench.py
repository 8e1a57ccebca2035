"""How long a large day's plan takes; run with ``pytest -m bench -s tests/jobs/test_plan_bench.py``."""

import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from arrears.jobs.assign import assign
from arrears.jobs.cases import cases
from arrears.jobs.plan import plan
from support.books import FIRST
from support.floor import STRATEGY, aged, make_floor, put_ledger, shifts

CASES = 50_000
NIGHT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.bench
def test_fifty_thousand_cases_are_planned_in_seconds(tmp_path):
    settings = make_floor(tmp_path)
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace("[push, sms]", "[voice_bot, push, sms]"))
    contacts = [
        {
            "contact_id": f"c{number}-{earlier}",
            "party_id": f"b{number}",
            "channel_code": "sms",
            "direction_code": "out",
            "purpose_code": "collection",
            "started_at": NIGHT - timedelta(days=2 * earlier),
            "outcome_code": "delivered",
        }
        for number in range(CASES)
        for earlier in range(number % 5)
    ]
    loans = [aged(f"l{number}", (1, 5, 20, 29, 45)[number % 5]) for number in range(CASES)]
    agents = shifts(FIRST, **{f"a{number}": 420 for number in range(500)})
    put_ledger(settings, FIRST, loans, contact=contacts, agent_shift=agents)

    seconds = {}
    for job in (cases, assign, plan):
        started = time.monotonic()
        done = job("book", FIRST, settings=settings)
        seconds[job.__name__] = round(time.monotonic() - started, 1)

    sys.stdout.write(f"{CASES} cases: {seconds} s\n")
    assert done["planned"] + done["blocked"] == CASES
    assert seconds["plan"] < 30
