"""How often one may try: signing in is throttled by account and by network, in Redis, alike for all addresses."""
import pytest

from harness.deployment import PASSWORD, Deployment


@pytest.fixture(scope="module")
def site():
    with Deployment(settings={"CAUSERIE_LIMIT_FACTOR": "1"}) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh_limits(site):
    site.redis.cli("FLUSHALL")


def try_to_sign_in(site, email, password="pas la bonne"):
    return site.visitor().request("POST", "/tokens", {"email": email, "password": password, "label": "x"})


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


def test_the_pause_grows(site):
    for _ in range(5):
        try_to_sign_in(site, "personne@example.org")
    keys = [key for key in site.redis.cli("KEYS", "limit:sign_in:e*").split()]
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
