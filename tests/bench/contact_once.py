"""One measured run of the contact policy in a process of its own: ``contact_once.py FOLDER WAY`` prints JSON.

``sets`` asks the set-based form about everybody in a folder of ``support.contact_crowd``, from its Parquet files to one
answer a candidate; ``scalar`` asks the scalar form about the first ``SAMPLE`` of them, whose facts are in memory before
the clock starts. Both say what they answered those, so that whoever asks can hold the two equal.
"""

import json
import resource
import sys
import time
from collections import defaultdict
from datetime import UTC
from pathlib import Path

from arrears.contact.set_policy import SetPolicy
from arrears.contact.sets import RENAMED
from arrears.engine.duckdb import connect
from arrears.policy.packs import load_rules, public_holidays
from arrears.rules.contact import may_contact
from arrears.rules.contact_values import Consent, Facts, Flag, Planned, PriorContact
from arrears.rules.hours import BarredTime
from arrears.settings import INCLUDE, Settings

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.contact_crowd import BOOKS, PLANNED_AT, SELECTS

SAMPLE = 20_000
THREADS = 2
COLUMNS = {column: name for name, column in RENAMED.items()}
FACTS = {
    "flags": ("contact_flag", Flag),
    "history": ("contact_prior", PriorContact),
    "consents": ("contact_consent", Consent),
    "inconvenient": ("contact_inconvenient", BarredTime),
}


def known():
    """Rule books and holidays of the crowd."""
    books = {name: load_rules(packs, INCLUDE / "policies") for name, packs in BOOKS.items()}
    return books, {country: public_holidays(country, PLANNED_AT.date()) for country in ("US", "CN")}


def sets(connection, books, holidays):
    start, used = time.perf_counter(), time.process_time()
    SetPolicy(connection, books, holidays).decide()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - used
    asked, allowed = connection.execute("SELECT count(*), count_if(is_allowed) FROM contact_answer").fetchone()
    sample = connection.execute(
        "SELECT count_if(is_allowed), count(earliest_at), sum(epoch(earliest_at)::BIGINT)::BIGINT "
        "FROM contact_answer WHERE candidate_id < ?",
        [SAMPLE],
    ).fetchone()
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "asked": asked, "allowed": allowed, "sample": sample}


def scalar(connection, books, holidays):
    connection.execute(
        "CREATE TABLE sample AS SELECT * FROM contact_candidate WHERE candidate_id < ? ORDER BY candidate_id", [SAMPLE]
    )
    of_kind = {name: values(connection, *where) for name, where in FACTS.items()}
    questions = []
    for row in rows(connection, "FROM sample"):
        facts = Facts(
            tuple(row["zones"]),
            holidays=holidays[row["calendar"]],
            **{name: of_person.get(row["person_id"], []) for name, of_person in of_kind.items()},
        )
        names = ("channel", "contact_point_id", "party", "party_id", "place", "purpose", "collector")
        planned = Planned(
            row["planned_at"],
            *(row[name] for name in names),
            debts=frozenset(row["debts"]),
            content=frozenset(row["content"]),
            days_past_due=row["days_past_due"],
        )
        questions.append((books[row["book"]], facts, planned))
    start, used = time.perf_counter(), time.process_time()
    answers = [may_contact(*question) for question in questions]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - used
    earliest = [int(one.earliest_at.timestamp()) for one in answers if one.earliest_at]
    allowed = sum(one.is_allowed for one in answers)
    sample = [allowed, len(earliest), sum(earliest)]
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "asked": len(answers), "allowed": allowed, "sample": sample}


def values(connection, relation, kind):
    """Facts of one kind by person."""
    found = defaultdict(list)
    for row in rows(connection, f"FROM {relation} SEMI JOIN sample USING (person_id)"):
        fields = {
            COLUMNS.get(name, name): frozenset(value) if isinstance(value, list) else value
            for name, value in row.items()
            if name != "person_id"
        }
        found[row["person_id"]].append(kind(**fields))
    return found


def rows(connection, select):
    found = connection.sql(select).to_arrow_table().to_pylist()
    return [
        {name: value.astimezone(UTC) if hasattr(value, "astimezone") else value for name, value in row.items()}
        for row in found
    ]


def main(folder, way):
    with connect(Settings(threads=THREADS)) as connection:
        for name in SELECTS:
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{Path(folder) / name}.parquet')")
        found = {"sets": sets, "scalar": scalar}[way](connection, *known())
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(found))  # noqa: T201  read by the bench


if __name__ == "__main__":
    main(*sys.argv[1:])
