"""Worked cases that are not part of the project: ``pytest tests/policy --contact-dir DIR``."""

from pathlib import Path


def pytest_addoption(parser):
    parser.addoption("--contact-dir", type=Path, help="Folder with a cases.yaml of worked contact cases")
