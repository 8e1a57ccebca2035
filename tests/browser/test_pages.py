"""The pages in Chromium, inside the Airflow UI and by themselves: figures, pickers, keyboard, accessibility, quiet."""

import re
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from support.browser import EMPTY

pytestmark = [pytest.mark.browser, pytest.mark.timeout(2400)]

LIGHT, DARK = {"scheme": "light"}, {"scheme": "dark"}
CHINESE = {"scheme": "light", "locale": "zh-CN"}
SERIOUS = {"serious", "critical"}


def pages(site):
    """Address by name of what is looked at."""
    loan = site.sql("SELECT loan_id FROM bi.loan_daily WHERE portfolio = %s LIMIT 1", site.portfolio)[0][0]
    return {
        "portfolio": f"/arrears/portfolio?portfolio={site.portfolio}",
        "day": f"/arrears/day?portfolio={site.portfolio}",
        "failed-run": f"/arrears/run?{urlencode({'dag_id': site.dag_id, 'run_id': site.failed_run_id})}",
        "account": f"/arrears/account?portfolio={site.portfolio}&q={loan}",
        "empty": f"/arrears/portfolio?portfolio={EMPTY}",
        "outbox": f"/arrears/outbox?portfolio={site.portfolio}",
        "runbook": "/arrears/runbook/ARR-RUN-KEY",
    }


def tile(place, measure):
    return place.locator(f'[data-measure="{measure}"] .value').get_attribute("title")


def newest(site, column, day=None):
    statement = f"SELECT {column} FROM bi.daily_summary WHERE portfolio = %s AND business_date = %s"
    return site.sql(statement, site.portfolio, day or site.dates[-1])[0][0]


def drawn(page):
    """Wait until every chart of the page is drawn; how many there are."""
    charts = page.locator(".chart")
    for place in range(charts.count()):
        charts.nth(place).locator(".main-svg").first.wait_for()
    return charts.count()


def test_airflow_knows_the_views(window):
    plugins = window.page.request.get(f"{window.site.address}/api/v2/plugins").json()["plugins"]
    [ours] = [plugin for plugin in plugins if plugin["name"] == "arrears"]

    assert {view["url_route"] for view in ours["external_views"]} == {
        "arrears-portfolio",
        "arrears-account",
        "arrears-outbox",
        "arrears-day",
    }


def test_portfolio_in_airflows_frame_shows_what_sql_gives(window):
    page = window.open("/plugin/arrears-portfolio")
    frame = page.frame_locator("iframe")

    frame.get_by_role("heading", level=1).wait_for()
    assert page.locator("iframe").get_attribute("sandbox") is not None
    assert tile(frame, "past_due_loans") == str(newest(window.site, "past_due_loans"))
    assert tile(frame, "open_cases") == str(newest(window.site, "open_cases"))


def test_day_report_is_a_tab_of_the_run(window):
    site = window.site
    page = window.open(f"/dags/{site.dag_id}/runs/{quote(site.run_id)}/plugin/arrears-day")
    frame = page.frame_locator("iframe")

    frame.get_by_text("The run has finished.").wait_for()
    [[rows]] = site.sql(
        "SELECT rows FROM bi.run_step WHERE run_ref = %s AND task = 'age' AND direction_code = 'out' "
        "AND table_name = 'core__loan_delinquency_daily'",
        site.run_id,
    )
    row = frame.locator("#steps tr", has_text="core__loan_delinquency_daily").filter(has_text="age").first
    assert f"{rows:,}" in row.inner_text()


def test_pickers_lead_to_another_day_and_another_portfolio(window):
    site = window.site
    page = window.open(pages(site)["portfolio"])

    page.get_by_label("Business date").select_option(site.dates[0].isoformat())
    page.get_by_role("button", name="Show").click()
    assert tile(page, "past_due_loans") == str(newest(site, "past_due_loans", site.dates[0]))
    page.locator("select[name=portfolio]").select_option(EMPTY)
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("heading", name="Nothing to show yet").is_visible()


def test_every_chart_is_drawn_and_has_its_numbers_beside_it(window):
    page = window.open(pages(window.site)["portfolio"])

    assert drawn(page) >= 4
    for card in page.locator(".card:has(.chart)").all():
        assert card.locator("table").count() == 1
        assert card.locator("a.csv").count() == 1
        assert card.locator(".chart").first.get_attribute("aria-label")


def test_keyboard_alone_reaches_pickers_numbers_and_an_account(window):
    page = window.open(pages(window.site)["portfolio"])

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "portfolio"
    summary = page.locator("#buckets summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("#buckets details").get_attribute("open") is not None
    link = page.locator("#newly_overdue table a").first
    if link.count():
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/account?**")


@pytest.mark.parametrize("window", [LIGHT, DARK, CHINESE], indirect=True, ids=["light", "dark", "chinese"])
def test_no_serious_finding_of_axe_and_no_word_to_the_outside(window):
    findings, shown = {}, pages(window.site)
    for name, path in shown.items():
        page = window.open(path)
        drawn(page)
        found = Axe().run(page).response["violations"]
        findings |= {
            f"{name}: {one['id']}": [node["target"] for node in one["nodes"]][:3]
            for one in found
            if one["impact"] in SERIOUS
        }

    assert len(shown) == 7
    assert findings == {}
    assert window.outside == []
    assert window.broken == []


def test_chinese_airflow_gives_chinese_pages(window):
    page = window.open("/arrears/account")
    page.evaluate("localStorage.setItem('i18nextLng', 'zh-CN')")

    page = window.open("/arrears/portfolio")

    page.get_by_role("heading", name="资产组合").wait_for()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"


def test_dark_airflow_gives_dark_pages_at_once(window):
    page = window.open("/plugin/arrears-portfolio")
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", level=1).wait_for()

    page.evaluate("document.documentElement.className = 'dark'")

    frame.locator("html[data-theme=dark]").wait_for()


@pytest.mark.parametrize("window", [LIGHT, DARK, CHINESE], indirect=True, ids=["light", "dark", "chinese"])
def test_pictures(window, request):
    folder = request.config.getoption("--screenshots", default=None)
    if folder is None:
        pytest.skip("--screenshots names no folder")
    wanted = {
        "light": set(pages(window.site)) - {"runbook"},
        "dark": {"portfolio", "day"},
        "chinese": {"portfolio", "account", "outbox"},
    }
    theme = re.search(r"\[(\w+)\]", request.node.name)[1]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, path in pages(window.site).items():
        if name in wanted[theme]:
            page = window.open(path)
            drawn(page)
            page.wait_for_timeout(500)
            suffix = "" if theme == "light" else f"-{theme}"
            page.screenshot(
                path=Path(folder) / f"{name}{suffix}.png", full_page=name != "portfolio" or theme != "light"
            )


def test_outbox_shows_what_waits_for_a_decision_and_an_answer_settles_it(window):
    site = window.site
    page = window.open(pages(site)["outbox"])
    counted = "SELECT count(*) FROM ops.notification WHERE portfolio = %s AND state_code = 'unknown'"
    [[unknown]] = site.sql(counted, site.portfolio)
    [[questions]] = site.sql("SELECT count(*) FROM ops.contact_approval WHERE state_code = 'asked'")
    [[parked]] = site.sql(
        "SELECT count(*) FROM ops.notification WHERE portfolio = %s AND state_code = 'held' AND reason_code LIKE %s",
        site.portfolio,
        "template%",
    )

    assert page.locator("#h-unknown .count").inner_text() == str(unknown)
    assert page.locator("#h-approval .count").inner_text() == str(questions)
    assert page.locator("#h-parked .count").inner_text() == str(parked)
    if unknown:
        form = page.locator("form[action=outbox-settle]").first
        form.get_by_label("Why").fill("looked up at the provider")
        form.get_by_role("button", name="Settle").click()
        page.get_by_text("Settled.").wait_for()
        assert site.sql(counted, site.portfolio) == [(unknown - 1,)]


def test_failed_run_leads_to_its_runbook(window):
    page = window.open(pages(window.site)["failed-run"])

    assert page.get_by_text("The run has failed.").is_visible()
    page.get_by_role("link", name="Runbook ARR-RUN-KEY").first.click()
    assert page.get_by_role("heading", name="Check in this order").is_visible()


def test_five_questions_are_answered_within_three_clicks(window):
    site = window.site
    page = window.open("/arrears/portfolio")
    page.locator("select[name=portfolio]").select_option(site.portfolio)
    page.get_by_role("button", name="Show").click()

    # 1, 2, 3, 4: on the first page, once the portfolio is picked.
    assert tile(page, "newly_overdue_loans") == str(newest(site, "newly_overdue_loans"))
    [[due, entered]] = site.sql(
        "SELECT sum(due_loans), sum(entered_loans) FROM bi.entry_daily WHERE portfolio = %s AND business_date = %s",
        site.portfolio,
        site.dates[-1],
    )
    assert f"{entered} of {due} loans due on" in page.locator("#entry .lede").inner_text()
    over = site.sql(
        "SELECT queue_id FROM bi.queue_daily WHERE portfolio = %s AND business_date = %s "
        "AND (utilisation > 1 OR COALESCE(available_minutes, 0) = 0 AND overflow_cases > 0)",
        site.portfolio,
        site.dates[-1],
    )
    said = page.locator("#queues .lede").inner_text()
    assert all(queue in said for [queue] in over) if over else said == "Every queue is within its capacity."
    [[rule]] = site.sql(
        "SELECT rule_id FROM bi.contact_blocked_by_rule WHERE portfolio = %s AND business_date = %s "
        "ORDER BY contacts DESC, blocked_candidates DESC, rule_id LIMIT 1",
        site.portfolio,
        site.dates[-1],
    )
    assert rule in page.locator("#blocked").inner_text()
    assert page.locator(".banner").first.inner_text().startswith(("Complete", "Published"))
    # 5: Account, type the loan, Find.
    [[loan, case]] = site.sql(
        "SELECT link.loan_id, link.case_id FROM bi.case_loan_daily AS link JOIN bi.contact_plan_daily AS plan "
        "USING (portfolio, business_date, case_id) WHERE portfolio = %s AND business_date = %s "
        "ORDER BY plan.state_code DESC LIMIT 1",
        site.portfolio,
        site.dates[-1],
    )
    page.get_by_role("link", name="Account", exact=True).click()
    page.get_by_label("Loan or case id").fill(loan)
    page.get_by_role("button", name="Find").click()
    assert page.get_by_text(case).first.is_visible()
    assert page.locator("#case_contacts tbody tr").count() >= 1
    assert page.locator("#case_decisions tbody tr").count() >= 1
    page.get_by_role("heading", name="Schedule, and what of it is paid").wait_for()
