"""Message templates ``include/templates/<locale>/<name>.yaml``: read, checked, and filled in.

A template holds text and ``{{placeholder}}`` of a closed list, each with its own formatter; there is no language in it
to run. A value that holds braces, markup or line breaks is text like any other. Everything that can be wrong is found
when the folder is read, with the longest values a placeholder can have: so a template that is loaded can be sent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, list_currencies
from pydantic import Field

from arrears.errors import ConfigurationError, TemplateError
from arrears.policy.documents import Document, read_document
from arrears.sending.values import Content, Private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")
LEFT_OVER = re.compile(r"[{}]|\$\(|<%|%>|<\s*/?\s*\w+[^>]*>")
RULES = "_locale.yaml"
Form = Literal["short", "mail", "script"]
FORM: dict[str, Form] = {
    "sms": "short",
    "push": "short",
    "email": "mail",
    "letter": "mail",
    "call": "script",
    "voice_bot": "script",
    "visit": "script",
}
# What a word of the packs means in a text: the placeholder that must be there.
REQUIRED = {"opt_out_notice": "opt_out"}
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
LONGEST_CREDITOR, LONGEST_PHONE, LONGEST_URL, LONGEST_NAME = 40, 30, 80, 60


class Text(Document):
    """One form of a template: a title where it has one, and the words."""

    subject: str = ""
    body: str = Field(min_length=1)


class Template(Document):
    """One template file.

    Attributes:
        template: The file's name.
        serves: Codes that strategies use for it.
        version: Raised with every change of a word.
        approved_by: Who has read it beside the law; empty: it may not be sent.
        approved_on: When.
        content: What it holds, in the packs' code words.
        short: For SMS and push.
        mail: For e-mail and letters.
        script: For people who call or visit, and for voice bots.
    """

    template: str = Field(pattern=r"^[a-z0-9_]+$")
    serves: tuple[str, ...] = Field(min_length=1)
    version: int = Field(ge=1)
    approved_by: str = ""
    approved_on: date | None = None
    content: frozenset[str] = frozenset()
    short: Text
    mail: Text
    script: Text


class LocaleRules(Document):
    """What holds for every text of a locale.

    Attributes:
        languages: Language tags it serves.
        banned: Words that no text may hold: threats, shame, hints to third parties.
        short_segments: SMS segments the longest rendering may take.
        opt_out: How to opt out, by channel.
    """

    languages: tuple[str, ...] = Field(min_length=1)
    banned: tuple[str, ...] = Field(min_length=1)
    short_segments: int = Field(default=3, ge=1, le=6)
    opt_out: dict[str, str]

    def banned_in(self, text: str) -> list[str]:
        """Banned words that a text holds, however they are spaced, broken over lines, composed or capitalised."""
        plain = _comparable(text)
        return [word for word in self.banned if _comparable(word) in plain]


@dataclass(frozen=True)
class Figures:
    """What a message speaks of; amounts as the ledger has them, and as of when.

    Attributes:
        creditor: Who is owed.
        amount_minor: Past due, over all debts of the message.
        as_of: Close of the ledger that says so.
        debts: How many debts.
        phone: Where to call.
        pay_url: Where to pay, or see one's options.
        name: Of the person, where the vault has one.
    """

    creditor: str
    amount_minor: int
    currency: str
    as_of: date
    debts: int
    phone: str
    pay_url: str
    name: str = ""


LONGEST = Figures(
    "W" * LONGEST_CREDITOR,
    999_999_999_999,
    "USD",
    date(2028, 9, 30),
    12,
    "0" * LONGEST_PHONE,
    "https://pay.example/".ljust(LONGEST_URL, "x"),
    "W" * LONGEST_NAME,
)

SAMPLE = Figures("Demo Lender", 123_456, "USD", date(2026, 11, 27), 2, "555-0100", "https://pay.example/you")


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def _money(figures: Figures, locale: Locale) -> str:
    digits = get_currency_precision(figures.currency)
    whole, part = divmod(figures.amount_minor, 10**digits)
    exact = f"{whole}.{part:0{digits}d}" if digits else str(whole)
    return str(format_currency(exact, figures.currency, locale=locale))


def _plain(text: str, longest: int) -> str:
    """One line of text: no line break, no control or direction mark, no longer than it may be."""
    kept = "".join(
        " " if char.isspace() else char
        for char in text
        if unicodedata.category(char) not in ("Cc", "Cf") or char.isspace()
    )
    return " ".join(kept.split())[:longest]


FORMATTERS: dict[str, Callable[[Figures, Any], str]] = {
    "creditor": lambda figures, _locale: _plain(figures.creditor, LONGEST_CREDITOR),
    "amount_due": _money,
    "as_of": lambda figures, locale: str(format_date(figures.as_of, "long", locale=locale)),
    "debts": lambda figures, _locale: str(figures.debts),
    "phone": lambda figures, _locale: _plain(figures.phone, LONGEST_PHONE),
    "pay_url": lambda figures, _locale: _plain(figures.pay_url, LONGEST_URL),
    "name": lambda figures, _locale: _plain(figures.name, LONGEST_NAME),
}


@dataclass(frozen=True)
class Library:
    """All templates of a folder.

    Attributes:
        rules: Rules by locale.
        found: Template by locale and code.
    """

    rules: Mapping[str, LocaleRules]
    found: Mapping[tuple[str, str], Template]

    def locale_of(self, language: str) -> str | None:
        """The locale that serves a language tag; None: nobody has written for it."""
        for locale, rules in self.rules.items():
            if language in rules.languages:
                return locale
        return None

    def codes_in(self, language: str) -> frozenset[str]:
        """Codes that a strategy may name for people who are written to in that language."""
        locale = self.locale_of(language)
        return frozenset(code for place, code in self.found if place == locale)

    def content_of(self, code: str, language: str) -> frozenset[str]:
        """What the text holds, in the packs' code words; empty where there is none."""
        template = self.found.get((self.locale_of(language) or "", code))
        return template.content if template else frozenset()

    def render(self, code: str, language: str, channel: str, figures: Figures) -> Content:
        """Fill in one message.

        Raises:
            TemplateError: There is no approved template for the code in the language.
        """
        locale = self.locale_of(language)
        template = self.found.get((locale or "", code))
        if locale is None or template is None:
            raise TemplateError(
                f"no template {code} in {language}", "one in the person's language", "include/templates"
            )
        if not template.approved_by or template.approved_on is None:
            raise TemplateError("a template nobody has approved", "approved_by and approved_on", f"{locale}/{code}")
        text: Text = getattr(template, FORM[channel])
        fill = _Filler(locale, self.rules[locale], channel, figures)
        return Content(
            f"{template.template}@{template.version}/{locale}",
            Private(_plain(fill(text.subject), 200)),
            Private(fill(text.body)),
            {"amount_minor": str(figures.amount_minor), "currency": figures.currency, "as_of": str(figures.as_of)},
        )


@dataclass(frozen=True)
class _Filler:
    """Puts values in for placeholders, once: what a value holds is not looked at again."""

    locale: str
    rules: LocaleRules
    channel: str
    figures: Figures

    def __call__(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda found: self.value(found[1]), text)

    def value(self, name: str) -> str:
        if name == "opt_out":
            words = self.rules.opt_out.get(self.channel, self.rules.opt_out.get("any", ""))
            return words.replace("{{phone}}", FORMATTERS["phone"](self.figures, None))
        return FORMATTERS[name](self.figures, Locale.parse(self.locale, sep="-"))


def load_library(folder: Path) -> Library:
    """Read and check every template.

    Raises:
        TemplateError: Anything in them is wrong; every mistake is named.
    """
    rules: dict[str, LocaleRules] = {}
    found: dict[tuple[str, str], Template] = {}
    mistakes: list[str] = []
    for place in sorted(path.parent for path in folder.glob(f"*/{RULES}")):
        locale = place.name
        try:
            rules[locale] = read_document(place / RULES, LocaleRules)
            templates = [read_document(path, Template) for path in sorted(place.glob("[a-z]*.yaml"))]
        except ConfigurationError as error:
            mistakes.append(f"{error.where}: {error.found}")
            continue
        for words in rules[locale].opt_out.values():
            mistakes += [f"{locale}: opt_out: banned word {word!r}" for word in rules[locale].banned_in(words)]
        for template in templates:
            mistakes += [
                f"{locale}/{template.template}: {words}" for words in _mistakes(template, locale, rules[locale])
            ]
            for code in (template.template, *template.serves):
                found[locale, code] = template
    if not rules:
        mistakes.append("no locale at all")
    if mistakes:
        raise TemplateError("; ".join(mistakes), "templates as docs/how-to/sending.md says", str(folder.name))
    return Library(rules, found)


@cache
def cached_library(folder: Path) -> Library:
    """The same, read once by a process."""
    return load_library(folder)


def _mistakes(template: Template, locale: str, rules: LocaleRules) -> Iterator[str]:
    for form in ("short", "mail", "script"):
        text: Text = getattr(template, form)
        whole = f"{text.subject}\n{text.body}"
        names = PLACEHOLDER.findall(whole)
        unknown = sorted(set(names) - {*FORMATTERS, "opt_out"})
        if unknown:
            yield f"{form}: unknown placeholders {unknown}; known: {sorted([*FORMATTERS, 'opt_out'])}"
        if LEFT_OVER.search(PLACEHOLDER.sub("", whole)):
            yield f"{form}: braces or markup outside a placeholder"
        if "\n" in text.subject or any(unicodedata.category(char) in ("Cc", "Cf") and char != "\n" for char in whole):
            yield f"{form}: a control or direction mark"
        yield from (f"{form}: banned word {word!r}" for word in rules.banned_in(whole))
        missing = [need for need in sorted(template.content) if REQUIRED.get(need, need) not in names]
        yield from (f"{form}: content {need} without {{{{{REQUIRED.get(need, need)}}}}}" for need in missing)
        if unknown:
            continue
        if form == FORM["sms"]:
            longest = max(segments(_Filler(locale, rules, "sms", one)(text.body)) for one in _longest_in(locale))
            if longest > rules.short_segments:
                yield f"sms: up to {longest} segments; at most {rules.short_segments}"


@cache
def _longest_in(locale: str) -> tuple[Figures, ...]:
    """The longest values, with the longest amount there is in any currency, and with the longest that needs UCS-2."""
    language, currencies = Locale.parse(locale, sep="-"), sorted(list_currencies())
    symbols = {code: get_currency_symbol(code, language) for code in currencies}

    def length(code: str) -> int:
        return len(symbols[code]) + min(get_currency_precision(code), 1)

    odd = [code for code in currencies if not _is_gsm(symbols[code])]
    return tuple(replace(LONGEST, currency=max(codes, key=length)) for codes in (currencies, odd))


def _is_gsm(text: str) -> bool:
    return all(char in GSM or char in GSM_EXTENDED for char in text)


def segments(text: str) -> int:
    """SMS segments of a text: GSM-7 where every character is in it, else UCS-2; none ends within a character."""
    if _is_gsm(text):
        whole, part, sizes = 160, 153, [2 if char in GSM_EXTENDED else 1 for char in text]  # 3GPP TS 23.040
    else:
        whole, part, sizes = 70, 67, [len(char.encode("utf-16-be")) // 2 for char in text]
    if sum(sizes) <= whole:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > part:
            count, used = count + 1, 0
        used += size
    return count
