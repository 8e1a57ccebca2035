"""Canaries: values that must be nowhere but in the source and, sealed, in the vault; and a scan of everything else."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import psycopg
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Canaries:
    """Values drawn at random, each a person's in another way; and where each was planted."""

    planted: dict[str, str] = field(default_factory=dict)

    def name(self, place: str) -> str:
        """A name of two words."""
        return self._plant(f"Zwetana{secrets.token_hex(4)} Quist{secrets.token_hex(3)}", place)

    def phone(self, place: str) -> str:
        """A number with its country."""
        return self._plant(f"+86 138{secrets.randbelow(10**8):08d}", place)

    def address(self, place: str) -> str:
        """An e-mail address."""
        return self._plant(f"canary.{secrets.token_hex(6)}@example.org", place)

    def _plant(self, value: str, place: str) -> str:
        self.planted[value] = place
        return value

    def found_in(self, content: bytes) -> set[str]:
        """Canaries that some bytes hold, in any spelling."""
        lower = content.lower()
        return {value for value in self.planted if any(one in lower for one in _spellings(value))}


def _spellings(value: str) -> set[bytes]:
    """Plain, hex, URL-encoded, JSON-escaped, and base64 at each of its three alignments; all in lower case."""
    raw = value.encode()
    inner = {base64.b64encode(b"\0" * shift + raw)[4 * (shift > 0) : -4] for shift in range(3)}
    texts = {raw.hex(), quote(value), quote_plus(value), json.dumps(value)[1:-1]}
    return {one.lower() for one in {raw, *inner, *(text.encode() for text in texts)}}


def bytes_of_file(path: Path) -> Iterator[bytes]:
    """A file as it lies there, and what is in it where that is packed."""
    content = path.read_bytes()
    yield content
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    if path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pylist()).encode()


def bytes_of_database(url: str, *, without: tuple[str, ...] = ()) -> Iterator[tuple[str, bytes]]:
    """Every table of a database as text (bytes as hex), comments and settings of roles included."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        names = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname <> ALL (%s) ORDER BY 1",
            [["information_schema", *without]],
        ).fetchall()
        for (name,) in names:
            rows = connection.execute(f"SELECT t::text FROM {name} AS t").fetchall()
            yield name, "\n".join(row for (row,) in rows).encode()
