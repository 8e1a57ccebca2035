# ruff: noqa: RUF001  Chinese has commas and colons of its own
"""The text catalogue is complete in both languages, and every key of it is said somewhere."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from arrears.cases.assignment import PASSED_OVER, SENTENCES
from arrears.contracts import core, ledger, out
from arrears.contracts.chinese import CHINESE
from arrears.contracts.model import Contract
from arrears.rules.cases import HOLD_CODES

UI = Path(__file__).parents[2] / "plugins" / "arrears_ui"
SAID = re.compile(r"""\b(?:t|words)\(\s*f?["']([^"']+)["']\s*(~|[,)])""")
CODED = re.compile(r"""\.code\(["']([^"']+)["']""")
# Catalogue prefix by the contract column whose closed list it speaks.
LISTS = {
    "event": (core, "core__delinquency_event_daily", "event_code"),
    "case_event": (core, "core__case_daily", "event_code"),
    "close_reason": (core, "core__case_daily", "close_reason_code"),
    "effect": (core, "core__contact_decision_daily", "effect_code"),
    "channel": (out, "out__contact_plan_daily", "channel_code"),
    "contact_state": (out, "out__contact_plan_daily", "state_code"),
    "promise_state": (core, "core__promise_daily", "state_code"),
    "severity": (out, "out__quarantine", "severity_code"),
    "transaction": (ledger, "raw__transaction", "kind_code"),
    "outcome_of": (ledger, "raw__contact", "outcome_code"),
    "purpose": (ledger, "raw__contact", "purpose_code"),
    "contact_direction": (ledger, "raw__contact", "direction_code"),
    "right_party": (ledger, "raw__contact", "right_party"),
}
ARREARS = UI.parents[1] / "include" / "arrears"
# Where a reason of the outbox is written down, and how; rule ids and a provider's own numbers stand for themselves.
WRITTEN = (
    (r"reason(?:_code)?=\"([a-z_]+)\"", "sending/claims.py", "sending/by_hand.py", "sending/receipts.py"),
    (r"No\(\"[a-z]+\", \"([a-z_]+)\"", "jobs/recheck.py", "sending/dispatch.py"),
    (r"Outcome\(Reply.+ else Reply.+, \"([a-z_]+)\"", "sending/dispatch.py"),
    (r"No\(\"[a-z]+\", \"[a-z_]+\" if \w+ else \"([a-z_]+)\"", "jobs/recheck.py"),
    (r"STALE = \"[a-z]+\", \"([a-z_]+)\"", "jobs/recheck.py"),
    (r"Outcome\(Reply\.\w+, \"([a-z_]+)\"", *(f"sending/channels/{name}.py" for name in ("gateway", "smtp", "spool"))),
    (r"[(\"]\"?(look_up_[a-z_]+)\"", "sending/protocol.py"),
)


@pytest.fixture(scope="module")
def ui():
    """The plugin's package, which is on the path once Airflow has loaded its plugins."""
    from airflow import plugins_manager

    plugins_manager._get_plugins()  # noqa: SLF001
    from arrears_ui import registry, words

    return registry, words


def sources():
    return {path.name: path.read_text(encoding="utf-8") for path in [*UI.glob("*.py"), *UI.glob("templates/*.html")]}


def said(text):
    """Whole keys, and beginnings of keys, that a source asks for."""
    keys, beginnings = set(), set()
    for key, after in SAID.findall(text):
        if "{" in key or after == "~":
            beginnings.add(key.partition("{")[0])
        else:
            keys.add(key)
    return keys, beginnings | {f"{kind}." for kind in CODED.findall(text)}


def asked(registry):
    keys, beginnings = set(), {"column.", "table.", "empty."}
    for text in sources().values():
        found = said(text)
        keys |= found[0]
        beginnings |= found[1]
        keys |= set(re.findall(r"""["']((?:trouble|complete)\.(?!html)[a-z_]+)["']""", text))
    for table in (*registry.TABLES.values(), *registry.OUTBOX_TABLES):
        keys |= {f"table.{table.name}", f"empty.{table.name}", *(f"column.{column.name}" for column in table.columns)}
        beginnings |= {f"{column.codes}." for column in table.columns if column.codes}
    return keys, beginnings


def test_both_languages_have_the_same_keys_and_no_empty_text(ui):
    english, chinese = (ui[1].catalogue()[language] for language in ("en", "zh"))

    assert len(english) > 250
    assert english.keys() == chinese.keys()
    assert [key for texts in (english, chinese) for key, text in texts.items() if not str(text).strip()] == []


def test_both_languages_fill_in_the_same_names(ui):
    english, chinese = (ui[1].catalogue()[language] for language in ("en", "zh"))
    different = [
        key for key in english if set(re.findall(r"{\w+}", english[key])) != set(re.findall(r"{\w+}", chinese[key]))
    ]

    assert different == []


def test_chinese_is_chinese(ui):
    same_in_both = {"csv", "column.par30_ratio", "measure.par30_ratio", "trouble.coded"}
    texts = ui[1].catalogue()["zh"]

    assert {key for key, text in texts.items() if not re.search(r"[\u4e00-\u9fff]", text)} == same_in_both


def test_every_key_that_a_page_asks_for_is_there(ui):
    registry, words = ui
    keys, beginnings = asked(registry)
    there = words.catalogue()["en"]

    assert len(keys) > 150
    assert sorted(keys - there.keys()) == []
    assert sorted(b for b in beginnings if not any(key.startswith(b) for key in there)) == []


def test_every_key_is_asked_for(ui):
    registry, words = ui
    keys, beginnings = asked(registry)
    keys |= {f"{key}.title" for key in keys if key.startswith("trouble.")}
    keys |= {f"{key}.one" for key in keys}

    unused = [
        key
        for key in words.catalogue()["en"]
        if key not in keys and not any(key.startswith(beginning) for beginning in beginnings)
    ]
    assert unused == []


@pytest.mark.parametrize("prefix", sorted(LISTS))
def test_every_code_of_a_closed_list_has_a_word(ui, prefix):
    module, table, column_name = LISTS[prefix]
    [contract] = [value for value in vars(module).values() if isinstance(value, Contract) and value.table == table]
    [column] = [column for column in contract.columns if column.name == column_name]

    assert column.codes
    assert [code for code in column.codes if code and f"{prefix}.{code}" not in ui[1].catalogue()["en"]] == []


def test_every_hold_and_every_reason_of_the_outbox_has_a_word(ui):
    there = ui[1].catalogue()["en"]
    reasons = {
        reason
        for pattern, *files in WRITTEN
        for file in files
        for reason in re.findall(pattern, (ARREARS / file).read_text(encoding="utf-8"))
    }

    assert [code for code in HOLD_CODES if f"hold.{code}" not in there] == []
    assert len(reasons) >= 20
    assert [code for code in sorted(reasons) if f"outbox_reason.{code}" not in there] == []


CASE = {"queue_id": "early", "language": "zh", "delinquent_days": 34, "kept_agent_id": "A3", "hold_code": "hardship"}
FIGURES = {"agent": "A17", "owner": "kept with A17", "due": "11-29", "bucket": "M2", "minutes": 360, "mode": "pool"}
FIGURES |= {"overflow": "bot", "required": 4, "used": 30}


@pytest.mark.parametrize("code", sorted(SENTENCES))
@pytest.mark.parametrize("tail", ["", PASSED_OVER.format(named="A9")], ids=["", "passed-over"])
def test_every_sentence_about_a_case_is_said_in_chinese_with_all_its_figures(ui, code, tail):
    from arrears_ui.sentences import said as in_words

    english = SENTENCES[code].format(case=SimpleNamespace(**CASE), **FIGURES) + tail

    chinese = in_words(english, ui[1].Words("zh"))

    assert figures_of(chinese) == figures_of(english)
    assert set(re.findall(r"[A-Za-z]{4,}", chinese)) <= {"early", "pool"}
    assert in_words(english, ui[1].Words("en")) == english


def figures_of(sentence):
    return sorted(re.findall(r"A\d+|\d+", sentence))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "m1: sms denied by a, b, earliest 2026-11-29 09:00 Asia/Aden; call 9:00-20:00 UTC; 34 delinquent days",
            "m1：短信被 a, b 拦截，最早 2026-11-29 09:00 Asia/Aden；电话 9:00-20:00 UTC；催收口径逾期天数 34",
        ),
        ("m1: letter denied by a.b; 3 delinquent days", "m1：信函被 a.b 拦截；催收口径逾期天数 3"),
        ("of an older version", "of an older version"),
    ],
)
def test_reason_of_a_plan_is_said_in_chinese(ui, english, chinese):
    from arrears_ui.sentences import said as in_words

    assert in_words(english, ui[1].Words("zh")) == chinese


@pytest.mark.parametrize(
    ("key", "figures", "beginning"),
    [
        ("complete.differing_loans", {"number": "1"}, "1 loan differs"),
        ("complete.differing_loans", {"number": "11"}, "11 loans differ"),
        ("complete.off", {"number": "1"}, "1 figure does not agree"),
        ("why.late", {"days": 1}, "1 day past due"),
        ("why.late", {"days": 21}, "21 days past due"),
    ],
)
def test_one_is_not_said_as_many(ui, key, figures, beginning):
    others = dict.fromkeys(("seq", "day", "unpaid", "due", "bucket"), "x")

    assert ui[1].Words("en")(key, **others, **figures).startswith(beginning)


def test_chinese_has_the_glossarys_word_for_what_the_work_turns_on(ui):
    glossary = (UI.parents[1] / "docs" / "glossary.md").read_text(encoding="utf-8")
    chinese = ui[1].catalogue()["zh"]
    for english, column in (("delinquent days", "delinquent_days"), ("business date", "business_date")):
        assert f"| {english} | {chinese[f'column.{column}']} |" in glossary
        assert CHINESE[column].startswith(chinese[f"column.{column}"])


def test_empty_outbox_claims_nothing_about_what_was_planned(ui):
    for table in ("outbox_totals", "outbox_recent"):
        assert "planned for this portfolio" not in ui[1].catalogue()["en"][f"empty.{table}"]
        assert "put into the outbox" in ui[1].catalogue()["en"][f"empty.{table}"]


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [":root {", ':root[data-theme="dark"] {'])
def test_every_step_of_the_heat_map_carries_readable_ink(theme):
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    style = (UI / "static" / "arrears.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#\w{6})", style.partition(theme)[2].partition("}")[0]))
    for step in ("heat0", "heat1", "heat2"):
        dark, light = sorted(luminance(colours[name]) for name in ("ink", step))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, step
    assert '"textfont": {"color": "$ink"}' in sources()["charts.py"]


def test_family_of_codes_has_a_word_and_an_unknown_code_stands_for_itself(ui):
    words = ui[1].Words("zh")

    assert words.code("outbox_reason", "template_reminder_zh-CN") == "模板 reminder_zh-CN"
    assert words.code("outbox_reason", "smtp_accepted") == "邮件服务器已接收"
    assert words.code("outbox_reason", "house.hours") == "house.hours"
    assert words.code("hold", "lender_{own}_word") == "lender_{own}_word"
