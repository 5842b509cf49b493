"""
Who is signed in, for how long, and what others can do about it: nothing.

The site runs as in production: its address is https, two gateways share the door, limits have their
default values where a test is about them.
"""
import concurrent.futures
import hashlib
import re
import time

import pytest
import redis
import requests

from harness.deployment import PASSWORD, Deployment, a_name
from harness.pages import Browser
from harness.patience import eventually

SITE = "https://causerie.example"
NEW_PASSWORD = "une tout autre phrase"


@pytest.fixture(scope="module")
def site():
    with Deployment(scale={"gateway": 2}, settings={"CAUSERIE_PUBLIC_URL": SITE}) as running:
        running.add_expertises()
        yield running


@pytest.fixture(scope="module")
def ana(site):
    return site.member("Ana")


@pytest.fixture
def ben(site):
    """Somebody new, whose sessions a test may end."""
    return site.member(a_name())


def answered(site):
    """How many requests each gateway has answered."""
    counts = []
    for gateway in site.replicas("gateway"):
        lines = re.findall(r"causerie_gateway_answers_total\{[^}]*\} (\d+)", gateway.admin("/metrics").text)
        counts.append(sum(map(int, lines)))
    return counts


def ask_every_gateway(site, ask):
    """The set of what ask() gives, until each gateway has answered a few times."""
    before, found = answered(site), set()
    for _ in range(200):
        found.add(ask())
        if all(now >= then + 3 for now, then in zip(answered(site), before)):
            return found
    raise AssertionError("one gateway never got a request")


def token_status(site, token):
    return requests.get(f"{site.url}/api/v1/me", timeout=10,
                        headers={"Authorization": f"Bearer {token}", "Connection": "close"}).status_code


# --- ending sessions


def test_a_token_that_ended_is_dead_at_every_gateway_from_the_first_request_on(site, ben):
    other = site.sign_in(ben.email)
    assert ask_every_gateway(site, lambda: token_status(site, other.token)) == {200}
    mine = next(item["id"] for item in other.get("/tokens")["items"] if item["current"])
    other.delete(f"/tokens/{mine}")
    assert ask_every_gateway(site, lambda: token_status(site, other.token)) == {401}
    assert token_status(site, ben.token) == 200


def test_signing_out_ends_the_session_at_every_gateway_and_leaves_the_others(site, ben):
    here, there = Browser(site).sign_in(ben.email), Browser(site).sign_in(ben.email)
    stolen = Browser(site)
    stolen.cookies = dict(here.cookies)
    assert ask_every_gateway(site, stolen.is_signed_in) == {True}
    answer = here.submit("/compte", {}, path="/deconnexion")
    assert answer.status_code == 303
    assert "__Host-session" not in here.cookies
    cookies = dict(stolen.cookies)

    def try_the_old_cookie():
        stolen.cookies = dict(cookies)
        return stolen.is_signed_in()

    assert ask_every_gateway(site, try_the_old_cookie) == {False}
    assert there.is_signed_in()


def test_one_may_end_all_other_sessions(site, ben):
    here, there = Browser(site).sign_in(ben.email), Browser(site).sign_in(ben.email)
    assert here.submit("/compte", {}, path="/compte/sessions/fermer").status_code == 303
    assert ask_every_gateway(site, here.is_signed_in) == {True}
    assert not there.is_signed_in()
    assert token_status(site, ben.token) == 401


def test_a_change_of_password_ends_all_sessions_but_the_one_it_came_from(site, ben):
    here, there = Browser(site).sign_in(ben.email), Browser(site).sign_in(ben.email)
    answer = here.submit("/compte", {"current": PASSWORD, "password": NEW_PASSWORD}, path="/compte/mot-de-passe")
    assert answer.status_code == 303, answer.text
    assert ask_every_gateway(site, here.is_signed_in) == {True}
    assert not there.is_signed_in()
    assert ask_every_gateway(site, lambda: token_status(site, ben.token)) == {401}
    assert site.visitor().request("POST", "/tokens", {"email": ben.email, "password": PASSWORD,
                                                      "label": "x"}).status_code == 401
    assert token_status(site, site.sign_in(ben.email, NEW_PASSWORD).token) == 200
    site.mail.wait_for(ben.email, subject="Votre mot de passe a changé")


def test_a_change_of_password_needs_the_old_one(site, ana):
    here = Browser(site).sign_in(ana.email)
    answer = here.submit("/compte", {"current": "pas la bonne", "password": NEW_PASSWORD}, path="/compte/mot-de-passe")
    assert answer.status_code == 422
    assert token_status(site, ana.token) == 200
    site.sign_in(ana.email)


def reset_link(site, address):
    before = len([m for m in site.mail.to(address) if "nouveau mot de passe" in m.subject])
    site.visitor().post("/password/forgot", {"email": address}, status=202)
    links = site.mail.wait_for(address, subject="nouveau mot de passe", after=before).links()
    return next(url for url in links if "/mot-de-passe/" in url).rsplit("/", 1)[1]


def test_a_reset_ends_every_session_and_its_link_serves_once(site, ben):
    here = Browser(site).sign_in(ben.email)
    older, newer = reset_link(site, ben.email), reset_link(site, ben.email)
    visitor = Browser(site)
    answer = visitor.submit(f"/mot-de-passe/{newer}", {"token": newer, "password": NEW_PASSWORD},
                            path="/mot-de-passe/nouveau")
    assert answer.status_code == 303
    assert ask_every_gateway(site, lambda: token_status(site, ben.token)) == {401}
    assert not here.is_signed_in()
    for used in (newer, older):  # the older one is void, too
        again = site.visitor().request("POST", "/password/reset", {"token": used, "password": PASSWORD})
        assert again.status_code == 410
    site.sign_in(ben.email, NEW_PASSWORD)


def test_opening_a_reset_link_changes_nothing(site, ben):
    link = reset_link(site, ben.email)
    for _ in range(2):
        assert Browser(site).get(f"/mot-de-passe/{link}").status_code == 200
    assert token_status(site, ben.token) == 200
    site.visitor().post("/password/reset", {"token": link, "password": NEW_PASSWORD}, status=204)


def test_a_suspended_member_is_signed_out_within_the_minute_that_redis_remembers(site, ben):
    ben.get("/me")
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE accounts SET state = 'suspended' WHERE id = %s", (ben.id,))
    assert 0 < int(site.redis.cli("TTL", session_key(ben.token))) <= 60
    site.redis.cli("DEL", session_key(ben.token))  # the minute is over
    assert ask_every_gateway(site, lambda: token_status(site, ben.token)) == {401}


def session_key(token):
    return f"session:{hashlib.sha256(token.encode()).hexdigest()}"


# --- Redis


def test_a_flushed_redis_logs_nobody_out(site, ana):
    here = Browser(site).sign_in(ana.email)
    assert here.is_signed_in()
    site.redis.cli("FLUSHALL")
    assert ask_every_gateway(site, here.is_signed_in) == {True}
    assert token_status(site, ana.token) == 200


def test_an_ended_session_stays_dead_when_redis_forgets_everything(site, ana):
    here = Browser(site).sign_in(ana.email)
    cookies = dict(here.cookies)
    here.submit("/compte", {}, path="/deconnexion")
    for _ in range(2):
        site.redis.cli("FLUSHALL")
        here.cookies = dict(cookies)
        assert not here.is_signed_in()


def test_a_late_answer_cannot_put_an_ended_session_back(site, ben):
    """A gateway read the session before it ended and writes its copy afterwards: the place is taken."""
    ben.get("/me")
    key = session_key(ben.token)
    cache = redis.Redis(unix_socket_path=str(site.redis.socket))
    copy = cache.get(key)
    mine = next(item["id"] for item in ben.get("/tokens")["items"] if item["current"])
    ben.delete(f"/tokens/{mine}")
    cache.set(key, copy, ex=60, nx=True)  # as a gateway does
    assert site.redis.cli("GET", key) == "revoked"
    assert int(site.redis.cli("TTL", key)) > 60
    assert ask_every_gateway(site, lambda: token_status(site, ben.token)) == {401}


def test_an_ended_session_stays_dead_while_many_ask_for_it(site, ben):
    """Requests race with the end on an empty cache: none puts the session back for good."""
    for _ in range(5):
        other = site.sign_in(ben.email)
        mine = next(item["id"] for item in other.get("/tokens")["items"] if item["current"])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            site.redis.cli("DEL", session_key(other.token))
            asking = [pool.submit(token_status, site, other.token) for _ in range(12)]
            ending = pool.submit(other.delete, f"/tokens/{mine}")
            asking += [pool.submit(token_status, site, other.token) for _ in range(12)]
            ending.result()
            assert {asked.result() for asked in asking} <= {200, 401}
        assert {token_status(site, other.token) for _ in range(6)} == {401}


def test_without_redis_one_reads_and_writes_but_does_not_sign_in_and_all_heals(site, ana):
    topic = site.open_topic(ana, site.organizer(a_name()))
    here = Browser(site).sign_in(ana.email)
    site.redis.kill()
    try:
        for path in ("/", "/sujets", f"/sujets/{topic['id']}"):
            assert requests.get(site.url + path, timeout=10).status_code == 200
        assert here.is_signed_in()
        assert token_status(site, ana.token) == 200
        ana.post(f"/topics/{topic['id']}/comments", {"body": "Sans Redis"})

        refused = Browser(site)
        answer = refused.submit("/connexion", {"email": ana.email, "password": PASSWORD})
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "__Host-session" not in refused.cookies
        assert "Trop d’essais" not in answer.text  # it is not the visitor's fault
        assert "Les sessions ne répondent pas" in answer.text
        assert site.visitor().request("POST", "/tokens", {"email": ana.email, "password": PASSWORD,
                                                          "label": "x"}).status_code == 503
    finally:
        site.redis.start()
    eventually(lambda: all(signs_in(site, ana.email) for _ in range(6)))
    assert ask_every_gateway(site, here.is_signed_in) == {True}


def signs_in(site, address):
    answer = Browser(site).submit("/connexion", {"email": address, "password": PASSWORD})
    return answer.status_code == 303


# --- cookies


def test_the_session_cookie_is_locked_to_the_site(site, ana):
    browser = Browser(site).sign_in(ana.email)
    line = next(line for line in browser.set_cookies if line.startswith("__Host-session="))
    attributes = {part.strip() for part in line.split(";")[1:]}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
    assert not any(attribute.startswith("Domain") for attribute in attributes)
    assert len(browser.cookies["__Host-session"]) == 43  # 256 bits
    form = next(line for line in browser.set_cookies if line.startswith("__Host-form="))
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in form.split(";")[1:]}


def test_signing_in_makes_a_new_session_and_never_adopts_one(site, ana):
    planted = "A" * 43
    browser = Browser(site)
    browser.cookies["__Host-session"] = planted
    browser.sign_in(ana.email)
    first = browser.cookies["__Host-session"]
    assert first != planted
    second = Browser(site).sign_in(ana.email).cookies["__Host-session"]
    assert second != first


def test_a_session_is_no_token_and_a_token_no_session(site, ana):
    browser = Browser(site).sign_in(ana.email)
    assert token_status(site, browser.cookies["__Host-session"]) == 401
    browser.cookies["__Host-session"] = ana.token
    assert not browser.is_signed_in()


def test_only_hashes_of_sessions_are_stored(site, ana):
    browser = Browser(site).sign_in(ana.email)
    token = browser.cookies["__Host-session"]
    assert browser.is_signed_in()
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sessions s WHERE s::text LIKE %s", (f"%{token}%",))
        assert cursor.fetchone()[0] == 0
    assert not any(token in key for key in site.redis.cli("KEYS", "*").split())
    assert token not in site.logs() and PASSWORD not in site.logs()


# --- nobody learns who is a member


def without_ids(text):
    """A page or problem without what differs in any two of them."""
    return re.sub(r'name="(csrf|key)" value="[^"]*"|<code>[0-9a-f]{16}</code>|"instance":"[^"]*"', "", text)


def pages_alike(site, page, known, unknown, fields, path=None):
    answers = []
    for address in (known, unknown):
        answer = Browser(site).submit(page, {**fields, "email": address}, path)
        answers.append((answer.status_code, without_ids(answer.text).replace(address, "ADDRESS"),
                        sorted(name for name in answer.headers if name != "Date")))
    assert answers[0] == answers[1]
    return answers[0][0]


def test_signing_in_says_the_same_of_unknown_addresses(site, ana):
    assert pages_alike(site, "/connexion", ana.email, "inconnue@example.org", {"password": "pas la bonne"}) == 422


def test_asking_for_a_new_password_says_the_same_of_unknown_addresses(site, ana):
    assert pages_alike(site, "/mot-de-passe", ana.email, "inconnue2@example.org", {}) == 200
    site.mail.wait_for(ana.email, subject="nouveau mot de passe")
    assert site.mail.to("inconnue2@example.org") == []


def test_signing_up_says_the_same_of_taken_addresses_and_mails_their_owner(site, ben):
    fields = {"password": NEW_PASSWORD, "language": "fr"}
    answers = []
    for address, name in ((ben.email, a_name()), (f"neuve-{ben.id}@example.org", a_name())):
        answer = Browser(site).submit("/inscription", {**fields, "email": address, "name": name})
        answers.append((answer.status_code, without_ids(answer.text).replace(address, "ADDRESS").replace(name, "NAME")))
    assert answers[0] == answers[1]
    assert answers[0][0] in (200, 303)
    site.mail.wait_for(f"neuve-{ben.id}@example.org", subject="Confirmez")
    eventually(lambda: mail_was_decided(site, ben.id))
    site.sign_in(ben.email)  # the password is still the old one


def mail_was_decided(site, account_id):
    """One who just got a mail gets no second within the hour; else the owner is told."""
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mails WHERE account_id = %s", (account_id,))
        return cursor.fetchone()[0] >= 1


def test_the_owner_of_a_taken_address_is_told_once_an_hour(site, ben):
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE mails SET created_at = created_at - interval '2 hours' WHERE account_id = %s", (ben.id,))
    for _ in range(3):
        site.visitor().post("/accounts", {"email": ben.email.upper(), "password": NEW_PASSWORD,
                                          "display_name": a_name(), "language": "fr"}, status=202)
    site.mail.wait_for(ben.email, subject="Vous avez déjà un compte")
    time.sleep(1)
    assert len([m for m in site.mail.to(ben.email) if "déjà un compte" in m.subject]) == 1


# --- guessing


def test_failures_are_counted_for_all_gateways_and_outlive_them(site, ben):
    def try_to_sign_in(password):
        return requests.post(f"{site.url}/api/v1/tokens", headers={"Connection": "close"}, timeout=10,
                             json={"email": ben.email, "password": password, "label": "x"}).status_code

    assert [try_to_sign_in("pas la bonne") for _ in range(5)] == [401] * 5
    assert ask_every_gateway(site, lambda: try_to_sign_in(PASSWORD)) == {429}  # the right one, too
    for gateway in site.replicas("gateway"):
        gateway.crash()
    site.start("gateway")
    site.wait_ready()
    assert ask_every_gateway(site, lambda: try_to_sign_in(PASSWORD)) == {429}
    assert ask_every_gateway(site, lambda: token_status(site, ben.token)) == {200}  # who is in stays in


# --- other sites


FOREIGN = [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": SITE + ".evil.example"},
           {"Origin": SITE.replace("https", "http")}, {"Origin": None, "Sec-Fetch-Site": "cross-site"},
           {"Origin": None, "Sec-Fetch-Site": "same-site"}, {"Origin": None, "Referer": "https://evil.example/"},
           {"Origin": None}]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_form_from_another_site_does_nothing(site, ana, headers):
    browser = Browser(site).sign_in(ana.email)
    answer = browser.submit("/compte", {}, path="/deconnexion", headers=headers)
    assert answer.status_code == 403
    assert browser.is_signed_in()


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_cannot_sign_a_visitor_in(site, ana, headers):
    visitor = Browser(site)
    answer = visitor.submit("/connexion", {"email": ana.email, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "__Host-session" not in visitor.cookies


def test_a_form_without_its_token_does_nothing(site, ana):
    browser, stranger = Browser(site).sign_in(ana.email), Browser(site)
    token = stranger.form_token("/connexion")
    for fields in ({"other": "x"}, {"csrf": ""}, {"csrf": token}, {"csrf": "A" * 59},
                   {"csrf": Browser(site).sign_in(ana.email).form_token("/compte")}):
        assert browser.send("/deconnexion", fields).status_code == 403, fields
    assert browser.is_signed_in()


def test_a_visitors_token_is_bound_to_their_cookie(site, ana):
    visitor, other = Browser(site), Browser(site)
    visitor.form_token("/connexion")
    answer = visitor.send("/connexion", {"csrf": other.form_token("/connexion"), "email": ana.email,
                                         "password": PASSWORD})
    assert answer.status_code == 403


# --- where one goes afterwards


@pytest.mark.parametrize("next_path", ["/sujets", "/sujets/1-titre?autour=3", "/compte"])
def test_one_returns_to_where_one_came_from(site, ana, next_path):
    answer = Browser(site).submit("/connexion", {"email": ana.email, "password": PASSWORD, "next": next_path})
    assert (answer.status_code, answer.headers["Location"]) == (303, next_path)


@pytest.mark.parametrize("next_path", [
    "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example/", "\\\\evil.example",
    "/%2fevil.example", "/%5cevil.example", "javascript:alert(1)", "evil", "/a\r\nSet-Cookie: x=y", "/\t/evil.example",
    "/%2F%2Fevil", "/ /evil", "http://causerie.example",
    "/" + "a" * 2100], ids=lambda path: ascii(path[:40]))
def test_one_is_never_sent_to_another_site(site, ana, next_path):
    answer = Browser(site).submit("/connexion", {"email": ana.email, "password": PASSWORD, "next": next_path})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
