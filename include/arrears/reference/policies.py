"""The pages of contact packs: what each rule says in words, where it stands, how sure that is, and what a pack omits.

Belongs here: words made from the pack files. Nothing is decided or explained a second time.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from arrears.policy.packs import load_pack
from arrears.policy.rule_documents import WEEKDAYS
from arrears.settings import INCLUDE, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from arrears.policy.packs import PackDocument
    from arrears.rules.contact_values import Rule
    from arrears.rules.hours import Minutes

FOLDER = INCLUDE / "policies"
CASES = REPOSITORY / "tests" / "policy"
UNDER_TEST = re.compile(r"\brule_id: ([a-z0-9_]+\.[a-z0-9_]+)")
WINDOWS = {
    "calendar_day": "a day",
    "calendar_week": "a week from Monday",
    "calendar_month": "a calendar month",
    "ever": "ever",
}
EFFECTS = {
    "deny": "the rule forbids it",
    "presumption": "over the line is presumed unlawful",
    "soft": "a recommendation",
    "safe_harbour": "only a shield against liability is lost",
    "house": "our own policy",
}
CONFIDENCE = {
    "firm": "the figure was seen in an official or agreeing text",
    "interpretation": "the figure was seen; window or counting is our reading",
    "advisory": "the text says should not",
    "recalled": "not read again for this pack: read it before you rely on it",
}
HEAD = """# Contact packs

Each pack is a file of rules; a portfolio names the packs that bind it, all of them apply, and the strictest wins.
Not legal advice: [what this is and is not](../../what-this-is-and-is-not.md) says who must review a pack before it is
used to contact anybody.

"""


def pages() -> dict[str, str]:
    """``policies/index.md`` and one page a pack."""
    packs = [load_pack(path) for path in sorted(FOLDER.glob("*.yaml"))]
    cases = _cases()
    texts = {f"policies/{pack.pack}.md": _pack(pack, cases) for pack in packs}
    return {"policies/index.md": _index(packs), **texts}


def _index(packs: list[PackDocument]) -> str:
    lines = ["| pack | what | rules | reviewed |", "|---|---|---|---|"]
    lines += [
        f"| [{pack.pack}]({pack.pack}.md) | {pack.title} | {len(pack.rules)} | {_review(pack)} |" for pack in packs
    ]
    lines += ["", "| effect | means |", "|---|---|", *(f"| {name} | {text} |" for name, text in EFFECTS.items())]
    lines += ["", "| confidence | means |", "|---|---|", *(f"| {name} | {text} |" for name, text in CONFIDENCE.items())]
    return HEAD + "\n".join(lines) + "\n"


def _pack(pack: PackDocument, cases: dict[str, Counter[str]]) -> str:
    lines = [f"# {pack.pack}", "", f"{pack.title}.", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in _facts(pack).items() if text]
    lines += [f"| worked cases | {_links(pack, cases)} |", ""]
    lines += ["| rule | says | effect | confidence | citation |", "|---|---|---|---|---|"]
    for document in pack.rules:
        rule = document.rule()
        cells = (f"`{rule.id}`", _says(rule), rule.effect, document.confidence, rule.citation)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    if pack.leaves_out:
        lines += ["", "Left out:", "", *(f"* {text}" for text in pack.leaves_out)]
    return "\n".join([*lines, ""])


def _facts(pack: PackDocument) -> dict[str, str]:
    return {
        "jurisdiction": pack.jurisdiction,
        "binds": _binds(pack),
        "includes": ", ".join(f"[{name}]({name}.md)" for name in pack.includes),
        "reviewed": f"{_review(pack)}{'' if pack.reviewed_by else ': live sending refuses it'}",
    }


def _binds(pack: PackDocument) -> str:
    """Collectors, products and residences; what a pack does not name, it binds."""
    collectors = _listed(pack.binds.collector_types, "and") or "every collector"
    products = f"; product {_listed(pack.binds.products, 'or')}" if pack.binds.products else ""
    residences = f"; residence {', '.join(sorted(pack.binds.residences))}" if pack.binds.residences else ""
    return collectors + products + residences


def _review(pack: PackDocument) -> str:
    if not pack.reviewed_by:
        return "by nobody yet"
    return f"by {pack.reviewed_by}, again by {pack.review_due_on}"


# ------------------------------------------------------------------------------------------------- a rule in words
def _says(rule: Rule) -> str:
    """One sentence: where it applies, what it says, what it spares."""
    scope = " ".join(part for part in _scope(rule) if part)
    what = f"{scope}: {WORDS[rule.kind](rule)}" if scope else WORDS[rule.kind](rule)
    return "; ".join(part for part in (what, *_spares(rule), _validity(rule)) if part)


def _hours(rule: Rule) -> str:
    """``only mon-fri 08:00-22:00, sat-sun 09:00-20:00, holidays none``."""
    assert rule.timetable is not None  # noqa: S101  the loader gives every hours rule one
    spans = []
    for hours, days in groupby(zip(WEEKDAYS, rule.timetable.weekdays, strict=True), key=lambda pair: pair[1]):
        names = [name for name, _ in days]
        span = names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"
        spans.append(_clock(hours) if len(names) == len(WEEKDAYS) else f"{span} {_clock(hours)}")
    if rule.timetable.minds_holidays:
        spans.append(f"holidays {_clock(rule.timetable.holiday)}")
    return f"only {', '.join(spans)}"


def _inconvenient(_: Rule) -> str:
    return "none at times the person asked to be spared"


def _cap(rule: Rule) -> str:
    window = f"in {rule.days} days" if rule.window == "rolling_days" else WINDOWS[rule.window]
    person = "contacted person" if "party" in rule.count_key else "person"
    keys = [_words(key) for key in rule.count_key if key not in ("person", "party")]
    apart = f" for each {_listed((person, *keys), 'and')}"
    counted = f", counting {_listed(rule.count_outcomes, 'and')}" if rule.count_outcomes else ""
    uncounted = f", not counting {_listed(rule.exclude_outcomes, 'and')}" if rule.exclude_outcomes else ""
    return f"at most {rule.limit} {window}{apart}{counted}{uncounted}"


def _cooldown(rule: Rule) -> str:
    began = f"{_codes(rule.after_flags)} began" if rule.after_flags else "of a conversation, whoever began it"
    return f"{rule.days} days of rest, the first being the day {began}"


def _block(rule: Rule) -> str:
    return f"none while {_codes(rule.when_flags)}" if rule.when_flags else "none"


def _require(rule: Rule) -> str:
    return f"must hold `{rule.require_content}`"


def _freshness(rule: Rule) -> str:
    return f"needs {_codes(rule.evidence)} at most {rule.days} days old"


def _consent(rule: Rule) -> str:
    means = f" by {_listed(rule.consent_scopes, 'or')} means" if rule.consent_scopes else ""
    point = ", given for that very number or address" if rule.same_contact_point else ""
    return f"needs consent for {_words(rule.consent_purpose)}{means}{point}"


WORDS: dict[str, Callable[[Rule], str]] = {
    "hours": _hours,
    "inconvenient": _inconvenient,
    "cap": _cap,
    "cooldown": _cooldown,
    "block": _block,
    "require": _require,
    "freshness": _freshness,
    "consent": _consent,
}


def _scope(rule: Rule) -> Iterator[str]:
    """What the rule is about."""
    yield f"by {_listed(rule.channels, 'or')}" if rule.channels else ""
    yield f"to {_listed(rule.parties, 'or')}" if rule.parties else ""
    yield f"to anybody but {_listed(rule.exempt_parties, 'or')}" if rule.exempt_parties else ""
    yield f"at {_listed(rule.places, 'or')}" if rule.places else ""
    yield f"with {_codes(rule.when_content)} in it" if rule.when_content else ""


def _spares(rule: Rule) -> Iterator[str]:
    """What it does not mind."""
    yield f"not by {_listed(rule.exempt_channels, 'or')}" if rule.exempt_channels else ""
    yield f"not at {_listed(rule.exempt_places, 'or')}" if rule.exempt_places else ""
    yield f"but for {_codes(rule.unless_purposes)}" if rule.unless_purposes else ""
    yield f"but with {_codes(rule.unless_content)} in it" if rule.unless_content else ""
    yield f"unless {_codes(rule.unless_flags)}" if rule.unless_flags else ""
    yield f"unless consented to {_codes(rule.unless_consents)}" if rule.unless_consents else ""
    yield f"unless over {rule.unless_dpd_over} days past due" if rule.unless_dpd_over is not None else ""
    yield f"unless under {rule.unless_dpd_under} days past due" if rule.unless_dpd_under is not None else ""
    yield "contacts agreed to beforehand neither count nor are barred" if rule.frequency_consent else ""
    yield "but one reply to who wrote first" if rule.one_reply else ""


def _validity(rule: Rule) -> str:
    begins = f"from {rule.valid_from}" if rule.valid_from > date.min else ""
    ends = f"before {rule.valid_to}" if rule.valid_to < date.max else ""
    return f"{begins} {ends}".strip()


def _clock(hours: Minutes | None) -> str:
    return "none" if hours is None else "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in hours)


def _listed(names: Iterable[str], word: str) -> str:
    """``a, b or c``; of a set in the order of the alphabet, and as words."""
    listed = [_words(name) for name in sorted(names)] if isinstance(names, frozenset) else list(names)
    return f"{', '.join(listed[:-1])} {word} {listed[-1]}" if len(listed) > 1 else "".join(listed)


def _codes(codes: Iterable[str]) -> str:
    """Names of facts as a source must write them."""
    return _listed((f"`{code}`" for code in (codes if isinstance(codes, tuple) else sorted(codes))), "or")


def _words(code: str) -> str:
    return code.replace("_", " ")


# --------------------------------------------------------------------------------------------------- worked cases
def _cases() -> dict[str, Counter[str]]:
    """How often each rule is under test, by file of worked cases."""
    files = sorted(CASES.glob("cases*.yaml"))
    return {path.name: Counter(UNDER_TEST.findall(path.read_text(encoding="utf-8"))) for path in files}


def _links(pack: PackDocument, cases: dict[str, Counter[str]]) -> str:
    found = {name: sum(counts[rule.id] for rule in pack.rules) for name, counts in cases.items()}
    links = [f"[{name}](../../../tests/policy/{name}) ({count})" for name, count in found.items() if count]
    return ", ".join(links) or "none yet"
