"""How is an address written, so that two spellings of one address meet on one key?

Phones become E.164 (ITU-T E.164, by Google's libphonenumber data), e-mail addresses follow RFC 5321 and RFC 6531 as
email-validator reads them, without a look-up. What a provider hands out (chat ids, visitor ids, a shop's own ids) is only bounded.
"""

import re
import unicodedata

PHONE_SPACES = frozenset({"sms", "whatsapp", "voice"})
USER = "user"  # the shop's own id of a person, proved by a token that the shop signed
LONGEST_ADDRESS = 256  # characters

_NOT_A_PHONE = re.compile(r"[^\d\s().+/\-\u00a0\u2010-\u2015]")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 &._+\-]{0,10}")  # GSM 03.38 sender: 11 characters


def normalise(space: str, address: str, *, country: str) -> str | None:
    """Return the one spelling of this address in its space, or None if it can not be an address there.

    `country` (ISO 3166) says where a phone number without a country code belongs.
    """
    if space in PHONE_SPACES:
        return _phone(address, space, country)
    if space == "email":
        return _email(address)
    return _identifier(address)


def key(space: str, address: str) -> str:
    """Return the unique key of a normalised address over all profiles."""
    return f"{space}:{address}"


def mention(key: str) -> str:
    """Return the key that remembers who said this address is theirs, without proof; the key itself stays free."""
    return f"?{key}"


def _phone(address: str, space: str, country: str) -> str | None:
    text = address.strip()
    if space == "whatsapp" and text.isdecimal():
        text = f"+{text}"  # WhatsApp's ids are E.164 without the plus
    if not text or len(text) > 40:
        return None
    if _NOT_A_PHONE.search(text):
        return text if space == "sms" and _SENDER_NAME.fullmatch(text) else None
    import phonenumbers  # as below: 40 ms in all, for the first address that asks for it and not for every start

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        number = None
    # "possible" and not "valid": a range that was allotted after our data were made is still somebody's number
    if number and phonenumbers.is_possible_number(number):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return text if space == "sms" and _SHORT_CODE.fullmatch(text) else None


def _email(address: str) -> str | None:
    """The domain as mail servers see it (lower case, IDNA); the part before @ in lower case too.

    RFC 5321 lets a server tell Anna@ from anna@. None that people use does, and people write their own both ways.
    """
    if len(address) > LONGEST_ADDRESS:
        return None
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(address.strip(), check_deliverability=False, allow_smtputf8=True)
    except (EmailNotValidError, UnicodeError):
        return None
    return f"{found.local_part.lower()}@{found.ascii_domain.lower()}"


def _identifier(address: str) -> str | None:
    text = unicodedata.normalize("NFC", address.strip()) if len(address) <= LONGEST_ADDRESS else ""
    if not text or any(unicodedata.category(letter)[0] in "CZ" for letter in text):
        return None  # controls, lone surrogates, invisible marks, spaces: no provider's id has them
    return text


def country_of(number: str) -> str:
    """Return the country (ISO 3166) of a phone number such as +33755550006, "" where it belongs to none."""
    import phonenumbers

    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
