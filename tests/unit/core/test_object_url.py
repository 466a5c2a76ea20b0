from __future__ import annotations

import pytest

from beholden.core.errors import UsageError
from beholden.core.object_url import ObjectPlace, is_object_url, parse_object_url


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("s3://records", "records", ""),
        ("s3://records/", "records", ""),
        ("s3://records/a", "records", "a/"),
        ("s3://records.eu-1/a/b=c/2026_x+y/", "records.eu-1", "a/b=c/2026_x+y/"),
    ],
)
def test_a_place_is_read_and_written_back(text, bucket, prefix):
    place = parse_object_url(text)
    assert place == ObjectPlace(bucket, prefix)
    assert place.url == text.rstrip("/")
    assert parse_object_url(place.url) == place


@pytest.mark.parametrize(
    "text",
    [
        "s3://", "s3:///a", "s3:/records/a", "S3://records/a", "s3://re cords/a", "s3://records//a", "s3://records/a//b",
        "s3://records/../b", "s3://records/./b", "s3://records/ä", "s3://AKIA:SECRET@records/a", "s3://records/a?SECRET=1",
        "s3://records/a\n", "s3://r/a",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_not_repeated(text):
    with pytest.raises(UsageError) as caught:
        parse_object_url(text)
    assert "SECRET" not in caught.value.line()


def test_what_is_meant_as_objects_is_known_by_its_scheme():
    assert is_object_url("s3://x")
    assert is_object_url("S3://x")
    assert not is_object_url("s3/x")
    assert not is_object_url("file:///s3://x")
