"""The shopper's door to accounts: register, sign in and out, manage one's own account."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import (
    AccountNotFound,
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    UsernameTaken,
    WrongPassword,
)
from flaskart.accounts.passwords import hash_password
from flaskart.accounts.schemas import (
    AccountChange,
    AccountChanged,
    AccountOut,
    AccountShown,
    Credentials,
    Done,
    LogoutRequest,
    PasswordChange,
    RefreshRequest,
    Registered,
    Registration,
    TokenPair,
)
from flaskart.kit.actor import Actor
from flaskart.kit.errors import Unauthenticated
from flaskart.web.auth import anyone, session_of_caller, shopper
from flaskart.web.http import db, shop, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import WITHOUT_IDEMPOTENCY, answers, door
from flaskart.web.tokens import InvalidToken

auth_api = door("auth", __name__, "/auth", "auth", "Register, sign in and out.")
account_api = door("account", __name__, "/account", "account", "One's own account.")


@auth_api.post("/register", responses=answers(Registered, UsernameTaken, EmailTaken, status=201))
@anyone
def register(body: Registration) -> Response:
    """Open an account."""
    password_hash = hash_password(body.password)
    with writing() as session:
        customer = actions.register(session, username=body.username, email=body.email, password_hash=password_hash)
        return show(Registered(msg="User registered successfully", user=AccountOut.of(customer)), 201)


@auth_api.post("/login", responses=answers(TokenPair, InvalidCredentials), openapi_extensions=WITHOUT_IDEMPOTENCY)
@anyone
def login(body: Credentials) -> Response:
    """Sign in with a username or an e-mail address."""
    seconds = shop().settings.refresh_token_seconds
    return show(_tokens(actions.log_in(db(), body.name, body.password, valid_seconds=seconds)))


@auth_api.post("/refresh", responses=answers(TokenPair, InvalidRefreshToken), openapi_extensions=WITHOUT_IDEMPOTENCY)
@anyone
def refresh(body: RefreshRequest) -> Response:
    """Exchange a refresh token for a new pair of tokens.

    Each refresh token is used once. One that comes back later than 30 seconds after its use was copied by somebody:
    every token of that sign-in is revoked.
    """
    seconds = shop().settings.refresh_token_seconds
    return show(_tokens(actions.refresh(db(), body.refresh_token, valid_seconds=seconds)))


@auth_api.post(
    "/logout", responses=answers(Done, Unauthenticated, InvalidToken), openapi_extensions=WITHOUT_IDEMPOTENCY
)
@anyone
def logout(body: LogoutRequest) -> Response:
    """End a sign-in: that of the refresh token in the body, or else that of the access token.

    All tokens of the sign-in stop working at once. May be repeated.
    """
    session_id = None if body.refresh_token else session_of_caller()
    with db().write() as session:
        actions.log_out(session, session_id=session_id, refresh_token=body.refresh_token)
    return show(Done(msg="Logged out"))


@account_api.get("", responses=answers(AccountShown, AccountNotFound))
@shopper
def view_account(actor: Actor) -> Response:
    """View one's own account."""
    with db().read() as session:
        return show(AccountShown(user=AccountOut.of(queries.get_account(session, actor))))


@account_api.patch("", responses=answers(AccountChanged, AccountNotFound, UsernameTaken, EmailTaken))
@shopper
def edit_account(actor: Actor, body: AccountChange) -> Response:
    """Change one's username or e-mail address."""
    with writing() as session:
        customer = actions.edit_account(session, actor, username=body.username, email=body.email)
        return show(AccountChanged(msg="Account updated", user=AccountOut.of(customer)))


@account_api.post("/password", responses=answers(Done, AccountNotFound, WrongPassword))
@shopper
def change_password(actor: Actor, body: PasswordChange) -> Response:
    """Change one's password; every other sign-in of the account ends."""
    verified_hash = actions.find_verified_hash(db(), actor, body.current_password)
    new_hash = hash_password(body.new_password)
    with writing() as session:  # a replay is answered here, though the password of then is not right any more
        actions.change_password(session, actor, verified_hash=verified_hash, new_hash=new_hash)
        return show(Done(msg="Password changed"))


@account_api.delete("", responses=answers(Done, AccountNotFound))
@shopper
def delete_account(actor: Actor) -> Response:
    """Delete one's account: personal data is erased and every sign-in ends; orders stay, for the books."""
    with writing() as session:
        actions.delete_account(session, actor)
        return show(Done(msg="Account deleted"))


def _tokens(sign_in: actions.SignIn) -> TokenPair:
    tokens = shop().tokens
    return TokenPair(
        access_token=tokens.sign(sign_in.customer_id, sign_in.session_id),
        refresh_token=sign_in.refresh_token,
        token_type="Bearer",  # noqa: S106 - the scheme's name
        expires_in=tokens.seconds,
    )
