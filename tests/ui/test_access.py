"""Who gets which answer: the walk over every route, as nobody, as a viewer and as somebody of another portfolio."""

import pytest
from support.facts import DAY

WRONG_PORTFOLIO = ("book", "no_such_portfolio")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
}
EXAMPLES = {"code": "ARR-RUN-KEY", "name": "page.js"}
QUERY = {
    "portfolio": "book",
    "dag_id": "collections_daily__book",
    "run_id": "manual__1",
    "task_id": "age",
    "loan_id": "loan-0",
    "name": "queues",
    "date": DAY.isoformat(),
}


def routes():
    """Every route of the app: address below Airflow's, method, names it takes from the query."""
    from arrears_ui.app import app

    found = []
    for route in app.routes:
        names = {field.alias for field in route.dependant.query_params}
        for part in route.dependant.dependencies:
            names |= {field.alias for field in part.query_params}
            names |= {field.alias for deeper in part.dependencies for field in deeper.query_params}
        found += [(f"/arrears{route.path.format(**EXAMPLES)}", method, names) for method in sorted(route.methods)]
    return found


@pytest.fixture(scope="module")
def walk(airflow_app):  # noqa: ARG001  loads the plugin
    found = routes()
    assert len(found) >= 9
    return found


def test_nobody_gets_past_the_login_on_any_route(browser_of, walk):
    nobody = browser_of(None)

    answers = {(path, method): nobody.request(method, path, params=QUERY) for path, method, _ in walk}
    bare = {(path, method): nobody.request(method, path) for path, method, _ in walk}

    assert {key: answer.status_code for key, answer in answers.items() if answer.status_code != 401} == {}
    assert {key: answer.status_code for key, answer in bare.items() if answer.status_code != 401} == {}
    assert "book" not in answers["/arrears/portfolio", "GET"].text


def test_documentation_routes_do_not_exist(viewer):
    assert [viewer.get(f"/arrears/{name}").status_code for name in ("docs", "redoc", "openapi.json")] == [404] * 3


def test_viewer_reads_every_page(viewer, walk):
    refused = {
        path: viewer.request(method, path, params={name: QUERY[name] for name in names & set(QUERY)}).status_code
        for path, method, names in walk
        if method == "GET"
    }

    assert {path: code for path, code in refused.items() if code not in {200, 307}} == {}


@pytest.mark.parametrize("portfolio", WRONG_PORTFOLIO)
def test_portfolio_without_a_right_is_refused_on_every_route_that_takes_one(browser_of, walk, portfolio):
    stranger = browser_of("stranger")
    theirs = {**QUERY, "portfolio": portfolio, "dag_id": f"collections_daily__{portfolio}"}
    asked = [
        (path, method, {name: theirs[name] for name in names & set(theirs)})
        for path, method, names in walk
        if method == "GET" and names & {"portfolio", "dag_id"}
    ]

    answers = {path: stranger.request(method, path, params=query).status_code for path, method, query in asked}

    assert len(answers) >= 6
    assert set(answers.values()) == {403}, answers


def test_picker_offers_only_what_may_be_read(browser_of):
    page = browser_of("stranger").get("/arrears/portfolio").text

    assert '<option value="other" selected>' in page
    assert ">book<" not in page


def test_portfolio_without_being_asked_for_is_the_one_chosen_last_else_the_one_published_last(browser_of):
    operator = browser_of("operator")

    first = operator.get("/arrears/portfolio").text
    operator.get("/arrears/portfolio", params={"portfolio": "empty"})
    second = operator.get("/arrears/account").text

    assert '<option value="book" selected>' in first
    assert '<option value="empty" selected>' in second


def test_remembered_portfolio_gives_no_right(browser_of):
    stranger = browser_of("stranger")
    stranger.cookies.set("arrears_portfolio", "book")

    assert '<option value="other" selected>' in stranger.get("/arrears/portfolio").text


def test_every_answer_carries_the_safe_headers(browser_of, walk):
    nobody, viewer = browser_of(None), browser_of("viewer")
    answers = [client.request(method, path, params=QUERY) for client in (nobody, viewer) for path, method, _ in walk]
    answers += [viewer.get("/arrears/no-such-page"), viewer.get("/arrears/portfolio", params={"date": "not-a-date"})]

    assert len(answers) > 15
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, answer.url
        assert answer.headers["cache-control"] in {"no-store", "private, max-age=31536000, immutable"}


def test_no_page_holds_an_inline_script_style_or_outside_address(viewer, walk):
    import re

    pages = [viewer.request(m, path, params=QUERY).text for path, m, _ in walk if m == "GET" and "static" not in path]

    assert len(pages) > 6
    for page in pages:
        assert re.findall(r"<script(?![^>]* src=)", page) == []
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=", page) == []
        assert set(re.findall(r"(?:https?:)?//[a-z.]+", page)) <= {"https://lender.example"}


def test_pages_are_asked_of_the_warehouse_as_the_bi_role_read_only_and_within_seconds(deployment):  # noqa: ARG001
    from arrears_ui.reading import SECONDS, TooSlowError, reader
    from sqlalchemy import text

    with reader() as look:
        connection = look._connection  # noqa: SLF001  what a page never does itself
        asked = "SELECT current_user, current_setting('transaction_read_only'), current_setting('statement_timeout')"
        assert connection.execute(text(asked)).one() == ("arrears_bi", "on", f"{SECONDS}s")

    def wait_too_long():
        with reader() as look:
            look._connection.execute(text("SET LOCAL statement_timeout = '50ms'"))  # noqa: SLF001  as above
            look._connection.execute(text("SELECT pg_sleep(2)"))  # noqa: SLF001  as above

    with pytest.raises(TooSlowError):
        wait_too_long()


@pytest.mark.usefixtures("deployment", "airflow_app")
def test_pages_read_for_a_warehouse_role_that_is_no_superuser(postgres, monkeypatch):
    import psycopg
    from arrears.warehouse.migrate import upgrade
    from arrears_ui.reading import reader
    from sqlalchemy import make_url

    administration = postgres.url("postgres").replace("+psycopg", "")
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN CREATEROLE PASSWORD 'only-for-this-test'")
        connection.execute("GRANT arrears_bi TO plain WITH ADMIN TRUE")  # which another database's upgrade has made
        connection.execute("CREATE DATABASE plain OWNER plain")
    url = make_url(postgres.url("plain")).set(username="plain", password="only-for-this-test")  # noqa: S106
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", url.render_as_string(hide_password=False))

    upgrade(url.render_as_string(hide_password=False))

    with reader() as look:
        assert look.rows("dates", portfolio="book") == []
