"""The report page says what the parts say, and shows what misses."""

from reliability import report


def test_page_shows_each_part_and_what_misses(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "PARTS", tmp_path)
    part = report.Part("kills", "Killed processes", "make chaos", order=1, about="Killed.", notes=["One machine."])
    part.figure("kills", 300)
    part.figure("doubled", 2, 0)
    part.figure("seconds of the slowest", 4.2, "below 5", holds=True)
    part.write()

    shown = report.page()

    assert "## Killed processes" in shown
    assert "| kills | 300 | - | yes |" in shown
    assert "| doubled | 2 | 0 | **no** |" in shown
    assert "| seconds of the slowest | 4.2 | below 5 | yes |" in shown
    assert report.missed() == ["kills: doubled"]


def test_committed_page_is_what_the_parts_say_and_nothing_misses():
    assert report.PAGE.read_text("utf-8") == report.page()
    assert report.missed() == []
