"""The site as its users meet it, step by step, over the JSON API and real mail."""
import pytest
import requests

from harness.deployment import a_topic
from harness.patience import eventually

VELO = {"title": "Le vélo change-t-il la ville ?", "expertises": ["mobilite", "confiance"],
        "lead": "Pistes, parkings, cohabitation : ce que le vélo fait vraiment à une ville moyenne, vu de la selle.",
        "article": "Le vélo n’est pas une mode. Dans une ville moyenne, les pistes cyclables déplacent les "
                   "commerces, les habitudes et parfois les conflits. " * 4}


@pytest.fixture(scope="module")
def ben(site):
    return site.member("Ben", language="en")


@pytest.fixture(scope="module")
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer)


def test_a_search_without_accents_finds_the_word_with_them(site, ana, organizer):
    velo = site.open_topic(ana, organizer, **VELO)
    found = site.visitor().get("/topics", q="velo")["items"]
    assert [item["id"] for item in found] == [velo["id"]]
    assert site.visitor().get("/topics", q="introuvable")["items"] == []


def test_signing_up_with_a_taken_address_tells_the_owner_and_nobody_else(site, ana):
    body = {"email": ana.email, "password": "une autre phrase longue", "display_name": "Autre Ana",
            "language": "fr"}
    fresh = dict(body, email="personne@example.org", display_name="Personne Encore")
    answers = [site.visitor().request("POST", "/accounts", b) for b in (body, fresh)]
    assert [(a.status_code, a.content) for a in answers] == [(202, answers[0].content)] * 2
    assert site.sign_in(ana.email).id == ana.id


def test_an_unverified_member_signs_in_but_does_not_write(site, topic):
    address = site.sign_up("Pressé")
    pressed = site.sign_in(address)
    answer = pressed.request("POST", f"/topics/{topic['id']}/comments", {"body": "Déjà là"})
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(site, ana):
    wrong = [site.visitor().request("POST", "/tokens", {"email": email, "password": "pas la bonne", "label": "x"})
             for email in (ana.email, "inconnue@example.org")]
    assert [a.status_code for a in wrong] == [401, 401]
    same = [{k: v for k, v in a.json().items() if k != "instance"} for a in wrong]
    assert same[0] == same[1]


def test_an_opinion_is_given_changed_and_withdrawn(topic, ben):
    ben.put(f"/topics/{topic['id']}/opinion", {"value": 4, "reason": "Enfin !"})
    answer = ben.put(f"/topics/{topic['id']}/opinion", {"value": 2})
    assert answer["own_opinion"] == 2
    assert answer["counts"]["total"] == 1
    assert answer["counts"]["hidden"] is True
    ben.delete(f"/topics/{topic['id']}/opinion")
    assert ben.get(f"/topics/{topic['id']}/opinions")["counts"]["total"] == 0


def test_a_reply_is_one_mail_to_the_parents_author_who_then_unsubscribes(site, topic, ana, ben):
    cleo = site.member("Cléo")
    first = ben.post(f"/topics/{topic['id']}/comments", {"body": "Laisser du vide plutôt qu’occuper l’espace."})
    reply = cleo.post(f"/topics/{topic['id']}/comments",
                      {"body": "Venez en parler **sur le plateau**.", "parent_id": first["id"]})
    thread = site.visitor().get(f"/topics/{topic['id']}/comments")["items"]
    assert [(c["id"], c["parent_id"]) for c in thread[-2:]] == [(first["id"], None), (reply["id"], first["id"])]

    mail = site.mail.wait_for(ben.email, subject="Re:")
    headers = mail.parsed
    assert "Cléo via Causerie" in headers["From"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Content-Language"] == "en"
    assert first["id"] in headers["In-Reply-To"]
    assert "sur le plateau" in mail.body() and "<strong>sur le plateau</strong>" in mail.body("html")

    link = headers["List-Unsubscribe"].strip("<>")
    assert requests.get(link, timeout=5).status_code == 200
    cleo.post(f"/topics/{topic['id']}/comments", {"body": "Encore une chose.", "parent_id": first["id"]})
    site.mail.wait_for(ben.email, subject="Re:", after=1)

    done = requests.post(link, data={"List-Unsubscribe": "One-Click"}, timeout=5, allow_redirects=False)
    assert done.status_code == 200
    assert requests.post(link, data={"List-Unsubscribe": "One-Click"}, timeout=5).status_code == 200
    cleo.post(f"/topics/{topic['id']}/comments", {"body": "Et pourtant.", "parent_id": first["id"]})
    site.mail.wait_for(ana.email, subject="Re:", after=3)  # the proposer hears of all four
    assert len([m for m in site.mail.to(ben.email) if "Re:" in m.subject]) == 2


def related_ids(site, topic):
    """None while the recommender has not heard of the topic."""
    answer = site.visitor().request("GET", f"/topics/{topic['id']}/related")
    return [item["topic"]["id"] for item in answer.json().get("items", [])]


def test_a_new_topic_is_in_the_list_and_in_the_related_ones_of_others_within_a_second(site, ana, organizer):
    one = site.open_topic(ana, organizer, **dict(VELO, title="Les pistes cyclables et leurs ennemis"))
    other = site.open_topic(ana, organizer, **dict(VELO, title="Pistes cyclables : qui paie, qui gagne ?"))
    eventually(lambda: other["id"] in related_ids(site, one))
    assert other["id"] in [t["id"] for t in site.visitor().get("/topics")["items"]]
    item = next(t for t in site.visitor().get(f"/topics/{one['id']}/related")["items"] if t["topic"]["id"] == other["id"])
    assert item["reasons"]


def test_a_proposal_waits_for_an_organizer_and_is_seen_by_nobody_else(site, ana, ben, organizer):
    waiting = ana.post("/topics", a_topic(title="Un sujet qui attend son tour"))
    assert waiting["state"] == "proposed"
    ben.get(f"/topics/{waiting['id']}", status=404)
    ana.get(f"/topics/{waiting['id']}")
    stale = organizer.request("POST", f"/topics/{waiting['id']}/transitions", {"to": "open", "version": 999})
    assert stale.status_code == 409
    ben.post(f"/topics/{waiting['id']}/transitions", {"to": "open", "version": waiting["version"]}, status=404)


def test_the_same_key_twice_is_one_comment(topic, ben):
    path = f"/topics/{topic['id']}/comments"
    first = ben.post(path, {"body": "Une seule fois."}, key="une-seule-fois")
    again = ben.post(path, {"body": "Une seule fois."}, key="une-seule-fois")
    assert again["id"] == first["id"]


@pytest.mark.parametrize("name", ["related", "notifications", "comments", "accounts", "topics"])
def test_a_page_degrades_and_heals(site, topic, name):
    first = requests.get(f"{site.url}/sujets/{topic['id']}", timeout=5)  # redirected to its one address
    path = first.url
    assert first.status_code == 200
    site.kill(name)
    try:
        for _ in range(3):
            page = requests.get(path, timeout=10)
            assert page.status_code == 200, f"{name} down: {page.status_code}"
            assert "Une conversation n" in page.text
    finally:
        site.start(name)
    site.wait_ready()
    eventually(lambda: requests.get(path, timeout=10).status_code == 200)


def test_comments_are_as_private_as_their_topic(site, ana, ben, organizer):
    topic = site.open_topic(ana, organizer, title="Un sujet que son auteur retire")
    comment = ben.post(f"/topics/{topic['id']}/comments", {"body": "Dommage."})
    site.visitor().get(f"/comments/{comment['id']}")
    fresh = ana.get(f"/topics/{topic['id']}")
    ana.post(f"/topics/{topic['id']}/transitions", {"to": "withdrawn", "version": fresh["version"]}, status=200)
    eventually(lambda: site.visitor().request("GET", f"/comments/{comment['id']}").status_code == 404)
    site.visitor().get(f"/topics/{topic['id']}/comments", status=404)
    assert ana.get(f"/topics/{topic['id']}/comments")["items"]
    site.visitor().get("/topics/999999/comments", status=404)
