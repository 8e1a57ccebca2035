"""Generated pages say what the code says, and a page that has drifted is found."""

import pytest
from arrears import reference
from arrears.reference import docstrings, portfolios
from arrears.reference import rules as rules_page

FOLDER_YAML = """\
title: Loans with a | in their title
currency: USD
timezone: {timezone}
first_business_date: 2026-01-01
buckets: [{{code: "0", from: 0, to: 0}}, {{code: "1+", from: 1}}]
collector_type: third_party
strategy: default
source: {{kind: files}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty docs folder; a page of its own kind beside the generated ones."""
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    (tmp_path / "bench.md").write_text("# measured, not generated\n")
    return tmp_path


def test_pages_are_written_once_and_then_left_alone(folder):
    written = {path.name for path in reference.write_pages()}

    assert {"tables.md", "views.md", "errors.md", "dags.md", "rules.md", "specs.md", "portfolios.md"} <= written
    assert reference.drifted() == []
    assert reference.write_pages() == []
    assert (folder / "bench.md").is_file()


def test_changed_page_and_page_of_nothing_are_found_and_mended(folder):
    reference.write_pages()
    changed, leftover = folder / "errors.md", folder / "gone.md"
    changed.write_text(changed.read_text().replace("ARR-LAK-005", "ARR-LAK-006"))
    leftover.write_text(f"{reference.NOTE}# a subject of yesterday\n")

    assert reference.drifted() == [changed, leftover]
    assert reference.write_pages() == [changed, leftover]
    assert reference.drifted() == []
    assert not leftover.exists()


def test_every_rule_with_an_id_stands_on_the_rules_page():
    text = rules_page.pages()["rules.md"]
    known = [
        (name, parts["Source"].split("\n")[0].rstrip("."))
        for path in rules_page.RULES.glob("*.py")
        for name, parts in docstrings.functions(path)
        if "ARR-" in parts.get("Source", "")
    ]

    assert len(known) > 10
    assert [name for name, source in known if f"### {name}\n\n**{source}" not in text] == []
    assert "`sql/core__loan_delinquency_daily.sql`" in text


@pytest.mark.parametrize(
    ("timezone", "words"),
    [
        pytest.param("Asia/Shanghai", ["16:00 UTC, all year"], id="no_clock_change"),
        pytest.param(
            "America/New_York",
            [
                "05:00 UTC on 2026-01-01",
                "from business date 2026-03-09 on at 04:00 UTC; 2026-03-08 has 23 hours",
                "from business date 2026-11-02 on at 05:00 UTC; 2026-11-01 has 25 hours",
            ],
            id="both_clock_changes",
        ),
    ],
)
def test_portfolio_page_tells_when_the_day_starts_in_utc(tmp_path, monkeypatch, timezone, words):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/portfolio.yaml").write_text(FOLDER_YAML.format(timezone=timezone))
    monkeypatch.setattr(portfolios, "FOLDER", tmp_path)

    text = portfolios.pages()["portfolios.md"]

    assert all(part in text for part in words), text
    assert "| contact packs | none |" in text
