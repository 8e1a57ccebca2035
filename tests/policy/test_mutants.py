"""Every rule of every pack, weakened in every way the mutator knows, is noticed by a worked case of the project."""

import sys

from support.mutants import survivors
from support.worked_cases import OWN, PACKS, cases_of


def test_every_weakened_rule_is_noticed_by_a_case(capsys):
    made, alive = survivors(cases_of(OWN), PACKS)

    with capsys.disabled():
        sys.stdout.write(f"\nmutants made {made}, caught {made - len(alive)}\n")
    assert made > 1000
    assert alive == []
