"""Writes and reads partitions ``<lake>/<portfolio>/<table>/business_date=D/``.

A partition is replaced by one atomic write of its manifest, after its data file is complete, synced and verified.
Readers follow the manifest, never a glob, and check every file's SHA-256. A dropped partition has no manifest and no
file, only ``dropped.json``: the manifest it had, so that what was made from it can still be judged.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
from filelock import FileLock

from arrears.engine.duckdb import literal, quoted, view_of_files
from arrears.errors import PartitionCorruptError, PartitionDroppedError, PartitionMissingError
from arrears.failpoints import failpoint
from arrears.kept import kept_value
from arrears.lake.attached import is_as_written, with_checksum
from arrears.lake.journal import note_read, note_written
from arrears.lake.manifest import DataFile, Manifest, load_id_of
from arrears.lake.written import check_schema, fingerprint, nothing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    import duckdb

    from arrears.contracts.model import Contract

MANIFEST = "manifest.json"
DROPPED = "dropped.json"
CHUNK = 1 << 20


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
        settles: Whether what is written may wait for ``settle`` before it is safe from a power cut: a process that runs
            many dates waits for the disk once a date, not four times a partition.
    """

    def __init__(self, url: str, cache: Path | None = None, *, settles: bool = False) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url)
        self._local = "file" in (
            self._files.protocol if isinstance(self._files.protocol, tuple) else [self._files.protocol]
        )
        self._cache = cache or Path(tempfile.gettempdir()) / f"arrears-lake-cache-{os.getuid()}"
        self._settles = settles
        self._verified: set[tuple[str, int, int]] = set()
        self._manifests: dict[str, tuple[tuple[int, int, int], Manifest]] = {}

    # ------------------------------------------------------------------------------------------------------- read
    def find(self, key: PartitionKey) -> Manifest | None:
        """The partition's manifest, or None when it was never written or is dropped.

        Raises:
            PartitionCorruptError: It is no manifest.
        """
        return self._manifest_in(key, MANIFEST)

    def known(self, key: PartitionKey) -> Manifest | None:
        """The partition's manifest, or the one it had when it was dropped: its facts, not its rows.

        Raises:
            PartitionCorruptError: It is no manifest.
        """
        return self.find(key) or self._manifest_in(key, DROPPED)

    def _manifest_in(self, key: PartitionKey, name: str) -> Manifest | None:
        """Read anew only when the file is another: each write replaces it, so it is never changed in place."""
        if not self._local:
            return self._read_manifest(key, name)
        path = f"{self._root}/{key.path}/{name}"
        try:
            status = os.stat(path)  # noqa: PTH116  asked thousands of times a day
        except FileNotFoundError:
            return None
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._manifests.get(path)
        if known is None or known[0] != seen:
            manifest = self._read_manifest(key, name)
            if manifest is None:
                return None
            known = self._manifests[path] = (seen, manifest)
        return known[1]

    def _read_manifest(self, key: PartitionKey, name: str) -> Manifest | None:
        try:
            text = self._files.cat_file(f"{self._root}/{key.path}/{name}").decode(errors="replace")
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
            PartitionDroppedError: Retention has dropped it.
        """
        found = self.find(key)
        if found is None:
            self.refuse_dropped(key)
            raise PartitionMissingError("no manifest", f"{key.table} written for {key.business_date}", key.path)
        return found

    def refuse_dropped(self, key: PartitionKey) -> None:
        """Nothing, unless the partition is dropped.

        Raises:
            PartitionDroppedError: It is.
        """
        if self.find(key) is None and self.known(key) is not None:
            raise PartitionDroppedError(
                f"retention has dropped {key.table} of {key.business_date}", "a date within its term", key.path
            )

    def view(self, connection: duckdb.DuckDBPyConnection, key: PartitionKey, name: str | None = None) -> Manifest:
        """Create view ``name`` (default: the table's name) over the verified files of a partition.

        Raises:
            PartitionMissingError: It was never written.
            PartitionDroppedError: Retention has dropped it.
            PartitionCorruptError: A file is missing or was changed.
        """
        manifest = self.manifest(key)
        view_of_files(connection, name or key.table, self.paths(key))
        note_read(manifest)
        return manifest

    def paths(self, key: PartitionKey) -> list[str]:
        """Local paths of a partition's verified files.

        Raises:
            PartitionMissingError: It was never written.
            PartitionDroppedError: Retention has dropped it.
            PartitionCorruptError: A file is missing or was changed.
        """
        return [str(self._fetch(key, file)) for file in self.manifest(key).files]

    def dates(self, portfolio: str, table: str) -> list[date]:
        """Business dates that have a manifest, ascending."""
        return sorted(key.business_date for key in self._keys(portfolio, table, MANIFEST))

    def dropped_dates(self, portfolio: str, table: str = "*") -> list[date]:
        """Business dates of which the table (without one: any table) is dropped, ascending."""
        dropped = self._keys(portfolio, table, DROPPED) - self._keys(portfolio, table, MANIFEST)
        return sorted({key.business_date for key in dropped})

    def stored(self, portfolio: str) -> dict[PartitionKey, int]:
        """Bytes of data files by partition, those of killed writers and of half-done drops included."""
        found = self._files.glob(f"{self._root}/{portfolio}/*/business_date=*/part-*", detail=True)
        sizes: dict[PartitionKey, int] = {}
        for path, entry in found.items():
            key = _key_of(portfolio, path)
            sizes[key] = sizes.get(key, 0) + int(entry["size"])
        return sizes

    def _keys(self, portfolio: str, table: str, name: str) -> set[PartitionKey]:
        pattern = f"{self._root}/{portfolio}/{table}/business_date=*/{name}"
        return {_key_of(portfolio, path) for path in self._files.glob(pattern)}

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
        fetched = path.with_suffix(f".{uuid.uuid4().hex}")
        try:
            self._files.get_file(source, str(fetched))
            fetched.replace(path)
        except FileNotFoundError:
            return
        finally:
            fetched.unlink(missing_ok=True)

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
        on_part: Callable[[Path], None] = lambda _: None,
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
            on_part: Told the written file before it counts for anything; what it raises leaves the partition as it was.

        Returns:
            The manifest now in force.

        Raises:
            SchemaRefusedError: A column is missing, extra, of another type, or NULL where it may not be.
        """
        # One SELECT over tables of one contract each has one schema, however often a process runs it.
        schema = ("schema", contract.table, contract.version, select)
        kept_value(schema, partial(check_schema, connection, contract, select, parameters))
        with self._one_writer(key), self._work_folder(key) as folder:
            part = folder / f"part-{uuid.uuid4().hex}.parquet"
            columns = ", ".join(quoted(column.name) for column in contract.columns)
            [[written]] = connection.execute(
                f"COPY (SELECT $_portfolio::VARCHAR AS portfolio, $_business_date::DATE AS business_date, {columns} "
                f"FROM ({select}\n)) TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd)",
                {**parameters, "_portfolio": key.portfolio, "_business_date": key.business_date},
            ).fetchall()
            failpoint("lake.part_written", key.table)
            self._sync(part)
            stands = {"portfolio": key.portfolio, "business_date": key.business_date.isoformat()}
            rows, totals, content_hash = (
                fingerprint(connection, contract, part, stands, key.path) if written else nothing_of(contract)
            )
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
            on_part(part)
            in_force = self._put(key, manifest, part)
            failpoint("lake.manifest_in_force", key.table)
        note_written(in_force)
        return in_force

    def attach(self, key: PartitionKey, name: str, text: str) -> str:
        """Put a text, HTML or JSON, beside a partition, for people: no reader of rows looks at it; where it lies."""
        target = f"{self._root}/{key.path}/{name}"
        with self._one_writer(key):
            self._files.makedirs(f"{self._root}/{key.path}", exist_ok=True)
            self._write_text(target, with_checksum(text, name))
        return str(self._files.unstrip_protocol(target))

    def attached(self, key: PartitionKey, name: str) -> str | None:
        """A text that lies beside a partition; None where there is none.

        Raises:
            PartitionCorruptError: It was changed, or is of before such texts had checksums.
        """
        try:
            text: str = self._files.cat_file(f"{self._root}/{key.path}/{name}").decode(errors="replace")
        except FileNotFoundError:
            return None
        if not is_as_written(text, name):
            raise PartitionCorruptError(f"{name} was changed after it was written", "its checksum", key.path)
        return text

    def settle(self) -> None:
        """Wait until all that was written is safe from a power cut, if writing has not waited for it.

        What a power cut tears before is found by its SHA-256, and is written again by the next run.
        """
        if self._settles and self._local:
            os.sync()  # one for all: thirty times faster than a wait for each file of a small date

    def drop(self, key: PartitionKey) -> None:
        """Drop the partition's rows and keep its facts: first it ceases to exist for readers, then its files go.

        Killed in between, it leaves files that nothing names; dropping again takes them away.
        """
        with self._one_writer(key):
            there = self.find(key)
            if there is not None:
                self._write_text(f"{self._root}/{key.path}/{DROPPED}", there.to_json())
                failpoint("drop.noted")
                self._files.rm_file(f"{self._root}/{key.path}/{MANIFEST}")
                failpoint("drop.unlisted")
            for rest in ("part-*", f"{DROPPED}.*", "report.*"):
                for path in self._files.glob(f"{self._root}/{key.path}/{rest}"):
                    self._files.rm_file(path)

    def _put(self, key: PartitionKey, manifest: Manifest, part: Path) -> Manifest:
        there = self.intact(key)
        if there is not None and there.content_hash == manifest.content_hash:
            if there.inputs == manifest.inputs:
                return there
            manifest = replace(manifest, files=there.files)  # same rows from other inputs: only the manifest moves
        else:
            self._store(key, part)
            failpoint("lake.part_stored", key.table)
        self._write_text(f"{self._root}/{key.path}/{MANIFEST}", manifest.to_json())
        return manifest

    def _write_text(self, target: str, text: str) -> None:
        """Replace a file by ``text`` in one step."""
        if self._local:
            temporary = Path(f"{target}.{uuid.uuid4().hex}")
            temporary.write_text(text, encoding="utf-8")
            self._sync(temporary)
            failpoint("lake.text_written", Path(target).parts[-3])
            temporary.replace(target)
            self._sync(Path(target).parent)
        else:
            self._files.pipe_file(target, text.encode())

    def _store(self, key: PartitionKey, part: Path) -> None:
        target = f"{self._root}/{key.path}/{part.name}"
        if self._local:
            part.replace(target)
            self._sync(Path(target).parent)
        else:
            self._files.put_file(str(part), target)

    def _sync(self, path: Path) -> None:
        """Wait until a file, or the names in a folder, are on the disk; left to ``settle`` where that comes."""
        if self._settles:
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

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
        unfinished = [
            rest for name in (MANIFEST, "report.json", "report.html") for rest in folder.parent.glob(f"{name}.*")
        ]
        for orphan in (*folder.iterdir(), *unfinished, *orphans):
            orphan.unlink()
        try:
            yield folder
        finally:
            for rest in folder.iterdir():
                rest.unlink()


def _key_of(portfolio: str, path: str) -> PartitionKey:
    """The partition in whose folder a file lies."""
    table, folder = str(path).split("/")[-3:-1]
    return PartitionKey(portfolio, table, date.fromisoformat(folder.removeprefix("business_date=")))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
