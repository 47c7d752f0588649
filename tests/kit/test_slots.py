"""No more than so many at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from flaskart.kit.slots import Overloaded, Slots


def test_whoever_finds_every_slot_taken_is_refused_when_time_is_up() -> None:
    slots = Slots(2, wait_seconds=0)

    with slots.take(), slots.take(), pytest.raises(Overloaded), slots.take():
        pass

    with slots.take(), slots.take():
        pass


def test_whoever_waits_gets_the_slot_that_becomes_free() -> None:
    slots = Slots(1, wait_seconds=30)
    waits, is_in = Event(), Event()

    def come_in() -> None:
        waits.set()
        with slots.take():
            is_in.set()

    with ThreadPoolExecutor(1) as pool:
        with slots.take():
            coming = pool.submit(come_in)
            waits.wait()
            assert not is_in.is_set()
        coming.result()

    assert is_in.is_set()


def test_a_failure_gives_its_slot_back() -> None:
    slots = Slots(1, wait_seconds=0)

    with pytest.raises(ZeroDivisionError), slots.take():
        raise ZeroDivisionError

    with slots.take():
        pass
