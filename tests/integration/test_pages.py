"""Forms and pages as a browser without script sends and reads them."""
import html
import re
import xml.etree.ElementTree

import pytest
import requests

from harness.deployment import PASSWORD, a_topic
from harness.pages import Browser, text_of
from harness.patience import eventually

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer)


def at_the_pages(site, member):
    return Browser(site).sign_in(member.email)


def hidden(answer, name):
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', answer.text)[1])


def topic_fields(**changes):
    fields = a_topic()
    return {"title": fields["title"], "lead": fields["lead"], "article": fields["article"],
            "format": fields["format"], "treatment": fields["treatment"], "language": "fr",
            "expertises": ", ".join(fields["expertises"]), "action": "submit", **changes}


# --- when


def dates_of(answer):
    """The day of the byline and that of the history's line of the proposal."""
    text = text_of(answer)
    day = r"(\d+(?:er)? \w+ \d{4})"
    return re.search(r"Proposé par [^,]*, " + day, text)[1], re.search(day + r"\s+proposé\s+par", text, re.IGNORECASE)[1]


@pytest.mark.parametrize("draft, proposed, zone, day", [
    ("2025-10-31 22:30Z", "2025-10-31 23:30Z", "Europe/Paris", "1er novembre 2025"),  # written before midnight, sent after
    ("2025-10-31 22:30Z", "2025-10-31 23:30Z", "America/New_York", "31 octobre 2025"),
    ("2025-10-20 12:00Z", "2025-10-31 22:30Z", "Europe/Paris", "31 octobre 2025")])
def test_a_topic_was_proposed_on_one_day(site, ana, organizer, draft, proposed, zone, day):
    topic = ana.post("/topics", a_topic(submit=False))
    topic = ana.post(f"/topics/{topic['id']}/transitions", {"to": "proposed", "version": topic["version"]}, status=200)
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE topics SET created_at = %s WHERE id = %s", (draft, topic["id"]))
        cursor.execute("UPDATE topic_transitions SET at = CASE to_state WHEN 'draft' THEN %s ELSE %s END::timestamptz WHERE topic_id = %s",
                       (draft, proposed, topic["id"]))
    organizer.patch("/me", {"time_zone": zone})
    page = at_the_pages(site, organizer).get(f"/sujets/{topic['id']}-{topic['slug']}")
    assert dates_of(page) == (day, day)


# --- proposing and editing


def test_look_alikes_are_shown_once_and_then_the_proposal_is_sent(site, topic, ben):
    page = at_the_pages(site, ben)
    fields = topic_fields(title="Le même sujet, dit une seconde fois")
    eventually(lambda: f"/sujets/{topic['id']}-" in page.submit("/sujets/nouveau", fields).text)
    sent = page.submit("/sujets/nouveau", {**fields, "duplicates_seen": "1"})
    assert sent.status_code == 303
    assert re.fullmatch(r"/sujets/\d+\?fait=propose", sent.headers["Location"])


def test_a_proposal_that_lacks_something_comes_back_with_what_was_typed(site, ben):
    page = at_the_pages(site, ben)
    answer = page.submit("/sujets/nouveau", topic_fields(title="Court", place="Au <marché>"))
    assert answer.status_code == 422
    assert "Titre : C’est trop court : au moins 10 signes." in text_of(answer)
    assert text_of(answer).count("Au moins 10 signes.") == text_of(answer).count("Au moins 200 signes.") == 1
    assert 'value="Court"' in answer.text
    assert 'value="Au &lt;marché&gt;"' in answer.text


def test_a_draft_is_kept_for_its_author_and_sent_later(site, ben, ana):
    page = at_the_pages(site, ben)
    kept = page.submit("/sujets/nouveau", topic_fields(title="Un brouillon qui attend", action="draft"))
    number = re.search(r"/sujets/(\d+)", kept.headers["Location"])[1]
    assert "Un brouillon qui attend" in page.get("/sujets?de=moi").text
    assert at_the_pages(site, ana).get(f"/sujets/{number}").status_code == 404
    form = page.get(f"/sujets/{number}/modifier")
    sent = page.send(f"/sujets/{number}/modifier", topic_fields(
        title="Un brouillon qui attend", csrf=hidden(form, "csrf"), version=hidden(form, "version")))
    assert sent.headers["Location"] == f"/sujets/{number}?fait=propose"
    assert ben.get(f"/topics/{number}")["state"] == "proposed"


def test_who_saves_second_sees_both_texts_and_decides(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Un texte que deux personnes changent")
    path = f"/sujets/{topic['id']}/modifier"
    first, second = at_the_pages(site, ana), at_the_pages(site, organizer)
    version = hidden(first.get(path), "version")
    assert first.submit(path, topic_fields(title="Le titre du premier", version=version)).status_code == 303
    refused = second.submit(path, topic_fields(title="Le titre du second", version=version))
    assert refused.status_code == 409
    assert "Le titre du premier" in refused.text and "Le titre du second" in refused.text
    again = second.submit(path, topic_fields(title="Le titre du second", version=hidden(refused, "version")))
    assert again.status_code == 303
    assert ana.get(f"/topics/{topic['id']}")["title"] == "Le titre du second"


def test_withdrawing_asks_first(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Un sujet que l’on retire")
    page = at_the_pages(site, ana)
    path = f"/sujets/{topic['id']}/retirer"
    version = hidden(page.get(path), "version")
    assert ana.get(f"/topics/{topic['id']}")["state"] == "open"
    assert page.submit(path, {"version": version}).status_code == 303
    assert requests.get(f"{site.url}/sujets/{topic['id']}", timeout=5).status_code == 404


# --- searching


def test_an_excerpt_shows_where_it_is_cut(site, ana, organizer):
    article = "Rien que des mots sans importance, pour remplir la page de cet article. " * 6
    site.open_topic(ana, organizer, title="Un sujet que l’on cherche", lead="Quokka est le premier mot de ce résumé, qui est assez long pour être accepté.",
                    article=article + "Puis vient un ornithorynque, et encore beaucoup de mots qui suivent sans fin " * 4)
    for query, begins, ends in (("quokka", "<mark>Quokka</mark> est le", " …"), ("ornithorynque", "… ", " …")):
        found = requests.get(f"{site.url}/sujets", {"q": query}, timeout=5).text
        excerpt = re.search(r'<p class="chapo"[^>]*>(.*?)</p>', found[found.index("<mark>") - 400:], re.S)[1]
        assert excerpt.startswith(begins) and excerpt.endswith(ends), excerpt


@pytest.mark.parametrize("query, marked", [("zibeline loutron", ["zibeline", "loutron"]), ('"la zibeline"', ["zibeline"]),
                                           ("zibeline or martre", ["zibeline"]), ("zibeline -martre", ["zibeline"])])
def test_an_excerpt_marks_every_word_of_a_question(site, ana, organizer, query, marked):
    site.open_topic(ana, organizer, title="Un sujet à fourrure", article="Une bête passe, la zibeline, et plus loin un loutron. " + "Rien d’autre. " * 30)
    found = requests.get(f"{site.url}/sujets", {"q": query}, timeout=5).text
    assert set(re.findall(r"<mark>(.*?)</mark>", found)) == set(marked)


# --- related topics


@pytest.mark.parametrize("language, sentence, false", [
    ("fr", "l’auteur de ce sujet y a pris part", "même auteur"),
    ("en", "this topic’s author took part in it", "same author")])
def test_an_author_who_took_part_elsewhere_is_not_called_its_author(site, ana, ben, organizer, language, sentence, false):
    for number in range(3):  # whoever is everywhere tells nothing
        site.open_topic(ben, organizer, title=f"Une route de plus, numéro {number}", expertises=["mobilite"])
    theirs = site.open_topic(ben, organizer, title="Faut-il réparer les routes ?", expertises=["mobilite"])
    eventually(lambda: ana.request("POST", f"/topics/{theirs['id']}/comments", {"body": "J’en suis."}).status_code == 201)
    mine = site.open_topic(ana, organizer, title="Faut-il réparer un vélo chez soi ?", expertises=["marketing"])

    def because():
        page = requests.get(f"{site.url}/sujets/{mine['id']}", headers={"Accept-Language": language}, timeout=5).text
        found = re.search(rf'<li><a href="/sujets/{theirs["id"]}-.*?</li>', page, re.S)
        return found and html.unescape(found[0])

    eventually(lambda: sentence in (because() or ""))
    assert false not in because()


REASONS = {
    "near": {"fr": ["mots communs : fanfare, ", "3 participants communs", "même période"],
             "en": ["words in common: fanfare, ", "3 participants in common", "same period"]},
    "cited": {"fr": ["mots communs : fanfare, ", "cité par 2 sujets"], "en": ["words in common: fanfare, ", "cited by 2 topics"]},
    "kin": {"fr": ["Expertise commune : Confiance"], "en": ["Expertise in common: Trust"]},
}


def open_fanfares(site, ana, ben, organizer):
    """One that asks; one near in time that the same people talk of; one of long ago that two others cite; one of a kind."""
    def fanfare(proposer, name, expertise="mobilite"):
        article = "La fanfare défile sur la grand-place, et la fanfare répète. " * 5
        return site.open_topic(proposer, organizer, title=f"La fanfare défile, {name}", expertises=[expertise], article=article)["id"]

    made = {"asks": fanfare(ana, "et qui demande ?", "confiance"), "near": fanfare(ana, "tout près"),
            "cited": fanfare(ben, "il y a longtemps"), "kin": fanfare(ben, "en confiance", "confiance")}
    for number in range(2):
        site.open_topic(ana, organizer, title=f"Tout autre chose, numéro {number}", expertises=["marketing"],
                        article=f"On en parlait déjà ailleurs : /sujets/{made['cited']} dit ce qu’il fallait. " * 5)
    return made


def three_take_part(site, topics):
    for name in ("Noé", "Lou", "Eve"):
        member = site.member(name)
        for topic in topics:
            eventually(lambda: member.request("POST", f"/topics/{topic}/comments", {"body": "J’en suis."}).status_code == 201)


def make_older(site, organizer, topic, days):
    with site.database("topics") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE topics SET created_at = created_at - make_interval(days => %s) WHERE id = %s", (days, topic))
    organizer.patch(f"/topics/{topic}", {"version": organizer.get(f"/topics/{topic}")["version"],
                                         "lead": "Un résumé que l’on a revu depuis, assez long pour être accepté."})


@pytest.fixture(scope="module")
def fanfares(site, ana, ben, organizer):
    made = open_fanfares(site, ana, ben, organizer)
    three_take_part(site, (made["asks"], made["near"]))
    make_older(site, organizer, made["cited"], 90)
    return made


@pytest.mark.parametrize("language, period, other_language", [("fr", "même période", "common"), ("en", "same period", "commun")])
def test_reasons_are_told_in_the_language_of_the_reader(site, fanfares, language, period, other_language):
    def reasons():
        page = requests.get(f"{site.url}/sujets/{fanfares['asks']}", headers={"Accept-Language": language}, timeout=5)
        items = re.findall(r'<li><a href="/sujets/(\d+)-.*?<p class="because">(.*?)</p>', page.text, re.S)
        return {number: html.unescape(text).replace("\u00a0", " ").replace("\u202f", " ") for number, text in items}

    def untold():
        found = reasons()
        return [(name, sentence, found) for name in REASONS for sentence in REASONS[name][language]
                if sentence not in found.get(fanfares[name], "")]

    eventually(lambda: untold() == [] and period not in reasons()[fanfares["cited"]])  # ninety days are no common period
    assert not any(other_language in text for text in reasons().values())


@pytest.mark.parametrize("end", ["withdrawn", "declined"])
def test_the_last_list_known_names_no_topic_that_ended_while_related_was_away(site, ana, ben, organizer, end):
    harvest = {"article": "La vendange commence à l’aube et la vendange finit au pressoir. " * 5, "expertises": ["communautes"]}
    stays = site.open_topic(ana, organizer, title=f"La vendange se raconte : {end}", **harvest)["id"]
    goes = site.open_topic(ben, organizer, title=f"La vendange se tait : {end}", **harvest)["id"]

    def page():
        return requests.get(f"{site.url}/sujets/{stays}", timeout=10).text

    eventually(lambda: f'href="/sujets/{goes}-' in page())
    site.kill("related")
    try:
        person = ben if end == "withdrawn" else organizer
        person.post(f"/topics/{goes}/transitions", {"to": end, "version": person.get(f"/topics/{goes}")["version"],
                                                    "reason": "Une vendange par saison suffit, merci à vous."}, status=200)
        eventually(lambda: f'href="/sujets/{goes}-' not in page())
    finally:
        site.start("related")
        site.wait_ready()


# --- what is said of it


def test_pages_promise_nothing_that_has_no_door_yet(site, topic, ben):
    address = requests.get(f"{site.url}/sujets/{topic['id']}", timeout=5).url.removeprefix(site.url)
    for reader in (Browser(site), at_the_pages(site, ben)):
        for path in (address, "/aide", "/inscription", "/sujets"):
            said = text_of(reader.get(path))
            for promise in ("@nom", "motivations", "sponsor", "Les places", "places pour l’audience", "venir à"):
                assert promise not in said, f"{path} promises {promise}"
    assert "La date n’est pas encore fixée." in text_of(Browser(site).get(address))


def test_moderators_are_not_told_that_they_alone_see_a_pending_comment(site, topic, ana):
    moderator = at_the_pages(site, site.officer("moderator", "Modeste"))
    comment = eventually(lambda: ana.request("POST", f"/topics/{topic['id']}/comments", {"body": "À relire."}).json())
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE comments SET state = 'pending' WHERE id = %s", (comment["id"],))
    said = text_of(moderator.get(f"/moderation/{comment['id']}"))
    assert "En attente de relecture." in said
    for page, alone in ((moderator, False), (at_the_pages(site, ana), True)):
        address = page.get(f"/sujets/{topic['id']}").headers["Location"]
        assert ("vous seul la voyez" in text_of(page.get(address))) == alone
    assert "vous seul la voyez" not in said


# --- the desk


def desk_step(page, number, fields):
    path = f"/bureau/sujets/{number}"
    form = page.get(path)
    return page.send(path + "/transition", {"csrf": hidden(form, "csrf"), "version": hidden(form, "version"), **fields})


def test_a_recording_is_dated_by_the_clocks_of_its_place(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Une nuit de changement d’heure")
    page = at_the_pages(site, organizer)
    assert desk_step(page, topic["id"], {"to": "shortlisted"}).status_code == 303
    night = {"to": "scheduled", "place": "Studio A", "time_zone": "Europe/Paris"}
    skipped = desk_step(page, topic["id"], {**night, "starts": "2027-03-28T02:30", "ends": "2027-03-28T04:30"})
    assert skipped.status_code == 422
    assert 'value="2027-03-28T02:30"' in skipped.text
    done = desk_step(page, topic["id"], {**night, "starts": "2027-03-28T01:30", "ends": "2027-03-28T04:30"})
    assert done.status_code == 303
    recording = ana.get(f"/topics/{topic['id']}")["recording"]
    assert (recording["starts_at"], recording["ends_at"]) == ("2027-03-28T00:30:00Z", "2027-03-28T02:30:00Z")


def test_declining_owes_a_public_reason(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Un sujet que l’on décline")
    page = at_the_pages(site, organizer)
    assert desk_step(page, topic["id"], {"to": "declined", "reason": "Non."}).status_code == 422
    reason = "Nous avons traité cette question il y a deux mois."
    assert desk_step(page, topic["id"], {"to": "declined", "reason": reason}).status_code == 303
    assert reason in requests.get(f"{site.url}/sujets/{topic['id']}", timeout=5).text


def test_who_waits_longest_is_first_on_the_desk(site, ana, organizer):
    waiting = [ana.post("/topics", a_topic(title=f"Une proposition qui attend, la {word}")) for word in ("première", "deuxième")]
    board = at_the_pages(site, organizer).get("/bureau").text
    first, second = (board.index(f"/bureau/sujets/{topic['id']}\"") for topic in waiting)
    assert first < second


@pytest.mark.parametrize("path", ["/bureau", "/bureau/sujets/1", "/moderation"])
def test_the_desk_is_not_there_for_members(site, ana, path):
    assert at_the_pages(site, ana).get(path).status_code == 404
    assert requests.get(site.url + path, timeout=5, allow_redirects=False).status_code == 303


# --- what a visitor says before signing in


def test_an_opinion_chosen_signed_out_waits_behind_the_sign_in_page(site, topic, ana):
    visitor = Browser(site)
    asked = visitor.send(f"/sujets/{topic['id']}/opinion", {"value": "3", "reason": "Parce que <c’est> utile"})
    sign_in = visitor.get(asked.headers["Location"])
    assert "Votre texte est gardé" in text_of(sign_in)
    answer = visitor.submit("/connexion", {"email": ana.email, "password": PASSWORD, "next": hidden(sign_in, "next")})
    assert answer.status_code == 303
    page = visitor.get(visitor.get(answer.headers["Location"].split("#")[0]).headers["Location"])
    assert re.search(r'name="value" value="3" checked', page.text)
    assert "Parce que &lt;c’est&gt; utile" in page.text
    assert ana.get(f"/topics/{topic['id']}/opinions")["counts"]["total"] == 0
    given = visitor.send(f"/sujets/{topic['id']}/opinion", {"csrf": hidden(page, "csrf"), "value": "3"})
    assert given.headers["Location"] == f"/sujets/{topic['id']}#avis"
    assert ana.get(f"/topics/{topic['id']}/opinions")["own_opinion"] == 3


def give_opinion(page, topic, **fields):
    return page.submit("/aide", fields, f"/sujets/{topic['id']}/opinion")


def test_a_reason_without_an_opinion_is_kept_and_the_choice_asked_for(site, topic, ben):
    page = at_the_pages(site, ben)
    for signed_in_or_not in (page, Browser(site)):
        answer = signed_in_or_not.send(f"/sujets/{topic['id']}/opinion",
                                       {"csrf": page.form_token("/aide"), "reason": "Parce que <c’est> utile"})
        assert answer.status_code == 422
        assert "Votre avis : Choisissez l’un des quatre avis." in text_of(answer)
        assert "Parce que &lt;c’est&gt; utile</textarea>" in answer.text
        assert re.search(r'<p class="reason" id="avis-value-e">', answer.text)


def test_a_reason_that_is_too_long_is_kept_with_its_opinion(site, topic, ben):
    answer = give_opinion(at_the_pages(site, ben), topic, value="2", reason="Long. " * 60)
    assert answer.status_code == 422
    assert "280 signes au plus" in text_of(answer)
    assert re.search(r'name="value" value="2" checked', answer.text)
    assert ("Long. " * 60).strip() in answer.text
    assert re.search(r'id="avis-reason"[^>]* aria-invalid="true"', answer.text)


def test_an_opinion_that_comes_too_late_stays_in_the_closed_form(site, ana, ben, organizer):
    topic = site.open_topic(ana, organizer, title="Un sujet que l’on décline pendant qu’on l’écrit")
    page = at_the_pages(site, ben)
    organizer.post(f"/topics/{topic['id']}/transitions", {"to": "declined", "version": topic["version"],
                                                          "reason": "Nous en avons parlé il y a peu de temps."}, status=200)
    answer = give_opinion(page, topic, value="4", reason="Je l’attendais")
    assert answer.status_code == 403
    assert "Je l’attendais" in answer.text and "plus possible" in text_of(answer)


@pytest.mark.parametrize("reads, chosen", [("fr", "fr"), ("en", "fr"), ("en", "en")])
def test_a_comment_is_in_the_language_of_its_topic_or_the_one_chosen(site, topic, reads, chosen):
    page = at_the_pages(site, site.member(f"Gil {reads} {chosen}", language=reads))
    form = page.get(page.get(f"/sujets/{topic['id']}").headers["Location"])
    offered = re.search(r'<select id="reagir-language".*?</select>', form.text, re.S)
    assert (offered is not None) == (reads != "fr")
    fields = {"text": f"Écrit en {chosen}, lu en {reads} !", "parent": "0", "csrf": hidden(form, "csrf")}
    if offered:
        assert re.search(r'value="fr" lang="fr" selected', offered[0])
        preview = page.send(f"/sujets/{topic['id']}/commentaires", {**fields, "action": "preview", "language": chosen})
        assert re.search(rf'value="{chosen}" lang="{chosen}" selected', preview.text.split('id="reagir-language"')[1])
    fields["language"] = chosen if offered else hidden(form, "language")
    posted = page.send(f"/sujets/{topic['id']}/commentaires", fields)
    number = re.search(r"#c(\d+)", posted.headers["Location"])[1]
    other = {"Accept-Language": "fr" if chosen == "en" else "en"}
    said = rf'id="c{number}"(?:(?!</li>).)*<div class="prose" lang="{chosen}">'
    eventually(lambda: re.search(said, requests.get(form.url, headers=other, timeout=5).text, re.S))


def test_the_link_of_a_mail_leads_to_its_comment_on_whichever_page(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Un sujet dont on parle longtemps")
    post = lambda number: ana.request("POST", f"/topics/{topic['id']}/comments", {"body": f"Numéro {number}."})
    eventually(lambda: post(0).status_code == 201)
    last = [post(number) for number in range(1, 203)][-1].json()["id"]
    address = requests.get(f"{site.url}/sujets/{topic['id']}", timeout=5).url
    assert f'id="c{last}"' not in requests.get(address, timeout=5).text
    assert f'id="c{last}"' in requests.get(f"{address}?autour={last}", timeout=5).text


# --- what was written is not lost


def sent_again(answer):
    """The fields of the form that a failed one came back in, as a browser would send them."""
    form = re.search(r'<form class="(?:stack|comment-form)".*?</form>', answer.text, re.S)[0]
    fields = {name: html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)}
    fields |= {name: html.unescape(text) for name, text in
               re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.S)}
    return fields


def end_session(page):
    """It is over, and the browser does not know: its cookie stays."""
    cookies = dict(page.cookies)
    assert page.submit("/compte", {}, "/deconnexion").status_code == 303
    page.cookies = cookies


def come_back(page, member, answer):
    """Signs in where the answer leads, and goes on to the page that one wanted."""
    sign_in = page.get(answer.headers["Location"])
    assert "Votre texte est gardé" in text_of(sign_in)
    answer = page.submit(answer.headers["Location"], {"email": member.email, "password": PASSWORD,
                                                      "next": hidden(sign_in, "next")}, "/connexion")
    while answer.status_code in (301, 303):
        answer = page.get(answer.headers["Location"].split("#")[0])
    return answer


@pytest.mark.parametrize("path", ["/sujets/nouveau", "/sujets/{}/modifier"])
def test_an_article_whose_session_is_over_waits_behind_the_sign_in_page(site, ana, organizer, path):
    path = path.format(site.open_topic(ana, organizer, title="Un sujet que l’on récrit")["id"])
    page = at_the_pages(site, ana)
    form = page.get(path)
    end_session(page)
    article = "Une longue nuit d’écriture, & tout ce qu’elle a donné. " * 10
    refused = page.send(path, topic_fields(title="Ce que la nuit a donné", article=article, csrf=hidden(form, "csrf")))
    assert refused.status_code == 303
    kept = come_back(page, ana, refused)
    assert 'value="Ce que la nuit a donné"' in kept.text
    assert article.strip() in html.unescape(kept.text)
    assert "Ce que la nuit a donné" not in page.get(path + "?brouillon=1").text


def test_a_comment_whose_session_is_over_is_a_visitors_and_waits(site, topic, ben, ana):
    page = at_the_pages(site, ben)
    address = page.get(f"/sujets/{topic['id']}").headers["Location"]
    form = page.get(address)
    before = len(ana.get(f"/topics/{topic['id']}/comments")["items"])
    end_session(page)
    refused = page.send(f"/sujets/{topic['id']}/commentaires", {"csrf": hidden(form, "csrf"), "text": "Écrit <trop> tard"})
    assert refused.status_code == 303
    stranger = Browser(site)
    for reader in (stranger, page):  # not signed in yet: it is shown to nobody
        assert "trop&gt; tard" not in reader.get(address + "?brouillon=1").text
    kept = come_back(page, ben, refused)
    assert sent_again(kept)["text"] == "Écrit <trop> tard"
    assert len(ana.get(f"/topics/{topic['id']}/comments")["items"]) == before
    assert page.send(f"/sujets/{topic['id']}/commentaires", sent_again(kept)).status_code == 303
    assert len(ana.get(f"/topics/{topic['id']}/comments")["items"]) == before + 1


def test_a_form_of_a_foreign_page_is_neither_kept_nor_shown(site, topic, ben):
    page = at_the_pages(site, ben)
    for path in ("/sujets/nouveau", f"/sujets/{topic['id']}/commentaires"):
        for browser in (page, Browser(site)):
            answer = browser.send(path, topic_fields(text="Pas de moi"), {"Origin": "https://ailleurs.example"})
            assert "Pas de moi" not in answer.text and "brouillon" not in browser.cookies


def test_a_token_that_is_too_old_gives_the_text_back_with_a_new_one(site, topic, ben):
    page = at_the_pages(site, ben)
    refused = page.send(f"/sujets/{topic['id']}/commentaires", {"csrf": "A" * 59, "text": "D’un onglet d’hier", "parent": "0"})
    assert refused.status_code == 403
    again = sent_again(refused)
    assert again["text"] == "D’un onglet d’hier"
    assert page.send(f"/sujets/{topic['id']}/commentaires", again).status_code == 303


@pytest.mark.parametrize("answers", [False, True], ids=["comment", "reply"])
def test_while_comments_is_away_the_text_stays_in_its_form(site, topic, ana, ben, answers):
    said = ana.post(f"/topics/{topic['id']}/comments", {"body": "À quoi l’on répond."}) if answers else {"id": "0"}
    page = at_the_pages(site, ben)
    csrf = page.form_token("/aide")
    path = f"/sujets/{topic['id']}/commentaires"
    site.kill("comments")
    try:
        refused = page.send(path, {"csrf": csrf, "text": "Pendant la panne", "parent": said["id"]})
    finally:
        site.start("comments")
        site.wait_ready()
    assert refused.status_code == 503
    assert "Votre texte est gardé ici" in text_of(refused)
    again = sent_again(refused)
    assert (again["text"], again["parent"]) == ("Pendant la panne", said["id"])
    posted = eventually(lambda: (lambda a: a.status_code == 303 and a)(page.send(path, again)))
    number = re.search(r"#c(\d+)", posted.headers["Location"])[1]
    assert ana.get(f"/comments/{number}")["parent_id"] == (said["id"] if answers else None)


def test_who_wrote_too_often_gets_the_text_back(site, topic, ben):
    page = at_the_pages(site, ben)
    csrf = page.form_token("/aide")
    site.redis.cli("SET", f"limit:write:a{ben.id}", "9000000", "PX", "60000")
    refused = page.send(f"/sujets/{topic['id']}/commentaires", {"csrf": csrf, "text": "Un de trop", "parent": "0"})
    site.redis.cli("DEL", f"limit:write:a{ben.id}")
    assert refused.status_code == 429
    assert "Rien n’est perdu" in text_of(refused)
    assert page.send(f"/sujets/{topic['id']}/commentaires", sent_again(refused)).status_code == 303


def bring_redis_back(site):
    """Until signing in is counted again."""
    site.redis.start()
    eventually(lambda: Browser(site).submit("/connexion", {"email": "x@example.org", "password": "x"}).status_code == 422)


@pytest.mark.parametrize("path", ["/sujets/nouveau", "/sujets/{}/commentaires"])
def test_while_nobody_knows_sessions_the_text_comes_back_and_is_sent_later(site, topic, ben, path):
    page = at_the_pages(site, ben)
    csrf = page.form_token("/aide")
    path = path.format(topic["id"])
    site.redis.kill()
    site.kill("accounts")
    try:
        refused = page.send(path, topic_fields(title="Écrit pendant la nuit", csrf=csrf, text="Pendant la nuit",
                                               duplicates_seen="1"))
    finally:
        site.start("accounts")
        site.wait_ready()
        bring_redis_back(site)
    assert refused.status_code == 503
    assert "Rien n’est perdu" in text_of(refused)
    again = sent_again(refused)
    assert (again["title"], again["text"]) == ("Écrit pendant la nuit", "Pendant la nuit")
    sent = eventually(lambda: (lambda a: a.status_code == 303 and a)(page.send(path, again)))
    assert re.search(r"#c\d+|fait=propose", sent.headers["Location"])


def test_while_redis_is_away_a_visitors_text_comes_back(site, topic):
    visitor = Browser(site)
    site.redis.kill()
    try:
        refused = visitor.send(f"/sujets/{topic['id']}/commentaires", {"text": "D’un passant", "parent": "0"})
    finally:
        bring_redis_back(site)
    assert refused.status_code == 503
    assert sent_again(refused)["text"] == "D’un passant"
    eventually(lambda: visitor.send(f"/sujets/{topic['id']}/commentaires", sent_again(refused)).status_code == 303)


def test_passwords_are_not_shown_again(site, topic, ben):
    page = at_the_pages(site, ben)
    refused = page.send("/compte/mot-de-passe", {"csrf": "A" * 59, "current": PASSWORD, "password": "une autre phrase", "reason": "x"})
    assert refused.status_code == 403
    assert PASSWORD not in refused.text and "une autre phrase" not in refused.text


# --- following


def test_a_level_that_is_none_changes_nothing(site, topic):
    eve = site.member("Ève")
    page = at_the_pages(site, eve)
    for fields in ({}, {"level": "loud"}, {"level": "none"}):
        assert page.submit("/aide", fields, f"/sujets/{topic['id']}/suivi").status_code == 422
    assert eve.get(f"/topics/{topic['id']}/follow")["level"] is None


# --- notifications


def reply_to(site, topic, author, replier):
    said = author.post(f"/topics/{topic['id']}/comments", {"body": "Qui répond à cela ?"})
    replier.post(f"/topics/{topic['id']}/comments", {"body": "Moi, voici.", "parent_id": said["id"]})


def unread(page):
    found = re.search(r'<span class="count">(\d+)', re.search(r'class="bell".*?</a>', page.get("/aide").text)[0])
    return int(found[1]) if found else 0


def test_the_bell_counts_and_the_inbox_says_who_did_what(site, topic, ana, ben):
    page = at_the_pages(site, ana)
    page.submit("/notifications", {}, path="/notifications/lues")
    eventually(lambda: unread(page) == 0)
    reply_to(site, topic, ana, ben)
    eventually(lambda: unread(page) == 1)
    assert "Ben a répondu à votre réaction" in text_of(page.get("/notifications"))
    assert page.submit("/notifications", {}, path="/notifications/lues").status_code == 303
    assert unread(page) == 0


def test_preferences_offer_what_there_is_and_are_kept(site, ben):
    page = at_the_pages(site, ben)
    path = "/notifications/preferences"
    assert set(re.findall(r'name="rhythm" value="(\w+)"', page.get(path).text)) == {"now", "never"}
    assert page.submit(path, {"rhythm": "never", "mail_replies": "1"}).status_code == 303
    kept = ben.get("/preferences")
    assert (kept["rhythm"], kept["replies"], kept["follows"], kept["states"]) == ("never", True, False, False)
    page.submit(path, {"rhythm": "now", "mail_replies": "1", "mail_follows": "1", "mail_milestones": "1"})


def stop_link(site, topic, member, replier):
    after = len(site.mail.to(member.email))
    reply_to(site, topic, member, replier)
    mail = eventually(lambda: [m for m in site.mail.to(member.email)[after:] if m.parsed["List-Unsubscribe"]])[0]
    return mail.parsed["List-Unsubscribe"].strip("<>").removeprefix(site.url)


@pytest.mark.parametrize("body", [{"data": {"List-Unsubscribe": "One-Click"}},
                                  {"files": {"List-Unsubscribe": (None, "One-Click")}}], ids=["form", "multipart"])
def test_one_click_of_a_mail_program_stops_mails_as_often_as_it_likes(site, organizer, ben, body):
    cleo = site.member("Cléo " + next(iter(body)))
    topic = site.open_topic(cleo, organizer, title="Un sujet dont on se lasse")
    path = stop_link(site, topic, cleo, ben)
    for _ in range(2):
        assert requests.get(site.url + path, timeout=5).status_code == 200
    assert cleo.get(f"/topics/{topic['id']}/follow")["level"] != "mute"
    for _ in range(2):
        answer = requests.post(site.url + path, timeout=5, allow_redirects=False, **body)
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
    assert cleo.get(f"/topics/{topic['id']}/follow")["level"] == "mute"


def test_without_its_token_the_form_of_that_link_does_nothing(site, organizer, ben):
    dora = site.member("Dora")
    topic = site.open_topic(dora, organizer, title="Un sujet que l’on suit encore")
    path = stop_link(site, topic, dora, ben)
    assert requests.post(site.url + path, data={"scope": "all"}, timeout=5).status_code == 403
    assert dora.get("/preferences")["rhythm"] == "at_once"


# --- for machines


def test_the_feed_keeps_its_ids_and_answers_304(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Le titre d’avant dans le flux")
    url = f"{site.url}/feeds/sujets.atom"

    def entry(title):
        feed = xml.etree.ElementTree.fromstring(requests.get(url, timeout=5).content)
        return [e.findtext(ATOM + "id") for e in feed.iter(ATOM + "entry") if e.findtext(ATOM + "title") == title]

    before = entry(topic["title"])
    organizer.patch(f"/topics/{topic['id']}", {"version": ana.get(f"/topics/{topic['id']}")["version"],
                                               "title": "Le titre & d’après <dans> le flux"})
    assert entry("Le titre & d’après <dans> le flux") == before
    assert len(before) == 1
    etag = requests.get(url, timeout=5).headers["ETag"]
    assert requests.get(url, headers={"If-None-Match": etag}, timeout=5).status_code == 304


def test_the_sitemap_holds_what_everybody_may_see(site, topic):
    tree = xml.etree.ElementTree.fromstring(requests.get(f"{site.url}/sitemap.xml", timeout=5).content)
    urls = [url.text for url in tree.iter(SITEMAP + "loc")]
    assert any(url.startswith(f"{site.url}/sujets/{topic['id']}-") for url in urls)
    assert f"Sitemap: {site.url}/sitemap.xml" in requests.get(f"{site.url}/robots.txt", timeout=5).text


@pytest.mark.parametrize("path", ["/dev/mailbox", "/dev/mailbox/messages.json", "/dev/mailbox/messages/1",
                                  "/dev/mailbox/messages/1.eml"])
def test_without_its_setting_there_is_no_mailbox(site, path):
    assert requests.get(site.url + path, timeout=5).status_code == 404


def test_tokens_of_links_in_mails_are_not_logged(site):
    token = "AAAAveryOwnTokenAAAA"
    for path in ("/u/", "/verification/", "/mot-de-passe/"):
        requests.get(site.url + path + token, timeout=5)
    assert eventually(lambda: [line for line in site.lines("gateway", "http.request")
                               if line["path"] == "/mot-de-passe/..."])
    assert token not in site.log("gateway")


# --- a part is away


def test_while_topics_is_away_members_see_the_last_page_and_are_told(site, topic, ana):
    page = at_the_pages(site, ana)
    address = page.get(f"/sujets/{topic['id']}").headers["Location"]
    requests.get(site.url + address, timeout=5)
    site.kill("topics")
    try:
        answer = page.get(address)
        assert answer.status_code == 200
        assert "Les sujets ne répondent pas" in text_of(answer)
        assert "Vous restez connecté" in text_of(answer)
    finally:
        site.start("topics")
        site.wait_ready()
    eventually(lambda: "Les sujets ne répondent pas" not in text_of(page.get(address)))


@pytest.fixture
def gone(site):
    """Takes topics away; afterwards it is back."""
    yield lambda: site.kill("topics")
    site.start("topics")
    site.wait_ready()


def test_a_page_that_was_kept_in_another_language_alone_says_so(site, ana, organizer, gone):
    topic = site.open_topic(ana, organizer, title="Un sujet que l’on n’a lu qu’en français")
    page = at_the_pages(site, site.member("Fern", language="en"))
    page.cookies["theme"] = "dark"
    address = page.get(f"/sujets/{topic['id']}").headers["Location"]
    requests.get(site.url + address, headers={"Accept-Language": "fr"}, timeout=5)
    gone()
    answer = page.get(address)
    assert answer.status_code == 200
    assert "It is kept in another language alone." in text_of(answer)
    assert answer.text.count('role="status" lang="en"') == 3
    french = requests.get(site.url + address, headers={"Accept-Language": "fr", "Cookie": "theme=light"}, timeout=5)
    assert french.status_code == 200 and "autre langue" not in text_of(french)
    assert page.get(f"/sujets/{topic['id']}-jamais-lu").status_code == 503


def visitors_page(site, topic):
    """Its address, after a visitor has read it."""
    return requests.get(f"{site.url}/sujets/{topic['id']}", timeout=5).url


def take_back_a_comment(site, topic, ana, organizer, comment):
    organizer.post(f"/comments/{comment['id']}/moderation", {"action": "hide", "reason": "Une adresse privée"}, status=200)


def take_back_by_deleting(site, topic, ana, organizer, comment):
    ana.delete(f"/comments/{comment['id']}")


def take_back_by_editing(site, topic, ana, organizer, comment):
    ana.patch(f"/comments/{comment['id']}", {"version": comment["version"], "body": "Rien."})


def take_back_the_topic(site, topic, ana, organizer, comment):
    fresh = ana.get(f"/topics/{topic['id']}")
    ana.post(f"/topics/{topic['id']}/transitions", {"to": "withdrawn", "version": fresh["version"]}, status=200)


def read_then_taken_back(site, topic, ana, organizer, take_back):
    """A comment that a visitor's page shows goes again, and the gateway hears of it: it tells its streams after its
    pages know. The page itself is not read meanwhile."""
    with requests.get(f"{site.url}/sujets/{topic['id']}/stream", stream=True, timeout=10) as stream:
        lines = stream.iter_lines(chunk_size=1)
        comment = eventually(lambda: (lambda a: a.status_code == 201 and a.json())(
            ana.request("POST", f"/topics/{topic['id']}/comments", {"body": "Elle habite au 12, rue des Lilas."})))
        assert next(line for line in lines if line == b"event: comment")
        address = visitors_page(site, topic)
        eventually(lambda: "rue des Lilas" in requests.get(address, timeout=5).text)
        take_back(site, topic, ana, organizer, comment)
        told = b'"to":"withdrawn"' if take_back is take_back_the_topic else b"event: comment"
        assert next(line for line in lines if told in line)
    return address


@pytest.mark.parametrize("take_back", [take_back_a_comment, take_back_by_deleting, take_back_by_editing,
                                       take_back_the_topic])
def test_what_was_taken_back_does_not_return_while_topics_is_away(site, ana, organizer, gone, take_back):
    topic = site.open_topic(ana, organizer, title="Un sujet dont on reprend une part")
    address = read_then_taken_back(site, topic, ana, organizer, take_back)
    gone()
    assert "rue des Lilas" not in requests.get(address, timeout=5).text


def test_without_hints_what_was_taken_back_is_heard_of_all_the_same(site, ana, organizer, gone):
    topic = site.open_topic(ana, organizer, title="Un sujet que l’on suit sans signal")
    for hints in (site.folder / "run").glob("comments.*.bus"):
        hints.rename(hints.with_suffix(".unheard"))
    site.kill("gateway")
    site.start("gateway")
    site.wait_ready()
    address = read_then_taken_back(site, topic, ana, organizer, take_back_a_comment)
    gone()
    assert "rue des Lilas" not in requests.get(address, timeout=5).text
