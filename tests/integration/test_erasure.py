"""
An account that is erased: closed at once, kept by the link in a mail as long as there is time, and then
nobody: no database, no cache and no list knows who it was.

The site is whole, with the delay that is the default; the time that passes is put into the row.
"""
import concurrent.futures
import html
import itertools
import re

import pytest
import redis

from harness.deployment import DATABASES, LEAD, PASSWORD, a_name, a_topic
from harness.pages import Browser, text_of
from harness.patience import eventually

NOBODY = "Membre supprimé"
CLOSING = "Votre compte va être effacé"


@pytest.fixture
def member(site):
    """Whose name no text has by chance."""
    return site.member(a_name("Partante Qzx"))


@pytest.fixture(scope="module")
def other(site):
    return site.member("Clément")


def close(member, **body):
    return member.post("/account/erase", {"password": PASSWORD, **body}, status=202)


def sql(site, database, text, *values):
    with site.database(database) as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else None


def let_the_time_pass(site, member):
    sql(site, "accounts", "UPDATE accounts SET closing_at = now() WHERE id = %s AND state = 'closing'", member.id)


def erase(site, member, **body):
    close(member, **body)
    let_the_time_pass(site, member)
    wait_for_erasure(site, member)


def wait_for_erasure(site, member):
    """Until whoever keeps something of the person has heard of it."""
    eventually(lambda: sql(site, "accounts", "SELECT 1 FROM accounts WHERE id = %s AND state = 'erased'", member.id))
    eventually(lambda: all(has_read_all_of_accounts(site, reader) for reader in ("topics", "comments", "notifications")))


def has_read_all_of_accounts(site, reader):
    (last,), = sql(site, "accounts", "SELECT last FROM outbox_head WHERE NOT EXISTS (SELECT FROM outbox WHERE seq IS NULL)") or [(-1,)]
    (seq,), = sql(site, reader, "SELECT seq FROM cursors WHERE source = 'accounts'")
    return seq == last


def link_in(mail):
    return next(url for url in mail.links() if "/compte/garder/" in url).rsplit("/", 1)[1]


def sign_in_status(site, member, password=PASSWORD):
    return site.visitor().request("POST", "/tokens", {"email": member.email, "password": password, "label": "x"}).status_code


# --- closed


def test_whoever_leaves_is_signed_out_everywhere_and_cannot_sign_in(site, member):
    browser, another = Browser(site).sign_in(member.email), site.sign_in(member.email)
    answer = close(member)
    assert set(answer) == {"erased_at"}
    assert member.request("GET", "/me").status_code == another.request("GET", "/me").status_code == 401
    assert not browser.is_signed_in()
    assert (sign_in_status(site, member), sign_in_status(site, member, "pas la bonne du tout")) == (403, 401)
    page = Browser(site).submit("/connexion", {"email": member.email, "password": PASSWORD})
    assert page.status_code == 403 and "Ce compte va être effacé" in text_of(page)


def test_the_mail_says_until_when_and_the_link_gives_everything_back(site, member, other, organizer):
    member.patch("/me", {"bio": "Une ligne à moi", "language": "en"})
    topic = site.open_topic(other, organizer, title="Un sujet que quelqu’un suit encore")
    comment = member.post(f"/topics/{topic['id']}/comments", {"body": "Je reste, finalement"})
    close(member)
    mail = site.mail.wait_for(member.email, subject="about to be erased")
    assert re.search(r"It will be erased on \d+ \w+ \d{4} at \d", mail.body())
    page = Browser(site).get(f"/compte/garder/{link_in(mail)}")
    assert page.status_code == 200 and "Garder mon compte" in text_of(page)
    assert sign_in_status(site, member) == 403, "a mail program opened the link"

    for _ in range(2):  # opened twice: harmless
        site.visitor().post("/account/keep", {"token": link_in(mail)}, status=204)
    again = site.sign_in(member.email)
    assert again.get("/me")["bio"] == "Une ligne à moi"
    assert again.get(f"/topics/{topic['id']}/follow")["level"] == "replies"
    let_the_time_pass(site, member)
    assert site.visitor().get(f"/comments/{comment['id']}")["author"]["display_name"] == again.account["display_name"]
    assert link_in(mail) not in site.log("gateway")


def test_the_link_of_an_erasure_that_was_taken_back_does_not_take_back_the_next(site, member):
    close(member)
    old = link_in(site.mail.wait_for(member.email, subject=CLOSING))
    site.visitor().post("/account/keep", {"token": old}, status=204)
    close(site.sign_in(member.email))
    new = link_in(site.mail.wait_for(member.email, subject=CLOSING, after=1))
    assert site.visitor().request("POST", "/account/keep", {"token": old}).status_code == 410
    site.visitor().post("/account/keep", {"token": new}, status=204)
    assert site.visitor().request("POST", "/account/keep", {"token": "inconnu"}).status_code == 404


def test_whoever_lost_the_mail_gets_the_link_again_in_place_of_one_for_a_password(site, member):
    close(member)
    site.visitor().post("/password/forgot", {"email": member.email}, status=202)
    token = link_in(site.mail.wait_for(member.email, subject=CLOSING, after=1))
    site.visitor().post("/account/keep", {"token": token}, status=204)
    assert not [mail for mail in site.mail.to(member.email) if "mot de passe" in mail.subject]
    site.sign_in(member.email)


def test_no_other_link_of_before_opens_a_closed_account(site, member):
    site.visitor().post("/password/forgot", {"email": member.email}, status=202)
    mail = site.mail.wait_for(member.email, subject="nouveau mot de passe")
    token = next(url for url in mail.links() if "/mot-de-passe/" in url).rsplit("/", 1)[1]
    close(member)
    answer = site.visitor().request("POST", "/password/reset", {"token": token, "password": "une tout autre phrase"})
    assert answer.status_code == 410


def test_a_wrong_password_closes_nothing_and_is_named_as_the_field_that_is_wrong(site, member):
    for password, reason in (("pas la bonne", "not_allowed"), ("", "missing")):
        answer = member.request("POST", "/account/erase", {"password": password})
        assert answer.status_code == 422 and answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"] == [{"field": "password", "reason": reason}]
    assert member.get("/me")["id"] == member.id
    assert not sql(site, "accounts", "SELECT 1 FROM mails WHERE account_id = %s AND purpose = 'account_closing'", member.id)


def test_asked_for_many_times_at_once_an_account_closes_once(site, member):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda key: member.request("POST", "/account/erase", {"password": PASSWORD}, key=key),
                                ["one", "one", "two", "three"]))
    statuses = [answer.status_code for answer in answers]
    assert 202 in statuses and set(statuses) <= {202, 401}, "who comes late has no session any more"
    assert len({answer.text for answer in answers if answer.status_code == 202}) == 1
    mails = sql(site, "accounts", "SELECT 1 FROM mails WHERE account_id = %s AND purpose = 'account_closing'", member.id)
    assert len(mails) == 1


def test_who_never_confirmed_their_address_goes_at_once(site):
    waiting = site.sign_in(site.sign_up(a_name()))
    page = Browser(site).sign_in(waiting.email).submit("/compte/effacer", {"password": PASSWORD})
    assert "Votre compte est effacé" in text_of(page)
    eventually(lambda: sql(site, "accounts", "SELECT 1 FROM accounts WHERE id = %s AND state = 'erased'", waiting.id))
    assert not [mail for mail in site.mail.to(waiting.email) if CLOSING in mail.subject]


# --- erased


def everything_with(site, word):
    """
    The tables that have the word anywhere in a row, and the keys of Redis. Three letters are not a word: one
    account in five hundred has them in the hash of its password.
    """
    found = []
    for database in DATABASES:
        tables = sql(site, database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for table, in tables:
            if sql(site, database, f"SELECT 1 FROM {table} AS r WHERE strpos(lower(r::text), lower(%s)) > 0 LIMIT 1", word):
                found.append(f"{database}.{table}")
    return found + redis_keys_with(site, word.encode())


def redis_keys_with(site, word):
    with redis.Redis(unix_socket_path=str(site.redis.socket)) as client:
        return [key for key in client.scan_iter() if word in key or word in (client.dump(key) or b"")]


def test_nothing_is_left_of_an_erased_member_but_texts_without_a_name(site, member, other, organizer):
    name, secret = member.account["display_name"], "Qzxbrouillon"
    member.patch("/me", {"bio": f"{secret} en une ligne", "organisation": f"{secret} et associés", "expertises": ["marketing"]})
    topic = site.open_topic(member, organizer, title="Un sujet dont la personne part un jour")
    draft = member.post("/topics", a_topic(title=f"Un brouillon : {secret}", lead=LEAD + secret, submit=False))
    comment = member.post(f"/topics/{topic['id']}/comments", {"body": "Mon propre avis"})
    own = member.post(f"/topics/{topic['id']}/comments", {"body": "Je me réponds", "parent_id": comment["id"]})
    answer = other.post(f"/topics/{topic['id']}/comments", {"body": "Je vous réponds", "parent_id": comment["id"]})
    member.put(f"/topics/{topic['id']}/opinion", {"value": 4, "reason": secret})
    member.put("/preferences", {"rhythm": "at_once", "local_hour": 8, "replies": True, "follows": True, "states": True})
    other.post(f"/comments/{comment['id']}/reports", {"reason": "Essai"})
    site.mail.wait_for(member.email, subject="Un sujet dont la personne part un jour")
    visitor = Browser(site)
    path = f"/sujets/{topic['id']}-{topic['slug']}"
    for page in (path, "/sujets"):
        assert name in visitor.get(page).text  # and is kept for the next visitor
    assert everything_with(site, name) and everything_with(site, member.email) and everything_with(site, secret)

    erase(site, member)
    for word in (name, member.email, secret):
        assert everything_with(site, word) == []
    assert sql(site, "comments", "SELECT 1 FROM comments WHERE %s IN (author_id, parent_author_id)", member.id) == []
    eventually(lambda: name not in visitor.get(path).text)
    for page in (path, "/sujets", f"/commentaires/{comment['id']}/historique"):
        text = visitor.get(page).text
        assert name not in text and NOBODY in html.unescape(text)
    people = [site.visitor().get(f"/topics/{topic['id']}")["proposer"]]
    people += [site.visitor().get(f"/comments/{one['id']}")["author"] for one in (comment, own)]
    assert people == [None, None, None]
    assert site.visitor().get(f"/comments/{answer['id']}")["body"] == "Je vous réponds"
    assert site.visitor().get(f"/topics/{topic['id']}/opinions")["counts"]["total"] == 0
    assert organizer.request("GET", f"/topics/{draft['id']}").status_code == 404
    assert sign_in_status(site, member) == 401
    for database, table in (("accounts", "sessions"), ("accounts", "mails"), ("notifications", "deliveries"),
                            ("notifications", "follows"), ("notifications", "preferences"), ("topics", "opinion_log")):
        assert sql(site, database, f"SELECT 1 FROM {table} WHERE account_id = %s", member.id) == [], table


def test_who_left_gets_no_mail_neither_while_it_can_be_taken_back_nor_later(site, member, other, organizer):
    topic = site.open_topic(member, organizer, title="Un sujet auquel on répond sans fin")
    comment = member.post(f"/topics/{topic['id']}/comments", {"body": "Qui me répond ?"})
    other.put(f"/topics/{topic['id']}/follow", {"level": "all"})
    third = site.member(a_name())

    def answered(number):
        said = third.post(f"/topics/{topic['id']}/comments", {"body": f"Réponse {number}", "parent_id": comment["id"]})
        eventually(lambda: [mail for mail in site.mail.to(other.email) if mail.message_id.startswith(f"<c.{said['id']}.")])  # of the same event

    def all_is_sent():
        left = "SELECT 1 FROM deliveries WHERE account_id = %s AND state IN ('queued', 'sending', 'deferred')"
        return not sql(site, "notifications", left, member.id)

    answered(1)
    site.mail.wait_for(member.email, subject="Un sujet auquel")
    eventually(all_is_sent)  # that it was opened is a mail of its own
    had = len(site.mail.to(member.email))
    close(member)
    site.mail.wait_for(member.email, subject=CLOSING)
    answered(2)
    let_the_time_pass(site, member)
    eventually(lambda: sql(site, "accounts", "SELECT 1 FROM accounts WHERE id = %s AND state = 'erased'", member.id))
    answered(3)
    eventually(all_is_sent)
    assert [mail.subject for mail in site.mail.to(member.email)[had:]] == [f"[Causerie] {CLOSING}"]


def test_an_address_and_a_name_are_free_again(site, member):
    name = member.account["display_name"]
    erase(site, member)
    answer = site.visitor().request("POST", "/accounts", {"email": member.email, "password": PASSWORD, "display_name": name,
                                                          "language": "fr"})
    assert answer.status_code == 202
    mail = site.mail.wait_for(member.email, subject="Confirmez votre adresse", after=1)
    site.visitor().post("/accounts/verify", {"token": next(url for url in mail.links() if "/verification/" in url).rsplit("/", 1)[1]},
                        status=204)
    new = site.sign_in(member.email)
    assert new.id != member.id and new.account["display_name"] == name


def test_the_recommender_counts_an_erased_member_no_longer_and_never_again(site, member, other, organizer):
    for title in ("Les abeilles des toits de la ville", "Ce que dit un silence à la radio", "Réparer plutôt que jeter"):
        site.open_topic(other, organizer, title=title)  # what two topics have in common counts where others have it not
    pair = [site.open_topic(member, organizer, title=title) for title in
            ("Des participants communs à deux émissions", "Deux émissions aux participants communs")]
    for topic, person in itertools.product(pair, [member] + [site.member(a_name()) for _ in range(2)]):
        person.post(f"/topics/{topic['id']}/comments", {"body": "Présent"})

    def took_part():
        """What is said of people who took part in both; None while the list is not there."""
        found = organizer.request("GET", f"/topics/{pair[0]['id']}/related", everything="true")
        items = {item["topic"]["id"]: item for item in found.json()["items"]} if found.ok else {}
        kinds = [part["kind"] for part in items.get(pair[1]["id"], {"parts": []})["parts"]]
        return sorted({"common_participants", "same_author"} & set(kinds)) if kinds else None

    eventually(lambda: took_part() == ["common_participants", "same_author"])
    erase(site, member)
    eventually(lambda: took_part() == [])
    for topic in pair:  # the recommender asks for them again
        edited = organizer.patch(f"/topics/{topic['id']}", {"version": topic["version"], "title": topic["title"] + ", revues"})
        assert edited["proposer"] is None
    eventually(lambda: "revues" in str(site.visitor().request("GET", f"/topics/{pair[0]['id']}/related").text))
    assert took_part() == []


def test_after_a_restore_an_erasure_is_repeated_and_does_nothing_twice(site, member, other, organizer):
    topic = site.open_topic(other, organizer, title="Un sujet sur lequel deux personnes ont un avis")
    for person in (member, other):
        person.put(f"/topics/{topic['id']}/opinion", {"value": 2})
        person.post(f"/topics/{topic['id']}/comments", {"body": "Moi aussi"})
    erase(site, member)
    before = site.visitor().get(f"/topics/{topic['id']}")
    sql(site, "accounts", "UPDATE accounts SET state = 'closing', email = 'restored', closing_at = now() WHERE id = %s", member.id)
    wait_for_erasure(site, member)
    after = site.visitor().get(f"/topics/{topic['id']}")
    assert before["counts"]["opinions"] == 1 and after["counts"] == before["counts"]
    assert [item["author"] is None for item in site.visitor().get(f"/topics/{topic['id']}/comments")["items"]] == [True, False]


# --- without their comments


def test_a_member_may_take_their_comments_along(site, member, other, organizer):
    topic = site.open_topic(other, organizer, title="Un sujet dont une voix s’en va")
    path, mark = f"/topics/{topic['id']}/comments", "Wvkparolesdites"

    def say(person, body, parent=None):
        return person.post(path, {"body": body, **({"parent_id": parent["id"]} if parent else {})})

    root = say(member, f"{mark}, premier mot")
    answer = say(other, "Une réponse qui reste", root)
    leaf = say(member, f"{mark}, dernier mot", answer)
    alone = say(member, f"{mark}, monologue")
    inner = say(member, f"{mark}, suite", alone)
    gone = say(other, "Retirée plus tard", inner)
    other.delete(f"/comments/{gone['id']}")
    leaf = member.patch(f"/comments/{leaf['id']}", {"version": leaf["version"], "body": f"{mark}, dernier mot, revu"})
    visitor = Browser(site)
    page = f"/sujets/{topic['id']}-{topic['slug']}"
    assert mark in visitor.get(page).text and everything_with(site, mark)

    erase(site, member, remove_comments=True)
    told = "SELECT type FROM outbox WHERE aggregate_type = 'account' AND aggregate_id = %s"
    eventually(lambda: sql(site, "comments", told, member.id) == [("account.forgotten",)])
    found = site.visitor().get(path)
    items = found["items"]
    assert found["total"] == 1
    assert [(item["id"], item["state"], item["author"], item["body"]) for item in items[:1]] == [(root["id"], "erased", None, "")]
    assert [item["id"] for item in items] == [root["id"], answer["id"]]
    assert site.visitor().request("GET", f"/comments/{alone['id']}").status_code == 404
    assert everything_with(site, mark) == []
    eventually(lambda: mark not in visitor.get(page).text)
    assert "effacée avec le compte" in text_of(visitor.get(page))
    eventually(lambda: site.visitor().get(f"/topics/{topic['id']}")["counts"]["comments"] == 1)
    other.delete(f"/comments/{answer['id']}")  # the last that stands takes the empty places with it
    assert site.visitor().get(path)["items"] == []


def test_an_erasure_that_fails_is_reported_and_tried_again(site, member):
    close(member)
    sql(site, "accounts", "ALTER TABLE accounts ADD CONSTRAINT nobody_goes CHECK (state <> 'erased') NOT VALID")
    try:
        let_the_time_pass(site, member)
        line = eventually(lambda: site.lines("accounts", "account.not_erased"))[0]
        assert line["sqlstate"] == "23514" and "look at the database" in line["do"]
    finally:
        sql(site, "accounts", "ALTER TABLE accounts DROP CONSTRAINT nobody_goes")
    wait_for_erasure(site, member)


# --- who organizes


def test_the_last_organizer_stays_and_is_told_why(site, organizer):
    others = sql(site, "accounts", "UPDATE accounts SET roles = 0 WHERE roles & 2 <> 0 AND id <> %s RETURNING id", organizer.id)
    try:
        answer = organizer.request("POST", "/account/erase", {"password": PASSWORD})
        assert answer.status_code == 403 and "organizer" in answer.json()["detail"]
        page = Browser(site).sign_in(organizer.email).submit("/compte/effacer", {"password": PASSWORD})
        assert page.status_code == 403 and "Sans vous, personne n’organiserait ce site" in text_of(page)
        assert organizer.get("/me")["id"] == organizer.id
    finally:
        for number, in others:
            sql(site, "accounts", "UPDATE accounts SET roles = 3 WHERE id = %s", number)


def test_of_the_last_two_organizers_who_leave_at_once_the_second_stays(site, organizer):
    before = sql(site, "accounts", "UPDATE accounts SET roles = 0 WHERE roles & 2 <> 0 RETURNING id")
    try:
        first, second = [site.organizer(a_name()) for _ in range(2)]
        first_leaves = site.database("accounts")
        first_leaves.autocommit = False
        first_leaves.cursor().execute("UPDATE accounts SET state = 'closing', closing_at = now() + interval '1 day' WHERE id = %s", (first.id,))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(second.request, "POST", "/account/erase", {"password": PASSWORD})
            eventually(lambda: answer.done() or sql(site, "accounts", "SELECT 1 FROM pg_locks WHERE NOT granted"))
            first_leaves.commit()
            assert answer.result().status_code == 403
    finally:
        for number, in before:
            sql(site, "accounts", "UPDATE accounts SET roles = 3 WHERE id = %s", number)


# --- the page


def test_the_page_says_what_goes_and_asks_for_the_password(site, member):
    browser = Browser(site).sign_in(member.email)
    assert "/compte/effacer" in browser.get("/compte").text
    page = text_of(browser.get("/compte/effacer"))
    assert "Ce qui disparaît" in page and NOBODY in page
    refused = browser.submit("/compte/effacer", {"password": "pas la bonne", "comments": "remove"})
    assert refused.status_code == 422 and "Ce n’est pas votre mot de passe." in text_of(refused)
    assert re.search(r'value="remove" checked', refused.text), "the choice was lost"
    assert browser.is_signed_in()
    done = browser.submit("/compte/effacer", {"password": PASSWORD})
    assert done.status_code == 200 and "Votre compte est fermé" in text_of(done)
    assert "session" not in browser.cookies and not browser.is_signed_in()
    token = link_in(site.mail.wait_for(member.email, subject=CLOSING))
    kept = Browser(site).submit(f"/compte/garder/{token}", {"token": token}, path="/compte/garder")
    assert kept.status_code == 200 and "Votre compte est gardé" in text_of(kept)
    site.sign_in(member.email)
    refused = Browser(site).submit(f"/compte/garder/{token}x", {"token": token + "x"}, path="/compte/garder")
    assert refused.status_code == 410
