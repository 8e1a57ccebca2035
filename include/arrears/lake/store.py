"""Writes and reads partitions ``<lake>/<portfolio>/<table>/business_date=D/``.

A partition is replaced by one atomic write of its manifest, after its data file is complete, synced and verified.
Readers follow the manifest, never a glob, and check every file's SHA-256.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
from filelock import FileLock

from arrears.engine.duckdb import literal, parquet, quoted, view_of_files
from arrears.errors import PartitionCorruptError, PartitionMissingError, SchemaRefusedError
from arrears.lake.manifest import DataFile, Manifest, load_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    import duckdb

    from arrears.contracts.model import Contract

MANIFEST = "manifest.json"
CHUNK = 1 << 20
HALF = (1 << 64) - 1


@dataclass(frozen=True)
class PartitionKey:
    """Which partition."""

    portfolio: str
    table: str
    business_date: date

    @property
    def path(self) -> str:
        """Folder below the lake's root."""
        return f"{self.portfolio}/{self.table}/business_date={self.business_date.isoformat()}"


class Lake:
    """One lake.

    Args:
        url: fsspec URL of its root.
        cache: Local folder that files of a remote lake are fetched into.
    """

    def __init__(self, url: str, cache: Path | None = None) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url)
        self._local = "file" in (
            self._files.protocol if isinstance(self._files.protocol, tuple) else [self._files.protocol]
        )
        self._cache = cache or Path(tempfile.gettempdir()) / f"arrears-lake-cache-{os.getuid()}"
        self._verified: set[tuple[str, int, int]] = set()

    # ------------------------------------------------------------------------------------------------------- read
    def find(self, key: PartitionKey) -> Manifest | None:
        """The partition's manifest, or None when it was never written.

        Raises:
            PartitionCorruptError: It is no manifest.
        """
        try:
            text = self._files.cat_file(f"{self._root}/{key.path}/{MANIFEST}").decode(errors="replace")
        except FileNotFoundError:
            return None
        try:
            return Manifest.from_json(text)
        except (ValueError, TypeError, KeyError):
            raise PartitionCorruptError("the manifest cannot be read", "a manifest as written", key.path) from None

    def intact(self, key: PartitionKey) -> Manifest | None:
        """The partition's manifest when every file of it is as it was written, else None."""
        try:
            found = self.find(key)
            for file in found.files if found else ():
                self._fetch(key, file)
        except PartitionCorruptError:
            return None
        return found

    def manifest(self, key: PartitionKey) -> Manifest:
        """The partition's manifest.

        Raises:
            PartitionMissingError: It was never written.
        """
        found = self.find(key)
        if found is None:
            raise PartitionMissingError("no manifest", f"{key.table} written for {key.business_date}", key.path)
        return found

    def view(self, connection: duckdb.DuckDBPyConnection, key: PartitionKey, name: str | None = None) -> Manifest:
        """Create view ``name`` (default: the table's name) over the verified files of a partition.

        Raises:
            PartitionMissingError: It was never written.
            PartitionCorruptError: A file is missing or was changed.
        """
        manifest = self.manifest(key)
        view_of_files(connection, name or key.table, [str(self._fetch(key, file)) for file in manifest.files])
        return manifest

    def dates(self, portfolio: str, table: str) -> list[date]:
        """Business dates that have a manifest, ascending."""
        pattern = f"{self._root}/{portfolio}/{table}/business_date=*/{MANIFEST}"
        return sorted(
            date.fromisoformat(str(path).split("business_date=")[1][:10]) for path in self._files.glob(pattern)
        )

    def _fetch(self, key: PartitionKey, file: DataFile) -> Path:
        if self._local:
            path = Path(self._root) / key.path / file.name
        else:
            path = self._cache / f"{file.sha256}.parquet"
            if not path.is_file():
                self._download(f"{self._root}/{key.path}/{file.name}", path)
        if not path.is_file():
            raise PartitionCorruptError("a file is missing", file.name, key.path)
        status = path.stat()
        seen = (str(path), status.st_mtime_ns, status.st_size)
        if seen not in self._verified:
            if _sha256(path) != file.sha256:
                if not self._local:
                    path.unlink()  # the next read fetches it again: only the copy may be at fault
                raise PartitionCorruptError(
                    "a file was changed after it was written", f"SHA-256 of {file.name}", key.path
                )
            self._verified.add(seen)
        return path

    def _download(self, source: str, path: Path) -> None:
        """Fetch a remote file under a private name first; a file that is not there is not made."""
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(f".{uuid.uuid4().hex}")
        try:
            self._files.get_file(source, str(partial))
            partial.replace(path)
        except FileNotFoundError:
            return
        finally:
            partial.unlink(missing_ok=True)

    # ------------------------------------------------------------------------------------------------------ write
    def write(  # noqa: PLR0913  a partition is its parts
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        key: PartitionKey,
        select: str,
        parameters: Mapping[str, Any],
        *,
        inputs: Mapping[str, str],
        known_until: str = "",
        run_ref: str = "",
    ) -> Manifest:
        """Write the rows of ``select`` as the partition, or leave it when it already holds them.

        Args:
            connection: Where the SELECT runs.
            contract: Names and types the result must have, exactly; the standard columns are added here.
            key: Which partition.
            select: SELECT that delivers ``contract.columns``.
            parameters: Its bound parameters.
            inputs: Content hash by input name.
            known_until: ISO instant up to which feedback was known.
            run_ref: The run, for people.

        Returns:
            The manifest now in force.

        Raises:
            SchemaRefusedError: A column is missing, extra, of another type, or NULL where it may not be.
        """
        check_schema(connection, contract, select, parameters)
        with self._one_writer(key), self._work_folder(key) as folder:
            part = folder / f"part-{uuid.uuid4().hex}.parquet"
            columns = ", ".join(quoted(column.name) for column in contract.columns)
            connection.execute(
                f"COPY (SELECT $_portfolio::VARCHAR AS portfolio, $_business_date::DATE AS business_date, {columns} "
                f"FROM ({select}\n)) TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd)",
                {**parameters, "_portfolio": key.portfolio, "_business_date": key.business_date},
            )
            _sync(part)
            rows, totals, content_hash = fingerprint(connection, contract, part, key.path)
            manifest = Manifest(
                table=key.table,
                portfolio=key.portfolio,
                business_date=key.business_date.isoformat(),
                contract_version=contract.version,
                rows=rows,
                totals=totals,
                content_hash=content_hash,
                files=(DataFile(part.name, _sha256(part), part.stat().st_size),),
                inputs=dict(inputs),
                load_id=load_id_of(key.table, key.portfolio, key.business_date.isoformat(), inputs),
                known_until=known_until,
                run_ref=run_ref,
            )
            return self._put(key, manifest, part)

    def _put(self, key: PartitionKey, manifest: Manifest, part: Path) -> Manifest:
        there = self.intact(key)
        if there is not None and there.content_hash == manifest.content_hash:
            if there.inputs == manifest.inputs:
                return there
            manifest = replace(manifest, files=there.files)  # same rows from other inputs: only the manifest moves
        else:
            self._store(key, part)
        target = f"{self._root}/{key.path}/{MANIFEST}"
        if self._local:
            temporary = Path(f"{target}.{uuid.uuid4().hex}")
            temporary.write_text(manifest.to_json(), encoding="utf-8")
            _sync(temporary)
            temporary.replace(target)
            _sync(Path(target).parent)
        else:
            self._files.pipe_file(target, manifest.to_json().encode())
        return manifest

    def _store(self, key: PartitionKey, part: Path) -> None:
        target = f"{self._root}/{key.path}/{part.name}"
        if self._local:
            part.replace(target)
            _sync(Path(target).parent)
        else:
            self._files.put_file(str(part), target)

    def _one_writer(self, key: PartitionKey) -> AbstractContextManager[Any]:
        if not self._local:
            return nullcontext()
        folder = Path(self._root) / key.path
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(str(folder / ".lock"))

    @contextmanager
    def _work_folder(self, key: PartitionKey) -> Iterator[Path]:
        """A private folder on the partition's own file system.

        What a killed writer left is removed first, and so is every data file that the manifest does not name: the one
        that this write replaces stays until the next, because a reader may still follow the manifest it has read.
        """
        if not self._local:
            with tempfile.TemporaryDirectory(prefix="arrears-part-") as name:
                yield Path(name)
            return
        folder = Path(self._root) / key.path / ".tmp"
        folder.mkdir(parents=True, exist_ok=True)
        there = self.intact(key)
        named = {file.name for file in there.files} if there else set()
        orphans = [part for part in folder.parent.glob("part-*.parquet") if part.name not in named]
        for orphan in (*folder.iterdir(), *folder.parent.glob(f"{MANIFEST}.*"), *orphans):
            orphan.unlink()
        try:
            yield folder
        finally:
            for rest in folder.iterdir():
                rest.unlink()


def check_schema(
    connection: duckdb.DuckDBPyConnection, contract: Contract, select: str, parameters: Mapping[str, Any]
) -> None:
    """Refuse a SELECT whose columns or types are not the contract's: an uncast SUM is a HUGEINT, money is no float.

    Raises:
        SchemaRefusedError: Names every column that differs.
    """
    described = connection.execute(f"DESCRIBE {select}", dict(parameters)).fetchall()
    found = {name: kind for name, kind, *_ in described}
    wanted = {column.name: column.type.value for column in contract.columns}
    wrong = [f"{name} is {found[name]}, not {kind}" for name, kind in wanted.items() if found.get(name, kind) != kind]
    wrong += [f"{name} is missing" for name in wanted if name not in found]
    wrong += [f"{name} is not in the contract" for name in found if name not in wanted]
    if wrong or len(described) != len(found):
        raise SchemaRefusedError(
            "; ".join(wrong) or "a column twice", "every column CAST to its contract type", contract.table
        )


def fingerprint(
    connection: duckdb.DuckDBPyConnection, contract: Contract, part: Path, where: str
) -> tuple[int, dict[str, int], str]:
    """Row count, totals and content hash of a written file.

    The hash is SHA-256 over contract version, row count and the sum of the rows' MD5 halves; a row is its columns'
    texts, each after its length in bytes (-1 for NULL), so neither order nor engine nor file layout can move it.

    Raises:
        SchemaRefusedError: A column that may not be NULL is.
    """
    names = [quoted(column.name) for column in contract.all_columns]
    row = ", ".join(f"coalesce(strlen({name}::VARCHAR), -1), ':', {name}::VARCHAR" for name in names)
    totals = "".join(f", coalesce(sum({quoted(name)}), 0)" for name in contract.totals)
    required = [column.name for column in contract.all_columns if not column.nullable]
    nulls = "".join(f", count(*) - count({quoted(name)})" for name in required)
    (values,) = connection.execute(
        f"SELECT count(*), coalesce(sum((m & {HALF}::UHUGEINT)::UBIGINT), 0), coalesce(sum((m >> 64)::UBIGINT), 0)"
        f"{totals}{nulls} FROM (SELECT *, md5_number(concat({row})) AS m FROM {parquet([str(part)])})"
    ).fetchall()
    rows, lower, upper = values[:3]
    counted = dict(zip(required, values[3 + len(contract.totals) :], strict=True))
    if any(counted.values()):
        holes = "; ".join(f"{number} rows without {name}" for name, number in counted.items() if number)
        raise SchemaRefusedError(holes, "no NULL in these columns", where)
    canonical = f"{contract.table}:{contract.version}:{rows}:{lower}:{upper}"
    sums = dict(zip(contract.totals, (int(value) for value in values[3 : 3 + len(contract.totals)]), strict=True))
    return rows, sums, hashlib.sha256(canonical.encode()).hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
