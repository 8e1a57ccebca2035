"""A portfolio folder explains every mistake with file, line, key and expectation."""

from datetime import date

import pytest
from arrears.errors import ConfigurationError, PortfolioUnknownError, TimeZoneRefusedError
from arrears.portfolio import load_folder
from arrears.settings import REPOSITORY, Settings

GOOD = """\
title: Test book
currency: CNY
timezone: Asia/Shanghai
holidays: CN
language: zh-CN
first_business_date: 2026-01-05
ageing:
  convention: elapsed
  tolerance_minor: 100
buckets:
  - {code: "0", from: 0, to: 0}
  - {code: "1-30", from: 1, to: 30}
  - {code: "31+", from: 31}
collector_type: first_party
packs: [house]
strategy: early
queues: {"1-30": bot, "31+": named}
source:
  kind: database
  url: ${ARREARS_TEST_SOURCE:-sqlite://}
"""


@pytest.fixture
def settings(tmp_path):
    for folder in ("portfolios/book", "policies", "strategies"):
        (tmp_path / folder).mkdir(parents=True)
    for noun in ("loan", "instalment", "transaction"):
        (tmp_path / "portfolios/book" / f"{noun}.sql").write_text("SELECT 1")
    (tmp_path / "policies/house.yaml").write_text("pack: house")
    (tmp_path / "strategies/early.yaml").write_text("strategy: early")
    return Settings(
        portfolios=tmp_path / "portfolios", policies=tmp_path / "policies", strategies=tmp_path / "strategies"
    )


def write(settings, text):
    (settings.portfolios / "book" / "portfolio.yaml").write_text(text)


def test_good_folder_loads(settings):
    write(settings, GOOD)

    folder = load_folder("book", settings)

    assert folder.portfolio.first_business_date == date(2026, 1, 5)
    assert set(folder.selects) == {"raw__loan", "raw__instalment", "raw__transaction"}
    assert folder.portfolio.source.url == "sqlite://"


@pytest.mark.parametrize(
    ("change", "line", "key", "says"),
    [
        pytest.param(("currency: CNY", "currency: yuan"), 2, "currency", "pattern", id="currency_is_iso_4217"),
        pytest.param(("elapsed", "elapsd"), 8, "ageing.convention", "'elapsed', 'inclusive'", id="convention_known"),
        pytest.param(("from: 31}", "from: 32}"), 1, "(top)", "must start at 31, not 32", id="buckets_without_gap"),
        pytest.param(('"31+": named', '"32+": named'), 1, "(top)", "buckets without a queue", id="queue_per_bucket"),
        pytest.param(("title: Test book", "titel: Test book"), 1, "titel", "unknown key", id="unknown_key"),
        pytest.param(
            ("${ARREARS_TEST_SOURCE:-sqlite://}", "${ARREARS_NOWHERE}"), 20, "source.url", "not set", id="env"
        ),
        pytest.param(
            ("tolerance_minor: 100", "tolerance_minor: 0.5"), 9, "ageing.tolerance_minor", "integer", id="int"
        ),
    ],
)
def test_mistake_names_line_key_and_expectation(settings, change, line, key, says):
    write(settings, GOOD.replace(*change))

    with pytest.raises(ConfigurationError) as caught:
        load_folder("book", settings)

    assert f"line {line}, key {key}:" in str(caught.value)
    assert says in str(caught.value)


def test_all_mistakes_are_listed_at_once(settings):
    write(settings, GOOD.replace("CNY", "yuan").replace("elapsed", "elapsd"))

    with pytest.raises(ConfigurationError) as caught:
        load_folder("book", settings)

    assert "key currency" in str(caught.value)
    assert "key ageing.convention" in str(caught.value)


def test_variable_that_is_not_set_is_told_once(settings):
    write(settings, GOOD.replace("2026-01-05", "${ARREARS_NOWHERE}"))

    with pytest.raises(ConfigurationError) as caught:
        load_folder("book", settings)

    assert caught.value.found == "line 6, key first_business_date: environment variable ARREARS_NOWHERE is not set"


def test_variable_may_have_a_default_and_be_set(settings, monkeypatch):
    write(settings, GOOD.replace("2026-01-05", "${ARREARS_TEST_FIRST:-2026-02-02}"))
    default = load_folder("book", settings).portfolio.first_business_date

    monkeypatch.setenv("ARREARS_TEST_FIRST", "2026-03-03")

    assert default == date(2026, 2, 2)
    assert load_folder("book", settings).portfolio.first_business_date == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        pytest.param("var/drops", f"{REPOSITORY}/var/drops", id="a relative path begins at the repository"),
        pytest.param("/srv/drops", "/srv/drops", id="an absolute path"),
        pytest.param("s3://bucket/drops", "s3://bucket/drops", id="a URL"),
    ],
)
def test_source_folder_does_not_depend_on_the_working_directory(settings, monkeypatch, tmp_path, directory, expected):
    monkeypatch.chdir(tmp_path)
    source = f"source: {{kind: files, directory: '{directory}', files: {{loan: {{pattern: l.csv, columns: [a]}}}}}}\n"
    write(settings, GOOD[: GOOD.index("source:")] + source)

    assert load_folder("book", settings).portfolio.source.directory == expected


def test_mistake_in_a_file_kind_names_its_key(settings):
    source = "source:\n  kind: files\n  directory: x\n  files:\n    loan: {pattern: l.csv, colums: [a]}\n"
    write(settings, GOOD[: GOOD.index("source:")] + source)

    with pytest.raises(ConfigurationError) as caught:
        load_folder("book", settings)

    assert "line 22, key source.files.loan.colums:" in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"], ids=["nothing", "a list", "words"])
def test_file_without_keys_is_refused(settings, text):
    write(settings, text)

    with pytest.raises(ConfigurationError, match="no mapping at the top"):
        load_folder("book", settings)


def test_missing_select_and_pack_are_named(settings):
    write(settings, GOOD.replace("packs: [house]", "packs: [houes]"))
    (settings.portfolios / "book/loan.sql").unlink()
    (settings.portfolios / "book/lone.sql").write_text("SELECT 1")

    with pytest.raises(ConfigurationError) as caught:
        load_folder("book", settings)

    assert "book/loan.sql is missing" in str(caught.value)
    assert "book/lone.sql: no ledger table of that name" in str(caught.value)
    assert "houes.yaml, which is not in policies/" in str(caught.value)


def test_broken_yaml_names_the_line(settings):
    write(settings, "title: x\n  currency: [")

    with pytest.raises(ConfigurationError, match=r"line 2"):
        load_folder("book", settings)


def test_unknown_portfolio_lists_the_known(settings):
    write(settings, GOOD)

    with pytest.raises(PortfolioUnknownError, match="book"):
        load_folder("brook", settings)


@pytest.mark.parametrize(
    "zone",
    [
        pytest.param("America/Sao_Paulo", id="brazil_skipped_midnight_until_2018"),
        pytest.param("Africa/Cairo", id="egypt_skips_midnight"),
    ],
)
def test_zone_that_skips_midnight_is_refused(settings, zone):
    write(settings, GOOD.replace("Asia/Shanghai", zone))

    with pytest.raises(TimeZoneRefusedError, match="no midnight on"):
        load_folder("book", settings)


def test_unknown_zone_is_refused(settings):
    write(settings, GOOD.replace("Asia/Shanghai", "Asia/Shangri-La"))

    with pytest.raises(ConfigurationError, match="IANA zone"):
        load_folder("book", settings)


def test_config_hash_moves_with_folder_and_packs(settings):
    write(settings, GOOD)
    before = load_folder("book", settings).config_hash

    (settings.policies / "house.yaml").write_text("pack: house # another day")

    assert load_folder("book", settings).config_hash != before


def test_elapsed_ages_as_of_the_business_date_and_inclusive_as_of_the_close(settings):
    write(settings, GOOD)
    elapsed = load_folder("book", settings).portfolio
    write(settings, GOOD.replace("elapsed", "inclusive"))
    inclusive = load_folder("book", settings).portfolio

    assert elapsed.as_of(date(2026, 3, 1)) == date(2026, 3, 1)
    assert inclusive.as_of(date(2026, 3, 1)) == date(2026, 2, 28)
