"""A topic's life, address, opinions and place in lists, by everybody who takes part."""
import concurrent.futures
import itertools
import re

import pytest
import requests

from harness.deployment import ROOT, a_topic
from harness.patience import eventually

REASON = "Une raison publique assez longue pour dire quelque chose."
RECORDING = {"place_name": "Studios", "starts_at": "2030-05-01T18:00:00Z", "ends_at": "2030-05-01T19:30:00Z",
             "time_zone": "Europe/Paris"}
VIDEO = {"url": "https://video.example/1", "duration_seconds": 3000, "no_captions_reason": "Elles arrivent."}


@pytest.fixture(scope="module")
def moderator(site):
    return site.officer("moderator", "Modératrice")


@pytest.fixture(scope="module")
def crowd(site):
    return [site.member(f"Membre {name}") for name in ("Alpha", "Bravo", "Delta", "Golf", "Kilo")]


# --- the lifecycle, as its table in the code says


SOURCE = (ROOT / "services" / "topics" / "lifecycle.c").read_text()
STATES = [name.lower() for name in re.findall(r"\[(\w+)\] = \{\"\w+\"", SOURCE)]
TRANSITIONS = {(one.lower(), to.lower()): by for one, to, by in re.findall(r"\{(\w+), (\w+), (THE_PROPOSER|AN_ORGANIZER)\}", SOURCE)}
EVERYBODY = {"proposer", "organizer", "moderator", "member"}
SEE = {"draft": {"proposer"}, "proposed": {"proposer", "organizer"}, "withdrawn": {"proposer", "organizer"}}  # had it been open
MOVES = {"THE_PROPOSER": "proposer", "AN_ORGANIZER": "organizer"}


def test_the_table_of_the_code_was_read():
    assert len(STATES) == 13 and len(TRANSITIONS) == SOURCE.count("AN_ORGANIZER}") + SOURCE.count("THE_PROPOSER}") > 20


@pytest.fixture(scope="module")
def stage(site, ana, organizer, moderator, crowd):
    """People by their part, and a topic that can be put into any state."""
    people = {"proposer": ana, "organizer": organizer, "moderator": moderator, "member": crowd[0]}
    topic = ana.post("/topics", a_topic(title="Celui qui passe par tous les états"))
    return people, topic["id"], site.open_topic(ana, organizer, title="Celui où l’on réunit")["id"]


@pytest.fixture(scope="module")
def put(site):
    """Puts a topic into a state as if from open; the version that it then has. What is merged is so into itself, which serves here."""
    connection = site.database("topics")
    connection.autocommit = True

    def into(topic, state):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM videos WHERE topic_id = %s", (topic,))
            cursor.execute("UPDATE topics SET state = 'open', target_id = NULL WHERE id = %s", (topic,))
            cursor.execute("UPDATE topics SET state = %s, target_id = %s WHERE id = %s RETURNING version",
                           (state, topic if state == "merged" else None, topic))
            return cursor.fetchone()[0]

    yield into
    connection.close()


def what_it_needs(to, target):
    needs = {"declined": {"reason": REASON}, "cancelled": {"reason": REASON}, "scheduled": {"recording": RECORDING},
             "published": {"video": VIDEO}, "merged": {"target_id": target}}
    return needs.get(to, {})


@pytest.mark.parametrize("state", sorted(STATES))
def test_from_each_state_each_person_may_go_where_the_table_says(stage, put, state):
    people, topic, target = stage
    for to, (part, person) in itertools.product(sorted(STATES), people.items()):
        version = put(topic, state)
        answer = person.request("POST", f"/topics/{topic}/transitions",
                                {"to": to, "version": version, **what_it_needs(to, target)})
        if part not in SEE.get(state, EVERYBODY):
            expected = 404
        elif MOVES.get(TRANSITIONS.get((state, to))) == part:
            expected = (200, 404)  # one may lose sight of what one has moved
        else:
            expected = 403
        assert answer.status_code in (expected if isinstance(expected, tuple) else (expected,)), \
            f"{part}: {state} to {to}: {answer.status_code} {answer.text}"
        moved = put(topic, state) != version
        assert moved == isinstance(expected, tuple), f"{part}: {state} to {to}"


@pytest.mark.parametrize("state", sorted(STATES))
def test_each_person_is_told_where_they_may_go(stage, put, state):
    people, topic, _ = stage
    put(topic, state)
    for part, person in people.items():
        answer = person.request("GET", f"/topics/{topic}")
        if part not in SEE.get(state, EVERYBODY):
            assert answer.status_code == 404
            continue
        mine = {to for (one, to), by in TRANSITIONS.items() if one == state and MOVES[by] == part}
        assert set(answer.json()["may_become"]) == mine, part


@pytest.mark.parametrize("to, wrong, field", [
    ("declined", {}, "reason"), ("declined", {"reason": "Trop court."}, "reason"),
    ("declined", {"reason": REASON, "reason_private": True}, "reason"), ("merged", {}, "target_id"),
    ("merged", {"target_id": "999999"}, "target_id"), ("shortlisted", {"target_id": "1"}, "target_id")], ids=range(6))
def test_a_transition_without_what_it_needs_is_refused(stage, put, organizer, to, wrong, field):
    _, topic, _ = stage
    version = put(topic, "open")
    answer = organizer.request("POST", f"/topics/{topic}/transitions", {"to": to, "version": version, **wrong})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert put(topic, "open") == version


@pytest.mark.parametrize("wrong", [{}, {"place_name": ""}, {"ends_at": "2030-05-01T17:00:00Z"}, {"time_zone": "Mars/Base"}], ids=range(4))
def test_a_recording_needs_place_times_and_zone(stage, put, organizer, wrong):
    _, topic, _ = stage
    version = put(topic, "shortlisted")
    recording = {"recording": {**RECORDING, **wrong}} if wrong else {}
    answer = organizer.request("POST", f"/topics/{topic}/transitions", {"to": "scheduled", "version": version, **recording})
    assert answer.status_code == 422


def test_of_transitions_at_once_one_is_made_and_the_others_see_it(site, ana, organizer):
    topic = site.open_topic(ana, organizer)

    def move(to):
        return organizer.request("POST", f"/topics/{topic['id']}/transitions",
                                 {"to": to, "version": topic["version"], "reason": REASON})

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(move, ["shortlisted", "declined"] * 3))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    made = next(answer.json()["state"] for answer in answers if answer.status_code == 200)
    assert {answer.json()["current"]["state"] for answer in answers if answer.status_code == 409} == {made}


def test_the_history_is_public_but_for_private_reasons(site, ana, organizer):
    topic = site.open_topic(ana, organizer)
    for to, more in (("shortlisted", {}), ("scheduled", {"recording": RECORDING}), ("recorded", {}),
                     ("not_aired", {"reason": "Une invitée a retiré son accord.", "reason_private": True})):
        topic = organizer.post(f"/topics/{topic['id']}/transitions", {"to": to, "version": topic["version"], **more}, status=200)
    for person, reason in ((site.visitor(), ""), (ana, ""), (organizer, "Une invitée a retiré son accord.")):
        history = person.get(f"/topics/{topic['id']}/history")["items"]
        assert [entry["to"] for entry in history] == ["proposed", "open", "shortlisted", "scheduled", "recorded", "not_aired"]
        assert history[-1]["reason"] == reason
    assert "retiré son accord" not in site.visitor().request("GET", f"/topics/{topic['id']}").text


def test_a_private_address_is_for_organizers(site, ana, organizer):
    topic = site.open_topic(ana, organizer)
    topic = organizer.post(f"/topics/{topic['id']}/transitions", {"to": "shortlisted", "version": topic["version"]}, status=200)
    recording = {**RECORDING, "address": "12 rue Secrète", "address_private": True}
    organizer.post(f"/topics/{topic['id']}/transitions",
                   {"to": "scheduled", "version": topic["version"], "recording": recording}, status=200)
    assert organizer.get(f"/topics/{topic['id']}")["recording"]["address"] == "12 rue Secrète"
    for person in (site.visitor(), ana):
        assert "Secrète" not in person.request("GET", f"/topics/{topic['id']}").text
    page = requests.get(f"{site.url}/sujets/{topic['id']}", timeout=10)
    assert page.status_code == 200 and "Studios" in page.text and "Secrète" not in page.text


# --- addresses


def at(site, path):
    answer = requests.get(site.url + path, timeout=10, allow_redirects=False)
    return answer.status_code, answer.headers.get("Location", "").removeprefix(site.url)


def test_a_topic_has_one_address_and_old_ones_lead_there(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="L’œuvre & l’été : où ça ?")
    assert topic["slug"] == "l-oeuvre-et-l-ete-ou-ca"
    here = f"/sujets/{topic['id']}-{topic['slug']}"
    assert at(site, here)[0] == 200
    for old in (f"/sujets/{topic['id']}", f"/sujets/{topic['id']}-autre-chose"):
        assert at(site, old) == (301, here)
    assert requests.get(f"{site.url}/s/{topic['id']}", timeout=10).url == site.url + here
    renamed = ana.patch(f"/topics/{topic['id']}", {"version": topic["version"], "title": "Un tout autre titre"})
    eventually(lambda: at(site, here) == (301, f"/sujets/{topic['id']}-{renamed['slug']}"))


def test_a_merged_topic_leads_to_where_it_went_with_its_comments(site, ana, organizer, crowd):
    old, new = site.open_topic(ana, organizer, title="Celui qui s’en va"), site.open_topic(ana, organizer, title="Celui qui reste")
    comment = crowd[0].post(f"/topics/{old['id']}/comments", {"body": "Je déménage."})
    organizer.post(f"/topics/{old['id']}/transitions", {"to": "merged", "version": old["version"], "target_id": new["id"]}, status=200)
    eventually(lambda: at(site, f"/sujets/{old['id']}-{old['slug']}")[0] == 301)
    assert requests.get(f"{site.url}/sujets/{old['id']}", timeout=10).url == f"{site.url}/sujets/{new['id']}-{new['slug']}"
    shown = site.visitor().get(f"/topics/{old['id']}")
    assert (shown["state"], shown["target_id"]) == ("merged", new["id"])
    eventually(lambda: [c["id"] for c in site.visitor().get(f"/topics/{new['id']}/comments")["items"]] == [comment["id"]])
    assert old["id"] not in [topic["id"] for topic in site.visitor().get("/topics", limit=100)["items"]]
    eventually(lambda: site.visitor().get(f"/topics/{new['id']}")["counts"]["comments"] == 1)


def test_an_archived_topic_keeps_the_reason_why_it_was_declined(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Celui qu’on a décliné puis rangé")
    for to, more in (("declined", {"reason": REASON}), ("archived", {"reason": "Rangé en fin d’année."})):
        topic = organizer.post(f"/topics/{topic['id']}/transitions", {"to": to, "version": topic["version"], **more}, status=200)
    assert site.visitor().get(f"/topics/{topic['id']}")["public_reason"] == REASON
    log = [line["reason"] for line in site.visitor().get(f"/topics/{topic['id']}/history")["items"] if line["reason"]]
    assert log == [REASON, "Rangé en fin d’année."]
    assert REASON in requests.get(f"{site.url}/sujets/{topic['id']}", timeout=10).text


def merge(organizer, old, new, status=200):
    return organizer.post(f"/topics/{old['id']}/transitions",
                          {"to": "merged", "version": old["version"], "target_id": new["id"]}, status=status)


def opinion_counts(site, topic):
    with site.database("topics") as connection, connection.cursor() as cursor:
        return rows(cursor, "SELECT opinions, passionnant, interessant, moyen, sans_interet FROM topics WHERE id = %s", topic["id"])[0]


def test_opinions_of_a_merged_topic_go_over_and_the_targets_own_wins(site, ana, organizer, crowd):
    old, new = site.open_topic(ana, organizer, title="Celui qui avait des avis"), site.open_topic(ana, organizer)
    for member, value in zip(crowd, (4, 4, 3, 1)):
        member.put(f"/topics/{old['id']}/opinion", {"value": value, "reason": "Dit avant"})
    crowd[0].put(f"/topics/{new['id']}/opinion", {"value": 2, "reason": "Dit ici"})
    merge(organizer, old, new)
    assert opinion_counts(site, old) == (0, 0, 0, 0, 0)
    assert opinion_counts(site, new) == (4, 1, 1, 1, 1)
    own = [member.get(f"/topics/{new['id']}/opinions") for member in crowd[:4]]
    assert [(one["own_opinion"], one["own_reason"]) for one in own] == [(2, "Dit ici"), (4, "Dit avant"), (3, "Dit avant"), (1, "Dit avant")]
    with site.database("topics") as connection, connection.cursor() as cursor:
        assert rows(cursor, "SELECT value FROM opinion_log WHERE topic_id = %s ORDER BY id DESC LIMIT 4", old["id"]) == [(None,)] * 4
        assert rows(cursor, "SELECT count(*) FROM opinion_log WHERE topic_id = %s", new["id"]) == [(4,)]


def test_opinions_given_while_topics_are_merged_are_never_left_behind(site, ana, organizer, crowd):
    for _ in range(8):
        old, new = site.open_topic(ana, organizer), site.open_topic(ana, organizer)

        def say(member):
            return member.request("PUT", f"/topics/{old['id']}/opinion", {"value": 3}).status_code

        with concurrent.futures.ThreadPoolExecutor() as pool:
            said = [pool.submit(say, member) for member in crowd]
            merge(organizer, old, new)
            taken = [one.result() for one in said].count(200)
        assert opinion_counts(site, old)[0] == 0
        assert opinion_counts(site, new) == (taken, 0, taken, 0, 0)


def test_candidacies_go_over_but_for_one_who_stands_there_already(site, ana, organizer, crowd):
    old, new = site.open_topic(ana, organizer), site.open_topic(ana, organizer)
    with site.database("topics") as connection, connection.cursor() as cursor:
        for topic, member, state in ((old, crowd[0], "submitted"), (old, crowd[1], "reserve"), (new, crowd[1], "submitted"),
                                     (new, crowd[0], "withdrawn")):
            cursor.execute("INSERT INTO participations (topic_id, account_id, state) VALUES (%s, %s, %s)",
                           (topic["id"], member.id, state))
    merge(organizer, old, new)
    with site.database("topics") as connection, connection.cursor() as cursor:
        stand = {(int(topic), int(member), state) for topic, member, state in rows(
            cursor, "SELECT topic_id, account_id, state FROM participations WHERE topic_id IN (%s, %s)", old["id"], new["id"])}
    assert stand == {(int(new["id"]), int(crowd[0].id), "submitted"), (int(new["id"]), int(crowd[0].id), "withdrawn"),
                     (int(new["id"]), int(crowd[1].id), "submitted"), (int(old["id"]), int(crowd[1].id), "reserve")}


def test_of_two_merges_into_one_another_at_once_one_is_refused(site, ana, organizer):
    for _ in range(6):
        one, other = site.open_topic(ana, organizer), site.open_topic(ana, organizer)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = [pool.submit(organizer.request, "POST", f"/topics/{a['id']}/transitions",
                                   {"to": "merged", "version": a["version"], "target_id": b["id"]})
                       for a, b in ((one, other), (other, one))]
            assert sorted(answer.result().status_code for answer in answers)[0] == 200
        states = sorted(site.visitor().get(f"/topics/{topic['id']}")["state"] for topic in (one, other))
        assert states == ["merged", "open"]


def test_followers_of_a_merged_topic_follow_where_it_went(site, ana, organizer, crowd):
    old, new = site.open_topic(ana, organizer), site.open_topic(crowd[4], organizer)
    levels = dict(zip(crowd, ("all", "milestones", "mute", "all")))
    for member, level in levels.items():
        member.put(f"/topics/{old['id']}/follow", {"level": level})
    crowd[3].put(f"/topics/{new['id']}/follow", {"level": "replies"})
    levels |= {crowd[3]: "replies", ana: "replies"}
    merge(organizer, old, new)
    eventually(lambda: {member: member.get(f"/topics/{new['id']}/follow")["level"] for member in levels} == levels)
    assert crowd[2].get(f"/topics/{old['id']}/follow")["level"] == "mute"
    with site.database("notifications") as connection, connection.cursor() as cursor:
        assert rows(cursor, "SELECT count(*) FROM follows WHERE topic_id = %s AND level <> 'mute'", old["id"]) == [(0,)]
        told = {str(account) for account, in rows(cursor, "SELECT account_id FROM deliveries WHERE topic_id = %s"
                                                          " AND to_state = 'merged'", old["id"])}
    assert told == {member.id for member in (crowd[0], crowd[1], crowd[3], ana)}


def test_owners_that_forgot_an_account_say_so_and_name_it_no_more(site, organizer):
    member = site.member("Passagère")
    topic = site.open_topic(member, organizer)["id"]
    member.post(f"/topics/{topic}/comments", {"body": "Je m’en vais."})
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type)"
                       " VALUES ('account', %s, 1000, 'account.erased')", (member.id,))
    for owner in ("topics", "comments"):
        with site.database(owner) as connection, connection.cursor() as cursor:
            eventually(lambda: rows(cursor, "SELECT type FROM outbox WHERE aggregate_type = 'account'"
                                            " AND aggregate_id = %s", member.id) == [("account.forgotten",)])
            connection.commit()


def rows(cursor, text, *values):
    cursor.execute(text, values)
    return cursor.fetchall()


# --- opinions


def test_fewer_than_five_opinions_are_a_number_and_no_distribution(site, ana, organizer, crowd):
    topic = site.open_topic(ana, organizer)["id"]
    for n, member in enumerate(crowd, start=1):
        counts = member.put(f"/topics/{topic}/opinion", {"value": 1 + n % 4})["counts"]
        assert counts["total"] == n
        assert counts["hidden"] is (n < 5)
        given = [counts[name] for name in ("passionnant", "interessant", "moyen", "sans_interet")]
        assert sum(given) == (n if n == 5 else 0)
    assert site.visitor().get(f"/topics/{topic}/opinions")["counts"] == counts
    crowd[0].delete(f"/topics/{topic}/opinion")
    assert site.visitor().get(f"/topics/{topic}/opinions")["counts"]["hidden"] is True


def test_who_said_what_is_told_to_nobody_else(site, ana, organizer, crowd):
    topic = site.open_topic(ana, organizer)["id"]
    crowd[0].put(f"/topics/{topic}/opinion", {"value": 4, "reason": "Un secret à moi"})
    assert crowd[0].get(f"/topics/{topic}/opinions")["own_reason"] == "Un secret à moi"
    for person in (site.visitor(), crowd[1], ana, organizer):
        for path in (f"/topics/{topic}", f"/topics/{topic}/opinions", f"/topics/{topic}/history"):
            assert "Un secret à moi" not in person.request("GET", path).text


def test_a_member_has_one_opinion_however_many_they_send_at_once(site, ana, organizer, crowd):
    topic = site.open_topic(ana, organizer)["id"]

    def give(n):
        return crowd[n % 2].request("PUT", f"/topics/{topic}/opinion", {"value": 1 + n % 4, "reason": f"Pour {n}"}).status_code

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(give, range(160))) == {200}
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT value, count(*) FROM opinions WHERE topic_id = %s GROUP BY value", (topic,))
        rows = dict(cursor.fetchall())
        cursor.execute("SELECT opinions, sans_interet, moyen, interessant, passionnant FROM topics WHERE id = %s", (topic,))
        assert cursor.fetchone() == (2, *(rows.get(value, 0) for value in (1, 2, 3, 4)))
    for member in crowd[:2]:
        member.delete(f"/topics/{topic}/opinion")
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT opinions, sans_interet, moyen, interessant, passionnant FROM topics WHERE id = %s", (topic,))
        assert cursor.fetchone() == (0,) * 5


def test_opinions_close_with_the_topic(site, ana, organizer, crowd):
    topic = site.open_topic(ana, organizer)
    organizer.post(f"/topics/{topic['id']}/transitions", {"to": "declined", "version": topic["version"], "reason": REASON}, status=200)
    assert crowd[0].request("PUT", f"/topics/{topic['id']}/opinion", {"value": 3}).status_code == 403
    assert crowd[0].request("PUT", f"/topics/{topic['id']}/opinion", {"value": 5}).status_code == 422


# --- lists


@pytest.mark.parametrize("written, asked", [("œuvre", "oeuvre"), ("oeuvre", "œuvre"), ("vélodrome", "velodrome"),
                                            ("velodrome", "vélodrome"), ("ÉTÉ INDIEN", "ete indien"), ("cæcum", "caecum"),
                                            ("garçonnière", "GARCONNIERE")])
def test_a_search_finds_letters_in_every_dress(site, ana, organizer, written, asked):
    topic = site.open_topic(ana, organizer, title=f"Autour de : {written} et du reste")
    found = site.visitor().get("/topics", q=asked, limit=100)["items"]
    assert topic["id"] in [item["id"] for item in found]


@pytest.mark.parametrize("q", ["'", '"', "a & | ! <-> :*", "\\", "%", "🎬", "(((", "-" * 200, "- " * 100, "a --b - -c talk-show", "a" * 200, "NOT AND OR", "\u202e", "œ",
                               "http://a.example/b'c\\d?e='f'&g", "/a'b\\c"])
def test_no_search_breaks_the_list(site, q):
    assert site.visitor().request("GET", "/topics", q=q).status_code in (200, 422)


FORTY_WORDS = " ".join(f"x{n}y" for n in range(40)) + " "


@pytest.mark.parametrize("article, asked", [("a b " * 4900, '"a b" ' * 30), ("alpha " * 3300 + "beta", "alpha beta"),
                                            (FORTY_WORDS * 100, FORTY_WORDS)],
                         ids=["a phrase everywhere", "words far apart", "many words"])
def test_no_article_makes_a_search_endless(site, ana, organizer, article, asked):
    topic = site.open_topic(ana, organizer, title="Un article écrit pour une question", article=article[:19900])
    answer = site.visitor().request("GET", "/topics", q=asked)
    assert answer.status_code == 200 and topic["id"] in [item["id"] for item in answer.json()["items"]]


def test_every_topic_that_stood_throughout_is_in_the_pages_once(site, ana, organizer):
    standing = {site.open_topic(ana, organizer, title=f"Debout depuis le début {n}")["id"] for n in range(25)}

    def walk(limit):
        found, cursor = [], None
        while True:
            page = site.visitor().get("/topics", limit=limit, **({"cursor": cursor} if cursor else {}))
            found += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        walks = [pool.submit(walk, limit) for limit in (3, 7)]
        writers = [pool.submit(site.open_topic, ana, organizer, title=f"Nouveau venu {n}") for n in range(30)]
        walks += [pool.submit(walk, limit) for limit in (2, 5, 10)]
        for walked in (one.result() for one in walks):
            assert len(walked) == len(set(walked))
            assert standing <= set(walked)
        for writer in writers:
            writer.result()


def test_of_edits_at_once_one_is_kept_and_the_others_have_the_fresh_text(site, ana, organizer):
    topic = site.open_topic(ana, organizer)

    def edit(n):
        return ana.request("PATCH", f"/topics/{topic['id']}", {"version": topic["version"], "title": f"Titre de la fenêtre {n}"})

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(edit, range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    title = next(answer.json()["title"] for answer in answers if answer.status_code == 200)
    assert {answer.json()["current"]["title"] for answer in answers if answer.status_code == 409} == {title}


@pytest.mark.parametrize("change, field", [
    ({"title": "Court"}, "title"), ({"title": "x" * 141}, "title"), ({"lead": "Trop court"}, "lead"), ({"lead": "x" * 601}, "lead"),
    ({"article": "Trop court"}, "article"), ({"article": "x" * 20001}, "article"), ({"expertises": []}, "expertises"),
    ({"expertises": ["inconnue"]}, "expertises"), ({"expertises": ["confiance"] * 8}, "expertises"), ({"format": "opera"}, "format"),
    ({"treatment": "silence"}, "treatment"), ({"language": "xx"}, "language"), ({"title": "Un titre\nsur deux lignes"}, "title")],
    ids=range(13))
def test_a_topic_that_breaks_a_rule_is_refused_at_that_field(ana, change, field):
    answer = ana.request("POST", "/topics", a_topic(**change))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
