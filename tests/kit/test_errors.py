"""What an error may say."""

from typing import Any

import pytest

from flaskart.kit.errors import DatabaseBusy


@pytest.mark.parametrize("name", ["type", "title", "status", "code", "msg"])
def test_a_fact_cannot_take_the_place_of_a_member_that_every_answer_has(name: str) -> None:
    facts: dict[str, Any] = {name: "something else"}

    with pytest.raises(TypeError, match=name):
        DatabaseBusy(**facts)
