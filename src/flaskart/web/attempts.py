"""Guards of doors that strangers might try until they are in: `with attempt(SIGN_IN, account=…):` around the try."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from flask import request

from flaskart.kit.errors import ShopError
from flaskart.web.http import shop
from flaskart.web.limits import Guard, network_of

SIGN_IN = Guard("sign in")
SECOND_FACTOR = Guard("second factor")
PASSWORD = Guard("password")
# Whoever asks gets a mail sent or an account opened, so each time counts.
MAIL = Guard("mail", counts_every_try=True)
REGISTRATION = Guard("registration", counts_every_try=True)
# Nobody guesses 256 bits, but clients that lost their sign-in ask again, and many share an address with good ones.
REFRESH = Guard("refresh", times=10)


@contextmanager
def attempt(guard: Guard, *, account: str | None = None) -> Iterator[None]:
    """Count what happens in the block as a try from the client's network and, if given, at an account.

    It failed if it raises an error of the caller's making (4xx), and it is as if it had not been if it raises another.
    `account` is any name for it in one spelling, whether there is such an account or not.

    Raises:
        TooManyAttempts: before the block is entered.
    """
    attempts = shop().attempts
    if attempts is None:
        yield
        return
    started = attempts.start(guard, network_of_client(), account)
    try:
        yield
    except ShopError as refused:
        if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            attempts.cancel(started)
        raise
    except BaseException:
        attempts.cancel(started)
        raise
    if not guard.counts_every_try:
        attempts.succeed(started)


def trust_network(guard: Guard, *, account: str) -> None:
    """Let the client's network try at this account by itself from now on, however strangers try.

    Call it when the owner proved to be there by other means, as by a mail, since strangers may keep `attempt` busy.
    """
    attempts = shop().attempts
    if attempts is not None:
        attempts.trust(guard, network_of_client(), account)


def network_of_client() -> str:
    return network_of(request.remote_addr or "")
