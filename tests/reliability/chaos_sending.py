"""Sending under SIGKILL, SIGSTOP and a database that dies, and its pace: the slow tests of sending, as a part.

``chaos_sending.py [-k EXPRESSION]`` runs those that the expression names; figures of the others stay as they were.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from report import PARTS, REPOSITORY, Part

TWICE = "people contacted twice"
LYING = "called sent that was not accepted"
ABOUT = """\
A real gateway in a process of its own refuses, hangs, resets and answers 500 on purpose. A storm kills dispatchers by
SIGKILL at random places of a message until so many kills have struck, then others work on in peace. Mutants are the
same storm over protocols that others use."""
NOTES = [
    "By the rule of three, none contacted twice in n kills means at most 3/n a kill, at 95 %.",
    "Without look-up what nobody knows stays `unknown` for a person: never twice costs sometimes not at all.",
    "Two residues of the protocol are known: docs/how-to/sending.md.",
]


def shown(states):
    return ", ".join(f"{name} {count}" for name, count in sorted(states.items()))


def figures_of(one):
    """``what``, ``found`` and ``must`` of what one test reported."""
    proof = one["proof"]
    if proof == "storm":
        name = f"storm, settles {one['capability']}, {one['planned']} messages x {one['kills']} kills"
        yield f"{name}: {TWICE}", one[TWICE], 0
        yield f"{name}: {LYING}", one[LYING], 0
        yield f"{name}: sent + unknown + final", sum(one["states"].values()), one["planned"]
        must_be_known = 0 if one["capability"] != "by_person" else ""
        yield f"{name}: accepted and not known", one["accepted and not known"], must_be_known
        yield f"{name}: states, and seconds", f"{shown(one['states'])}; {one['seconds']} s", ""
    elif proof == "second channel":
        about = f"settles {one['capability']}, {one['planned']} messages x {one['kills']} kills"
        name = f"storm over a second channel, {about}"
        yield f"{name}: {TWICE}", one[TWICE], 0
        yield f"{name}: {LYING}", one[LYING], 0
        yield f"{name}: refused on the first channel and sent on the second", one["went on and were sent"], ""
    elif proof.startswith("mutant"):
        name = f"{proof}, {one['planned']} messages x {one['kills']} kills: {TWICE}"
        yield name, one[TWICE], "more than 0"
    elif proof == "frozen past its lease":
        yield f"SIGSTOP past the lease, then SIGCONT, at {one['point']}: {TWICE}", one["twice"], 0
    elif proof == "two dispatchers":
        yield f"two dispatchers, {one['messages']} messages: {TWICE}", one["twice"], 0
        yield "two dispatchers: messages a second", f"{one['per second']} at load {one.get('load', '?')}", ""
    elif proof == "database restarted hard":
        yield f"PostgreSQL killed and started {one['restarts']} times in mid-dispatch: {TWICE}", one["twice"], 0
        yield "PostgreSQL killed: states", shown(one["states"]), ""
    elif proof == "pace":
        name = f"{one['what']}, {one['shards']} dispatchers: {one['messages']} messages"
        yield name, f"{one['seconds']} s, {one['per second']} a second at load {one.get('load', '?')}", ""


def main():
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "figures.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "chaos or bench", "tests/sending", *sys.argv[1:]]
        environment = {**os.environ, "ARREARS_SENDING_REPORT": str(fresh)}
        done = subprocess.run(command, cwd=REPOSITORY, check=False, env=environment)
        told = fresh.read_text(encoding="utf-8").splitlines() if fresh.exists() else []
    part = Part("sending", "Sending: never twice", "python tests/reliability/chaos_sending.py", 20, ABOUT, notes=NOTES)
    kept = json.loads((PARTS / "sending.json").read_text("utf-8")) if (PARTS / "sending.json").exists() else {}
    for what, found, must in (figure for line in told for figure in figures_of(json.loads(line))):
        part.figure(what, found, must, holds=found > 0 if must == "more than 0" else None)
    new = {row["what"] for row in part.rows}
    part.rows = sorted([*(row for row in kept.get("rows", ()) if row["what"] not in new), *part.rows], key=_place)
    part.seconds = time.monotonic() - began
    if told:
        part.write()
    sys.stderr.write(f"{len(told)} proofs on {datetime.now(UTC):%Y-%m-%d}\n")
    return done.returncode


def _place(row):
    """Storms first, then mutants, pauses, the database, the pace."""
    order = ("storm", "mutant", "SIGSTOP", "two", "PostgreSQL")
    return next((place for place, start in enumerate(order) if row["what"].startswith(start)), len(order))


if __name__ == "__main__":
    sys.exit(main())
