"""The pages of packs say what the pack files say: every rule, its citation, what is left out, and who reviewed it."""

import pytest
from arrears.policy.packs import load_pack
from arrears.reference import policies

PACKS = sorted(path.stem for path in policies.FOLDER.glob("*.yaml"))
PACK = """\
pack: mine
title: Mine
binds: {collector_types: [third_party], products: [credit_card]}
leaves_out: [what nobody saw]
reviewed_by: Legal
review_due_on: 2027-06-30
rules:
  - id: mine.talks
    citation: Art. 1 | 2
    effect: deny
    confidence: recalled
    kind: cap
    channels: [call, visit]
    max: 2
    window: {type: rolling_days, days: 7}
    count_key: [debt]
    unless_purposes: [service]
    valid_from: 2026-01-01
  - id: mine.night
    citation: Art. 3
    effect: house
    confidence: firm
    kind: hours
    days:
      mon: ["08:00", "20:00"]
      tue: ["08:00", "20:00"]
      wed: ["08:00", "20:00"]
      thu: ["08:00", "20:00"]
      fri: ["08:00", "20:00"]
      sat: ["10:00", "12:00"]
      sun: null
    holiday: null
"""


@pytest.fixture(scope="module")
def pages():
    return policies.pages()


@pytest.mark.parametrize("name", PACKS)
def test_page_holds_every_rule_and_everything_left_out(pages, name):
    pack = load_pack(policies.FOLDER / f"{name}.yaml")

    page = pages[f"policies/{name}.md"]

    assert [rule.id for rule in pack.rules if f"| `{rule.id}` |" not in page or rule.citation not in page] == []
    assert [text for text in pack.leaves_out if text not in page] == []
    assert "none yet" not in page  # worked cases


def test_index_lists_every_pack(pages):
    index = pages["policies/index.md"]

    assert len(PACKS) > 20
    assert [name for name in PACKS if f"[{name}]({name}.md)" not in index] == []


def test_page_says_a_rule_in_words(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text(PACK)
    monkeypatch.setattr(policies, "FOLDER", tmp_path)

    page = policies.pages()["policies/mine.md"]

    assert "| binds | third party; product credit card |" in page
    assert "| reviewed | by Legal, again by 2027-06-30 |" in page
    assert (
        "| `mine.talks` | by call or visit: at most 2 in 7 days for each person and debt; but for `service`; "
        "from 2026-01-01 | deny | recalled | Art. 1 \\| 2 |"
    ) in page
    assert "only mon-fri 08:00-20:00, sat 10:00-12:00, sun none, holidays none" in page
    assert "* what nobody saw" in page
