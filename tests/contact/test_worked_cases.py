"""The shipped packs decide worked cases as a reader of the law would: ``pytest tests/contact --cases FILE``.

``--cases`` may be given several times and may be a folder; without it the project's own cases are run.
"""

from collections import Counter
from functools import cache

from arrears.policy.packs import load_rules
from support.worked_cases import (
    OWN,
    PACKS,
    POLICIES,
    SHAPES,
    answers,
    case_files,
    cases_of,
    disagreement,
    readable_cases,
)


@cache
def answered(shape, files):
    """What is wrong with each case, by id: it cannot be read, or the answer differs; None when nothing is."""
    read, wrong = readable_cases(files)
    return wrong | {case.id: disagreement(case, decision) for case, decision in answers(shape, read)}


def ids_of(file):
    read, wrong = readable_cases([file])
    return (*(case.id for case in read), *wrong)


def pytest_generate_tests(metafunc):
    """A test for each case given; the project's own, which are many, one test a file."""
    if "ids" not in metafunc.fixturenames:
        return
    given = metafunc.config.getoption("--cases")
    files = tuple(case_files(given))
    asked = {path.stem: ids_of(path) for path in files}
    if given:
        asked = {name: (name,) for names in asked.values() for name in names}
    metafunc.parametrize("shape", SHAPES)
    metafunc.parametrize(("files", "ids"), [(files, ids) for ids in asked.values()], ids=list(asked))


def test_worked_cases_are_decided_as_expected(shape, files, ids):
    found = answered(shape, files)

    assert ids
    assert [found[one] for one in ids if found[one]] == []


def test_case_ids_differ(pytestconfig):
    read, _ = readable_cases(case_files(pytestconfig.getoption("--cases")))
    ids = Counter(case.id for case in read)

    assert ids
    assert [one for one, count in ids.items() if count > 1] == []


def test_every_shipped_rule_has_a_case_it_denies_and_one_it_allows():
    rules = {rule.id for rule in load_rules(PACKS, POLICIES).rules}

    of_packs = cache(lambda packs: {rule.id for rule in load_rules(packs, POLICIES).rules})
    tried = {
        (case.expected.rule_id, case.expected.decision)
        for case in cases_of(OWN)
        if case.expected.rule_id in of_packs(case.packs)  # a rule that is not asked allows everything
    }

    assert len(rules) >= 30
    assert {(rule, answer) for rule in rules for answer in ("allow", "deny")} - tried == set()


def test_case_that_cannot_be_read_leaves_the_others_of_its_file_to_be_asked(tmp_path):
    file = tmp_path / "cases.yaml"
    file.write_text(
        "cases:\n"
        "- {id: good, packs: [us_wa], given: {consumer: {timezones: [America/Los_Angeles]}},\n"
        "   planned: {ts: '2026-06-05T07:15:00-07:00', channel: call},\n"
        "   expected: {decision: deny, rule_id: us_wa.hours, earliest_allowed: '2026-06-05T07:30:00-07:00'}}\n"
        "- {id: bad, packs: [us_wa], given: {consumer: {timezones: []}, mood: low},\n"
        "   planned: {ts: '2026-06-05T07:15:00-07:00', channel: call},\n"
        "   expected: {decision: allow, rule_id: us_wa.hours}}\n"
    )

    found = answered("scalar", (file,))

    assert found["good"] is None
    assert "mood" in found["bad"]
