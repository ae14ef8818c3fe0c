"""Which tags are taken for the same, and which are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagmanager.inventory.similar_tags import similar_groups


@pytest.mark.parametrize(
    "tags",
    [
        ["billing_issue", "bill-issue", "billingissue"],
        ["billing_issue", "issue_billing"],
        ["refund", "refunds"],
        ["delivery", "deliveries"],
        ["ship", "shipping"],
        ["recieved", "received"],
        ["cancelled", "canceled", "cancel"],
        ["tier_1", "tier1", "tier-1"],
        ["größe_prüfen", "grosse-prufen"],
        ["billing_issues", "billingissue"],
    ],
)
def test_spellings_of_the_same_words_are_one_group(tags: list[str]) -> None:
    assert similar_groups(["apart", *tags, "else"]) == [tags]


@pytest.mark.parametrize(
    "tags",
    [
        ["tier_1", "tier_2"],
        ["2024_q1", "2024_q2"],
        ["1_12", "11_2"],
        ["team_a", "team_b", "team_c"],
        ["product_a", "product_b"],
        ["resolved", "unresolved"],
        ["active", "inactive"],
        ["tuesday", "thursday"],
        ["first_reply_sent", "first_reply_seen"],
        ["team_jan", "team_jun"],
        ["chat", "chatbot"],
        ["german", "germany"],
        ["vip", "vip_gold"],
        ["日本語", "日本"],
        ["1", "2"],
        ["-", "_"],
    ],
)
def test_different_tags_stay_in_different_groups(tags: list[str]) -> None:
    assert similar_groups(tags) == []


@given(st.lists(st.text(alphabet="abing12_-:é日", max_size=12)))
def test_every_tag_is_in_at_most_one_group_and_none_is_invented(tags: list[str]) -> None:
    found = similar_groups(tags)
    together = [tag for group in found for tag in group]
    assert len(together) == len(set(together))
    assert set(together) <= set(tags)
    assert [group for group in found if len(group) < 2] == []
    assert sorted(map(sorted, similar_groups(tags[::-1]))) == sorted(map(sorted, found))
