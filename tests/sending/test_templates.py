"""Templates: every one renders in every form, none can be made to run anything, and the wrong ones are named."""

import shutil
import unicodedata
from datetime import date

import pytest
from arrears.errors import TemplateError
from arrears.sending.templates import FORM, GSM, Figures, load_library, segments
from arrears.sending.values import Private
from arrears.settings import INCLUDE

FOLDER = INCLUDE / "templates"
LIBRARY = load_library(FOLDER)
FIGURES = Figures("Demo Lender", 123_456, "USD", date(2026, 11, 27), 2, "555-0100", "https://pay.example/x")
STRATEGIES = INCLUDE / "strategies"

SSTI = [
    "{{7*7}}",
    "{{ 7*7 }}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{7*7}",
    "{{config}}",
    "{{self}}",
    "{{request}}",
    "{{''.__class__}}",
    "{{().__class__.__bases__[0].__subclasses__()}}",
    "{{cycler.__init__.__globals__.os.popen('id').read()}}",
    "{{lipsum.__globals__}}",
    "{{namespace}}",
    "{% for x in [1] %}{% endfor %}",
    "{% import os %}",
    "{% raw %}{{x}}{% endraw %}",
    "{%set x=1%}",
    "{# comment #}",
    "{{amount_due.__class__}}",
    "{{amount_due|upper}}",
    "{{amount_due!r}}",
    "{{amount_due:>10}}",
    "{{amount-due}}",
    "{{AMOUNT_DUE}}",
    "{{amount_due }}",
    "{{{amount_due}}}",
    "{{unknown}}",
    "{{password}}",
    "{{env}}",
    "{0}",
    "{}",
    "{amount_due}",
    "{0.__class__}",
    "{figures.creditor.__init__}",
    "${{amount_due}}{",
    "$(id)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='https://evil.example'>pay</a>",
    "<%system('id')%>",
    "<!--#exec cmd='id'-->{",
    "{{=7*7}}",
    "{{constructor.constructor('return 1')()}}",
    "{{#with 's' as |string|}}{{/with}}",
    "{{> partial}}",
    "{{&amount_due}}",
    "{{this}}",
    "{{@root}}",
    "[[${7*7}]]",
    "*{7*7}",
    "\u202e{evil",
]


def test_there_are_fifty_injections():
    assert len(set(SSTI)) >= 50


def broken(tmp_path, old, new, *, name="en-US/how_to_pay.yaml"):
    folder = tmp_path / "templates"
    shutil.copytree(FOLDER, folder)
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize("payload", SSTI)
def test_injection_is_refused_when_the_template_is_read(tmp_path, payload):
    quoted = '"' + payload.replace("\\", "\\\\").replace('"', '\\"') + ' {{opt_out}}"'
    folder = broken(tmp_path, "short:\n  body: >-\n", f"short:\n  body: {quoted}\nx: >-\n")
    path = folder / "en-US/how_to_pay.yaml"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("x: >-\n"), text.index("mail:")
    path.write_text(text[:start] + text[end:], encoding="utf-8")

    with pytest.raises(TemplateError, match="en-US/how_to_pay"):
        load_library(folder)


@pytest.mark.parametrize("payload", SSTI)
def test_injection_in_a_value_is_text(payload):
    figures = Figures(payload, 1, "USD", date(2026, 1, 1), 1, payload, payload, payload)

    content = LIBRARY.render("friendly_reminder", "en", "sms", figures)

    shown = content.body.reveal()
    assert "49" not in shown
    assert "\u202e" not in shown
    assert "1,234" not in shown
    if payload.isascii() and len(payload) <= 30:
        assert " ".join(payload.split()) in shown


@pytest.mark.parametrize("evil", ["x\r\nBcc: a@b.c", "x\nBcc: a@b.c", "x\x0bBcc: a@b.c", "x\u2028Bcc: a@b.c", "x\0y"])
def test_no_value_breaks_a_line(evil):
    figures = Figures(evil, 1, "USD", date(2026, 1, 1), 1, evil, evil)

    body = LIBRARY.render("friendly_reminder", "en", "sms", figures).body.reveal()

    assert len(body.splitlines()) == 1
    assert "\0" not in body


# Nothing is owed yet, or nobody asks for it while help is looked into.
WITHOUT_AMOUNT = {"first_loan", "travel_first_loan", "hardship_support", "travel_hardship_support"}


@pytest.mark.parametrize(("language", "locale"), [("en", "en-US"), ("es", "es-US"), ("zh-CN", "zh-CN")])
@pytest.mark.parametrize("channel", sorted(FORM))
def test_every_template_renders_in_every_form(language, locale, channel):
    codes = {code for place, code in LIBRARY.found if place == locale}
    assert len(codes) >= 18

    for code in codes:
        content = LIBRARY.render(code, language, channel, FIGURES)
        body = content.body.reveal()
        assert ("1,234.56" in body) is (code not in WITHOUT_AMOUNT)
        assert "{{" not in body + content.subject.reveal()
        assert "2026" in body
        assert content.template.endswith(f"@1/{locale}")


def test_every_step_of_the_strategies_has_its_template():
    named = set()
    for path in STRATEGIES.glob("*.yaml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        named |= {line.partition(":")[2].strip() for line in lines if line.strip().startswith("template:")}

    missing = {name for name in named if ("en-US", name) not in LIBRARY.found or ("zh-CN", name) not in LIBRARY.found}
    assert len(named) >= 14
    assert missing == set()


@pytest.mark.parametrize(
    ("currency", "amount", "language", "shown"),
    [
        ("USD", 123_456, "en", "$1,234.56"),
        ("CNY", 123_456, "zh-CN", "¥1,234.56"),
        ("JPY", 123_456, "en", "¥123,456"),
        ("KWD", 123_456, "en", "KWD123.456"),
        ("USD", 99_999_999_999_999, "en", "$999,999,999,999.99"),
        ("USD", 5, "en", "$0.05"),
    ],
)
def test_money_is_exact_in_every_currency(currency, amount, language, shown):
    figures = Figures("L", amount, currency, date(2026, 1, 1), 1, "1", "u")

    assert shown in LIBRARY.render("friendly_reminder", language, "sms", figures).body.reveal()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{{amount_due}} past due", "{{amount}} past due", "unknown placeholders \\['amount'\\]"),
        ("Ways to pay:", "Pay immediately or face arrest:", "banned word 'arrest'"),
        ("Questions: {{phone}}\n    {{opt_out}}", "Questions: {{phone}}", "content opt_out_notice without"),
        ("Questions:", "Questions " * 60, "segments; at most 5"),
        ("version: 1", "version: 0", "version"),
        ("version: 1", "colour: red\nversion: 1", "unknown key"),
    ],
    ids=["placeholder", "banned", "required content", "too long", "version", "unknown key"],
)
def test_wrong_template_is_named_with_what_is_wrong(tmp_path, old, new, words):
    with pytest.raises(TemplateError, match=words):
        load_library(broken(tmp_path, old, new))


@pytest.mark.parametrize(
    "words",
    [
        "We may tell\n    your\n    family.",
        "We may tell YOUR  family.",
        "We may tell your\u00a0family.",
        "\uff50\uff4f\uff4c\uff49\uff43\uff45 will come.",
    ],
    ids=["over lines", "two blanks", "a blank that does not break", "full width"],
)
def test_banned_word_is_found_however_it_is_written(tmp_path, words):
    with pytest.raises(TemplateError, match="banned word"):
        load_library(broken(tmp_path, "Call {{phone}} if none of the ways works for you.", words))


def test_banned_word_is_found_with_its_accents_apart_and_in_how_to_opt_out():
    rules = LIBRARY.rules["es-US"]

    assert rules.banned_in(unicodedata.normalize("NFD", "Irá a Prisión")) == ["prisión"]
    assert rules.banned_in("Irá a pagar") == []


def test_way_to_opt_out_holds_no_banned_word(tmp_path):
    folder = tmp_path / "templates"
    shutil.copytree(FOLDER, folder)
    place = folder / "en-US/_locale.yaml"
    place.write_text(place.read_text("utf-8").replace("Reply STOP to opt out.", "Reply STOP, or else."), "utf-8")

    with pytest.raises(TemplateError, match="en-US: opt_out: banned word 'or else'"):
        load_library(folder)


@pytest.mark.parametrize("currency", ["USD", "CNY", "INR", "KWD", "XOF"])
def test_longest_values_that_a_sender_may_have_fit(currency):
    longest = Figures(
        "W" * 40, 999_999_999_999, currency, date(2028, 9, 30), 12, "1" * 30, "https://p.example/".ljust(80, "x")
    )

    over = {
        (locale, code): count
        for locale, code in LIBRARY.found
        if (count := segments(LIBRARY.render(code, LIBRARY.rules[locale].languages[0], "sms", longest).body.reveal()))
        > LIBRARY.rules[locale].short_segments
    }
    assert over == {}
    assert LIBRARY.found


def test_template_nobody_has_approved_is_not_sent(tmp_path):
    folder = broken(tmp_path, "approved_on: 2026-11-28", "")

    with pytest.raises(TemplateError, match="nobody has approved"):
        load_library(folder).render("how_to_pay", "en", "sms", FIGURES)


@pytest.mark.parametrize("language", ["ug", "bo", "de", ""])
def test_language_without_a_template_is_an_error_not_another_language(language):
    with pytest.raises(TemplateError, match="in the person's language"):
        LIBRARY.render("friendly_reminder", language, "sms", FIGURES)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("您" * 70, 1),
        ("您" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("您" * 66 + "😀" + "您" * 66, 3),
    ],
)
def test_segments_are_counted_as_the_network_does(text, count):
    assert segments(text) == count
    assert len(GSM) == 127


def test_private_value_shows_itself_to_nobody():
    value = Private("+1 555 0100")

    assert "555" not in f"{value} {value!r} {value!s} {[value]} {value:>20}"
    assert value.reveal() == "+1 555 0100"
