"""What the circle tells of the replies."""

import pytest

from benchmarks.loop import answer
from tests.factories import ModelVersionFactory, TurnFactory

pytestmark = pytest.mark.django_db


def test_a_reply_is_told_with_the_version_that_wrote_it():
    version = ModelVersionFactory(name="v2")
    turn = TurnFactory(reply="Hello.", asked_version=version, conversation__shop=version.shop)
    assert answer(turn).split() == [*str(version).split(), "Hello."]
    assert answer(TurnFactory(reply="Hello.", asked_version=None)).split() == ["shipped", "Hello."]
