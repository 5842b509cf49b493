"""How often one may try: signing in is throttled by account and by network, in Redis, alike for all addresses."""
import itertools

import pytest

from harness.deployment import PASSWORD, Deployment


@pytest.fixture(scope="module")
def site():
    with Deployment(settings={"CAUSERIE_LIMIT_FACTOR": "1", "CAUSERIE_TRUSTED_PROXIES": "127.0.0.1"}) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh_limits(site):
    site.redis.cli("FLUSHALL")


def try_to_sign_in(site, email, password="pas la bonne", network=None):
    headers = {"X-Forwarded-For": network} if network else {}
    return site.visitor().request("POST", "/tokens", {"email": email, "password": password, "label": "x"}, headers=headers)


def guess_from_many_networks(site, email, tries=100):
    """As many failures as the account takes from everywhere, five from each of as many networks as that needs."""
    for number, _ in itertools.product(range(tries // 5), range(5)):
        assert try_to_sign_in(site, email, network=f"198.51.100.{number}").status_code == 401


def test_five_failures_pause_the_account_whatever_the_password(site):
    member = site.member("Prudence")
    assert [try_to_sign_in(site, member.email).status_code for _ in range(5)] == [401] * 5
    refused = try_to_sign_in(site, member.email, PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 30
    assert member.get("/me")["id"] == member.id  # who is in stays in


def test_an_unknown_address_is_paused_alike(site):
    member = site.member("Quentin")
    answers = [[try_to_sign_in(site, email) for _ in range(6)] for email in (member.email, "personne@example.org")]
    assert [a.status_code for a in answers[0]] == [a.status_code for a in answers[1]]
    assert answers[0][5].content == answers[1][5].content


def test_case_does_not_give_more_tries(site):
    member = site.member("Rose")
    for i in range(5):
        try_to_sign_in(site, member.email.upper() if i % 2 else member.email)
    assert try_to_sign_in(site, member.email).status_code == 429


def test_a_right_password_forgets_the_failures(site):
    member = site.member("Sacha")
    for _ in range(3):
        assert [try_to_sign_in(site, member.email).status_code for _ in range(4)] == [401] * 4
        assert try_to_sign_in(site, member.email, PASSWORD).status_code == 201


def test_one_network_cannot_try_many_accounts(site):
    statuses = [try_to_sign_in(site, f"inconnue{i}@example.org").status_code for i in range(32)]
    assert statuses[:30] == [401] * 30
    assert statuses[31] == 429


def test_a_strangers_failures_do_not_keep_the_owner_out(site):
    member = site.member("Ursule")
    statuses = [try_to_sign_in(site, member.email, network="203.0.113.7").status_code for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert try_to_sign_in(site, member.email, PASSWORD, network="203.0.113.7").status_code == 429, "guessed, and refused all the same"
    assert try_to_sign_in(site, member.email, PASSWORD).status_code == 201
    assert try_to_sign_in(site, member.email, PASSWORD, network="203.0.113.7").status_code == 429, "the owner opened their own door only"


def test_a_neighbour_in_the_same_ipv6_network_is_the_same_guesser(site):
    member = site.member("Ulrich")
    for number in range(5):
        try_to_sign_in(site, member.email, network=f"2001:db8:1:2::{number + 1}")
    assert try_to_sign_in(site, member.email, network="2001:db8:1:2:ffff::1").status_code == 429
    assert try_to_sign_in(site, member.email, network="2001:db8:1:3::1").status_code == 401


def test_many_networks_against_one_account_are_stopped_but_not_the_one_its_owner_came_from(site):
    member = site.member("Victor")
    assert try_to_sign_in(site, member.email, PASSWORD, network="192.0.2.1").status_code == 201
    guess_from_many_networks(site, member.email)
    for password in ("pas la bonne", PASSWORD):
        assert try_to_sign_in(site, member.email, password, network="198.51.100.200").status_code == 429
    assert try_to_sign_in(site, member.email, PASSWORD, network="192.0.2.1").status_code == 201
    assert try_to_sign_in(site, member.email, network="198.51.100.201").status_code == 429, "the owner's success forgets no guesses"
    for _ in range(5):
        try_to_sign_in(site, member.email, network="192.0.2.1")
    assert try_to_sign_in(site, member.email, PASSWORD, network="192.0.2.1").status_code == 429, "known is not unlimited"


def test_an_unknown_address_is_paused_alike_from_many_networks(site):
    member = site.member("Violette")
    site.redis.cli("FLUSHALL")  # whom it knows, too
    answers = []
    for email in (member.email, "personne@example.org"):
        guess_from_many_networks(site, email)
        site.redis.cli("EVAL", "for _, key in ipairs(redis.call('KEYS', 'limit:sign_in:[np]*')) do redis.call('DEL', key) end", "0")
        refused = try_to_sign_in(site, email, network="198.51.100.200")
        answers.append((refused.status_code, refused.content))
    assert answers[0] == answers[1] and answers[0][0] == 429


def test_redis_learns_neither_addresses_nor_who_signed_in_from_where(site):
    member = site.member("Wanda")
    try_to_sign_in(site, member.email, PASSWORD, network="192.0.2.77")
    try_to_sign_in(site, member.email, network="192.0.2.77")
    keys = site.redis.cli("KEYS", "limit:*").split()
    assert not any(member.email in key or "192.0.2.77" in key for key in keys if ":n" not in key)
    known = [key for key in keys if key.startswith("limit:known:")]
    assert known and all(0 < int(site.redis.cli("TTL", key)) <= 90 * 86400 for key in known)


def test_the_pause_grows(site):
    for _ in range(5):
        try_to_sign_in(site, "personne@example.org")
    keys = [key for key in site.redis.cli("KEYS", "limit:sign_in:p*").split()]
    assert len(keys) == 1
    site.redis.cli("HSET", keys[0], "till", "0")  # half a minute later
    try_to_sign_in(site, "personne@example.org")
    assert 30 < int(try_to_sign_in(site, "personne@example.org").headers["Retry-After"]) <= 60


def test_writes_tell_what_is_left(site):
    member = site.member("Tom")
    first, second = (member.request("PATCH", "/me", {"bio": bio}) for bio in ("Une", "Deux"))
    assert int(first.headers["RateLimit-Limit"]) == 60
    assert int(second.headers["RateLimit-Remaining"]) == int(first.headers["RateLimit-Remaining"]) - 1
    assert 0 < int(second.headers["RateLimit-Reset"]) <= 60
    for _ in range(60):
        last = member.request("PATCH", "/me", {"bio": "Encore"})
        if last.status_code == 429:
            break
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 0
    assert member.get("/me")["id"] == member.id  # reading goes on


def test_forgotten_passwords_mail_three_times_an_hour_and_never_say_so(site):
    member = site.member("Ulysse")
    before = len(site.mail.to(member.email))
    answers = [site.visitor().request("POST", "/password/forgot", {"email": member.email}) for _ in range(6)]
    answers.append(site.visitor().request("POST", "/password/forgot", {"email": "personne@example.org"}))
    assert {(a.status_code, a.content) for a in answers} == {(202, b"")}
    site.mail.wait_for(member.email, after=before)
    assert len(site.mail.to(member.email)) - before <= 3
