"""The vault is sealed: nothing is readable without the keys, and a destroyed key is an erased value."""

import pytest
from arrears.errors import ConfigurationError, VaultSealError
from arrears.keys import KeyRing, new_key
from arrears.sending.addresses import address_of, load_addresses
from arrears.settings import load_settings
from arrears.warehouse.connection import transaction
from arrears.warehouse.sealing import Vault
from sqlalchemy import text

NUMBER = "+1 202 555 0143"
RING = KeyRing.read(f"1:{new_key()}")


@pytest.fixture
def connection(warehouse_url):
    with transaction(warehouse_url) as connection:
        yield connection
        connection.get_transaction().rollback()


@pytest.fixture
def vault(connection):
    return Vault(connection, RING)


def test_a_sealed_value_is_noise_that_opens_in_its_place_alone(connection, vault):
    sealed = vault.seal("book", "party:P1", "t/1", NUMBER)

    assert NUMBER.encode() not in sealed
    assert sealed != vault.seal("book", "party:P1", "t/1", NUMBER)
    fresh = Vault(connection, RING)
    assert fresh.open("book", "party:P1", "t/1", sealed) == NUMBER
    for elsewhere in (("book", "party:P1", "t/2"), ("book", "party:P2", "t/1"), ("other", "party:P1", "t/1")):
        vault.seal(*elsewhere[:2], "x", "so that there is a key")
        with pytest.raises(VaultSealError):
            fresh.open(*elsewhere, sealed)
    with pytest.raises(VaultSealError):
        fresh.open("book", "party:P1", "t/1", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_another_master_key_opens_nothing_and_a_new_version_opens_all(connection, vault):
    sealed = vault.seal("book", "party:P1", "t/1", NUMBER)

    with pytest.raises(VaultSealError):
        Vault(connection, KeyRing.read(f"1:{new_key()}")).open("book", "party:P1", "t/1", sealed)
    with pytest.raises(ConfigurationError, match="version 1"):
        Vault(connection, KeyRing.read(f"2:{new_key()}")).open("book", "party:P1", "t/1", sealed)
    newer = KeyRing({**RING.masters, 2: KeyRing.read(f"1:{new_key()}").masters[1]})
    assert Vault(connection, newer).open("book", "party:P1", "t/1", sealed) == NUMBER


def test_a_destroyed_key_is_an_erased_value_and_an_erased_subject_gets_no_other(connection, vault):
    sealed = vault.seal("book", "party:P1", "t/1", NUMBER)
    other = vault.seal("book", "party:P2", "t/1", NUMBER)

    assert vault.erase("book", ["party:P1"]) == 1

    for one in (vault, Vault(connection, RING)):
        assert one.open("book", "party:P1", "t/1", sealed) is None
        assert one.seal("book", "party:P1", "t/1", NUMBER) is None
        assert one.is_erased("book", "party:P1")
        assert one.open("book", "party:P2", "t/1", other) == NUMBER
    listed = connection.execute(text("SELECT subject_mac FROM vault.erased")).scalars().all()
    assert len(listed) == 1
    assert "P1" not in listed[0]


def test_addresses_are_sealed_kept_with_their_time_and_closed_when_they_change(connection):
    assert load_addresses(connection, RING, "book", [("C1", NUMBER), ("C2", "a@example.org", "P2")]) == 2
    assert load_addresses(connection, RING, "book", [("C1", NUMBER)]) == 0
    assert load_addresses(connection, RING, "book", [("C1", "+1 202 555 0199")]) == 1

    assert address_of(connection, RING, "book", "C1").reveal() == "+1 202 555 0199"
    assert address_of(connection, RING, "book", "C2").reveal() == "a@example.org"
    assert address_of(connection, RING, "book", "C9") is None
    rows = connection.execute(text("SELECT * FROM vault.contact_value ORDER BY contact_point_id, valid_from_at")).all()
    assert [(row.contact_point_id, row.subject, row.valid_to_at is None) for row in rows] == [
        ("C1", "point:C1", False),
        ("C1", "point:C1", True),
        ("C2", "party:P2", True),
    ]
    assert rows[0].valid_to_at == rows[1].valid_from_at
    assert "555" not in str([bytes(row.sealed) for row in rows])


def test_without_a_master_key_nothing_goes_into_the_vault(connection, monkeypatch):
    monkeypatch.setenv("ARREARS_MASTER_KEYS", "")

    with pytest.raises(ConfigurationError, match="no master key"):
        load_addresses(connection, load_settings().keys, "book", [("C1", NUMBER)])
