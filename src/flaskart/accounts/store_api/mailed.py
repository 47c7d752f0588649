"""The door for whoever proves something by the mail they read: an address, or that an account is theirs."""

from flask import Response

from flaskart.accounts import actions
from flaskart.accounts.errors import EmailTaken, InvalidMailedToken, PasswordLikeName
from flaskart.accounts.models import fold
from flaskart.accounts.passwords import hash_password
from flaskart.accounts.schemas import Done, EmailGiven, MailedToken, PasswordReset
from flaskart.kit.slots import Overloaded
from flaskart.web.attempts import MAIL, SIGN_IN, attempt, trust_network
from flaskart.web.auth import anyone
from flaskart.web.http import shop, show
from flaskart.web.idempotency import writing
from flaskart.web.limits import TooManyAttempts
from flaskart.web.openapi import answers, door

api = door("mailed", __name__, "/auth", "auth", "Register, sign in and out.")


@api.post("/verify-email", responses=answers(Done, InvalidMailedToken))
@anyone
def verify_email(body: MailedToken) -> Response:
    """Confirm an e-mail address with the token that was mailed to it."""
    with writing() as session:
        actions.verify_email(session, body.token)
        return show(Done(msg="E-mail address verified"))


@api.post("/verify-email/resend", responses=answers(Done, TooManyAttempts))
@anyone
def resend_verification(body: EmailGiven) -> Response:
    """Have the message that confirms an address sent again.

    The answer is the same whether an account waits for it or not.
    """
    with attempt(MAIL, account=fold(body.email)), writing() as session:
        actions.ask_for_verification(session, body.email)
        return show(Done(msg="If this address waits to be verified, a message is on its way"))


@api.post("/password/forgot", responses=answers(Done, TooManyAttempts))
@anyone
def forgot_password(body: EmailGiven) -> Response:
    """Have a message sent that lets the owner of an address set a new password.

    The answer is the same whether an account has this address or not.
    """
    with attempt(MAIL, account=fold(body.email)), writing() as session:
        actions.ask_for_reset(session, body.email)
        return show(Done(msg="If an account has this address, a message is on its way"))


@api.post("/password/reset", responses=answers(Done, InvalidMailedToken, PasswordLikeName, Overloaded))
@anyone
def reset_password(body: PasswordReset) -> Response:
    """Set a new password with the token that was mailed; every sign-in of the account ends."""
    with shop().hashing.take():
        new_hash = hash_password(body.new_password)
    with writing() as session:
        owner = actions.reset_password(session, body.token, new_password=body.new_password, new_hash=new_hash)
        names, answer = (owner.username_folded, owner.email_folded), show(Done(msg="Password changed"))
    for name in names:
        trust_network(SIGN_IN, account=name)
    return answer


@api.post("/email/confirm", responses=answers(Done, InvalidMailedToken, EmailTaken))
@anyone
def confirm_email_change(body: MailedToken) -> Response:
    """Give an account its new e-mail address with the token that was mailed there."""
    with writing() as session:
        actions.confirm_email_change(session, body.token)
        return show(Done(msg="E-mail address changed"))
