"""Borrowers in BI are HMACs of their lender: stable, joinable over its portfolios, of no use without the key."""

import hashlib
import hmac

import pytest
from arrears.warehouse.bi import views
from arrears.warehouse.connection import transaction
from arrears.warehouse.pseudonyms import name_lender, rotate
from sqlalchemy import text

PHONES = [f"138000000{n:02d}" for n in range(100)]


@pytest.fixture(scope="module")
def keys(warehouse_url):
    for portfolio, lender in (("cn", "bank"), ("us", "bank"), ("other", "other")):
        name_lender(warehouse_url, portfolio, lender)
        name_lender(warehouse_url, portfolio, lender)

    def of(portfolio, borrower):
        asked = text(
            "SELECT DISTINCT ON (w.portfolio) substring(encode(sha256(k.outer_pad || sha256(k.inner_pad || "
            "convert_to(:borrower, 'UTF8'))), 'hex'), 1, 32) FROM vault.lender_of w JOIN vault.pseudonym_key k "
            "USING (lender) WHERE w.portfolio = :portfolio ORDER BY w.portfolio, k.key_version DESC"
        )
        with transaction(warehouse_url) as connection:
            return connection.execute(asked, {"portfolio": portfolio, "borrower": borrower}).scalar_one()

    return of


def test_the_two_pads_are_those_of_hmac(keys, warehouse_url):
    with transaction(warehouse_url) as connection:
        inner, outer = connection.execute(
            text("SELECT inner_pad, outer_pad FROM vault.pseudonym_key WHERE lender = 'bank' AND key_version = 1")
        ).one()

    key = bytes(one ^ 0x36 for one in bytes(inner))
    assert key == bytes(one ^ 0x5C for one in bytes(outer))
    assert (len(key), len(set(key[:32])) > 20, key[32:]) == (64, True, bytes(32))
    assert keys("cn", "P-1") == hmac.new(key[:32], b"P-1", hashlib.sha256).hexdigest()[:32]


def test_a_borrower_is_the_same_at_one_lender_and_another_at_the_next(keys):
    assert keys("cn", "P-1") == keys("us", "P-1")
    assert keys("cn", "P-1") != keys("other", "P-1")
    assert keys("cn", "P-1") != keys("cn", "P-2")


def test_a_dictionary_without_the_key_finds_nobody(keys):
    shown = {keys("cn", phone) for phone in PHONES}

    guesses = {digest(phone.encode()).hexdigest()[:32] for phone in PHONES for digest in (hashlib.sha256, hashlib.md5)}
    assert len(shown) == len(PHONES)
    assert shown & guesses == set()


def test_one_view_alone_knows_how():
    assert [view.name for view in views() if "pseudonym_key" in view.select] == ["collection_case"]


def test_a_new_version_changes_every_key_of_its_lender_and_is_audited(keys, warehouse_url):
    before = {portfolio: keys(portfolio, "P-1") for portfolio in ("cn", "us", "other")}

    assert rotate(warehouse_url, "bank", actor="privacy:1", reason="a key was seen") == 2

    after = {portfolio: keys(portfolio, "P-1") for portfolio in before}
    assert after["cn"] == after["us"] != before["cn"]
    assert after["other"] == before["other"]
    with transaction(warehouse_url) as connection:
        assert connection.execute(text("SELECT count(*) FROM vault.pseudonym_key WHERE lender = 'bank'")).scalar() == 2
        entry = connection.execute(text("SELECT action, subject, after FROM ops.audit_entry ORDER BY 1 DESC")).first()
    assert tuple(entry) == ("privacy.rotate", "lender bank", {"key_version": 2})
