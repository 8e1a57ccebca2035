"""Letters: one print-ready PDF, each on sheets of its own, fonts embedded, no character missing, and takeable back."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import great_expectations
import pytest
from arrears.errors import ConfigurationError
from arrears.sending.batches import Letters
from arrears.sending.handover import mark_printed, write_batches, write_stop_delta
from arrears.sending.letters import Style, characters, pdf_of
from arrears.sending.templates import Figures, load_library
from arrears.sending.values import Content, Message, Private, Reply
from arrears.sending.ways import load_sending
from arrears.settings import INCLUDE
from arrears.warehouse.connection import transaction
from pypdf import PdfReader
from support.outbox import empty_outbox, put_steps, step

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LATIN = Path(great_expectations.__file__).parent / "render/view/static/fonts/HKGrotesk/HKGrotesk-Regular.otf"
CHINESE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
TO = "Ms A Borrower\n1 Some Street\nSometown ZZ 00000"
FACTS = {"amount_minor": "5000", "sender": "Demo Lender", "sender_address": "2 Other Street, Othertown"}


def letter(key, *, to=TO, subject="About your account", body="Hello,\n\nthis is a letter.\n", template="t@1/en-US"):
    return {
        "reference": key,
        "written_at": "2026-03-02T04:00:00+00:00",
        "to": to,
        "template": template,
        "subject": subject,
        "body": body,
        "facts": FACTS,
    }


def read(content):
    return PdfReader(io.BytesIO(content))


def test_each_letter_has_sheets_of_its_own_and_its_reference_at_the_foot():
    long = letter("two-pages", body="A line of a letter that goes on.\n" * 60)

    content, index = pdf_of([letter("one"), long, letter("three")], Style(LATIN), NOON)

    assert index == [
        {"reference": "one", "first_page": 1, "pages": 1},
        {"reference": "two-pages", "first_page": 3, "pages": 2},
        {"reference": "three", "first_page": 5, "pages": 1},
    ]
    pages = [page.extract_text() for page in read(content).pages]
    assert [next((key for key in ("one", "two-pages", "three") if key in page), "") for page in pages] == [
        *("one", ""),
        *("two-pages", "two-pages"),
        *("three", ""),
    ]
    assert [pages[1], pages[5]] == ["", ""]  # the backs stay empty
    for words in ("Ms A Borrower", "Sometown ZZ 00000", "About your account", "this is a letter", "Demo Lender"):
        assert words in pages[0]


def test_one_sided_letters_follow_each_other():
    _, index = pdf_of([letter("one"), letter("two")], Style(LATIN, is_duplex=False), NOON)

    assert [one["first_page"] for one in index] == [1, 2]


@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_paper_has_its_size_and_every_font_is_embedded(paper, size):
    content, _ = pdf_of([letter("one")], Style(LATIN, paper=paper), NOON)

    [page, *_] = read(content).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == size
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert any(name.startswith("/FontFile") for name in descriptor)


def test_same_letters_at_the_same_instant_are_the_same_file():
    assert pdf_of([letter("one")], Style(LATIN), NOON) == pdf_of([letter("one")], Style(LATIN), NOON)


@pytest.mark.skipif(not CHINESE.exists(), reason="needs Debian's fonts-noto-cjk")
def test_chinese_letter_is_read_back_as_it_was_written():
    figures = Figures("旅行分期", 123_456, "CNY", date(2026, 3, 1), 2, "400-000-0000", "https://pay.example/cn")
    said = load_library(INCLUDE / "templates").render("friendly_reminder", "zh-CN", "letter", figures)
    chinese = letter(
        "zh", to="王女士\n某市某路1号", subject=said.subject.reveal(), body=said.body.reveal(), template=said.template
    )

    content, _ = pdf_of([chinese], Style(CHINESE, font_number=2), NOON)

    text = "".join(read(content).pages[0].extract_text().replace("\0", "").split())
    for words in ("王女士", "某市某路1号", "¥1,234.56", "".join(said.subject.reveal().split())):
        assert words in text
    assert len(content) < 200_000  # the font is embedded as far as it is used


@pytest.mark.parametrize(
    ("text", "is_missing"), [("O'Brien & Söhne €", False), ("您好", True), ("Hi \U0001f600", True)]
)
def test_letter_with_a_character_that_the_font_lacks_is_told(text, is_missing):
    message = Message("s", 1, "letter", Private(TO), Content("t", Private(""), Private(text), FACTS))

    assert Style(LATIN).missing(message) is is_missing


def test_font_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")

    with pytest.raises(ConfigurationError, match=r"broken\.ttf"):
        characters(tmp_path / "broken.ttf", 0)


def test_letter_that_cannot_be_printed_is_refused_before_it_is_handed_over(tmp_path):
    config = tmp_path / "sending.yaml"
    config.write_text(f"channels: {{letter: {{kind: print, font: {LATIN}}}}}\n")
    way = load_sending(config, {}).channel("letter", tmp_path)

    def give(body):
        message = Message("s", 1, "letter", Private(TO), Content("t", Private(""), Private(body), FACTS))
        return way.deliver(message, lambda: None)

    refused, taken = give("您好"), give("Hello")
    assert (refused.reply, refused.reason) == (Reply.NEVER, "letter_without_glyph")
    assert taken.reply is Reply.SENT
    assert len(list((tmp_path / "handover/letter").glob("*.json"))) == 1


def test_letters_can_be_taken_back_until_they_are_printed(tmp_path, warehouse_url):
    """Three letters: one is taken back before the batch, one while the printer waits, one never; later none can be.

    Of the last one a look-up told that it was handed over, which leaves no word of what became of it.
    """
    config = tmp_path / "sending.yaml"
    config.write_text(f"channels: {{letter: {{kind: print, font: {LATIN}, hold_minutes: 60}}}}\n")
    way = load_sending(config, {}).channel("letter", tmp_path)
    late = NOON + timedelta(hours=9)
    handed = {
        "channel_code": "letter",
        "state_code": "sent",
        "delivery_code": "handed_over",
        "provider_code": "handover",
        "not_after_at": late,
    }
    reference = {}
    for key in ("early", "held", "stays"):
        content = Content("t", Private("s"), Private("Hello"), FACTS)
        message = Message(key, 1, "letter", Private(TO), content, "book", late.isoformat())
        assert way.deliver(message, lambda: None).reply is Reply.SENT
        reference[key] = message.reference
        found_again = {"delivery_code": None} if key == "stays" else {}
        put_steps(warehouse_url, [step(key, reference=message.reference, **{**handed, **found_again})])

    def stop(keys, at):
        with transaction(warehouse_url) as connection:
            mark_printed(connection, way.folder, "letter", at)
            objection = lambda _connection, row, _now: "paid" if row["step_key"] in keys else None  # noqa: E731
            return write_stop_delta(connection, way.folder, "letter", objection, at, "handover")["rows"]

    assert stop({"early"}, NOON) == 1
    with transaction(warehouse_url) as connection:
        made = write_batches(connection, way.folder, "letter", Letters(Style(LATIN), timedelta(hours=1)), NOON)
    assert stop({"held"}, NOON + timedelta(minutes=59)) == 1
    assert stop({"stays"}, NOON + timedelta(minutes=60)) == 0

    place = way.folder / "batches/letter"
    manifest = json.loads((place / f"{made['files'][0]}.manifest.json").read_text())
    assert sorted(manifest["references"]) == sorted([reference["held"], reference["stays"]])
    assert manifest["print_not_before"] == (NOON + timedelta(minutes=60)).isoformat()
    assert len(read((place / made["files"][0]).read_bytes()).pages) == manifest["pages"] + 2  # with two empty backs
    deltas = "".join(path.read_text() for path in sorted(place.glob("stop_*.csv")))
    assert reference["early"] in deltas
    assert reference["held"] in deltas
    assert reference["stays"] not in deltas
    assert "Borrower" not in json.dumps(manifest)
    empty_outbox(warehouse_url)
