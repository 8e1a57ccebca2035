"""A file of facts explains every mistake with file, line, key and expectation; nothing is decided on half of it."""

import json

import pytest
from arrears.cli import app
from arrears.errors import ConfigurationError
from arrears.policy.check import check_file
from arrears.policy.facts_file import read_facts
from arrears.settings import INCLUDE
from typer.testing import CliRunner

GOOD = """\
packs: [us_reg_f]
given:
  consumer: {timezones: [America/New_York]}
  prior_contacts:
    - {ts: "2026-04-01T10:00:00-04:00", channel: call, outcome: conversation}
planned: {ts: "2026-04-05T07:00:00-04:00", channel: call}
"""


@pytest.fixture
def file(tmp_path):
    def written(text):
        path = tmp_path / "facts.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def changed(old, new):
    """The good file with one thing another way."""
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            changed("outcome:", "outcom:"), ["line 5", "given.prior_contacts.0.outcom", "unknown key"], id="unknown_key"
        ),
        pytest.param(
            changed("-04:00", ""),
            ["line 5", "given.prior_contacts.0.ts", "with its offset"],
            id="instant_without_a_zone",
        ),
        pytest.param(changed("2026-04-05", "2026-02-30"), ["line 6", "planned.ts", "day"], id="date_that_is_none"),
        pytest.param(
            changed("channel: call}", "channel: pigeon}"), ["line 6", "planned.channel", "'sms'"], id="unknown_channel"
        ),
        pytest.param(changed(", channel: call}", "}"), ["line 6", "planned.channel", "missing"], id="no_channel"),
        pytest.param(changed("packs: [us_reg_f]", "packs: []"), ["line 1", "packs", "at least 1"], id="no_pack"),
        pytest.param(changed("packs: [us_reg_f]\n", ""), ["line 1", "packs", "missing"], id="no_key_of_packs"),
        pytest.param(
            changed("planned:", "  days_past_due: -1\nplanned:"),
            ["line 6", "given.days_past_due", "0"],
            id="negative_days",
        ),
        pytest.param(
            changed("planned:", '  inconvenient: [{start: "25:00"}]\nplanned:'),
            ["line 6", "given.inconvenient.0.start", '"24:00"'],
            id="hour_that_is_none",
        ),
        pytest.param(
            changed("planned:", "  medium_stops: [{}]\nplanned:"),
            ["line 6", "medium_stops.0", "a channel, a number"],
            id="stop",
        ),
        pytest.param(
            changed("packs: [us_reg_f]", "packs: [us_reg_f"), ["not readable as YAML", "line 2"], id="no_yaml"
        ),
        pytest.param("cases: []\n", ["line 1", "key cases", "at least 1"], id="no_case"),
        pytest.param("", ["no mapping"], id="empty_file"),
    ],
)
def test_mistake_in_facts_is_named(file, text, expected):
    with pytest.raises(ConfigurationError) as raised:
        read_facts(file(text))

    assert all(part in str(raised.value) for part in expected), str(raised.value)
    assert "facts.yaml" in str(raised.value)


def test_check_answers_with_every_rule_its_citation_and_the_earliest_time(file):
    done = CliRunner().invoke(app, ["contact", "check", str(file(GOOD)), "--json"])

    [answer] = json.loads(done.stdout)
    assert done.exit_code == 0
    assert answer["decision"] == "deny"
    assert [rule["rule_id"] for rule in answer["fired"]] == ["us_reg_f.hours", "us_reg_f.calls_after_conversation"]
    assert all(rule["citation"].startswith("12 CFR 1006") for rule in answer["fired"])
    assert answer["earliest_allowed"] == "2026-04-08T08:00:00-04:00"


def test_check_reads_for_people_too(file):
    done = CliRunner().invoke(app, ["contact", "check", str(file(GOOD))], env={"COLUMNS": "200"})

    assert done.exit_code == 0
    assert "us_reg_f.hours (deny, firm): 12 CFR 1006.6(b)(1)(i)" in done.stdout
    assert "2026-04-08T08:00:00-04:00" in done.stdout


def test_check_takes_packs_of_ones_own(file, tmp_path, monkeypatch):
    own = tmp_path / "packs"
    own.mkdir()
    (own / "mine.yaml").write_text(
        "pack: mine\ntitle: Mine\nrules:\n"
        "  - {id: mine.none, kind: block, citation: Art. 1, confidence: firm, effect: deny, channels: [call]}\n"
    )
    monkeypatch.setenv("ARREARS_POLICIES", str(own))

    done = CliRunner().invoke(app, ["contact", "check", str(file(GOOD.replace("us_reg_f", "mine"))), "--json"])

    [answer] = json.loads(done.stdout)
    assert [rule["rule_id"] for rule in answer["fired"]] == ["mine.none"]
    assert answer["earliest_allowed"] is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(GOOD, "facts.yaml line 1, key packs.0", id="one case"),
        pytest.param(
            "cases:\n- " + GOOD.replace("\n", "\n  "), "facts.yaml line 2, key cases.0.packs.0", id="several cases"
        ),
    ],
)
def test_pack_that_is_not_there_is_named_where_it_is_asked_for(file, text, place):
    with pytest.raises(ConfigurationError) as raised:
        check_file(file(text.replace("us_reg_f", "us_regf")), INCLUDE / "policies")

    assert place in str(raised.value)
    assert "no pack 'us_regf'" in str(raised.value)
    assert "us_reg_f" in str(raised.value)


def test_mistake_in_a_case_is_the_only_thing_said(file):
    with pytest.raises(ConfigurationError) as raised:
        read_facts(file(changed("channel: call}", "channel: pigeon}")))

    assert "key cases" not in str(raised.value)
