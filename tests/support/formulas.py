"""Texts that some spreadsheet would run."""

from __future__ import annotations

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠", "−"]  # noqa: RUF001  full-width too
BODIES = [
    "1+1",
    "cmd|' /C calc'!A0",
    'HYPERLINK("https://evil.example","click")',
    "SUM(A1:A9)",
]
FORMULAS = [
    *(start + body for start in STARTS for body in BODIES),
    " =1+1",
    '"=1+1',
    "'=1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "=DDE('cmd','/C calc')",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "+1-555-0100",
    "=\r\n1+1",
    "\n\n=1",
]
