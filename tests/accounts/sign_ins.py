"""Somebody's sign-in, made through the API, with the token that continues it."""

from dataclasses import dataclass

from sqlalchemy import delete, select, text

from flaskart.accounts.actions import Terms
from flaskart.kit.db import Database
from flaskart.kit.jobs import Job
from flaskart.kit.seals import Seals
from flaskart.kit.slots import Slots
from tests.callers import PASSWORD, Answer, Caller, Make
from tests.servers import SECRET

TERMS = Terms(valid_seconds=60, hashing=Slots(2, wait_seconds=5), seals=Seals([SECRET.encode()]))


@dataclass(frozen=True)
class SignIn:
    caller: Caller
    refresh_token: str


def sign_in(make: Make, username: str = "alice", password: str = PASSWORD) -> SignIn:
    """Sign in to an account that is there."""
    answer = make.anyone().post("/auth/login", {"username": username, "password": password})
    assert answer.status == 200
    return signed_in(make, answer)


def register_and_sign_in(make: Make, username: str = "alice") -> SignIn:
    make.customer(username)
    return sign_in(make, username)


def refresh(make: Make, refresh_token: str) -> Answer:
    return make.anyone().post("/auth/refresh", {"refresh_token": refresh_token})


def signed_in(make: Make, tokens: Answer) -> SignIn:
    """Return the sign-in that an answer of login or refresh hands out."""
    return SignIn(Caller(make.send, tokens.json["access_token"]), tokens.json["refresh_token"])


def is_alive(make: Make, sign_in: SignIn) -> bool:
    """Tell whether both tokens of a sign-in work; one that is half alive is a failure."""
    statuses = {sign_in.caller.get("/account").status, refresh(make, sign_in.refresh_token).status}
    assert statuses in ({200}, {401})
    return statuses == {200}


def rows_of(db: Database, table: str) -> list[dict[str, object]]:
    """Return a table as it is stored, ordered by id."""
    with db.read() as session:
        rows = session.execute(text(f'SELECT * FROM "{table}" ORDER BY id'))  # noqa: S608 - a test's own table name
        return [dict(row) for row in rows.mappings()]


def jobs_of(db: Database) -> list[tuple[str, dict[str, object]]]:
    """Return what waits for the worker: the names of jobs and their payloads."""
    with db.read() as session:
        return [(job.name, job.payload) for job in session.scalars(select(Job).order_by(Job.id))]


def forget_jobs(db: Database) -> None:
    with db.write() as session:
        session.execute(delete(Job))


def problem(status: int, title: str, code: str, detail: str, pointer: str | None = None) -> dict[str, object]:
    """Return the body of a refusal, with the one field it is about."""
    errors = {} if pointer is None else {"errors": [{"pointer": pointer, "detail": detail, "code": code}]}
    kind = f"urn:flaskart:problem:{code}"
    return {"type": kind, "title": title, "status": status, "detail": detail, "code": code, "msg": detail} | errors


INVALID_CREDENTIALS = problem(401, "Unauthorized", "invalid_credentials", "Invalid credentials")
INVALID_TOKEN = problem(401, "Unauthorized", "invalid_token", "The access token is not valid or has expired")
INVALID_REFRESH_TOKEN = problem(
    401, "Unauthorized", "invalid_refresh_token", "The refresh token is not valid, has expired or was revoked"
)
UNAUTHENTICATED = problem(401, "Unauthorized", "unauthenticated", "Sign in to do this")
USERNAME_TAKEN = problem(409, "Conflict", "username_taken", "This username is taken", "/username")
EMAIL_TAKEN = problem(409, "Conflict", "email_taken", "This e-mail address is taken", "/email")
