"""Opening, changing and leaving an account."""

from sqlalchemy import delete, func, update

from flaskart.accounts import queries
from flaskart.accounts.actions.revoking import drop_mailed_tokens, revoke_sign_ins_of
from flaskart.accounts.errors import EmailTaken, PasswordLikeName, UsernameTaken, WrongPassword
from flaskart.accounts.models import (
    AccountToken,
    Address,
    ApiKey,
    Customer,
    ExternalIdentity,
    OidcFlow,
    RecoveryCode,
    SignInRecord,
    TokenPurpose,
    fold,
)
from flaskart.accounts.passwords import is_like_name, is_password
from flaskart.kit import clock
from flaskart.kit.actor import Actor, Role
from flaskart.kit.db import Database, Session
from flaskart.kit.duplicates import translated
from flaskart.kit.errors import ShopError
from flaskart.kit.jobs import enqueue
from flaskart.kit.personal import erased_name
from flaskart.kit.slots import Slots

TAKEN: dict[str, type[ShopError]] = {
    "uq_customer_username_folded customer.username_folded": UsernameTaken,
    "uq_customer_email_folded customer.email_folded": EmailTaken,
}


def register(
    session: Session, *, username: str, email: str, password_hash: str, is_email_verified: bool = False
) -> Customer:
    """Open an account. The password comes hashed, since hashing is slow and a transaction should not wait for it.

    Unless somebody vouches for the address, a message is sent to it that asks whether it is right.

    Raises:
        UsernameTaken: whatever the case of its letters.
        EmailTaken: likewise.
    """
    customer = Customer(password_hash=password_hash, role=Role.CUSTOMER, created_at=clock.now())
    _rename(customer, username)
    readdress(customer, email)
    customer.email_verified_at = customer.created_at if is_email_verified else None
    with translated(session, TAKEN):
        session.add(customer)
    if not is_email_verified:
        enqueue(session, "mail.verify_email", {"customer_id": customer.id})
    return customer


def edit_account(session: Session, actor: Actor, *, username: str | None = None, email: str | None = None) -> Customer:
    """Change what is given of one's own account. Another e-mail address takes effect when its owner confirms it.

    Until then it is pending; giving the one of today drops what is pending.

    Raises:
        UsernameTaken: by somebody else.
        EmailTaken: likewise.
    """
    customer = queries.lock_account(session, actor)
    with translated(session, TAKEN):
        if username is not None:
            _rename(customer, username)
        if email is not None:
            _ask_to_readdress(session, customer, email)
    return customer


def find_verified_hash(db: Database, actor: Actor, password: str, hashing: Slots) -> str | None:
    """Return the hash of the actor's password if this is it; outside a transaction, since nobody should wait for it.

    Raises:
        AccountNotFound: erased a moment ago.
        Overloaded: too many passwords are being verified.
    """
    with db.read() as session:
        password_hash = queries.get_account(session, actor).password_hash
    with hashing.take():
        return password_hash if is_password(password_hash, password) else None


def change_password(
    session: Session, actor: Actor, *, verified_hash: str | None, new_password: str, new_hash: str
) -> None:
    """Set a new password, given plain and hashed, and end every other sign-in of the account.

    `verified_hash` is what `find_verified_hash` found.

    Raises:
        WrongPassword: nothing was verified, or the password has changed since.
        PasswordLikeName: it contains the account's username or address.
    """
    customer = queries.lock_account(session, actor)
    if customer.password_hash != verified_hash:
        raise WrongPassword
    if is_like_name(new_password, customer.username, customer.email):
        raise PasswordLikeName
    customer.password_hash = new_hash
    revoke_sign_ins_of(session, customer.id, but=actor.session_id)
    drop_mailed_tokens(session, customer.id, TokenPurpose.RESET_PASSWORD)
    enqueue(session, "mail.password_changed", {"customer_id": customer.id})


def erase_person(session: Session, customer_id: int) -> None:
    """Replace what an account says of its owner, for good, and delete what only they have. May be repeated.

    The row stays, since orders refer to it, and so does what they agreed to, which names nobody. Their keys end.
    """
    customer = session.get_one(Customer, customer_id)
    gone = erased_name(customer_id)
    _rename(customer, gone)
    readdress(customer, gone)
    customer.pending_email = customer.disabled_reason = None
    customer.password_hash = ""
    customer.totp_secret = customer.totp_used_step = customer.second_factor_at = None
    customer.erased_at = customer.erased_at or clock.now()
    keys = update(ApiKey).where(ApiKey.customer_id == customer_id)
    session.execute(keys.values(name="", revoked_at=func.coalesce(ApiKey.revoked_at, customer.erased_at)))
    for table in (SignInRecord, AccountToken, RecoveryCode, Address, ExternalIdentity, OidcFlow):
        session.execute(delete(table).where(table.customer_id == customer_id))


def readdress(customer: Customer, email: str) -> None:
    """Give an account an address, which nobody has verified unless it is the one it has."""
    if getattr(customer, "email_folded", None) != fold(email):
        customer.email_verified_at = None
    customer.email, customer.email_folded = email, fold(email)


def _ask_to_readdress(session: Session, customer: Customer, email: str) -> None:
    drop_mailed_tokens(session, customer.id, TokenPurpose.CHANGE_EMAIL)
    if customer.email_folded == fold(email):
        customer.email, customer.pending_email = email, None
        return
    if queries.find_by_login(session, email) is not None:
        raise EmailTaken
    customer.pending_email = email
    enqueue(session, "mail.confirm_email_change", {"customer_id": customer.id})


def _rename(customer: Customer, username: str) -> None:
    customer.username, customer.username_folded = username, fold(username)
