"""What requests are about: each Thing really makes one for a caller."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import pyotp
from sqlalchemy import func, select

from flaskart.accounts import actions as accounts
from flaskart.accounts.models import ConsentPurpose, ExternalIdentity, StaffRole, TokenPurpose
from flaskart.accounts.postal import PostalAddress
from flaskart.cart.actions import add_item
from flaskart.checkout.actions import place_order
from flaskart.kit.actor import OF_EVERYONE, Actor, Permission
from flaskart.kit.audit import AuditEntry
from flaskart.kit.seals import Seals
from flaskart.privacy import actions as privacy
from flaskart.web.auth import KEY_PREFIX
from tests.callers import PASSWORD_HASH, Caller, Make
from tests.servers import SECRET

Id = int | str
MISSING = 999_999_999
HOME = {
    "name": "Ada",
    "lines": ["1600 Amphitheatre Parkway"],
    "city": "Mountain View",
    "region": "CA",
    "postal_code": "94043",
    "country": "US",
}
SEALS = Seals([SECRET.encode()])
_numbers = count(1)


@dataclass(frozen=True)
class Thing:
    """What a request is about. `make` makes one for a caller; `is_owned` says that others do not find it."""

    make: Callable[[Make, Caller], Id]
    is_owned: bool = False
    missing: Id = MISSING
    missing_status: int = 404


def unique(name: str) -> str:
    return f"{name}_{next(_numbers)}"


def _line_in_cart(make: Make, caller: Caller) -> int:
    product_id = make.product(unique("Mug"))
    with make.db.write() as session:
        add_item(session, _owner(caller), quantity=1, currency="USD", product_id=product_id)
    return product_id


def _order(make: Make, caller: Caller) -> int:
    _line_in_cart(make, caller)
    with make.db.write() as session:
        return int(place_order(session, _owner(caller)).order.id)


def _role(make: Make, _caller: Caller) -> int:
    role = StaffRole(name=unique("role"), permissions="staff.write", is_built_in=False)
    with make.db.write() as session:
        session.add(role)
    return role.id


def _key(make: Make, caller: Caller) -> int:
    with make.db.write() as session:
        scopes = frozenset({Permission.SHOPPING})
        return accounts.create_key(session, _owner(caller), name="robot", scopes=scopes).key.id


def _refresh_token(make: Make, _caller: Caller) -> str:
    account = make.customer(unique("account"))
    with make.db.write() as session:
        return accounts.begin_sign_in(session, account.customer_id, valid_seconds=60).refresh_token


def _username(make: Make, _caller: Caller) -> str:
    name = unique("account")
    make.customer(name)
    return name


def _address(make: Make, caller: Caller) -> int:
    address = PostalAddress(**(dict.fromkeys(("company", "district", "phone"), "") | HOME))  # type: ignore[arg-type]
    with make.db.write() as session:
        return accounts.add_address(session, _owner(caller), address).id


def _identity(make: Make, caller: Caller) -> int:
    identity = ExternalIdentity(
        customer_id=caller.customer_id, provider="google", subject=unique("subject"), created_at=datetime.now(UTC)
    )
    with make.db.write() as session:
        session.add(identity)
    return identity.id


def _session(make: Make, caller: Caller) -> str:
    with make.db.write() as session:
        return accounts.begin_sign_in(session, caller.customer_id, valid_seconds=60).session_id


def _mailed(purpose: TokenPurpose) -> Thing:
    """Return a token that somebody was mailed; they wait for another address to be confirmed, too."""

    def mailed(make: Make, _caller: Caller) -> str:
        account = make.customer(unique("account"))
        with make.db.write() as session:
            accounts.edit_account(session, _owner(account), email=f"{unique('new')}@example.com")
            return accounts.issue_token(session, account.customer_id, purpose)

    return Thing(mailed)


def _one_time_password(make: Make, caller: Caller) -> str:
    with make.db.write() as session:
        begun = accounts.enrol_second_factor(session, _owner(caller), verified_hash=PASSWORD_HASH, seals=SEALS)
    return pyotp.TOTP(begun.secret).now()


def _recovery_code(make: Make, caller: Caller) -> str:
    code = _one_time_password(make, caller)
    with make.db.write() as session:
        return accounts.confirm_second_factor(session, _signed_in(make, caller), code, seals=SEALS)[0]


def _export(make: Make, caller: Caller) -> int:
    with make.db.write() as session:
        export_id = privacy.ask_for_export(session, _owner(caller)).id
    privacy.make_export(make.db, export_id)
    return export_id


def _export_token(make: Make, _caller: Caller) -> str:
    export_id = _export(make, make.customer(unique("account")))
    with make.db.write() as session:
        return privacy.issue_export_token(session, export_id)


def _audit_entry(make: Make, _caller: Caller) -> int:
    make.product(unique("Mug"))
    with make.db.read() as session:
        return session.scalars(select(func.max(AuditEntry.id))).one()


def _owner(caller: Caller) -> Actor:
    return Actor(caller.customer_id, OF_EVERYONE, "")


def _signed_in(make: Make, caller: Caller) -> Actor:
    """Return the owner with the sign-in that they ask with, which is not to end; a key has none."""
    token = caller.token or ""
    session_id = "" if token.startswith(KEY_PREFIX) else make.tokens.read(token)[1]
    return Actor(caller.customer_id, OF_EVERYONE, session_id)


def file(name: str) -> Thing:
    return Thing(lambda _make, _caller: name, missing="nothing.css")


PRODUCT = Thing(lambda make, _caller: make.product(unique("Mug")))
ACCOUNT = Thing(lambda make, _caller: make.customer(unique("account")).customer_id)
ROLE = Thing(_role)
CART_LINE = Thing(_line_in_cart, is_owned=True)
ORDER = Thing(_order, is_owned=True)
API_KEY = Thing(_key, is_owned=True)
REFRESH_TOKEN = Thing(_refresh_token)
USERNAME = Thing(_username)
ADDRESS = Thing(_address, is_owned=True)
PROVIDER = Thing(lambda _make, _caller: "google")
IDENTITY = Thing(_identity, is_owned=True)
SESSION = Thing(_session, is_owned=True)
VERIFICATION = _mailed(TokenPurpose.VERIFY_EMAIL)
PASSWORD_RESET = _mailed(TokenPurpose.RESET_PASSWORD)
EMAIL_CHANGE = _mailed(TokenPurpose.CHANGE_EMAIL)
ONE_TIME_PASSWORD = Thing(_one_time_password)
RECOVERY_CODE = Thing(_recovery_code)
CONSENT = Thing(lambda _make, _caller: ConsentPurpose.ANALYTICS.value, missing_status=422)  # one of a few words
EXPORT = Thing(_export)
EXPORT_TOKEN = Thing(_export_token)
AUDIT_ENTRY = Thing(_audit_entry)
