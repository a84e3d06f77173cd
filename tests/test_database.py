import pytest
from django.db import connection


@pytest.mark.django_db
def test_chinese_words_are_tokens_of_the_full_text_index():
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_tsvector('english', '防水 背包 backpacks')::text")
        assert cursor.fetchone()[0] == "'backpack':3 '背包':2 '防水':1"
