"""The door by which people come in: register, sign in and out."""

from flask import Response, request

from flaskart.accounts import actions
from flaskart.accounts.errors import (
    AccountDisabled,
    EmailNotVerified,
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    SecondFactorFailed,
    SecondFactorRequired,
    UsernameTaken,
)
from flaskart.accounts.models import MAX_IP, MAX_USER_AGENT, fold
from flaskart.accounts.passwords import hash_password
from flaskart.accounts.schemas import (
    AccountOut,
    Credentials,
    Done,
    LogoutRequest,
    RefreshRequest,
    Registered,
    Registration,
    TokenPair,
)
from flaskart.kit.errors import Unauthenticated
from flaskart.kit.slots import Overloaded
from flaskart.web.attempts import REFRESH, REGISTRATION, SIGN_IN, attempt
from flaskart.web.auth import anyone, session_of_caller
from flaskart.web.http import db, shop, show
from flaskart.web.idempotency import writing
from flaskart.web.limits import TooManyAttempts
from flaskart.web.openapi import WITHOUT_IDEMPOTENCY, answers, door
from flaskart.web.tokens import InvalidToken

api = door("auth", __name__, "/auth", "auth", "Register, sign in and out.")


@api.post(
    "/register", responses=answers(Registered, UsernameTaken, EmailTaken, Overloaded, TooManyAttempts, status=201)
)
@anyone
def register(body: Registration) -> Response:
    """Open an account. A message asks the owner of the e-mail address to confirm it."""
    with attempt(REGISTRATION):
        with shop().hashing.take():
            password_hash = hash_password(body.password)
        with writing() as session:
            customer = actions.register(session, username=body.username, email=body.email, password_hash=password_hash)
            actions.record_consents_of_new(session, customer.id, body.consents.given)
            user = AccountOut.of(customer)
            return show(Registered(msg="User registered successfully", user=user), 201, about=customer.id)


@api.post(
    "/login",
    responses=answers(
        TokenPair,
        InvalidCredentials,
        SecondFactorRequired,
        SecondFactorFailed,
        AccountDisabled,
        EmailNotVerified,
        Overloaded,
        TooManyAttempts,
    ),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@anyone
def login(body: Credentials) -> Response:
    """Sign in with a username or an e-mail address.

    An account with a second factor needs a code besides, `otp`, in the same request. Without one the answer is 401
    `second_factor_required`, and only to whoever gave the right password. Failures are counted for each address and
    each account: after ten in five minutes both have to wait.
    """
    with attempt(SIGN_IN, account=fold(body.name)):
        sign_in = actions.log_in(
            db(), body.name, body.password, terms=terms_of_sign_in(), otp=body.otp, device=device_of_caller()
        )
    return show(token_pair(sign_in))


@api.post(
    "/refresh",
    responses=answers(TokenPair, InvalidRefreshToken, TooManyAttempts),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@anyone
def refresh(body: RefreshRequest) -> Response:
    """Exchange a refresh token for a new pair of tokens.

    Each refresh token is used once. One that comes back later than 30 seconds after its use was copied by somebody:
    every token of that sign-in is revoked.
    """
    seconds = shop().settings.refresh_token_seconds
    with attempt(REFRESH):
        sign_in = actions.refresh(db(), body.refresh_token, valid_seconds=seconds)
    return show(token_pair(sign_in))


@api.post("/logout", responses=answers(Done, Unauthenticated, InvalidToken), openapi_extensions=WITHOUT_IDEMPOTENCY)
@anyone
def logout(body: LogoutRequest) -> Response:
    """End a sign-in: that of the refresh token in the body, or else that of the access token.

    All tokens of the sign-in stop working at once. May be repeated.
    """
    session_id = None if body.refresh_token else session_of_caller()
    with db().write() as session:
        actions.log_out(session, session_id=session_id, refresh_token=body.refresh_token)
    return show(Done(msg="Logged out"))


def terms_of_sign_in() -> actions.Terms:
    settings = shop().settings
    return actions.Terms(
        valid_seconds=settings.refresh_token_seconds,
        hashing=shop().hashing,
        seals=shop().seals,
        needs_verified_email=settings.require_verified_email,
    )


def device_of_caller() -> actions.Device:
    user_agent = "".join(character for character in request.user_agent.string if character.isprintable())
    return actions.Device(user_agent[:MAX_USER_AGENT], (request.remote_addr or "")[:MAX_IP])


def token_pair(sign_in: actions.SignIn) -> TokenPair:
    """Return what a new sign-in is continued with."""
    tokens = shop().tokens
    return TokenPair(
        access_token=tokens.sign(sign_in.customer_id, sign_in.session_id),
        refresh_token=sign_in.refresh_token,
        token_type="Bearer",  # noqa: S106 - the scheme's name
        expires_in=tokens.seconds,
    )
