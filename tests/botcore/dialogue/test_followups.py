import pytest

from botcore.dialogue.followups import asks_already
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.state import Question

COLOUR = Question("color", ("white", "mint", "green"))


@pytest.mark.parametrize(
    ("reply", "asks"),
    [
        ("Both suit a nursery. Which color would you like?", True),
        ("Both suit a nursery. White or green?", True),
        ("Both suit a nursery. Which one speaks to you?", False),
        ("White and green suit a nursery. Which one speaks to you?", False),
        ("The color is white.", False),
        ("", False),
    ],
)
def test_a_reply_that_asks_the_question_itself_is_not_followed_by_it(reply, asks):
    assert asks_already(reply, COLOUR, "en", Lexicon()) is asks
