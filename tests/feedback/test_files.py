"""The intake's files and SELECTs: taken in once, put away, refused as a whole where nothing of them is certain."""

import json

import pytest
from arrears.errors import FeedbackUnreadableError, SourceQueryError, SourceUnreachableError
from arrears.feedback.files import FILE_BYTES, read_file
from arrears.feedback.sources import load_sources
from arrears.jobs.feedback_intake import feedback_intake
from arrears.settings import load_settings
from support.desk import AT, make_desk, rows

HEADER = "kind,ref,occurred_at,party_id,loan_ids,channel_code,amount_minor,currency,due_on\n"
GOOD = f"opt_out,o1,{AT},P1,,sms,,,\n"


@pytest.fixture
def desk(tmp_path, warehouse_url):
    return make_desk(tmp_path, warehouse_url)


def drop(desk, name, content):
    path = desk.portfolios.parent / "inbox" / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def archive(desk):
    return sorted(
        str(path.relative_to(desk.portfolios.parent / "archive")).split("-")[0]
        for path in (desk.portfolios.parent / "archive").rglob("*")
        if path.is_file()
    )


def test_files_are_taken_in_once_and_put_away(desk):
    promise = f'promise,p1,{AT},,"L1,L2",,500,CNY,2026-03-09\n'
    drop(desk, "calls.csv", HEADER + GOOD + promise)
    hardship = {"kind": "hardship", "ref": "h1", "occurred_at": AT, "loan_ids": ["L3"]}
    drop(desk, "more.jsonl", json.dumps(hardship) + "\n")
    drop(desk, "growing.csv.part", HEADER)

    first, second = feedback_intake("book", settings=desk), feedback_intake("book", settings=desk)

    assert (first["deliveries"], first["accepted"], first["rejected"]) == (2, 3, 0)
    assert second == dict.fromkeys(first, 0)
    assert rows(desk, "SELECT kind_code, loan_ids FROM ops.feedback_event ORDER BY 1") == [
        ("hardship", ["L3"]),
        ("opt_out", []),
        ("promise", ["L1", "L2"]),
    ]
    assert archive(desk) == ["calls", "more"]
    assert [path.name for path in (desk.portfolios.parent / "inbox").iterdir()] == ["growing.csv.part"]


def test_bad_lines_are_named_and_the_good_ones_act(desk):
    bad = "opt_out,o2,yesterday,P1,,,,,\n" + "opt_out,o3\n" + f'"opt_out","o\n4",{AT},P1,,,,,\n'
    drop(desk, "calls.csv", HEADER + bad + GOOD)
    drop(desk, "more.jsonl", "\n{not json\n[1]\n")

    assert feedback_intake("book", settings=desk)["accepted"] == 1

    found = rows(
        desk, "SELECT delivery_name, row_number, column_name, error_code FROM bi.feedback_quarantine ORDER BY 1, 2"
    )
    assert found == [
        ("calls.csv", 2, "occurred_at", "ARR-FBK-001"),
        ("calls.csv", 3, "", "ARR-FBK-001"),
        ("calls.csv", 4, "ref", "ARR-FBK-001"),
        ("more.jsonl", 2, "", "ARR-FBK-001"),
        ("more.jsonl", 3, "", "ARR-FBK-001"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        pytest.param("a.csv", b"", "a.csv", id="empty"),
        pytest.param("a.csv", b"kind,ref,name\n", "a.csv line 1 column 3", id="unknown_column"),
        pytest.param("a.csv", b"kind,ref\n", "a.csv line 1", id="missing_column"),
        pytest.param("a.csv", HEADER.encode() + b'opt_out,"o1\n', "a.csv line 2", id="quote_that_does_not_end"),
        pytest.param("a.jsonl", b"{}\n{\xff}\n", "a.jsonl line 2", id="no_utf8"),
    ],
)
def test_file_that_cannot_be_read_is_refused_and_the_others_go_on(desk, name, content, where):
    path = drop(desk, name, content)
    drop(desk, "z.csv", HEADER + GOOD)
    with pytest.raises(FeedbackUnreadableError) as refused:
        read_file(path, "book", "desk")

    done = feedback_intake("book", settings=desk)

    assert refused.value.where == where
    assert (done["accepted"], done["refused_files"]) == (1, 1)
    assert archive(desk) == ["refused/a", "z"]
    assert rows(desk, "SELECT name, error_code FROM ops.feedback_delivery WHERE error_code IS NOT NULL") == [
        (name, "ARR-FBK-004")
    ]


def test_file_too_large_is_refused_unread(desk):
    path = drop(desk, "huge.jsonl", b"")
    with path.open("ab") as file:
        file.truncate(FILE_BYTES + 1)

    assert feedback_intake("book", settings=desk)["refused_files"] == 1


def use_database(desk, select, url):
    folder, beside = desk.portfolios / "book/feedback", desk.portfolios.parent
    (folder / "crm.sql").write_text(select)
    (folder / "sources.yaml").write_text(
        f"sources:\n  crm: {{kind: database, url: '{url}', select: crm.sql}}\n"
        f"  desk: {{kind: inbox, directory: {beside}/inbox, archive: {beside}/archive}}\n"
    )


def test_rows_of_a_database_are_known_again(desk, warehouse_url):
    select = (
        "SELECT 'opt_out' AS kind, 'o1' AS ref, CAST('2026-03-02 03:00+00' AS timestamptz) AS occurred_at,"
        " 'P1' AS party_id, NULL AS channel_code WHERE CAST(:since AS timestamptz) < now()"
    )
    use_database(desk, select, warehouse_url)

    first = feedback_intake("book", settings=desk)
    forgotten = rows(desk, "DELETE FROM ops.feedback_delivery RETURNING source_code")
    again = feedback_intake("book", settings=desk)

    assert (first["accepted"], forgotten) == (1, [("crm",)])
    assert (again["accepted"], again["repeated"]) == (0, 1)


@pytest.mark.parametrize(
    ("select", "url", "error"),
    [
        pytest.param("SELECT nothing FROM nowhere", None, SourceQueryError, id="does_not_run"),
        pytest.param("SELECT 1", "postgresql+psycopg://a:b@127.0.0.1:9/x", SourceUnreachableError, id="not_there"),
    ],
)
def test_failing_database_keeps_no_file_waiting(desk, warehouse_url, select, url, error):
    use_database(desk, select, url or warehouse_url)
    drop(desk, "calls.csv", HEADER + GOOD)

    with pytest.raises(error):
        feedback_intake("book", settings=desk)

    assert rows(desk, "SELECT count(*) FROM ops.feedback_event") == [(1,)]


def test_demo_portfolios_say_who_reports_to_them():

    found = {name: load_sources(name, load_settings()) for name in ("demo_travel_cn", "demo_loan_us", "superlender")}

    assert [sorted(sources) for sources in found.values()] == [["floor", "gateway"], ["floor", "gateway"], []]
