"""What the pages say, against what SQL says: figures, CSV, states, languages; and scripts in data stay data."""

import csv
import html
import io
import re
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg
import pytest
from markupsafe import escape
from support.facts import DAY
from support.pages import FAILED_RUN, NEXT, QUALITY_REPORT, RUN, SCRIPT, UNPUBLISHED, UNPUBLISHED_RUN

BOOK = {"portfolio": "book"}


@pytest.fixture
def sql(warehouse_url):
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        yield lambda statement, *values: connection.execute(statement, values).fetchall()


def tiles(page):
    """Exact figure by measure."""
    found = re.findall(r'data-measure="(\w+)".*?<span class="value" title="([^"]*)">', page, re.DOTALL)
    return {name: html.unescape(value) for name, value in found}


def numbers(page, table):
    """Cells of a table, row by row, as text."""
    (card,) = re.findall(rf'<section class="card[^"]*" aria-labelledby="h-{table}".*?</section>', page, re.DOTALL)
    body = re.search(r"<tbody>(.*?)</tbody>", card, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [
            html.unescape(re.sub(r"<[^>]+>", "", cell))
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_tiles_are_the_days_summary_in_sql(viewer, sql):
    page = viewer.get("/arrears/portfolio", params=BOOK).text

    [row] = sql(
        "SELECT past_due_loans, past_due_minor, par30_ratio, contacts_blocked FROM bi.daily_summary "
        "WHERE portfolio = 'book' AND business_date = %s",
        NEXT,
    )
    shown = tiles(page)
    assert len(shown) == 10
    assert shown["past_due_loans"] == str(row[0]) == "4"
    assert shown["past_due_minor"] == f"CN¥{row[1] / 100:.2f}" == "CN¥402.00"
    assert shown["par30_ratio"] == f"{row[2] * 100:.2f}%"
    assert shown["contacts_blocked"] == str(row[3])


def test_change_is_against_the_day_before(viewer):
    page = viewer.get("/arrears/portfolio", params=BOOK).text

    assert '<span class="change tone-bad"><b>+1</b> on the day before</span>' in page


def test_date_picker_leads_to_the_earlier_day(viewer):
    page = viewer.get("/arrears/portfolio", params={**BOOK, "date": DAY.isoformat()}).text

    assert tiles(page)["past_due_loans"] == "3"
    assert f'<option value="{DAY.isoformat()}" selected>' in page
    assert f'<option value="{NEXT.isoformat()}">' in page


@pytest.mark.parametrize(
    ("table", "statement", "places"),
    [
        pytest.param("queues", "SELECT queue_id, required_minutes, available_minutes FROM bi.queue_daily", (0, 5, 6)),
        pytest.param("events", "SELECT loans FROM bi.delinquency_event_total_daily", (1,)),
        pytest.param("entry", "SELECT product_code, due_loans, entered_loans FROM bi.entry_daily", (0, 1, 2)),
        pytest.param(
            "blocked", "SELECT rule_id, contacts, blocked_candidates FROM bi.contact_blocked_by_rule", (0, 1, 2)
        ),
        pytest.param("newly_overdue", "SELECT loan_id FROM bi.delinquency_event_daily", (0,)),
        pytest.param("freshness", "SELECT dataset, rows FROM bi.data_freshness", (0, 3)),
    ],
)
def test_table_shows_what_sql_gives(viewer, sql, table, statement, places):
    page = viewer.get("/arrears/portfolio", params=BOOK).text

    shown = sorted(tuple(row[place] for place in places) for row in numbers(page, table))
    given = sorted(tuple(map(str, row)) for row in sql(f"{statement} WHERE business_date = %s", NEXT))
    assert given
    assert shown == given


def test_contact_that_a_missing_fact_blocks_is_not_called_forbidden_by_law(viewer, warehouse_url):
    from arrears_ui import reading

    asked = {**BOOK, "name": "case_decisions", "case_id": "case-blocked", "date": NEXT.isoformat(), "lang": "en"}
    rename = "UPDATE mart.fct_contact_decision SET rule_id = %s WHERE rule_id = %s AND business_date = %s"
    with psycopg.connect(warehouse_url.replace("+psycopg", ""), autocommit=True) as connection:
        [rule] = connection.execute(
            "SELECT rule_id FROM bi.contact_decision WHERE case_id = 'case-blocked' AND business_date = %s", (NEXT,)
        ).fetchone()
        connection.execute(rename, ("insufficient_facts.party", rule, NEXT))
        reading.KEPT.clear()
        blocked = numbers(viewer.get("/arrears/portfolio", params=BOOK).text, "blocked")
        decided = list(csv.DictReader(io.StringIO(viewer.get("/arrears/table.csv", params=asked).text[1:])))
        connection.execute(rename, (rule, "insufficient_facts.party", NEXT))
        reading.KEPT.clear()

    assert [row[4] for row in blocked if row[0] == "insufficient_facts.party"] == ["fact missing"]
    missing = [set(row.values()) for row in decided if "insufficient_facts.party" in row.values()]
    assert [("insufficient_facts" in cells, "deny" in cells) for cells in missing] == [(True, False)]


def test_bars_of_the_buckets_say_that_they_show_principal(viewer):  # noqa: ARG001  loads the plugin
    from arrears_ui.charts import buckets
    from arrears_ui.formats import Formats
    from arrears_ui.words import Words

    late = {"contract_bucket": "M1", "loans": 2, "outstanding_principal_minor": 5_00, "currency": "CNY"}
    drawn = buckets([{**late, "is_current": False}], Words("en"), Formats("en", ZoneInfo("UTC")))

    assert drawn["layout"]["xaxis"]["title"]["text"] == "outstanding principal, by days past due"


def test_csv_holds_the_same_rows_with_plain_numbers(viewer, sql):
    answer = viewer.get("/arrears/table.csv", params={**BOOK, "name": "summary", "date": NEXT.isoformat()})

    rows = {row["Measure"]: row for row in csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))}
    [[past_due]] = sql("SELECT past_due_minor FROM bi.daily_summary WHERE business_date = %s", NEXT)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="book-summary' in answer.headers["content-disposition"]
    assert Decimal(rows["past_due_minor"]["Today"]) == Decimal(past_due) / 100
    assert rows["past_due_minor"]["Currency"] == "CNY"


def test_every_table_of_a_page_has_a_csv_with_as_many_rows(viewer):
    page = viewer.get("/arrears/portfolio", params=BOOK).text

    addresses = [html.unescape(found) for found in re.findall(r'class="csv" href="([^"]+)"', page)]
    assert len(addresses) >= 9
    for address in addresses:
        name = re.search(r"name=(\w+)", address)[1]
        got = list(csv.reader(io.StringIO(viewer.get(f"/arrears/{address}").text)))
        assert len(got) - 1 == len(numbers(page, name)), name


def test_completeness_says_what_is_off(viewer, warehouse_url):
    from arrears_ui import reading

    def lose_a_loan(number):
        with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
            moved = "UPDATE mart.fct_summary_daily SET loans = loans - %s WHERE business_date = %s"
            assert connection.execute(moved, (number, NEXT)).rowcount == 1
        reading.KEPT.clear()  # only a publication moves figures otherwise

    before = viewer.get("/arrears/portfolio", params=BOOK).text
    lose_a_loan(1)
    after = viewer.get("/arrears/portfolio", params=BOOK).text
    lose_a_loan(-1)

    assert "1 loan differs from the source" in before
    assert "Published, but two figures disagree." not in before
    assert "Published, but two figures disagree." in after


def test_day_report_of_a_run_shows_its_steps_and_publication(viewer, sql):
    page = viewer.get("/arrears/run", params={"dag_id": "collections_daily__book", "run_id": RUN}).text

    [[content_hash]] = sql("SELECT content_hash FROM bi.publication WHERE run_ref = %s", RUN)
    assert "The run has finished." in page
    assert numbers(page, "steps")[0][:4] == ["age", "out", "core__loan_delinquency_daily", "4"]
    assert content_hash in page
    shown = numbers(page, "balance")
    assert ["Past due: summary, sum over loans", "1", "CN¥301.50", "CN¥301.50", "CN¥0.00", "CNY"] in shown
    [[checks]] = sql("SELECT count(DISTINCT check_code) FROM bi.reconciliation WHERE business_date = %s", DAY)
    assert len(shown) == checks >= 15


def test_day_report_of_a_failed_run_leads_to_the_runbook(viewer):
    page = viewer.get("/arrears/run", params={"dag_id": "collections_daily__book", "run_id": FAILED_RUN}).text

    assert "The run has failed." in page
    assert "ARR-VAL-001: too many rejects" in page
    assert 'href="runbook/ARR-VAL-001"' in page
    assert viewer.get("/arrears/runbook/ARR-VAL-001").status_code == 200


BY_DATE = ("day", {**BOOK, "date": UNPUBLISHED.isoformat()})
BY_RUN = ("run", {"dag_id": "collections_daily__book", "run_id": UNPUBLISHED_RUN})
OF_A_DAY = ("balance", "changes", "rejected", "rejected_rows", "differences", "blocked")


def empty(page, table):
    """What a table without rows says."""
    [said] = re.findall(rf'aria-labelledby="h-{table}".*?<p class="empty">(.*?)</p>', page, re.DOTALL)
    return html.unescape(said)


@pytest.mark.parametrize(("name", "query"), [BY_DATE, BY_RUN], ids=["by date", "by run"])
def test_day_that_is_not_published_says_so_in_every_section_and_shows_its_newest_runs_steps(viewer, name, query):
    english, chinese = (viewer.get(f"/arrears/{name}", params={**query, "lang": lang}).text for lang in ("en", "zh"))
    viewer.cookies.delete("arrears_language")

    assert [cells[:5] for cells in numbers(english, "steps")] == [["validate", "out", "out__quarantine", "7", "7"]]
    assert "The run has failed." in english
    assert 'href="runbook/ARR-VAL-001"' in english
    assert "the day report of its run" not in english.lower()
    assert {empty(english, table).partition(":")[0].rstrip(".") for table in OF_A_DAY} == {
        "Nothing is published of this day yet"
    }
    assert {empty(chinese, table)[:8] for table in OF_A_DAY} == {"当日尚无任何发布"}


def test_date_without_any_run_says_that_none_is_recorded(viewer):
    page = viewer.get("/arrears/day", params={**BOOK, "date": "2031-01-01"}).text

    assert "No run of this day is recorded." in page
    assert "Nothing is published of this day yet" in page


def test_day_lists_its_own_publications_alone_the_newest_first(viewer, sql, warehouse_url):
    """``history`` gives all its days one name; a publication of another day under it is none of this one's."""
    run_of_next = "UPDATE ops.publish_ledger SET run_ref = %s WHERE business_date = %s"
    again = (
        "INSERT INTO ops.publish_ledger OVERRIDING SYSTEM VALUE SELECT (json_populate_record(old, json_build_object("
        "'publication_id', gen_random_uuid(), 'sequence', old.sequence + 1000, 'content_hash', 'newer'))).* "
        "FROM ops.publish_ledger AS old WHERE business_date = %s"
    )
    with psycopg.connect(warehouse_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(run_of_next, (RUN, NEXT))
        connection.execute(again, (DAY,))
        page = viewer.get("/arrears/day", params={**BOOK, "date": DAY.isoformat()}).text
        connection.execute("DELETE FROM ops.publish_ledger WHERE content_hash = 'newer'")
        connection.execute(run_of_next, ("manual__3", NEXT))

    [[first]] = sql("SELECT content_hash FROM bi.publication WHERE business_date = %s", DAY)
    [section] = re.findall(r'<section class="card wide" id="publications">.*?</section>', page, re.DOTALL)
    blocks = re.findall(r"<dl.*?</dl>", section, re.DOTALL)
    assert [re.search(r"<dt>Content hash</dt><dd><code>(.*?)</code>", one)[1] for one in blocks] == ["newer", first]
    assert [re.search(r"<dt>Shown now</dt><dd>(.*?)</dd>", one)[1] for one in blocks] == ["yes", "no"]
    assert all(re.search(r"<dt>Published</dt><dd>[^<]*\d\d:\d\d", one) for one in blocks)


def test_day_made_from_the_command_line_says_why_it_has_no_steps(viewer):
    page = viewer.get("/arrears/day", params={**BOOK, "date": NEXT.isoformat()}).text

    assert "made from the command line, which keeps no report of its steps" in empty(page, "steps")


@pytest.mark.parametrize(
    ("required", "available", "waiting", "is_named"),
    [(61, 60, 0, True), (60, 60, 3, False), (10, 0, 1, True), (0, 0, 5, False), (10, None, 1, True)],
)
def test_queue_is_over_capacity_only_when_more_minutes_are_needed_than_there(required, available, waiting, is_named):
    from arrears_ui.charts import is_over

    row = {"required_minutes": required, "available_minutes": available, "overflow_cases": waiting}
    assert is_over(row) is is_named


def test_day_report_of_a_foreign_dag_says_so(viewer):
    page = viewer.get("/arrears/run", params={"dag_id": "somebody_elses", "run_id": RUN})

    assert page.status_code == 200
    assert "This run is not one of Arrears" in page.text


def test_empty_portfolio_says_what_to_do(viewer):
    page = viewer.get("/arrears/portfolio", params={"portfolio": "empty"}).text

    assert "Run the DAG collections_daily__empty" in page
    assert "Traceback" not in page


def test_account_finds_a_loan_and_links_to_the_lender(viewer, sql):
    page = viewer.get("/arrears/account", params={**BOOK, "q": " loan-1 "}).text

    [[days]] = sql("SELECT past_due_days FROM bi.loan_daily WHERE loan_id = 'loan-1' AND business_date = %s", NEXT)
    assert f"Days past due: {days}." in page
    assert "https://lender.example/book/loan-1" in page
    assert [row[0] for row in numbers(page, "loans_of_case") if row[0] == "loan-1"] == ["loan-1"]


def test_account_shows_contacts_made_and_promises(viewer, sql):
    page = viewer.get("/arrears/account", params={**BOOK, "q": "case-loan-0"}).text

    made = sql("SELECT is_connected FROM bi.contact_attempt WHERE case_id = 'case-loan-0'")
    assert [row[5] for row in numbers(page, "case_attempts")] == ["yes" if told else "no" for [told] in made]
    assert len(made) == 2
    assert ">Promises to pay<" in page


def test_account_finds_a_case(viewer):
    page = viewer.get("/arrears/account", params={**BOOK, "q": "case-loan-1"}).text

    assert numbers(page, "case_history")[0][1] == "opened"
    assert len(numbers(page, "case_history")) == 2


def test_account_that_is_not_there_says_what_to_check(viewer):
    page = viewer.get("/arrears/account", params={**BOOK, "q": SCRIPT}).text

    assert "Look at the spelling" in page
    assert SCRIPT not in page
    assert str(escape(SCRIPT)) in page


def test_why_tells_what_is_missing_where_the_ledger_is_not_at_hand(viewer):
    page = viewer.get("/arrears/why", params={**BOOK, "loan_id": "loan-0", "date": NEXT.isoformat()}).text

    assert "cannot be read from here" in page


def test_warehouse_that_is_away_is_a_coded_page(viewer, monkeypatch):
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")

    answer = viewer.get("/arrears/portfolio", params=BOOK)

    assert answer.status_code == 503
    assert "ARR-WHS-001" in answer.text
    assert "runbook/ARR-WHS-001" in answer.text


@pytest.mark.parametrize(
    ("ask", "headers", "language"),
    [
        pytest.param({"lang": "zh"}, {}, "zh-Hans", id="chosen"),
        pytest.param({}, {"accept-language": "zh-CN,zh;q=0.9"}, "zh-Hans", id="the browser's"),
        pytest.param({"lang": "en"}, {"accept-language": "zh-CN"}, "en", id="chosen against the browser's"),
        pytest.param({"lang": "../x"}, {}, "en", id="no language"),
    ],
)
def test_language(viewer, ask, headers, language):
    viewer.cookies.delete("arrears_language")
    page = viewer.get("/arrears/portfolio", params={**BOOK, **ask}, headers=headers).text
    viewer.cookies.delete("arrears_language")

    assert f'<html lang="{language}"' in page
    assert ("资产组合" in page) == (language != "en")


def test_day_leads_to_its_quality_report_which_is_a_file_of_its_own(viewer):
    page = viewer.get("/arrears/day", params={**BOOK, "date": DAY.isoformat()}).text
    report = viewer.get("/arrears/quality", params={**BOOK, "date": DAY.isoformat()})
    none = viewer.get("/arrears/quality", params={**BOOK, "date": NEXT.isoformat()})

    assert f"quality?portfolio=book&amp;date={DAY}" in page
    assert report.text.startswith(QUALITY_REPORT)
    assert report.headers["content-disposition"] == f'attachment; filename="quality-book-{DAY}.html"'
    assert none.status_code == 404


@pytest.mark.usefixtures("scripted")
def test_scripts_in_data_are_inert_on_every_page(viewer):
    run = {"dag_id": "collections_daily__book", "run_id": RUN}
    asked = [
        ("portfolio", BOOK),
        ("day", BOOK),
        ("run", run),
        ("account", {**BOOK, "q": "loan-1"}),
        ("account", {**BOOK, "q": "case-loan-1"}),
        ("account", {**BOOK, "q": "case-blocked"}),
    ]

    pages = [viewer.get(f"/arrears/{name}", params=query).text for name, query in asked]

    assert sum(page.count(str(escape(SCRIPT))) for page in pages) > 15
    assert [page for page in pages if "<script>alert" in page] == []
