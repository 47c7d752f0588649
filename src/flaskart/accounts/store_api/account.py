"""One's own account: view and change it."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import (
    AccountNotFound,
    EmailTaken,
    PasswordLikeName,
    UsernameTaken,
    WrongPassword,
)
from flaskart.accounts.passwords import hash_password
from flaskart.accounts.schemas import AccountChange, AccountChanged, AccountOut, AccountShown, Done, PasswordChange
from flaskart.kit.actor import Actor
from flaskart.kit.slots import Overloaded
from flaskart.web.attempts import PASSWORD, attempt
from flaskart.web.auth import before_second_factor, person
from flaskart.web.http import db, shop, show
from flaskart.web.idempotency import writing
from flaskart.web.limits import TooManyAttempts
from flaskart.web.openapi import answers, door

api = door("account", __name__, "/account", "account", "One's own account.")


@api.get("", responses=answers(AccountShown, AccountNotFound))
@before_second_factor
@person
def view_account(actor: Actor) -> Response:
    """View one's own account."""
    with db().read() as session:
        return show(AccountShown(user=AccountOut.of(queries.get_account(session, actor))))


@api.patch("", responses=answers(AccountChanged, AccountNotFound, UsernameTaken, EmailTaken))
@person
def edit_account(actor: Actor, body: AccountChange) -> Response:
    """Change one's username or e-mail address.

    Another address is `pending_email` until the token that is mailed to it comes back to `POST /auth/email/confirm`.
    """
    with writing() as session:
        customer = actions.edit_account(session, actor, username=body.username, email=body.email)
        return show(AccountChanged(msg="Account updated", user=AccountOut.of(customer)))


@api.post(
    "/password",
    responses=answers(Done, AccountNotFound, WrongPassword, PasswordLikeName, Overloaded, TooManyAttempts),
)
@person
def change_password(actor: Actor, body: PasswordChange) -> Response:
    """Change one's password; every other sign-in of the account ends."""
    with attempt(PASSWORD, account=str(actor.customer_id)):
        verified_hash = actions.find_verified_hash(db(), actor, body.current_password, shop().hashing)
        with shop().hashing.take():
            new_hash = hash_password(body.new_password)
        with writing() as session:  # a replay is answered here, though the password of then is not right any more
            actions.change_password(
                session, actor, verified_hash=verified_hash, new_password=body.new_password, new_hash=new_hash
            )
            return show(Done(msg="Password changed"))
