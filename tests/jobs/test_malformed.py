"""Malformed deliveries: one code each, the place named, no value told, and no wrong age that contact goes on about.

By default one seed and the mutators that no other test has; all of them, times ten seeds, by
``python tests/reliability/suite_malformed.py``, which leaves the figures of the reliability report.
"""

import random

import pytest
from support.malformed import MUTATORS, PARQUET_MUTATORS
from support.malformed_run import ages_of_sound, judge_csv, judge_parquet

SEED = 3
OFTEN = (
    "UTF-16",
    "mixed line ends",
    "line break inside quotes",
    "truncated last line",
    "too few columns",
    "cut between two lines",
    "header only",
    "torn gzip",
)


@pytest.fixture(scope="module")
def ages(tmp_path_factory):
    return ages_of_sound(tmp_path_factory.mktemp("sound"), SEED)


def chosen(names, often):
    return [pytest.param(name, marks=() if name in often else pytest.mark.chaos) for name in names]


@pytest.mark.parametrize("name", chosen(MUTATORS, OFTEN))
def test_malformed_file_is_named_and_its_loans_are_held(tmp_path, ages, name):
    assert judge_csv(tmp_path, name, SEED, random.Random(SEED), ages).problems == []


@pytest.mark.parametrize("name", chosen(PARQUET_MUTATORS, ("Parquet, broken footer", "Parquet, nested values")))
def test_malformed_parquet_is_refused_whole(tmp_path, ages, name):
    assert judge_parquet(tmp_path, name, SEED, random.Random(SEED), ages).problems == []
