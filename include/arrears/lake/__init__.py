"""Parquet partitions with manifests: write, verify, read."""

from arrears.lake.journal import Journal, kept_journal, note_written
from arrears.lake.manifest import DataFile, Manifest
from arrears.lake.store import Lake, PartitionKey

__all__ = ["DataFile", "Journal", "Lake", "Manifest", "PartitionKey", "kept_journal", "note_written"]
