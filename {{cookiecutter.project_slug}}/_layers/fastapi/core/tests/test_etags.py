import pytest

from app.etags import etag, matches

TAG = etag(b"a body")


def test_an_etag_is_quoted_and_follows_the_body() -> None:
    assert TAG == etag(b"a body") != etag(b"another body")
    assert TAG.startswith('"')
    assert TAG.endswith('"')


@pytest.mark.parametrize("header", [TAG, "*", f'"x", {TAG}', f'"a,b",{TAG} , "c"', f'"x",{TAG},"y"'])
def test_a_tag_in_a_list_matches(header: str) -> None:
    assert matches(header, TAG)
    assert matches(header, TAG, weakly=True)


@pytest.mark.parametrize("header", ["", '"', "nonsense", '"x"', '"x", "y"', TAG.strip('"')])
def test_another_tag_does_not_match(header: str) -> None:
    assert not matches(header, TAG)
    assert not matches(header, TAG, weakly=True)


def test_a_weak_tag_matches_only_weakly() -> None:
    assert matches(f"W/{TAG}", TAG, weakly=True)
    assert not matches(f"W/{TAG}", TAG)
