"""Any history of a collections floor: one open case a borrower, nothing about a closed or held loan, no step twice.

``--floor-examples 2000`` tries as many histories; the suite tries a few.
"""

import pytest
from arrears.rules.case_states import moves
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from support.small_floor import OUTPUTS, Ledger, Loan, SmallFloor, changed

LOANS = st.sampled_from(["l1", "l2", "l3", "l4"])
BORROWER_OF = {"l1": "b1", "l2": "b1", "l3": "b2", "l4": "b3"}
EXPLAINED = {
    *("kept_agent", "new_agent", "reassigned_absent", "reassigned_stale", "pooled", "no_agent_needed", "overflow_bot"),
    *("by_supervisor", "overflow_capacity", "overflow_language", "no_queue", "held", "supervisor", "promise"),
}


class FloorMachine(RuleBasedStateMachine):
    """The floor under everything that can happen to it."""

    def __init__(self):
        super().__init__()
        self.floor = SmallFloor()
        self.ledger = Ledger()
        self.day = -1

    @initialize(first=st.integers(-35, 2), second=st.integers(-35, 2))
    def open_books(self, first, second):
        self.ledger = Ledger(loans=(Loan("l1", "b1", first), Loan("l3", "b2", second)))
        self.clock()

    @rule(loan=LOANS, first_due=st.integers(-3, 3))
    def new_loan(self, loan, first_due):
        if loan not in {one.loan_id for one in self.ledger.loans}:
            self.ledger = changed(self.ledger, loans=Loan(loan, BORROWER_OF[loan], self.day + first_due))

    @rule(loan=LOANS, amount=st.sampled_from([50, 100, 300, 500]))
    def pay(self, loan, amount):
        self.ledger = changed(self.ledger, payments=(loan, self.day, amount))

    @rule(loan=LOANS)
    def reverse(self, loan):
        paid = sum(amount for name, _, amount in self.ledger.payments if name == loan)
        if paid > 0:
            self.ledger = changed(self.ledger, payments=(loan, self.day, -min(paid, 100)))

    @rule(loan=LOANS, days=st.integers(1, 4))
    def promise(self, loan, days):
        self.ledger = changed(self.ledger, promises=(loan, self.day, self.day + days))

    @rule(loan=LOANS, days=st.integers(1, 3))
    def dispute(self, loan, days):
        self.ledger = changed(self.ledger, disputes=(loan, self.day + 1, self.day + 1 + days))

    @rule(borrower=st.sampled_from(["b1", "b2", "b3"]))
    def opt_out(self, borrower):
        self.ledger = Ledger(**{**vars(self.ledger), "opt_outs": self.ledger.opt_outs | {borrower}})

    @rule(agent=st.sampled_from(["A1", "A2"]))
    def agent_leaves_or_returns(self, agent):
        self.ledger = Ledger(**{**vars(self.ledger), "absent": self.ledger.absent ^ {agent}})

    @rule(borrower=st.sampled_from(["b1", "b2", "b3"]), agent=st.sampled_from(["A1", "A2"]))
    def supervisor_names(self, borrower, agent):
        self.ledger = changed(self.ledger, named=(borrower, self.day + 1, agent))

    @rule(loan=LOANS, status=st.sampled_from(["charged_off", "paid_off", "sold", "settled"]))
    def end(self, loan, status):
        loans = tuple(
            Loan(one.loan_id, one.borrower_id, one.first_due, status)
            if one.loan_id == loan and one.status in ("active", "charged_off")
            else one
            for one in self.ledger.loans
        )
        self.ledger = Ledger(**{**vars(self.ledger), "loans": loans})

    @rule()
    def clock(self):
        self.day += 1
        self.floor.known[self.day] = self.ledger
        self.floor.made[self.day] = self.floor.work(self.day, self.ledger)

    @rule()
    def rerun(self):
        assert self.floor.work(self.day, self.floor.known[self.day]) == self.floor.made[self.day]

    @rule(data=st.data())
    def backfill(self, data):
        day = data.draw(st.integers(0, self.day))
        assert self.floor.work(day, self.floor.known[day]) == self.floor.made[day]

    @invariant()
    def at_most_one_open_case_a_borrower(self):
        for cases in self._tables("case"):
            open_cases = [row["borrower_id"] for row in cases if row["closed_on"] is None]
            assert len(open_cases) == len(set(open_cases))

    @invariant()
    def nothing_about_a_closed_or_held_loan(self):
        for tables in self.floor.made.values():
            worked = {
                (row["case_id"], row["loan_id"])
                for row in tables["case_loan"]
                if row["state_code"] == "past_due" and row["hold_code"] is None
            }
            states = {row["case_id"]: row["state_code"] for row in tables["case"]}
            for row in tables["plan"]:
                assert {(row["case_id"], loan) for loan in row["loan_ids"].split(",")} <= worked
                assert states[row["case_id"]] in ("open", "in_treatment")

    @invariant()
    def no_step_is_planned_twice(self):
        keys = [row["step_key"] for plan in self._tables("plan") for row in plan if row["state_code"] == "planned"]
        assert len(keys) == len(set(keys))

    @invariant()
    def history_goes_on_where_it_stood(self):
        known = moves()
        for day in range(1, self.day + 1):
            before = {row["case_id"]: row for row in self.floor.made[day - 1]["case"] if row["closed_on"] is None}
            today = {row["case_id"]: row for row in self.floor.made[day]["case"]}
            assert set(before) <= set(today), "an open case is gone without an ending"
            for case_id, row in today.items():
                if case_id in before:
                    assert known[before[case_id]["state_code"], row["state_code"]] == row["move_code"]
                    assert row["opened_on"] == before[case_id]["opened_on"]
                else:
                    assert row["move_code"] in ("opened", "reopened")

    @invariant()
    def every_open_case_has_a_place_or_a_reason(self):
        for tables in self.floor.made.values():
            open_cases = {row["case_id"] for row in tables["case"] if row["closed_on"] is None}
            assert {row["case_id"] for row in tables["assigned"]} == open_cases
            assert all(row["reason_code"] in EXPLAINED and row["reason"] for row in tables["assigned"])

    @invariant()
    def who_is_named_has_the_case_or_the_reason_says_why_not(self):
        for day, tables in self.floor.made.items():
            named = {borrower: agent for borrower, since, agent in self.floor.known[day].named if since <= day}
            borrower_of = {row["case_id"]: row["borrower_id"] for row in tables["case"]}
            for row in tables["assigned"]:
                agent = named.get(borrower_of[row["case_id"]])
                if agent is not None and row["reason_code"] != "held":
                    assert row["agent_id"] == agent or f"{agent}, whom a supervisor named" in row["reason"]

    def _tables(self, name):
        assert name in OUTPUTS
        return [tables[name] for tables in self.floor.made.values()]


@pytest.mark.timeout(4 * 3600)  # of the many that an option asks for
def test_floor_keeps_its_promises_whatever_happens(request):
    examples = request.config.getoption("--floor-examples")

    run_state_machine_as_test(
        FloorMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
