"""Rows are made without Python looking for cycles among them; afterwards it looks as it did before."""

import gc

import pytest
from arrears.jobs.assign import assign
from arrears.jobs.plan import plan
from arrears.jobs.rows import without_cycle_search


def fail_midway():
    assert not gc.isenabled()
    raise ValueError("midway")


def test_cycles_are_sought_again_afterwards_whatever_happened():
    with pytest.raises(ValueError, match="midway"):
        without_cycle_search()(fail_midway)()

    assert gc.isenabled()


@pytest.mark.parametrize("job", [plan, assign])
def test_jobs_that_make_rows_do_not_look_for_cycles(monkeypatch, job):
    seen = []

    def opened(*_, **__):
        seen.append(gc.isenabled())
        raise ValueError("midway")

    monkeypatch.setattr(f"arrears.jobs.{job.__name__}.Day.open", opened)

    with pytest.raises(ValueError, match="midway"):
        job("book", None)

    assert (seen, gc.isenabled()) == ([False], True)
