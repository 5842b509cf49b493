"""Threads: what is deleted, edited, hidden and read in pages while others write."""
import concurrent.futures
import random
import re

import pytest

from harness.deployment import Deployment
from harness.pages import Browser
from harness.patience import eventually

INSERTED, DELETED, STANDING = 300, 50, 120


@pytest.fixture
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer)["id"]


def post(member, topic, body, parent=None, status=201):
    return member.post(f"/topics/{topic}/comments", {"body": body, **({"parent_id": parent["id"]} if parent else {})},
                       status=status)


def thread(member, topic, **query):
    return member.get(f"/topics/{topic}/comments", **query)


def ids(page):
    return [item["id"] for item in page["items"]]


def walk(member, topic, limit, pause=lambda: None):
    """Every page, until there is none."""
    found, cursor = [], None
    while True:
        page = thread(member, topic, limit=limit, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
        pause()


# --- tombstones


def test_what_was_answered_keeps_its_place_without_text_or_author(site, topic, ana, ben):
    first = post(ana, topic, "Je regrette déjà.")
    answer = post(ben, topic, "Pas moi.", first)
    ana.delete(f"/comments/{first['id']}")
    page = thread(site.visitor(), topic)
    assert ids(page) == [first["id"], answer["id"]]
    stone = page["items"][0]
    assert (stone["state"], stone["body"], stone["author"]) == ("deleted", "", None)
    assert page["total"] == 1
    html = Browser(site).get(Browser(site).get(f"/sujets/{topic}").headers["Location"]).text
    assert f'id="c{first["id"]}"' in html and "Je regrette déjà." not in html  # its permalink lives


def test_what_nobody_answered_disappears(site, topic, ana):
    gone = post(ana, topic, "Oubliez.")
    stays = post(ana, topic, "Retenez.")
    ana.delete(f"/comments/{gone['id']}")
    page = thread(site.visitor(), topic)
    assert ids(page) == [stays["id"]] and page["total"] == 1
    assert site.visitor().request("GET", f"/comments/{gone['id']}").status_code == 404


def test_a_tombstone_goes_with_its_last_answer(site, topic, ana, ben):
    first = post(ana, topic, "Un")
    answer = post(ben, topic, "Deux", first)
    ana.delete(f"/comments/{first['id']}")
    ben.delete(f"/comments/{answer['id']}")
    page = thread(site.visitor(), topic)
    assert (ids(page), page["total"]) == ([], 0)


def test_a_chain_of_tombstones_goes_when_its_end_goes(site, topic, ana, ben):
    chain = [post(ana, topic, "Zéro")]
    for n in range(3):
        chain.append(post(ana, topic, f"Maillon {n}", chain[-1]))
    for comment in chain[:-1]:
        ana.delete(f"/comments/{comment['id']}")
    assert ids(thread(site.visitor(), topic)) == [comment["id"] for comment in chain]
    ana.delete(f"/comments/{chain[-1]['id']}")
    assert ids(thread(site.visitor(), topic)) == []


def test_deleting_twice_is_a_success_and_counts_once(site, topic, ana, ben):
    comments = [post(ana, topic, f"Numéro {n}") for n in range(3)]
    for _ in range(2):
        ana.delete(f"/comments/{comments[0]['id']}")
    assert thread(ben, topic)["total"] == 2


def test_nothing_is_answered_that_is_gone(topic, ana, ben):
    first = post(ana, topic, "Un")
    post(ben, topic, "Deux", first)
    ana.delete(f"/comments/{first['id']}")
    assert ben.request("POST", f"/topics/{topic}/comments", {"body": "Trois", "parent_id": first["id"]}).status_code == 422


def test_an_answer_belongs_to_the_topic_of_what_it_answers(site, topic, ana, organizer):
    elsewhere = post(ana, site.open_topic(ana, organizer)["id"], "Ailleurs")
    answer = ana.request("POST", f"/topics/{topic}/comments", {"body": "Ici", "parent_id": elsewhere["id"]})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "parent_id", "reason": "not_allowed"}]


def test_the_topic_counts_what_is_visible(site, topic, ana, ben):
    comments = [post(ana, topic, f"Numéro {n}") for n in range(4)]
    ana.delete(f"/comments/{comments[0]['id']}")
    eventually(lambda: site.visitor().get(f"/topics/{topic}")["counts"]["comments"] == 3)
    assert thread(ben, topic)["total"] == 3


# --- edits


def test_an_early_edit_is_silent_and_a_late_one_is_shown(site, topic, ana):
    early, late = post(ana, topic, "Avant"), post(ana, topic, "Avant")
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE comments SET created_at = created_at - interval '16 minutes' WHERE id = %s", (late["id"],))
    for comment in (early, late):
        ana.patch(f"/comments/{comment['id']}", {"version": 1, "body": "Après"})
    assert ana.get(f"/comments/{early['id']}")["edited_at"] is None
    assert ana.get(f"/comments/{late['id']}")["edited_at"] is not None


def test_every_version_is_kept_and_public(site, topic, ana):
    comment = post(ana, topic, "Un")
    for version, body in ((1, "Deux"), (2, "Trois")):
        comment = ana.patch(f"/comments/{comment['id']}", {"version": version, "body": body})
    history = site.visitor().get(f"/comments/{comment['id']}/history")["items"]
    assert [(revision["version"], revision["body"]) for revision in history] == [(1, "Un"), (2, "Deux"), (3, "Trois")]


def test_of_two_edits_at_once_one_conflicts_and_has_both_texts(topic, ana):
    comment = post(ana, topic, "Version de départ")
    texts = [f"Version de la fenêtre {n}" for n in range(6)]

    def edit(text):
        return ana.request("PATCH", f"/comments/{comment['id']}", {"version": comment["version"], "body": text})

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(edit, texts))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    winner = next(answer.json()["body"] for answer in answers if answer.status_code == 200)
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["current"]["body"] == winner
            assert answer.json()["current"]["version"] == comment["version"] + 1
    assert ana.get(f"/comments/{comment['id']}")["body"] == winner


def test_the_page_of_a_conflict_shows_both_texts(site, topic, ana):
    comment = post(ana, topic, "Version de départ")
    browser = Browser(site).sign_in(ana.email)
    path = f"/commentaires/{comment['id']}/modifier"
    page = browser.get(path).text
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    ana.patch(f"/comments/{comment['id']}", {"version": comment["version"], "body": "Écrit ailleurs entre-temps"})
    answer = browser.submit(path, {"version": version, "text": "Écrit dans cette fenêtre", "action": "publish"})
    assert answer.status_code == 409
    assert "Écrit ailleurs" in re.sub(r"<[^>]+>", "", answer.text)
    assert "Écrit dans cette fenêtre" in answer.text


# --- moderation


def test_what_is_hidden_is_counted_nowhere_and_comes_back_whole(site, topic, ana, ben, organizer):
    comment = post(ana, topic, "Discutable")
    moderate = f"/comments/{comment['id']}/moderation"
    assert organizer.request("POST", moderate, {"action": "hide"}).status_code == 422  # a reason is owed
    organizer.post(moderate, {"action": "hide", "reason": "Hors sujet"}, status=200)
    assert (ids(thread(ben, topic)), thread(ben, topic)["total"]) == ([], 0)
    assert ana.get(f"/comments/{comment['id']}")["moderation_reason"] == "Hors sujet"
    eventually(lambda: site.visitor().get(f"/topics/{topic}")["counts"]["comments"] == 0)
    assert organizer.request("POST", moderate, {"action": "hide", "reason": "Encore"}).status_code in (200, 409)
    organizer.post(moderate, {"action": "restore"}, status=200)
    back = thread(ben, topic)
    assert (back["items"][0]["body"], back["total"]) == ("Discutable", 1)
    eventually(lambda: site.visitor().get(f"/topics/{topic}")["counts"]["comments"] == 1)


def test_a_report_counts_once_a_person_and_reaches_the_moderators(site, topic, ana, ben, organizer):
    comment = post(ana, topic, "À signaler")
    for reason in ("Publicité", "Vraiment de la publicité"):
        ben.post(f"/comments/{comment['id']}/reports", {"reason": reason})
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT account_id, reason FROM reports WHERE comment_id = %s", (comment["id"],))
        assert cursor.fetchall() == [(int(ben.id), "Vraiment de la publicité")]
    organizer.post(f"/comments/{comment['id']}/moderation", {"action": "dismiss_reports"}, status=200)
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reports WHERE comment_id = %s AND resolved_at IS NULL", (comment["id"],))
        assert cursor.fetchone()[0] == 0
    assert ana.get(f"/comments/{comment['id']}")["state"] == "visible"


def test_every_act_of_moderation_leaves_a_line(site, topic, ana, organizer):
    comment = post(ana, topic, "Sous surveillance")
    for action in ({"action": "hide", "reason": "Un"}, {"action": "restore"}, {"action": "mark_spam"}):
        organizer.post(f"/comments/{comment['id']}/moderation", action, status=200)
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT action, moderator_id FROM moderation_log WHERE comment_id = %s ORDER BY id", (comment["id"],))
        assert cursor.fetchall() == [(action, int(organizer.id)) for action in ("hide", "restore", "mark_spam")]


# --- pages of a thread


def test_every_comment_that_stood_throughout_is_seen_once_while_others_come_and_go(site, topic, ana, ben):
    """300 are inserted and 50 deleted while four readers walk; all at once and again at the end."""
    chance = random.Random(3)
    standing = [post(ana, topic, f"Debout {n}") for n in range(STANDING)]
    doomed = [post(ana, topic, f"Condamné {n}") for n in range(DELETED)]
    roots = list(standing)

    def insert(n):
        return post(ben, topic, f"Nouveau {n}", chance.choice(roots) if n % 2 else None)

    def read(limit):
        return walk(site.visitor(), topic, limit)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read, limit) for limit in (7, 20)]
        writers = [pool.submit(insert, n) for n in range(INSERTED)]
        writers += [pool.submit(ana.request, "DELETE", f"/comments/{comment['id']}") for comment in doomed]
        readers += [pool.submit(read, limit) for limit in (3, 11, 50)]
        walks = [[item["id"] for item in reader.result()] for reader in readers]
        inserted = [written.result()["id"] for written in writers[:INSERTED]]
        assert {written.result().status_code for written in writers[INSERTED:]} == {204}

    for walked in walks:
        assert len(walked) == len(set(walked)), "something was seen twice"
        missing = {comment["id"] for comment in standing} - set(walked)
        assert not missing, f"{len(missing)} that stood throughout were not seen"
    final = [item["id"] for item in walk(site.visitor(), topic, 100)]
    assert set(final) == {comment["id"] for comment in standing} | set(inserted)
    assert len(final) == len(set(final)) == thread(ana, topic)["total"]


def test_a_thread_is_in_order_with_answers_behind_what_they_answer(site, topic, ana):
    first, second = post(ana, topic, "Premier"), post(ana, topic, "Deuxième")
    late = post(ana, topic, "Réponse au premier", first)
    deep = post(ana, topic, "Réponse à la réponse", late)
    assert ids(thread(ana, topic)) == [first["id"], late["id"], deep["id"], second["id"]]
    assert [item["depth"] for item in thread(ana, topic)["items"]] == [0, 1, 2, 0]


def test_a_page_around_a_comment_holds_it(site, topic, ana):
    comments = [post(ana, topic, f"Numéro {n}") for n in range(30)]
    for comment in (comments[0], comments[17], comments[-1]):
        assert comment["id"] in ids(thread(ana, topic, around_id=comment["id"], limit=5))


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c[:-1] + ("A" if c[-1] != "A" else "B"), lambda c: "x",
                                    lambda c: c[::-1], lambda c: c + "AAAA"], ids=range(5))
def test_a_cursor_that_was_tampered_with_is_refused(topic, ana, change):
    for n in range(3):
        post(ana, topic, f"Numéro {n}")
    cursor = thread(ana, topic, limit=1)["next_cursor"]
    answer = ana.request("GET", f"/topics/{topic}/comments", cursor=change(cursor), limit=1)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "cursor", "reason": "malformed"}]


def test_a_cursor_is_for_its_own_list(site, topic, ana, organizer):
    for n in range(3):
        post(ana, topic, f"Numéro {n}")
    cursor = thread(ana, topic, limit=1)["next_cursor"]
    other = site.open_topic(ana, organizer)["id"]
    assert ana.request("GET", f"/topics/{other}/comments", cursor=cursor).status_code == 422


# --- what is written


@pytest.mark.parametrize("body, status", [("", 422), (" ", 422), ("x", 422), ("ok", 201), ("é" * 5000, 201), ("é" * 5001, 422),
                                          ("\u200b\u200b", 422), (" \n\t ", 422), ("🎬" * 5000, 201)], ids=range(9))
def test_a_comment_has_between_2_and_5000_characters(topic, ana, body, status):
    assert ana.request("POST", f"/topics/{topic}/comments", {"body": body}).status_code == status


def test_text_is_kept_in_nfc(topic, ana):
    assert post(ana, topic, "Cafe\u0301 crème")["body"] == "Café crème"


# --- rates


RATE, CONNECTIONS = 10, 4  # what one statement does not see of another: as many as run at once


def test_a_member_may_post_so_many_a_minute():
    with Deployment(settings={"CAUSERIE_COMMENTS_RATE": str(RATE)}) as strict:
        strict.add_expertises()
        fast = strict.member("Rapide")
        topic = strict.open_topic(fast, strict.organizer())["id"]
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            statuses = list(pool.map(lambda n: fast.request("POST", f"/topics/{topic}/comments",
                                                            {"body": f"Vite {n}"}).status_code, range(20)))
        assert set(statuses) <= {201, 429}
        assert RATE <= statuses.count(201) < RATE + CONNECTIONS
        refused = fast.request("POST", f"/topics/{topic}/comments", {"body": "Encore"})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        slow = strict.member("Tranquille")
        assert slow.request("POST", f"/topics/{topic}/comments", {"body": "Moi aussi"}).status_code == 201
