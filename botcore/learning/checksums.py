"""Check digits of payment cards, bank accounts and Chinese resident ids. Pure arithmetic."""

from __future__ import annotations

IBAN_LENGTHS = {
    entry[:2]: int(entry[2:])
    for entry in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
        "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
        "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
        "YE30"
    ).split()
}
"""Characters of an IBAN by country (SWIFT's registry)."""

RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_CHECKS = "10X98765432"


def is_card(digits: str) -> bool:
    """Whether 13 to 19 digits pass Luhn's check and are not all the same."""
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def is_iban(account: str) -> bool:
    """Whether capitals and digits without spaces are an IBAN (ISO 13616, modulo 97)."""
    if len(account) != IBAN_LENGTHS.get(account[:2]):
        return False
    return int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1


def is_resident_id(number: str) -> bool:
    """Whether 17 digits and a check character are a Chinese resident id (GB 11643-1999)."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum(int(d) * weight for d, weight in zip(number[:17], RESIDENT_WEIGHTS, strict=True))
    return RESIDENT_CHECKS[total % 11] == number[17].upper()
