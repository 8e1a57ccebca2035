"""A pack file explains every mistake with file, line, key and expectation, before anything runs."""

from datetime import date
from typing import get_args, get_type_hints

import pytest
import yaml
from arrears.errors import ConfigurationError
from arrears.feedback.reports import FlagReport
from arrears.policy.packs import load_pack, load_rules, public_holidays
from arrears.settings import INCLUDE
from arrears.sources.demo.lender import LENDERS

HEAD = "pack: mine\ntitle: Mine\nrules:\n"
COMMON = "    citation: Art. 1\n    confidence: firm\n    effect: deny\n"
HOURS = f"  - id: mine.hours\n    kind: hours\n{COMMON}"
CAP = f"  - id: mine.cap\n    kind: cap\n{COMMON}"
BLOCK = f"  - id: mine.block\n    kind: block\n{COMMON}"


def write(folder, text, name="mine"):
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / f"{name}.yaml"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + HOURS + '    all_days: ["08:00", "25:00"]\n', ["line 9", "rules.0.all_days", '"24:00"']),
        (HEAD + HOURS + "    all_days: [08:00, 22:00]\n", ["line 9", "quoted times"]),
        (HEAD + HOURS + '    all_days: ["22:00", "08:00"]\n', ["line 9", "window is empty"]),
        (HEAD + HOURS, ["line 4", "rules.0", "either all_days or days"]),
        (HEAD + HOURS + "    days: {mon: null}\n", ["days names each of mon"]),
        (HEAD + HOURS + '    all_days: ["08:00", "22:00"]\n    colour: red\n', ["line 10", "rules.0.colour"]),
        (HEAD + BLOCK.replace("    citation: Art. 1\n", "") + "    when_flags: [x]\n", ["line 4", "rules.0.citation"]),
        (HEAD + BLOCK + "    channels: [pigeon]\n", ["line 9", "rules.0.channels"]),
        (HEAD + BLOCK, ["a block names flags"]),
        (HEAD + CAP + "    max: -1\n    window: {type: ever}\n", ["line 9", "rules.0.max"]),
        (HEAD + CAP + "    max: 1\n    window: {type: rolling_days}\n", ["line 10", "rolling_days has days"]),
        (HEAD + CAP + "    max: 1\n    window: {type: fortnight}\n", ["line 10", "rules.0.window.type"]),
        (HEAD + BLOCK.replace("kind: block", "kind: ban"), ["line 4", "kind"]),
        (HEAD + BLOCK + "    when_flags: [x]\n    valid_from: 2026-01-02\n    valid_to: 2026-01-02\n", ["valid_to"]),
        (HEAD + (BLOCK + "    when_flags: [x]\n") * 2, ["line 10", "rules.1.id", "mine.block", "overlap"]),
        ("pack: mine\ntitle: Mine\nrules: []\n", ["line 3", "key rules"]),
        ("pack: other\ntitle: Mine\nrules:\n" + BLOCK + "    when_flags: [x]\n", ["pack 'other'", "'mine'"]),
        ("pack: [mine\n", ["not readable as YAML", "line 2"]),
        (HEAD + BLOCK + "    when_flags: [x]\nrules: []\n", ["line 10", "key rules", "stands twice"]),
        (HEAD + BLOCK + "    when_flags: [x]\n    when_flags: [y]\n", ["line 10", "rules.0.when_flags", "twice"]),
        (HEAD + BLOCK + "    when_flags: [x]\n    valid_from: 2026-02-30\n", ["line 10", "rules.0.valid_from", "day"]),
        (HEAD + BLOCK.replace("Art. 1", '""') + "    when_flags: [x]\n", ["line 6", "rules.0.citation", "empty"]),
        (
            HEAD + CAP + "    max: 1\n    window: {type: ever}\n    count_outcomes: [talk]\n",
            ["line 11", "rules.0.count_outcomes", "one of busy, conversation"],
        ),
        (HEAD + CAP + "    max: 1\n    window: {type: ever}\n    channels: call\n", ["line 11", "channels", "a list"]),
    ],
)
def test_mistake_in_a_pack_is_named(tmp_path, text, expected):
    path = write(tmp_path, text)

    with pytest.raises(ConfigurationError) as raised:
        load_pack(path)

    assert all(part in str(raised.value) for part in expected), str(raised.value)
    assert "mine.yaml" in str(raised.value)


def test_missing_pack_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load_pack(tmp_path / "nowhere.yaml")


def test_two_packs_may_not_share_a_rule_id(tmp_path):
    write(tmp_path, HEAD + BLOCK + "    when_flags: [x]\n")
    write(tmp_path, HEAD.replace("pack: mine", "pack: yours") + BLOCK + "    when_flags: [x]\n", "yours")

    with pytest.raises(ConfigurationError, match=r"mine\.block"):
        load_rules(["mine", "yours"], tmp_path)


def test_unknown_holiday_country_is_refused():
    with pytest.raises(ConfigurationError, match="XX"):
        public_holidays("XX", date(2026, 1, 1))


def test_shipped_packs_load_together_and_say_what_they_leave_out():
    names = sorted(path.stem for path in (INCLUDE / "policies").glob("*.yaml"))

    book = load_rules(names, INCLUDE / "policies")

    assert {"cn_cba2026", "cn_gbt45251", "house_humane", "us_reg_f"} <= set(names)
    assert all(rule.citation for rule in book.rules)
    assert all(load_pack(INCLUDE / "policies" / f"{name}.yaml").leaves_out for name in names if name != "house_humane")


@pytest.mark.parametrize("portfolio", sorted(LENDERS))
def test_flags_that_keep_people_away_are_named_by_a_rule_of_the_portfolio(portfolio):
    packs = yaml.safe_load((INCLUDE / "portfolios" / portfolio / "portfolio.yaml").read_text())["packs"]
    heeded = {code for rule in load_rules(packs, INCLUDE / "policies").rules for code in rule.when_flags}
    heeded |= {code.replace("{channel}", "sms") for code in heeded}

    delivered = {code for code, _ in LENDERS[portfolio].reaching.flags}
    reported = set(get_args(get_type_hints(FlagReport)["flag_code"]))

    assert len(delivered) > 9
    assert len(reported) > 5
    assert delivered - heeded == set()
    assert reported - {"written_cease"} - heeded == set()  # that one is the word of a law
