"""Malformed deliveries, mutators x seeds: one code each, the place named, no value told, no wrong age unnoticed."""

import logging
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reliability.report import Part
from support.malformed import MUTATORS, PARQUET_MUTATORS
from support.malformed_run import SLOWEST, ages_of_sound, judge_csv, judge_parquet, peak_mb

SEEDS = 10
ENOUGH = 5  # seeds with which the figures count


def run_all(seeds, only=""):
    """Judge every mutator with every seed: results by mutator and seed."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="arrears-malformed-") as name:
        for seed in range(seeds):
            folder = Path(name) / f"sound-{seed}"
            folder.mkdir()
            ages = ages_of_sound(folder, seed)
            for judge, mutators in ((judge_csv, MUTATORS), (judge_parquet, PARQUET_MUTATORS)):
                for mutator in mutators:
                    if only and only not in mutator:
                        continue
                    folder = Path(name) / f"{seed}-{len(found)}"
                    folder.mkdir()
                    dice = random.Random(zlib.crc32(f"{mutator}{seed}".encode()))
                    found[mutator, seed] = judge(folder, mutator, seed, dice, ages)
    return found


def main():
    """Run all, print what is wrong, leave the part."""
    logging.getLogger().setLevel(logging.DEBUG)
    began = time.monotonic()
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    found = run_all(seeds, sys.argv[2] if len(sys.argv) > 2 else "")
    wrong = {key: one for key, one in found.items() if one.problems}
    for (mutator, seed), one in wrong.items():
        sys.stderr.write(f"{mutator}, seed {seed}: {'; '.join(one.problems)}\n")
    part = Part(
        "malformed",
        "Malformed files",
        "python tests/reliability/suite_malformed.py",
        order=10,
        about=f"{len({mutator for mutator, _ in found})} mutators x {seeds} seeds over a book of three tables (CSV; "
        "transactions as Parquet for the mutators of Parquet), extracted, validated and aged.",
    )
    problems = Counter(words for one in found.values() for words in one.problems)

    def having(words):
        return sum(count for problem, count in problems.items() if words in problem)

    part.figure("malformed files", len(found), "at least 200", holds=len(found) >= 200)
    part.figure("of them refused whole, each with one code", sum(bool(one.code) for one in found.values()))
    part.figure("of them with rows or loans named, the rest went on", sum(bool(one.named) for one in found.values()))
    part.figure("files whose code, file, line or column is not as it must be", having("named") + having("refused"), 0)
    part.figure("files with a value told in a message, summary or log", having("a value in"), 0)
    part.figure("files of which lines are not accepted + rejected", having("lines,") + having("'accepted'"), 0)
    part.figure("wrong ages published about which contact goes on", having("a wrong age"), 0)
    part.figure(
        "loans aged otherwise, each named in quarantine: contact stops", sum(one.held for one in found.values())
    )
    part.figure("errors without a code", having("without a code"), 0)
    part.figure("files with any other problem", len(wrong), 0)
    slowest = max(one.seconds for one in found.values())
    part.figure("slowest file, s of CPU in the job", f"{slowest:.1f}", f"below {SLOWEST:g}", holds=slowest < SLOWEST)
    most = peak_mb()
    part.figure("memory of the largest process started, MB", most, "below 1024", holds=0 < most < 1024)
    part.seconds = time.monotonic() - began
    if seeds >= ENOUGH and len(sys.argv) <= 2:
        part.write()
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
