"""Parquet partitions with manifests: write, verify, read."""

from arrears.lake.manifest import DataFile, Manifest
from arrears.lake.store import Lake, PartitionKey

__all__ = ["DataFile", "Lake", "Manifest", "PartitionKey"]
