"""Minor units in words. Amounts themselves stay integers everywhere."""

from __future__ import annotations

# ISO 4217 codes whose minor unit has not 2 digits.
DIGITS = {
    code: digits
    for digits, codes in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for code in codes.split()
}


def in_words(amount_minor: int, currency: str) -> str:
    """An amount as people read it: ``120.00 CNY``, ``1200 JPY``.

    Args:
        amount_minor: Minor units of the currency.
        currency: ISO 4217 code.
    """
    digits = DIGITS.get(currency, 2)
    whole, rest = divmod(abs(amount_minor), 10**digits)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d} {currency}" if digits else f"{sign}{whole} {currency}"
