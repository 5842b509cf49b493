"""
What organizers say about two topics: pinned, it stands first among the related ones; banned, it is never there.

topics owns the word and related hears of it; it must hold both ways, at once, and after related was killed.
"""
import concurrent.futures
import html
import re
import time

import pytest

from harness.deployment import Deployment
from harness.pages import Browser
from harness.patience import eventually

SETTLED = 2.6  # seconds after which the page of a changed topic is kept for a minute again (gateway/feeds.c)
TEXTS = {
    "cycle paths": ("Des pistes cyclables pour toute la ville", "mobilite",
                    "Le vélo demande des pistes continues, larges et protégées, du centre jusqu’aux faubourgs."),
    "bicycle": ("Le vélo en ville, sans avoir peur", "mobilite",
                "Des pistes cyclables protégées et continues rassurent qui veut prendre son vélo pour traverser la ville."),
    "tomatoes": ("La tomate au jardin, du semis à la récolte", "marketing",
                 "Arroser le matin, pailler, tailler les gourmands : trois gestes pour que les plants donnent jusqu’en octobre."),
    "choir": ("Chanter dans une chorale quand on ne sait pas lire", "confiance",
              "L’oreille suffit souvent. Une cheffe patiente, des voix qui portent, et la partition devient un dessin."),
}


@pytest.fixture(scope="module")
def site():
    settings = {"CAUSERIE_RELATED_SNAPSHOT": "snapshot", "CAUSERIE_RELATED_SNAPSHOT_EVERY": "300ms"}
    with Deployment(settings=settings) as running:
        running.add_expertises()
        yield running


@pytest.fixture(scope="module")
def second(site):
    return site.organizer("Sacha")


@pytest.fixture
def topics(site, ana, organizer):
    """Four topics; the first two have their words in common, the others nothing."""
    made = {}
    for name, (title, expertise, article) in TEXTS.items():
        text = f"{article} " * 4
        made[name] = site.open_topic(ana, organizer, title=title, expertises=[expertise], article=text,
                                     lead=article[:99].strip())["id"]
    eventually(lambda: made["bicycle"] in ids(site, made["cycle paths"]))
    eventually(lambda: site.visitor().request("GET", f"/topics/{made['choir']}/related").status_code == 200)
    yield made
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, version FROM topics WHERE id = ANY (%s::bigint[]) AND state = 'open'",
                       (list(made.values()),))
        left = cursor.fetchall()
    for number, version in left:
        ana.post(f"/topics/{number}/transitions", {"to": "withdrawn", "version": version}, status=200)


def related(site, topic):
    answer = site.visitor().request("GET", f"/topics/{topic}/related")
    return answer.json()["items"] if answer.status_code == 200 else []


def ids(site, topic):
    return [item["topic"]["id"] for item in related(site, topic)]


def kinds(item):
    return [reason["kind"] for reason in item["reasons"]]


def pair(person, one, other, word, **more):
    return person.request("PUT", f"/topics/{one}/related/{other}", {"pairing": word}, **more)


def first(site, one, other):
    items = related(site, one)
    return bool(items) and items[0]["topic"]["id"] == other and kinds(items[0])[0] == "pinned"


def words(markup):
    return html.unescape(re.sub(r"<[^>]*>", " ", markup)).replace("\u00a0", " ").replace("\u202f", " ")


def logged(site, one, other):
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pairing, actor_id FROM related_pair_log WHERE topic_id = %s AND other_id = %s ORDER BY id",
                       sorted((int(one), int(other))))
        return cursor.fetchall()


def test_a_pinned_topic_comes_first_both_ways_and_says_so(site, topics, organizer):
    one, other = topics["cycle paths"], topics["choir"]
    answer = pair(organizer, one, other, "pinned")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["topic_id"], said["other_id"], said["pairing"]) == (one, other, "pinned")
    assert said["actor"]["display_name"] == "Camille" and said["at"]
    eventually(lambda: first(site, one, other) and first(site, other, one))
    assert topics["bicycle"] in ids(site, one), "the others stay"


def test_a_banned_topic_is_in_no_list_until_it_is_freed(site, topics, organizer):
    one, other = topics["cycle paths"], topics["bicycle"]
    assert pair(organizer, other, one, "banned").status_code == 200
    eventually(lambda: other not in ids(site, one) and one not in ids(site, other))
    organizer.delete(f"/topics/{one}/related/{other}")
    eventually(lambda: other in ids(site, one) and one in ids(site, other))
    assert organizer.get(f"/topics/{one}/pairs")["items"] == []


def test_what_was_said_of_a_merged_topic_is_said_of_where_it_went(site, topics, organizer):
    old, new, pinned, banned = topics["bicycle"], topics["cycle paths"], topics["choir"], topics["tomatoes"]
    assert pair(organizer, old, pinned, "pinned").status_code == 200
    assert pair(organizer, old, banned, "pinned").status_code == 200
    assert pair(organizer, new, banned, "banned").status_code == 200
    assert pair(organizer, old, new, "banned").status_code == 200
    version = organizer.get(f"/topics/{old}")["version"]
    organizer.post(f"/topics/{old}/transitions", {"to": "merged", "version": version, "target_id": new}, status=200)
    said = {item["other_id"]: item["pairing"] for item in organizer.get(f"/topics/{new}/pairs")["items"]}
    assert said == {pinned: "pinned", banned: "banned"}
    assert organizer.get(f"/topics/{old}/pairs")["items"] == []
    assert logged(site, old, pinned)[-1][0] is None and logged(site, new, pinned)[-1][0] == "pinned"
    eventually(lambda: first(site, new, pinned) and first(site, pinned, new))
    assert banned not in ids(site, new)
    for one, other, field in ((old, pinned, "topic_id"), (pinned, old, "other_id")):
        refused = pair(organizer, one, other, "pinned")
        assert (refused.status_code, refused.json()["errors"]) == (422, [{"field": field, "reason": "not_allowed"}])


def test_a_target_gets_no_more_pins_than_it_may_have(site, topics, ana, organizer):
    new, old = topics["cycle paths"], topics["bicycle"]
    others = [site.open_topic(ana, organizer, title=f"Un voisin parmi sept, le {n}")["id"] for n in range(7)]
    for other in others[:4]:
        assert pair(organizer, new, other, "pinned").status_code == 200
    for other in others[3:]:
        assert pair(organizer, old, other, "pinned").status_code == 200
    version = organizer.get(f"/topics/{old}")["version"]
    organizer.post(f"/topics/{old}/transitions", {"to": "merged", "version": version, "target_id": new}, status=200)
    said = {item["other_id"] for item in organizer.get(f"/topics/{new}/pairs")["items"]}
    assert said == {*others[:4], others[6]}


def test_the_page_that_was_kept_for_visitors_follows(site, topics, organizer):
    one, other = topics["cycle paths"], topics["choir"]
    visitor = Browser(site)
    path = visitor.get(f"/sujets/{one}").headers["Location"]

    def list_on_page():
        return re.search(r'<section class="related">.*?</section>', visitor.get(path).text, re.DOTALL)[0]

    time.sleep(SETTLED)
    assert TEXTS["choir"][0] not in words(list_on_page())
    pair(organizer, other, one, "pinned")
    eventually(lambda: TEXTS["choir"][0] in words(list_on_page()))
    assert "choisi par les organisateurs" in words(list_on_page())
    organizer.delete(f"/topics/{one}/related/{other}")
    eventually(lambda: TEXTS["choir"][0] not in words(list_on_page()))


def test_the_later_word_counts_and_each_is_in_the_log(site, topics, organizer, second):
    one, other = topics["tomatoes"], topics["choir"]
    pair(organizer, one, other, "pinned")
    pair(second, other, one, "banned")
    pair(second, other, one, "banned")
    listed, = organizer.get(f"/topics/{one}/pairs")["items"]
    assert (listed["other_id"], listed["pairing"], listed["actor"]["id"]) == (other, "banned", second.id)
    second.delete(f"/topics/{one}/related/{other}")
    second.delete(f"/topics/{one}/related/{other}")
    assert logged(site, one, other) == [("pinned", int(organizer.id)), ("banned", int(second.id)), (None, int(second.id))]


def test_a_repeated_request_says_nothing_twice(site, topics, organizer):
    one, other = topics["tomatoes"], topics["cycle paths"]
    once = pair(organizer, one, other, "pinned", key="pin-once")
    organizer.delete(f"/topics/{one}/related/{other}")
    pair(organizer, one, other, "banned")
    again = pair(organizer, one, other, "pinned", key="pin-once")
    assert (once.status_code, again.status_code) == (200, 200)
    assert again.json()["pairing"] == "banned", "the repeat pins nothing; it tells what is said now"
    assert [word for word, _ in logged(site, one, other)] == ["pinned", None, "banned"]
    assert pair(organizer, one, other, "banned", key="pin-once").status_code == 422


@pytest.mark.parametrize("body", [{"pairing": "free"}, {"pairing": None}, {}, {"pairing": "pinned", "by": 1}])
def test_any_other_word_is_refused(topics, organizer, body):
    path = f"/topics/{topics['tomatoes']}/related/{topics['choir']}"
    assert organizer.request("PUT", path, body).status_code == 422


def test_a_topic_has_no_word_on_itself_or_on_nothing(topics, organizer):
    one = topics["tomatoes"]
    answer = pair(organizer, one, one, "pinned")
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": "other_id", "reason": "not_allowed"}])
    assert pair(organizer, one, 999999, "pinned").status_code == 404


def test_no_more_are_pinned_than_a_page_has_places(site, topics, ana, organizer):
    hub = topics["choir"]
    others = [site.open_topic(ana, organizer, title=f"Le sujet de remplissage numéro {number}")["id"] for number in range(6)]
    statuses = [pair(organizer, hub, other, "pinned").status_code for other in others]
    assert statuses == [200] * 5 + [422]
    assert pair(organizer, others[5], hub, "pinned").status_code == 422, "nor from the other side"
    assert pair(organizer, hub, others[0], "pinned").status_code == 200, "what is pinned already may be said again"
    assert pair(organizer, hub, others[5], "banned").status_code == 200
    organizer.delete(f"/topics/{hub}/related/{others[0]}")
    assert pair(organizer, hub, others[5], "pinned").status_code == 200


def test_a_pinned_topic_that_is_hidden_is_never_shown(site, topics, ana, organizer):
    one, other = topics["cycle paths"], topics["choir"]
    pair(organizer, one, other, "pinned")
    eventually(lambda: first(site, one, other))
    version = ana.get(f"/topics/{other}")["version"]
    ana.post(f"/topics/{other}/transitions", {"to": "withdrawn", "version": version}, status=200)
    eventually(lambda: other not in ids(site, one))
    shown = organizer.get(f"/topics/{one}/related")["items"]
    assert other not in [item["topic"]["id"] for item in shown], "nor to organizers"


def test_organizers_see_how_a_score_adds_up_and_nobody_else_does(site, topics, ana, organizer):
    path = f"/topics/{topics['cycle paths']}/related"
    for person in (site.visitor(), ana, site.officer("moderator", "Modératrice")):
        for item in person.get(path)["items"]:
            assert set(item) == {"topic", "score", "reasons"}
    pair(organizer, topics["cycle paths"], topics["choir"], "pinned")
    eventually(lambda: first(site, topics["cycle paths"], topics["choir"]))
    items = organizer.get(path)["items"]
    assert [item["topic"]["id"] for item in items] == ids(site, topics["cycle paths"]), "the same list"
    for item in items:
        assert sum(part["part"] for part in item["parts"]) == pytest.approx(item["score"], abs=1e-9)
        assert all(set(part) == {"kind", "part", "words", "count"} for part in item["parts"])
        assert not item["unsure"] and item["confidence"] >= item["needed"]
    assert items[0]["parts"][0]["kind"] == "pinned" and items[0]["needed"] == 0


def test_organizers_may_see_what_the_page_leaves_out_with_what_it_lacks(site, topics, ana, organizer, desk):
    path = f"/topics/{topics['cycle paths']}/related"
    night = "Les toits, les lampadaires, les chats : ce que l’on entend quand tout dort, et ce que l’on n’entend plus. "
    far = site.open_topic(ana, organizer, title="La ville écoutée de nuit", expertises=["confiance"], article=night * 3,
                          lead=night)["id"]

    def everything():
        return organizer.get(path, everything="true", limit=20)["items"]

    eventually(lambda: far in [item["topic"]["id"] for item in everything()])
    items, shown = everything(), ids(site, topics["cycle paths"])
    assert {item["topic"]["id"] for item in items if not item["unsure"]} >= set(shown)
    hidden = [item for item in items if item["unsure"]]
    assert far in [item["topic"]["id"] for item in hidden] and far not in shown
    assert all(0 < item["confidence"] < item["needed"] <= 0.15 for item in hidden)
    assert "sous le seuil" in words(desk.get(sheet(topics["cycle paths"])).text)
    assert ana.request("GET", path, everything="true").status_code == 403
    assert site.visitor().request("GET", path, everything="true").status_code == 403


def test_even_organizers_are_told_of_participants_from_three_on_and_never_who(site, topics, organizer):
    one, other = topics["cycle paths"], topics["bicycle"]
    path = f"/topics/{one}/related"

    def count():
        parts = next(item for item in organizer.get(path)["items"] if item["topic"]["id"] == other)["parts"]
        return sum(part["count"] for part in parts if part["kind"] == "common_participants")

    people = [site.member(f"Participante {name}") for name in ("Bravo", "Delta", "Golf")]
    for number, person in enumerate(people):
        for topic in (one, other):
            person.post(f"/topics/{topic}/comments", {"body": "Je suis venue pour en parler avec vous."})
        if number < 2:
            eventually(lambda: "much_discussed" in kinds(related(site, one)[0]))
            assert count() == 0
    eventually(lambda: count() == 3)
    told = organizer.request("GET", path, everything="true").text
    assert "Participante" not in told and "author" not in told


def snapshot(site):
    return site.folder / site.environment["CAUSERIE_RELATED_SNAPSHOT"]


def restart(site, keep):
    """A snapshot's writer outlives the daemon that was killed: to have none is to look elsewhere."""
    if not keep:
        site.environment["CAUSERIE_RELATED_SNAPSHOT"] += ".none"
    site.start("related")
    site.wait_ready()


@pytest.mark.parametrize("how", ["from a snapshot made before", "from a snapshot made after", "from its owners"])
def test_killed_right_after_a_word_related_comes_back_with_it(site, topics, ana, organizer, how):
    pinned, banned = (topics["cycle paths"], topics["choir"]), (topics["cycle paths"], topics["bicycle"])
    eventually(snapshot(site).exists)
    pair(organizer, *pinned, "pinned")
    pair(organizer, *banned, "banned")
    if how == "from a snapshot made after":
        eventually(lambda: first(site, *pinned))
        heard = snapshot(site).stat().st_mtime_ns
        site.open_topic(ana, organizer, title="Un sujet de plus, pour qu’un instantané de plus vaille la peine")
        eventually(lambda: snapshot(site).stat().st_mtime_ns > heard)
    site.kill("related")
    loaded = len(site.lines("related", "related.loaded"))
    restart(site, keep=how != "from its owners")
    assert len(site.lines("related", "related.loaded")) - loaded == (how != "from its owners")
    eventually(lambda: first(site, *pinned))
    eventually(lambda: first(site, *reversed(pinned)))
    assert banned[1] not in ids(site, banned[0]) and banned[0] not in ids(site, banned[1])


def test_freed_while_related_was_down_it_is_free_when_it_comes_back(site, topics, organizer):
    one, other = topics["cycle paths"], topics["choir"]
    pair(organizer, one, other, "pinned")
    eventually(lambda: first(site, one, other))
    site.kill("related")
    organizer.delete(f"/topics/{one}/related/{other}")
    restart(site, keep=True)
    eventually(lambda: topics["bicycle"] in ids(site, one) and other not in ids(site, one))


def test_organizers_at_the_same_moment_leave_one_word_that_everybody_tells(site, topics, organizer, second):
    one, other = topics["cycle paths"], topics["bicycle"]
    path = f"/topics/{one}/related/{other}"

    def say(number):
        person = (organizer, second)[number % 2]
        if number % 5 == 4:
            return person.request("DELETE", path).status_code
        return pair(person, *((one, other) if number % 3 else (other, one)), ("pinned", "banned")[number % 2]).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(say, range(60)))
    assert set(statuses) <= {200, 204, 409}, statuses
    listed = [item["pairing"] for item in organizer.get(f"/topics/{one}/pairs")["items"]]
    words = [word for word, _ in logged(site, one, other)]
    assert listed == [word for word in words[-1:] if word], "the log ends with what holds"
    assert all(before != after for before, after in zip(words, words[1:], strict=False)), words
    wanted = {"pinned": lambda: first(site, one, other), "banned": lambda: other not in ids(site, one)}
    free = lambda: other in ids(site, one) and not first(site, one, other)  # noqa: E731
    eventually(wanted[listed[0]] if listed else free)
    assert [event.get("to_state") for event in announced(site, one, other)] == words, "announced in the order in which they took effect"


def announced(site, one, other):
    low, high = sorted((int(one), int(other)))
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM outbox WHERE type = 'pair.changed' AND (payload->>'topic_id')::bigint = %s"
                       " AND (payload->>'target_id')::bigint = %s ORDER BY seq", (low, high))
        return [payload for payload, in cursor.fetchall()]


# --- the organizers' sheet


@pytest.fixture(scope="module")
def desk(site, organizer):
    return Browser(site).sign_in(organizer.email)


def sheet(topic):
    return f"/bureau/sujets/{topic}/connexes"


def button(answer, other, word):
    """The fields of the first form that says this word of that topic."""
    form = next(form for form in re.findall(r"<form.*?</form>", answer.text, re.DOTALL)
             if f'name="other" value="{other}"' in form and f'value="{word}"' in form)
    return {**dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)), "pairing": word}


def press(desk, topic, other, word):
    fields = button(desk.get(sheet(topic)), other, word)
    answer = desk.send(sheet(topic), fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, sheet(topic) + "?fait=connexe")
    return fields


def test_the_sheet_says_why_and_its_buttons_are_followed_at_once(site, topics, desk):
    one, other = topics["cycle paths"], topics["bicycle"]
    before = desk.get(sheet(one))
    assert before.status_code == 200
    for expected in ("Mots communs", "pistes", "Proximité dans le temps", "sur la page", "Aucun : la page suit le moteur."):
        assert expected in words(before.text)
    press(desk, one, other, "banned")
    after = desk.get(sheet(one))
    assert re.search(r"écarté\s+par\s+Camille", words(after.text))
    assert f'name="other" value="{other}"' not in after.text.split("Ce que le moteur propose")[1]
    eventually(lambda: other not in ids(site, one))
    press(desk, one, other, "free")
    eventually(lambda: other in ids(site, one))


def test_what_no_reader_could_be_told_a_reason_for_is_on_the_sheet_alone(site, topics, desk, ana, organizer):
    years = "1789, 1848, 1871, 1936, 1945, 1968, 1981. "

    def of_years(person, end, expertise):
        return site.open_topic(person, organizer, title=f"{years}{end}", expertises=[expertise], article=years * 5,
                               lead=years * 2)["id"]

    one, other = of_years(ana, "Lesquelles ?", "confiance"), of_years(site.member("Bruno"), "Pourquoi donc ?", "marketing")
    eventually(lambda: "aucune raison à montrer" in words(desk.get(sheet(one)).text))
    found = {item["topic"]["id"]: item for item in organizer.get(f"/topics/{one}/related", everything="true")["items"]}
    assert found[other]["unsure"] and found[other]["confidence"] > found[other]["needed"]
    assert other not in ids(site, one)
    assert f"/sujets/{other}" not in desk.get(desk.get(f"/sujets/{one}").headers["Location"]).text
    pair(organizer, one, other, "pinned")
    eventually(lambda: first(site, one, other))


def test_a_button_pressed_twice_says_one_thing(site, topics, desk):
    one, other = topics["cycle paths"], topics["bicycle"]
    fields = press(desk, one, other, "pinned")
    assert desk.send(sheet(one), fields).status_code == 303
    press(desk, other, one, "free")
    assert desk.send(sheet(one), fields).status_code == 409, "it was said, and is no longer so"
    assert [word for word, _ in logged(site, one, other)] == ["pinned", None]


def test_a_topic_the_engine_does_not_find_is_pinned_by_its_number(site, topics, desk):
    one, other = topics["cycle paths"], topics["choir"]

    def name(number):
        form = desk.get(sheet(one))
        key = re.search(r'<form class="named".*?name="key" value="([^"]*)"', form.text, re.DOTALL)[1]
        return desk.send(sheet(one), {"csrf": desk.form_token(sheet(one)), "key": key, "other": number, "pairing": "pinned"})

    assert name(other).status_code == 303
    eventually(lambda: first(site, one, other))
    for wrong, sentence in (("999999", "Aucun sujet ne porte ce numéro."), (one, "C’est le numéro de ce sujet."),
                            ("douze", "Cela n’a pas la bonne forme.")):
        answer = name(wrong)
        assert answer.status_code == 422
        assert sentence in words(answer.text) and f'value="{wrong}"' in answer.text


def test_too_many_pins_are_refused_in_words(site, topics, desk, ana, organizer):
    hub = topics["choir"]
    for number in range(5):
        other = site.open_topic(ana, organizer, title=f"Encore un sujet de remplissage, {number}")["id"]
        assert pair(organizer, hub, other, "pinned").status_code == 200
    answer = desk.submit(sheet(topics["cycle paths"]), {"other": hub, "pairing": "pinned"})
    assert answer.status_code == 422
    assert "libérez-en un d’abord" in words(answer.text)


def test_a_pinned_topic_out_of_sight_is_said_to_be(site, topics, desk, ana, organizer):
    one, other = topics["cycle paths"], topics["choir"]
    pair(organizer, one, other, "pinned")
    version = ana.get(f"/topics/{other}")["version"]
    assert "hors de vue" not in words(desk.get(sheet(one)).text)
    for to, more in (("declined", {"reason": "Un sujet trop proche a été filmé en mars dernier."}), ("archived", {})):
        organizer.post(f"/topics/{other}/transitions", {"to": to, "version": version, **more}, status=200)
        version += 1
        assert "hors de vue" in words(desk.get(sheet(one)).text)
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO videos (topic_id, url, duration_seconds) VALUES (%s, 'https://video.example/1', 60)", (other,))
    assert "hors de vue" not in words(desk.get(sheet(one)).text), "but what had a show"


def test_while_the_recommender_is_away_what_is_pinned_can_be_read_and_changed(site, topics, desk, organizer):
    one, other = topics["cycle paths"], topics["choir"]
    pair(organizer, one, other, "pinned")
    site.kill("related")
    try:
        answer = desk.get(sheet(one))
        assert answer.status_code == 200 and "Ils ne sont pas disponibles en ce moment." in words(answer.text)
        press(desk, one, other, "free")
        assert organizer.get(f"/topics/{one}/pairs")["items"] == []
    finally:
        restart(site, keep=True)


def test_only_organizers_find_the_sheet_and_the_way_to_it(site, topics, desk, ana):
    one = topics["cycle paths"]
    page = f"/sujets/{one}"
    member, visitor = Browser(site).sign_in(ana.email), Browser(site)
    moderator = Browser(site).sign_in(site.officer("moderator", "Autre modératrice").email)

    def link_at(person):
        return sheet(one) in person.get(person.get(page).headers["Location"]).text

    assert link_at(desk)
    assert not any(link_at(person) for person in (member, visitor, moderator))
    assert [person.get(sheet(one)).status_code for person in (member, moderator, visitor)] == [404, 404, 303]
    for person, status in ((member, 404), (moderator, 404)):
        fields = {"csrf": person.form_token("/compte"), "other": topics["choir"], "pairing": "pinned"}
        assert person.send(sheet(one), fields).status_code == status
    assert desk.send(sheet(one), {"other": topics["choir"], "pairing": "pinned"}).status_code == 403, "no token"
    assert logged(site, one, topics["choir"]) == []
