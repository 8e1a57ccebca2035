"""Golden numbers of every metric, exact, by DuckDB and by the views of PostgreSQL."""

import importlib
import pkgutil
from datetime import UTC, date, datetime
from decimal import Decimal

import arrears.metrics as package
import pytest
from arrears.metrics import metrics
from arrears.metrics.engines import lake_views
from support.golden import by_duckdb, by_postgres, given

MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))
BOOK = {"product_code": "travel", "currency": "CNY"}
BUCKETS = ("M0", "M1", "M2", "M3", "M4")


def moves(opened, source, **to):
    """Rows of the monthly matrix of one from-bucket: principal by direction."""
    closed = date(2026, opened.month + 1, 1)
    return [
        {
            "business_date": closed,
            "span_code": "month",
            "compared_with": opened,
            "from_bucket": BUCKETS[source],
            "to_bucket": direction,
            "from_rank": source,
            "direction_code": direction,
            "loans": 1,
            "outstanding_principal_minor": minor,
            **BOOK,
        }
        for direction, minor in to.items()
    ]


def standing(day, **principal):
    """Rows of the portfolio by bucket."""
    return [
        {
            "business_date": day,
            "contract_bucket": bucket,
            "bucket_rank": BUCKETS.index(bucket),
            "status_code": "active",
            "outstanding_principal_minor": minor,
            **BOOK,
        }
        for bucket, minor in principal.items()
    ]


def cohort(after_days, **figures):
    """A row of what fell due on the first of May."""
    return {"business_date": JUNE, "due_on": MAY, "after_days": after_days, **BOOK, **figures}


def attempts(number, connected, right_party, promised):
    """Outgoing calls, of which the first few connected, reached the right party, brought a promise."""
    return [
        {
            "contact_id": f"c-{each}",
            "case_id": f"case-{each % 55}",
            "queue_id": "named",
            "channel_code": "call",
            "direction_code": "out",
            "started_at": datetime(2026, 5, 31, 9, tzinfo=UTC),
            "is_connected": each < connected,
            "right_party": "yes" if each < right_party else "no",
            "is_promise": each < promised,
        }
        for each in range(number)
    ]


def queue_day(day, **figures):
    """One day of the queue and what was due on it."""
    return {"business_date": date(2026, 5, day), "queue_id": "named", **figures}


GOLDEN = {
    "PAR1, PAR30, arrears rate, restructured": (
        "portfolio_at_risk",
        {
            "fct_par_daily": [
                {
                    "threshold_days": days,
                    "numerator_minor": late,
                    "denominator_minor": 10_000,
                    "restructured_minor": 500,
                    "arrears_minor": 150,
                    **BOOK,
                }
                for days, late in ((1, 3000), (30, 1000))
            ]
        },
        "SELECT threshold_days, par_ratio, par_restructured_ratio, arrears_ratio FROM bi.par_daily ORDER BY 1",
        [(1, "0.3", "0.35", "0.015"), (30, "0.1", "0.15", "0.015")],
    ),
    "PAR30 after the write-off of the late loan, shown as a pair": (
        "portfolio_at_risk",
        {
            "fct_par_daily": [
                {"threshold_days": 30, "denominator_minor": 9000, "charged_off_minor": 1000, **BOOK},
            ]
        },
        "SELECT par_ratio, par_written_off_ratio, par_restructured_ratio FROM bi.par_daily",
        [("0", "0.1", None)],
    ),
    "PAR without a portfolio": (
        "portfolio_at_risk",
        {"fct_par_daily": [{"threshold_days": 30, **BOOK}]},
        "SELECT par_ratio, par_written_off_ratio FROM bi.par_daily",
        [(None, None)],
    ),
    "roll rates of three buckets": (
        "roll_rate",
        {
            "fct_bucket_migration_daily": [
                *moves(MAY, 0, forward=180, stay=8820),
                *moves(MAY, 1, forward=210, cure=390),
                *moves(MAY, 2, forward=195, stay=105),
            ]
        },
        "SELECT from_bucket, forward_ratio, performance_ratio FROM bi.roll_rate_monthly ORDER BY 1",
        [("M0", "0.02", "0.98"), ("M1", "0.35", "0.65"), ("M2", "0.65", "0.35")],
    ),
    "roll-back, cure, stay and exit sum to the bucket": (
        "roll_back",
        {"fct_bucket_migration_daily": moves(MAY, 1, forward=40, cure=45, stay=10, paid_off=5)},
        (
            "SELECT forward_ratio, back_ratio, cure_ratio, stay_ratio, paid_off_ratio, charged_off_ratio, left_ratio,"
            " forward_ratio + back_ratio + cure_ratio + stay_ratio + paid_off_ratio + charged_off_ratio + left_ratio"
            " FROM bi.roll_rate_monthly"
        ),
        [("0.4", "0", "0.45", "0.1", "0.05", "0", "0", "1")],
    ),
    "shares of a row of the matrix": (
        "roll_back",
        {"fct_bucket_migration_daily": moves(MAY, 1, back=25, left=25, charged_off=50)},
        "SELECT direction_code, principal_share FROM bi.bucket_migration_monthly ORDER BY 1",
        [("back", "0.25"), ("charged_off", "0.5"), ("left", "0.25")],
    ),
    "net flow follows no loan": (
        "net_flow",
        {"fct_portfolio_daily": [*standing(MAY, M1=600, M2=300), *standing(JUNE, M1=800, M2=210)]},
        "SELECT from_bucket, to_bucket, net_flow_ratio FROM bi.net_flow_monthly",
        [("M1", "M2", "0.35")],
    ),
    "net flow where nothing reached the next bucket, which another product has, or no loan": (
        "net_flow",
        {
            "fct_portfolio_daily": [
                *standing(MAY, M0=600, M1=300, M2=50),
                *standing(JUNE, M0=800, M2=210),
                {**standing(JUNE, M1=70)[0], "product_code": "loan"},
            ],
            "dim_member_daily": [
                {"business_date": MAY, "dimension_code": "bucket", "member_code": code, "member_rank": rank}
                for rank, code in enumerate(BUCKETS[:4])
            ],
        },
        (
            "SELECT from_bucket, to_bucket, opening_minor, closing_minor, net_flow_ratio FROM bi.net_flow_monthly"
            " ORDER BY 1"
        ),
        [("M0", "M1", 600, 0, "0"), ("M1", "M2", 300, 210, "0.7"), ("M2", "M3", 50, 0, "0")],
    ),
    "net flow of a month that has not closed yet": (
        "net_flow",
        {"fct_portfolio_daily": standing(JUNE, M1=600, M2=300)},
        "SELECT from_bucket FROM bi.net_flow_monthly",
        [],
    ),
    "chain of three months down the diagonal": (
        "roll_chain",
        {
            "fct_bucket_migration_daily": [
                *moves(MARCH, 0, forward=180, stay=8820),
                *moves(APRIL, 1, forward=210, stay=390),
                *moves(MAY, 2, forward=195, stay=105),
            ]
        },
        "SELECT month_on, bucket_rank, chain_ratio FROM bi.roll_chain_monthly ORDER BY 2",
        [(MARCH, 1, "0.02"), (APRIL, 2, "0.007"), (MAY, 3, "0.00455")],
    ),
    "published chain: April M0-M1 1.24 %, then May M1-M2 93.46 %": (
        "roll_chain",
        {
            "fct_bucket_migration_daily": [
                *moves(APRIL, 0, forward=124, stay=9876),
                *moves(MAY, 1, forward=9346, stay=654),
            ]
        },
        "SELECT bucket_rank, flow_ratio, chain_ratio FROM bi.roll_chain_monthly ORDER BY 1",
        [(1, "0.0124", "0.0124"), (2, "0.9346", "0.011589")],
    ),
    "OCC's forecast: 30.6 of 1,043.5 is 2.93 %": (
        "loss_forecast",
        {
            "fct_portfolio_daily": standing(JUNE, M0=9874, M1=302, M2=118, M3=82, M4=59),
            "fct_bucket_migration_daily": [
                *moves(MAY, 0, forward=70, stay=2061 - 70),
                *moves(MAY, 1, forward=2061, stay=4841 - 2061),
                *moves(MAY, 2, forward=4841, stay=7212 - 4841),
                *moves(MAY, 3, forward=7212, stay=10_000 - 7212),
            ],
        },
        (
            "SELECT contract_bucket, roll_to_loss_ratio, forecast_minor,"
            " ROUND(SUM(forecast_minor) OVER ()::numeric / SUM(principal_minor) OVER (), 4)"
            " FROM bi.loss_forecast_monthly"
            " ORDER BY 1"
        ),
        [
            ("M0", "0.007", 69, "0.0293"),
            ("M1", "0.2061", 62, "0.0293"),
            ("M2", "0.4841", 57, "0.0293"),
            ("M3", "0.7212", 59, "0.0293"),
            ("M4", "1", 59, "0.0293"),
        ],
    ),
    "forecast through a bucket that was empty is not available": (
        "loss_forecast",
        {
            "fct_portfolio_daily": standing(JUNE, M0=100, M1=100, M2=100),
            "fct_bucket_migration_daily": moves(MAY, 0, forward=1, stay=99),
        },
        "SELECT contract_bucket, forecast_minor FROM bi.loss_forecast_monthly ORDER BY 1",
        [("M0", None), ("M1", None), ("M2", 100)],
    ),
    "45 of 100 cured, 9 of those late again": (
        "cure_rate",
        {"fct_due_cohort_daily": [cohort(30, entered_loans=100, cured_loans=45, redefaulted_loans=9)]},
        "SELECT cure_ratio, redefault_ratio FROM bi.recovery_monthly",
        [("0.45", "0.2")],
    ),
    "FPD 6 %, FPD7 2.5 %, FPD30 0.8 %, by amount 2.583 %": (
        "first_payment_default",
        {
            "fct_due_cohort_daily": [
                cohort(
                    after,
                    first_due_loans=1000,
                    first_unpaid_loans=unpaid,
                    first_due_minor=1_200_000,
                    first_unpaid_minor=31_000,
                )
                | {"business_date": date(2026, 6, 1 + after % 28)}
                for after, unpaid in ((0, 60), (3, 50), (7, 25), (30, 8))
            ]
        },
        "SELECT after_days, fpd_ratio, fpd_amount_ratio FROM bi.first_payment_default_monthly ORDER BY 1",
        [(0, "0.06", "0.02583"), (7, "0.025", "0.02583"), (30, "0.008", "0.02583")],
    ),
    "vintage 2.4 %, ever 2.9 %": (
        "vintage",
        {
            "fct_vintage_monthly": [
                {
                    "loans": 1000,
                    "disbursed_minor": 1_000_000,
                    "overdue30_minor": 24_000,
                    "ever30_loans": 29,
                    **BOOK,
                }
            ]
        },
        "SELECT overdue30_ratio, ever30_ratio FROM bi.vintage_monthly",
        [("0.024", "0.029")],
    ),
    "45,000 of 1,500,000 entered": (
        "entry_rate",
        {"fct_entry_daily": [{"due_minor": 1_500_000, "entered_minor": 45_000, "due_loans": 0, **BOOK}]},
        "SELECT entry_ratio_amount, entry_ratio_loans FROM bi.entry_daily",
        [("0.03", None)],
    ),
    "a tie is rounded half up": (  # what a quotient of two floats does not do
        "entry_rate",
        {
            "fct_entry_daily": [
                {
                    "due_minor": 20_000,
                    "entered_minor": entered,
                    "due_loans": 20_000,
                    "entered_loans": 2 * entered,
                    **BOOK,
                }
                | {"product_code": f"P{entered:05}"}
                for entered in range(3, 4000, 444)
            ]
        },
        "SELECT entered_minor, entry_ratio_amount FROM bi.entry_daily ORDER BY 1",
        [(entered, str(Decimal(entered + 1) / 20_000)) for entered in range(3, 4000, 444)],
    ),
    "D7 is 60 %, and 40 % rolls": (
        "recovery_curve",
        {"fct_due_cohort_daily": [cohort(7, entered_loans=9, entered_minor=45_000, collected_minor=27_000)]},
        "SELECT recovery_ratio, not_recovered_ratio, recovery_ratio + not_recovered_ratio FROM bi.due_cohort_daily",
        [("0.6", "0.4", "1")],
    ),
    "liquidation of what was past due at the opening": (
        "liquidation",
        {
            "fct_loan_daily": [
                {"business_date": MAY, "loan_id": one, "past_due_days": 9, "past_due_minor": minor, **BOOK}
                for one, minor in (("a", 150_000), ("b", 50_000))
            ],
            "fct_payment_allocated": [
                {"business_date": day, "transaction_id": f"{one}{day}", "loan_id": one, "cash_minor": minor, **BOOK}
                for day, one, minor in (
                    (MAY, "a", 7),  # of April
                    (date(2026, 5, 2), "a", 20_000),
                    (JUNE, "b", 12_000),
                    (JUNE, "a", -2_000),
                    (JUNE, "c", 9_999),  # not past due at the opening
                )
            ],
        },
        "SELECT month_on, placed_loans, placed_minor, collected_minor, liquidation_ratio FROM bi.liquidation_monthly",
        [(MAY, 2, 200_000, 30_000, "0.15")],
    ),
    "recovery 15 %, net charge-off 1.36 %": (
        "charge_off_recovery",
        {
            "fct_par_daily": [
                {
                    "business_date": date(2026, 5, day),
                    "closing_date": date(2026, 5, day - 1),
                    "threshold_days": 30,
                    "denominator_minor": minor,
                    **BOOK,
                }
                for day, minor in ((5, 4_900_000), (6, 5_100_000))
            ],
            "fct_bucket_migration_daily": [
                {
                    "business_date": date(2026, 5, 6),
                    "span_code": "day",
                    "direction_code": "charged_off",
                    "outstanding_principal_minor": 80_000,
                    **BOOK,
                }
            ],
            "fct_payment_allocated": [
                {"business_date": date(2026, 5, 6), "status_code": status, "cash_minor": minor, **BOOK}
                | {"transaction_id": status}
                for status, minor in (("charged_off", 12_000), ("active", 500))
            ],
        },
        "SELECT recovery_ratio, net_charge_off_ratio FROM bi.charge_off_monthly",
        [("0.15", "0.0136")],
    ),
    "funnel 500, 150, 60, 24": (
        "contact_funnel",
        {"fct_contact_attempt": attempts(500, 150, 60, 24)},
        (
            "SELECT attempts, connects, right_party_contacts, promises, connect_ratio, right_party_ratio,"
            " right_party_connect_ratio, promise_ratio FROM bi.contact_funnel_daily"
        ),
        [(500, 150, 60, 24, "0.3", "0.12", "0.4", "0.4")],
    ),
    "right party not said is not available": (
        "contact_funnel",
        {"fct_contact_attempt": [{**attempts(1, 1, 0, 0)[0], "right_party": None, "is_promise": None}]},
        "SELECT attempts, right_party_contacts, right_party_ratio, promises FROM bi.contact_funnel_daily",
        [(1, None, None, None)],
    ),
    "55 of 220 cases tried": (
        "penetration",
        {
            "fct_contact_attempt": attempts(500, 0, 0, 0),
            "fct_queue_daily": [{"queue_id": "named", "carried_cases": 200, "left_cases": 20, "entered_cases": 7}],
        },
        "SELECT cases, attempted_cases, penetration_ratio FROM bi.penetration_daily",
        [(220, 55, "0.25")],
    ),
    "500 attempts on 220 cases": (
        "intensity",
        {
            "fct_contact_attempt": attempts(500, 0, 0, 0),
            "fct_queue_daily": [{"queue_id": "named", "carried_cases": 200, "left_cases": 20}],
        },
        "SELECT attempts, ROUND(intensity_ratio, 2) AS intensity FROM bi.penetration_daily",
        [(500, "2.27")],
    ),
    "270 of 360 minutes": (
        "capacity",
        {
            "fct_queue_daily": [
                {"queue_id": name, "required_minutes": 270, "available_minutes": minutes}
                for name, minutes in (("named", 360), ("unstaffed", 0), ("without shifts", None))
            ]
        },
        "SELECT queue_id, utilisation FROM bi.queue_daily ORDER BY 1",
        [("named", "0.75"), ("unstaffed", None), ("without shifts", None)],
    ),
    "30,000 by six agents of seven and a half hours on twenty days": (
        "productivity",
        {
            "fct_agent_daily": [
                {
                    "business_date": date(2026, 5, 1 + day),
                    "agent_id": f"A{agent}",
                    "productive_minutes": 450,
                    "collected_minor": 250,
                    "currency": "CNY",
                }
                for day in range(20)
                for agent in range(6)
            ]
        },
        "SELECT agents, collected_minor, collected_per_hour_minor FROM bi.productivity_monthly",
        [(6, 30_000, "33.33")],
    ),
    "cases of 3, 10, 15 and 20 days": (
        "case_ageing",
        {
            "fct_case_daily": [
                {"case_id": f"C{age}", "bucket": "M1", "case_age_days": age, "event_code": "carried"}
                for age in (3, 10, 15, 20)
            ]
            + [{"case_id": "gone", "bucket": "M1", "case_age_days": 900, "event_code": "closed"}]
        },
        "SELECT open_cases, mean_age_days, median_age_days, p90_age_days FROM bi.case_ageing_daily",
        [(4, "12", "12.5", 20)],
    ),
    "4,500 to collect 30,000": (
        "cost_to_collect",
        {
            "fct_summary_daily": [{"closing_date": MAY, "cost_minor": 4_500, "currency": "CNY"}],
            "fct_payment_allocated": [
                {"business_date": date(2026, 5, 2), "past_due_days_before": 5, "cash_minor": 30_000, **BOOK}
            ],
        },
        "SELECT availability_code, cost_ratio FROM bi.cost_to_collect_monthly",
        [("available", "0.15")],
    ),
    "cost to collect without a cost table on one of two days": (
        "cost_to_collect",
        {
            "fct_summary_daily": [
                {"business_date": date(2026, 5, 2), "closing_date": MAY, "cost_minor": 4_500, "currency": "CNY"},
                {"business_date": date(2026, 5, 3), "closing_date": date(2026, 5, 2), "currency": "CNY"},
            ]
        },
        "SELECT availability_code, cost_minor, cost_ratio FROM bi.cost_to_collect_monthly",
        [("not_available", None, None)],
    ),
    "60 of 80 promises kept, 36,000 of 60,000, with parts 39,500": (
        "promise_kept",
        {
            "fct_promise_total_daily": [
                {
                    "due_promises": 80,
                    "kept_promises": 60,
                    "part_kept_promises": 5,
                    "broken_promises": 15,
                    "due_minor": 60_000,
                    "kept_minor": 36_000,
                    "paid_minor": 39_500,
                    **BOOK,
                }
            ]
        },
        "SELECT kept_ratio, kept_amount_ratio, paid_amount_ratio FROM bi.promise_kept_daily",
        [("0.75", "0.6", "0.6583")],
    ),
    "promise to nobody named has the unknown members that payments have": (
        "promise_kept",
        {"fct_promise_total_daily": [{"agent_id": "", "channel_code": "", "bucket": "", "due_promises": 1, **BOOK}]},
        "SELECT agent_id, channel_code, bucket FROM bi.promise_kept_daily",
        [("unknown", "unknown", "unknown")],
    ),
    "no promise fell due": (
        "promise_kept",
        {"fct_promise_total_daily": [BOOK]},
        "SELECT kept_ratio, kept_amount_ratio, paid_amount_ratio FROM bi.promise_kept_daily",
        [(None, None, None)],
    ),
    "pressure of a day": (
        "pressure",
        {
            "fct_pressure_daily": [
                {
                    "borrowers": 200,
                    "attempts": 60,
                    "contacted_borrowers": 50,
                    "borrower_days": 48,
                    "reached_borrowers": 20,
                    "bot_borrowers": 5,
                    "currency": "CNY",
                }
            ]
        },
        "SELECT contacts_per_borrower_day, contacted_ratio, bot_ratio, opt_outs FROM bi.pressure_daily",
        [("1.25", "0.25", "0.25", None)],
    ),
    "tomorrow's queue from two days": (
        "queue_forecast",
        {
            "fct_queue_daily": [
                queue_day(10, open_cases=100, carried_cases=90, left_cases=10, entered_cases=10, required_minutes=300),
                queue_day(11, open_cases=110, carried_cases=80, left_cases=20, entered_cases=30, required_minutes=330),
            ],
            "fct_entry_daily": [
                {"business_date": date(2026, 5, day), "due_loans": due, "next_due_loans": after, **BOOK}
                for day, due, after in ((10, 100, 300), (11, 300, 50))
            ],
            "fct_summary_daily": [
                {
                    "business_date": date(2026, 5, day),
                    "compared_with": date(2026, 5, day - 1),
                    "currency": "CNY",
                }
                for day in (10, 11)
            ],
        },
        (
            "SELECT leaving_cases, entering_cases, forecast_cases, forecast_minutes FROM bi.queue_forecast"
            " WHERE forecast_on = DATE '2026-05-12'"
        ),
        [("16.5", "5", 99, 296)],  # 110 x 30 / 200; 50 x 40 / 400; 98.5 cases of 3 minutes
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_metric_is_exact_in_both_engines(case, warehouse_url):
    _, facts, query, expected = GOLDEN[case]
    tables = given(facts)

    in_lake = by_duckdb(tables, query)
    in_warehouse = by_postgres(warehouse_url, tables, query)

    assert [[exact(value) for value in row.values()] for row in in_lake] == [
        [exact(value) for value in row] for row in expected
    ]
    assert [[exact(value) for value in row.values()] for row in in_warehouse] == [
        [exact(value) for value in row] for row in expected
    ]


def exact(value):
    """Figures as decimals, whatever type an engine gives them: a view has rounded them already."""
    if isinstance(value, (float, Decimal, int)):
        return Decimal(str(value)).normalize() + 0
    try:
        return Decimal(value).normalize() + 0
    except (TypeError, ArithmeticError):
        return value


def test_every_metric_has_a_golden_number():
    proved = {module for module, *_ in GOLDEN.values()}

    assert len(metrics()) >= 23
    assert {metric.view for metric in metrics()} <= set(lake_views())
    assert proved == {module_of(metric) for metric in metrics()}


def module_of(metric):
    for found in pkgutil.iter_modules(package.__path__):
        if getattr(importlib.import_module(f"arrears.metrics.{found.name}"), "METRIC", None) is metric:
            return found.name
    raise AssertionError(metric.name)
