"""Writers of one SQLite file take turns in the order they came, in a process and among processes."""

import fcntl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from flaskart.kit.db import Database
from flaskart.kit.errors import DatabaseUnavailable
from flaskart.kit.turns import Turns

# Takes a turn whenever it is told to, and says so in a file.
OBEDIENT = """
import sys
from pathlib import Path
from flaskart.kit.turns import Turns
turns, log = Turns(sys.argv[1]), Path(sys.argv[1] + ".log")
for line in sys.stdin:
    with turns.take(), log.open("a") as file:
        file.write("other ")
    print("done", flush=True)
"""


@pytest.fixture
def turns(tmp_path: Path) -> Iterator[Turns]:
    turns = Turns(str(tmp_path / "shop.db"))
    yield turns
    turns.close()


def test_threads_are_let_in_as_they_came(turns: Turns) -> None:
    order: list[int] = []

    def write(number: int) -> None:
        with turns.take():
            order.append(number)

    threads = [Thread(target=write, args=(number,)) for number in range(20)]
    with turns.take():
        for count, thread in enumerate(threads, start=1):
            thread.start()
            while len(turns._waiting) < count:
                Event().wait(0.001)
    for thread in threads:
        thread.join()

    assert order == list(range(20))


def test_one_at_a_time(turns: Turns) -> None:
    inside, most = 0, 0

    def write() -> None:
        nonlocal inside, most
        for _ in range(50):
            with turns.take():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def wait_until_another_process_is_next(turns: Turns) -> None:
    with turns._files[0].open("a") as file:
        for _ in range(5_000):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(file, fcntl.LOCK_UN)
            Event().wait(0.001)
    raise AssertionError("nobody is next")


def test_a_process_that_has_just_written_does_not_overtake_one_that_waits(turns: Turns, tmp_path: Path) -> None:
    log = tmp_path / "shop.db.log"

    def write(what: str) -> None:
        with log.open("a") as file:
            file.write(what)

    command = [sys.executable, "-c", OBEDIENT, str(tmp_path / "shop.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        for _ in range(50):
            with turns.take():
                write("first ")
                other.stdin.write("go\n")
                other.stdin.flush()
                wait_until_another_process_is_next(turns)
            with turns.take():
                write("second ")
            assert other.stdout.readline() == "done\n"
        other.stdin.close()

    assert log.read_text() == "first other second " * 50


def test_a_turn_ends_with_the_process_that_has_it(tmp_path: Path) -> None:
    database = str(tmp_path / "shop.db")
    holding = "import sys, time; from flaskart.kit.turns import Turns\n"
    holding += "with Turns(sys.argv[1]).take(): print('has it', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", holding, database], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "has it\n"
        turns, had = Turns(database), Event()

        def write() -> None:
            with turns.take():
                had.set()

        waiting = threading.Thread(target=write)
        waiting.start()
        assert not had.wait(0.1)
        holder.kill()
        waiting.join(timeout=10)
    turns.close()

    assert had.is_set()


def test_a_turn_that_fails_is_over(turns: Turns) -> None:
    with pytest.raises(ZeroDivisionError), turns.take():
        raise ZeroDivisionError

    with turns.take():
        pass


def test_where_no_lock_can_be_made_the_database_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'shop.db'}")

    for _ in range(2):
        with pytest.raises(DatabaseUnavailable), database.write():
            pass
