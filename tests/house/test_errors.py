"""Every error has one code, one runbook, one test that raises it, and survives pickling."""

import pickle
import re
from pathlib import Path

import pytest
from arrears import errors
from arrears.errors import ArrearsError

REPOSITORY = Path(__file__).parents[2]
HEADINGS = [
    "What you see",
    "Who is hurt and by when",
    "Check in this order",
    "Safe to rerun?",
    "Known false alarms",
]
CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, ArrearsError) and value is not ArrearsError
]


def test_codes_are_unique_and_well_formed():
    codes = [cls.code for cls in CLASSES]

    assert len(codes) > 20
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"ARR-[A-Z]{3}-[A-Z0-9]+", code) for code in codes)


def test_each_code_has_a_runbook_and_each_runbook_a_code():
    pages = {path.stem for path in (REPOSITORY / "docs" / "runbooks").glob("ARR-*.md")}

    assert pages == {cls.code for cls in CLASSES}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_runbook_has_every_heading(cls):
    text = (REPOSITORY / cls.runbook.fget(cls)).read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_error_survives_pickling_and_says_all(cls):
    error = cls("found this", "that", "file.csv line 7")

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes

    assert type(copy) is cls
    assert str(copy) == str(error)
    assert "found this; expected that" in str(error)
    assert "Safe to rerun:" in str(error)
    assert error.runbook in str(error)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_error_is_raised_by_a_test(cls):
    tests = [path for path in (REPOSITORY / "tests").rglob("test_*.py") if path != Path(__file__)]

    named = [path.name for path in tests if re.search(rf"\b{cls.__name__}\b|{cls.code}\b", path.read_text("utf-8"))]

    assert named, f"no test raises {cls.__name__}"
