"""Opening, changing and leaving an account."""

from sqlalchemy import delete, update

from flaskart.accounts import queries
from flaskart.accounts.actions.staff import leave_staff
from flaskart.accounts.errors import EmailTaken, UsernameTaken, WrongPassword
from flaskart.accounts.models import Address, Customer, ExternalIdentity, RefreshToken, fold
from flaskart.accounts.passwords import is_password
from flaskart.kit import clock
from flaskart.kit.actor import Actor, Role
from flaskart.kit.db import Database, Session
from flaskart.kit.duplicates import translated
from flaskart.kit.errors import ShopError

TAKEN: dict[str, type[ShopError]] = {
    "uq_customer_username_folded customer.username_folded": UsernameTaken,
    "uq_customer_email_folded customer.email_folded": EmailTaken,
}


def register(session: Session, *, username: str, email: str, password_hash: str) -> Customer:
    """Open an account. The password comes hashed, since hashing is slow and a transaction should not wait for it.

    Raises:
        UsernameTaken: whatever the case of its letters.
        EmailTaken: likewise.
    """
    customer = Customer(password_hash=password_hash, role=Role.CUSTOMER, created_at=clock.now())
    _rename(customer, username)
    _readdress(customer, email)
    with translated(session, TAKEN):
        session.add(customer)
    return customer


def edit_account(session: Session, actor: Actor, *, username: str | None = None, email: str | None = None) -> Customer:
    """Change what is given of one's own account; a new e-mail address is unverified again.

    Raises:
        UsernameTaken: by somebody else.
        EmailTaken: likewise.
    """
    customer = queries.lock_account(session, actor)
    with translated(session, TAKEN):
        if username is not None:
            _rename(customer, username)
        if email is not None:
            _readdress(customer, email)
    return customer


def find_verified_hash(db: Database, actor: Actor, password: str) -> str | None:
    """Return the hash of the actor's password if this is it; outside a transaction, since nobody should wait for it.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    with db.read() as session:
        password_hash = queries.get_account(session, actor).password_hash
    return password_hash if is_password(password_hash, password) else None


def change_password(session: Session, actor: Actor, *, verified_hash: str | None, new_hash: str) -> None:
    """Set a new password, given hashed, and end every other sign-in of the account.

    `verified_hash` is what `find_verified_hash` found.

    Raises:
        WrongPassword: nothing was verified, or the password has changed since.
    """
    customer = queries.lock_account(session, actor)
    if customer.password_hash != verified_hash:
        raise WrongPassword
    customer.password_hash = new_hash
    others = (RefreshToken.customer_id == customer.id) & (RefreshToken.family != actor.session_id)
    session.execute(update(RefreshToken).where(others).values(revoked_at=clock.now()))


def delete_account(session: Session, actor: Actor) -> None:
    """Erase the person from the account for good and end its sign-ins. The orders stay, for the books.

    Raises:
        LastOwner: nobody else could look after the shop.
    """
    customer = queries.lock_account(session, actor)
    if customer.role == Role.STAFF:
        leave_staff(session, actor, customer)
    gone = f"@erased-{customer.id}"  # neither a username nor an address that anybody could register
    _rename(customer, gone)
    _readdress(customer, gone)
    customer.password_hash = ""
    customer.erased_at = clock.now()
    session.execute(delete(Address).where(Address.customer_id == customer.id))
    session.execute(delete(ExternalIdentity).where(ExternalIdentity.customer_id == customer.id))
    own = RefreshToken.customer_id == customer.id
    session.execute(update(RefreshToken).where(own).values(revoked_at=clock.now()))


def _rename(customer: Customer, username: str) -> None:
    customer.username, customer.username_folded = username, fold(username)


def _readdress(customer: Customer, email: str) -> None:
    if getattr(customer, "email_folded", None) != fold(email):
        customer.email_verified_at = None
    customer.email, customer.email_folded = email, fold(email)
