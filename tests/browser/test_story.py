"""The site's story in a browser: with and without script, in French and in English."""
import itertools

import pytest
import requests
from selenium.webdriver.common.keys import Keys

from harness.browser import plain
from harness.deployment import PASSWORD
from harness.patience import eventually

MODEL = "/sujets/1-une-conversation-n-est-pas-forcement-un-marche"
RAIN = "À vélo sous la pluie : ce que les villes ne comptent pas"
numbers = itertools.count(1)


def unused(name):
    """A name of its own for each run of a test: two members cannot share one."""
    return f"{name} {next(numbers)}"


@pytest.fixture
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer, title=f"Faut-il une conversation numéro {next(numbers)} ?",
                           expertises=["marketing", "trust-management"])


@pytest.fixture
def member(site, browser, members):
    """A member, signed in in this browser."""
    if browser not in members:
        somebody = site.member(unused("Membre"), browser.language)
        browser.sign_in(somebody.email, PASSWORD)
        members[browser] = somebody, browser.cookies()
    somebody, cookies = members[browser]
    browser.take(cookies)
    return somebody


@pytest.fixture(scope="module")
def members():
    return {}


@pytest.fixture
def sign_in_organizer(site, browser, members):
    """Makes this browser an organizer's, who reads its language."""
    def take():
        if ("organizer", browser.language) not in members:
            somebody = site.organizer(unused("Organisation"), browser.language)
            browser.sign_in(somebody.email, PASSWORD)
            members["organizer", browser.language] = browser.cookies()
        browser.take(members["organizer", browser.language])

    return take


# Where script and language change little, two browsers say as much as four.
two_browsers = pytest.mark.parametrize("browser", [(True, "fr"), (False, "en")], ids=["script-fr", "plain-en"],
                                       indirect=True)


@two_browsers
def test_a_visitor_searches_without_accents_and_finds_them_marked(browser):
    browser.open("/sujets")
    browser.fill("q", "velo")
    browser.press("Chercher")
    browser.wait(lambda: browser.has("mark"))
    titles = browser.texts(".row h2")
    assert plain(RAIN) in titles
    assert {word.lower() for word in browser.texts(".row h2 mark")} >= {"vélo"}
    next(link for link in browser.all(".row h2 a") if plain(link.text) == plain(RAIN)).click()
    browser.wait(lambda: plain(browser.text("h1")) == plain(RAIN))


def test_a_visitor_reads_all_there_is_about_the_model_topic(browser):
    browser.open(MODEL)
    assert browser.text("h1") == "Une conversation n’est pas (forcément) un marché"
    assert "vallée de l’étrange" in browser.text("#article")
    facts = browser.text(".facts")
    assert "Dans les studios de Webcastory" in facts
    assert {"fr": "Méthodologie et bonnes pratiques", "en": "Methodology and good practice"}[browser.language] in facts
    assert len(browser.texts(".facts .tags li")) == 3
    first, reply = browser.all(".comments .comment")
    assert reply in first.find_elements("css selector", "ol > .comment")
    related = browser.all(".related li")
    assert 1 <= len(related) <= 5
    for one in related:
        assert one.find_element("css selector", ".because").text
    assert browser.has('.opinions svg rect')


def test_a_visitor_signs_up_reads_the_mail_and_signs_in(browser):
    address = f"camille.{next(numbers)}@example.org"
    browser.open("/inscription")
    browser.fill("name", unused("Dominique"))
    browser.fill("email", address)
    browser.fill("password", PASSWORD)
    browser.choose("language", browser.language)
    browser.press("Créer mon compte")
    browser.wait_says("Regardez votre boîte aux lettres")

    def newest():
        browser.open("/dev/mailbox")
        return next((row for row in browser.all(".inbox li") if address in row.text), None)

    browser.wait(newest).find_element("css selector", "a").click()
    browser.wait(lambda: browser.has("iframe.mail"))
    link = next(a for a in browser.all(".source a") if "/verification/" in a.get_attribute("href"))
    link.click()
    browser.wait_says("Un dernier geste, et votre compte est ouvert.")
    browser.press("Confirmer mon adresse")
    browser.wait_says("Bienvenue")
    browser.press("Se connecter")
    browser.fill("email", address)
    browser.fill("password", PASSWORD)
    browser.press("Se connecter")
    browser.wait(lambda: browser.has(".account"))


@two_browsers
def test_the_verifying_link_may_be_opened_by_a_program_first(site, browser):
    address = site.sign_up(unused("Prudence"), browser.language)
    link = next(url for url in site.mail.wait_for(address).links() if "/verification/" in url)
    for _ in range(2):
        assert requests.get(link, timeout=5).status_code == 200
    browser.open(link)
    browser.press("Confirmer mon adresse")
    browser.wait_says("Bienvenue")


def test_a_member_gives_an_opinion_changes_and_withdraws_it(browser, member, topic):
    browser.open(f"/sujets/{topic['id']}")
    browser.choose("value", "4")
    browser.press("Donner mon avis")
    browser.wait(lambda: browser.pressable("Changer mon avis"))
    assert browser.has('[name="value"][value="4"][checked]')
    browser.choose("value", "2")
    browser.press("Changer mon avis")
    browser.wait(lambda: browser.has('[name="value"][value="2"][checked]'))
    assert member.get(f"/topics/{topic['id']}/opinions")["counts"]["total"] == 1
    browser.press("le retirer")
    browser.wait(lambda: browser.pressable("Donner mon avis"))
    assert member.get(f"/topics/{topic['id']}/opinions")["counts"]["total"] == 0


def test_a_member_comments_and_replies_by_the_keyboard_alone(browser, member, topic, ana):
    theirs = ana.post(f"/topics/{topic['id']}/comments", {"body": "On ne s’entend plus parler."})
    browser.open(f"/sujets/{topic['id']}")
    browser.tab_to(lambda one: one.get_attribute("name") == "text")
    browser.keys("Laisser du vide, *voilà* l’idée.")
    browser.tab_to_words("Publier ma réaction")
    browser.keys(Keys.ENTER)
    mine = browser.wait(lambda: next(c for c in browser.all(".comment") if "voilà" in c.text)).get_attribute("id")
    assert browser.path.endswith(f"#{mine}")
    assert browser.has(f"#{mine} .prose em")

    browser.open(f"/sujets/{topic['id']}")
    browser.tab_to(lambda one: one.get_attribute("data-reply") == theirs["id"])
    browser.keys(Keys.ENTER)
    browser.wait(lambda: browser.has(f"#c{theirs['id']} form"))
    if browser.script:
        assert browser.focused.get_attribute("name") == "text"
    else:
        browser.tab_to(lambda one: one.get_attribute("name") == "text")
    browser.keys("Et si on se taisait ensemble ?")
    browser.keys(Keys.TAB, Keys.ENTER)
    reply = browser.wait(lambda: browser.one(f"#c{theirs['id']} ol .comment"))
    assert "on se taisait ensemble" in plain(reply.text)
    listed = ana.get(f"/topics/{topic['id']}/comments")["items"]
    assert [(c["parent_id"], c["body"]) for c in listed if c["author"]["id"] == member.id] in (
        [(None, "Laisser du vide, *voilà* l’idée."), (theirs["id"], "Et si on se taisait ensemble ?")],
        [(theirs["id"], "Et si on se taisait ensemble ?"), (None, "Laisser du vide, *voilà* l’idée.")])


def test_what_a_visitor_wrote_is_there_again_after_signing_in(site, browser, topic, ana):
    parent = ana.post(f"/topics/{topic['id']}/comments", {"body": "Qui veut répondre ?"})
    somebody = site.member(unused("Pressé"), browser.language)
    browser.open(f"/sujets/{topic['id']}")
    browser.all(f'[data-reply="{parent["id"]}"]')[0].click()
    browser.wait(lambda: browser.has(f"#c{parent['id']} form"))
    browser.fill("text", "Moi, « tout de suite » : <b>ça</b> & le reste.")
    browser.keys(Keys.TAB, Keys.ENTER)
    browser.wait_says("Votre texte est gardé : vous le retrouverez une fois connecté.")
    browser.fill("email", somebody.email)
    browser.fill("password", PASSWORD)
    browser.press("Se connecter")
    browser.wait(lambda: browser.has(f"#c{parent['id']} form"))
    assert browser.named("text").get_attribute("value") == "Moi, « tout de suite » : <b>ça</b> & le reste."
    browser.press("Publier ma réponse")
    browser.wait(lambda: browser.has(f"#c{parent['id']} ol .comment"))
    assert len(ana.get(f"/topics/{topic['id']}/comments")["items"]) == 2


@two_browsers
def test_a_comment_is_shown_before_it_is_published(browser, member, topic):
    browser.open(f"/sujets/{topic['id']}")
    browser.fill("text", "Une idée **forte**, avec [un lien](https://example.org).")
    browser.press("Aperçu")
    browser.wait(lambda: browser.has(".preview strong"))
    assert browser.has('.preview a[rel~="nofollow"]')
    assert browser.named("text").get_attribute("value").startswith("Une idée **forte**")
    assert not browser.has(".comment")
    browser.press("Publier ma réaction")
    browser.wait(lambda: browser.has(".comment .prose strong"))


def test_the_link_in_a_mail_stops_mails_once_its_button_is_pressed(site, browser, topic, ana):
    writer = site.member(unused("Bavarde"), browser.language)
    first = writer.post(f"/topics/{topic['id']}/comments", {"body": "Je lance la conversation."})

    def reply(text, after):
        ana.post(f"/topics/{topic['id']}/comments", {"body": text, "parent_id": first["id"]})
        return site.mail.wait_for(writer.email, subject="Re:", after=after)

    link = reply("Une.", 0).parsed["List-Unsubscribe"].strip("<>")
    browser.open(link)
    browser.wait_says("Rien ne change tant que vous n’avez pas confirmé.")
    reply("Deux : ouvrir le lien n’a rien changé.", 1)
    browser.press("Confirmer")
    browser.wait_says("C’est noté")
    follower = site.member(unused("Suiveuse"))
    follower.put(f"/topics/{topic['id']}/follow", {"level": "all"})
    ana.post(f"/topics/{topic['id']}/comments", {"body": "Trois.", "parent_id": first["id"]})
    site.mail.wait_for(follower.email, subject="Re:")
    assert len([m for m in site.mail.to(writer.email) if "Re:" in m.subject]) == 2


LEAD = "On parle beaucoup des pistes cyclables, rarement de l’atelier où l’on apprend à réparer son vélo soi-même."
ARTICLE = ("Un atelier de réparation de vélos tient dans un garage, ouvre deux soirs par semaine et manque toujours de "
           "chambres à air. On y vient pour une crevaison, on y reste pour les gens. ") * 2


def related_to(site, topic):
    return [item["topic"]["id"] for item in site.visitor().get(f"/topics/{topic}/related")["items"]]


def test_a_member_proposes_a_topic_and_an_organizer_opens_it(site, browser, member, ana, organizer,
                                                             sign_in_organizer):
    title = f"L’atelier vélo du quartier, leçon {next(numbers)}"
    twin = site.open_topic(ana, organizer, title="Un atelier de vélo dans chaque garage", lead=LEAD, article=ARTICLE,
                           expertises=["velo-urbain"])
    browser.open("/sujets/nouveau")
    browser.choose("language", "fr")
    browser.fill("title", title)
    browser.fill("lead", " " * 70)
    browser.fill("article", ARTICLE)
    browser.choose("format", "talkshow")
    browser.choose("treatment", "debat")
    browser.press("Envoyer ma proposition")

    errors = browser.wait(lambda: browser.all(".errors li"))
    assert len(errors) >= 2  # no lead, no expertise
    assert browser.focused.get_attribute("class") == "errors"
    assert browser.has('[name="lead"][aria-invalid]') and browser.has('[name="expertises"][aria-invalid]')
    for broken in browser.all("[aria-invalid]"):
        assert browser.one("#" + broken.get_attribute("aria-describedby")).text
    assert browser.named("title").get_attribute("value") == title
    assert browser.named("article").get_attribute("value").strip() == ARTICLE.strip()

    browser.fill("lead", LEAD)
    browser.fill("expertises", "vélo")
    browser.press("Aperçu")
    browser.wait(lambda: browser.has(".preview .prose p"))
    assert plain(browser.text(".preview h3")) == plain(title)

    eventually(lambda: site.visitor().request("GET", f"/topics/{twin['id']}/related").status_code == 200)
    browser.press("Envoyer ma proposition")
    browser.wait(lambda: browser.says("En parle-t-on déjà ?"))
    assert f"/sujets/{twin['id']}-" in browser.one(".related li a").get_attribute("href")
    assert browser.named("article").get_attribute("value").strip() == ARTICLE.strip()
    browser.press("Envoyer ma proposition")
    browser.wait(lambda: browser.has(".topic-head"))
    assert plain(browser.text("h1")) == plain(title)
    number = browser.path.split("/")[2].split("-")[0]
    site.visitor().get(f"/topics/{number}", status=404)

    browser.forget()
    sign_in_organizer()
    browser.open("/bureau")
    browser.wait(lambda: next(a for a in browser.all(".card > a") if plain(a.text) == plain(title))).click()
    browser.press("Ouvrir à la discussion")
    eventually(lambda: site.visitor().request("GET", f"/topics/{number}").status_code == 200)

    browser.forget()
    browser.open("/sujets")
    assert plain(title) in browser.texts(".row h2, .lead h2")
    eventually(lambda: number in related_to(site, twin["id"]))

    # they leave again, so that the next browser's pair is not crowded out of a list of five
    for gone in (number, twin["id"]):
        version = organizer.get(f"/topics/{gone}")["version"]
        organizer.post(f"/topics/{gone}/transitions",
                       {"to": "declined", "version": version, "reason": "Un atelier de vélo par navigateur suffit."},
                       status=200)


@two_browsers
def test_a_moderator_hides_a_comment_and_its_place_remains(browser, topic, ana, ben, sign_in_organizer):
    first = ana.post(f"/topics/{topic['id']}/comments", {"body": "Achetez mes montres en or."})
    ben.post(f"/topics/{topic['id']}/comments", {"body": "Non merci.", "parent_id": first["id"]})
    sign_in_organizer()
    browser.open(f"/sujets/{topic['id']}")
    browser.press("modérer")
    browser.wait(lambda: browser.has(".dossier form"))
    assert "montres en or" in browser.text(".dossier .quoted")
    browser.fill("reason", "Publicité, sans rapport avec le sujet.")
    browser.press("Masquer")
    eventually(lambda: ana.get(f"/comments/{first['id']}")["state"] == "hidden")

    browser.forget()
    browser.open(f"/sujets/{topic['id']}")
    assert browser.text(f"#c{first['id']} > .tombstone") == plain(browser.word("Réaction masquée par la modération."))
    assert "montres" not in browser.driver.page_source
    assert "Non merci." in browser.text(f"#c{first['id']} ol")


@two_browsers
def test_a_changed_comment_says_so_and_keeps_its_history(site, browser, member, topic):
    mine = member.post(f"/topics/{topic['id']}/comments", {"body": "Le marché parle fort."})
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE comments SET created_at = created_at - interval '1 hour' WHERE id = %s", (mine["id"],))
    browser.open(f"/sujets/{topic['id']}")
    browser.press("modifier", within=f"//*[@id='c{mine['id']}']")
    browser.fill("text", "Le marché parle trop fort.")
    browser.press("Enregistrer")
    browser.wait(lambda: "trop fort" in browser.text(f"#c{mine['id']}"))
    browser.press("modifié", within=f"//*[@id='c{mine['id']}']")
    browser.wait(lambda: browser.has(".diff ins"))
    assert "trop" in browser.texts(".diff ins")


@two_browsers
def test_sessions_are_listed_and_ended_one_by_one_or_all(site, browser):
    first = site.member(unused("Partout"), browser.language)
    second, third = site.sign_in(first.email), site.sign_in(first.email)
    browser.sign_in(first.email, PASSWORD)
    browser.open("/compte")
    rows = browser.all(".sessions li")
    assert len(rows) == 4  # three programs and this browser
    assert browser.says("celle-ci")
    others = [row for row in rows if plain(browser.word("celle-ci")) not in plain(row.text)]
    others[0].find_element("css selector", "button").click()
    browser.wait(lambda: len(browser.all(".sessions li")) == 3)
    programs = [first, second, third]
    eventually(lambda: [p.request("GET", "/me").status_code for p in programs].count(401) == 1)
    browser.press("Fermer toutes les autres")
    browser.wait(lambda: len(browser.all(".sessions li")) == 1)
    eventually(lambda: [p.request("GET", "/me").status_code for p in programs].count(401) == 3)


@two_browsers
def test_language_and_theme_are_switched_and_remembered(browser):
    browser.open("/sujets")
    other = "en" if browser.language == "fr" else "fr"
    browser.one(f'.switch [name="language"][value="{other}"]').click()
    browser.wait(lambda: browser.one("html").get_attribute("lang") == other)
    browser.open("/aide")
    assert browser.one("html").get_attribute("lang") == other

    def paper():
        return browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = paper()
    browser.one('.switch [name="theme"][value="dark"]').click()
    browser.wait(lambda: browser.one("html").get_attribute("data-theme") == "dark")
    dark = paper()
    assert dark != light

    def elsewhere():
        browser.open("/sujets")
        return browser.one("html").get_attribute("data-theme") == "dark"

    browser.wait(elsewhere)
    assert paper() == dark


def test_a_member_follows_with_one_press_and_stops_with_another(site, browser, topic, member):
    def follow():
        return member.get(f"/topics/{topic['id']}/follow")["level"]

    browser.open(f"/sujets/{topic['id']}")
    browser.press("Suivre")
    browser.wait(lambda: browser.pressable("Enregistrer"))
    assert follow() == "replies"
    browser.choose("level", "all")
    browser.press("Enregistrer")
    eventually(lambda: follow() == "all")
    browser.open(f"/sujets/{topic['id']}")
    browser.press("ne plus suivre")
    eventually(lambda: follow() == "mute")
    browser.open(f"/sujets/{topic['id']}")
    assert browser.one('[name="level"][value="mute"]').is_selected()
    assert not browser.has('button[name="stop"]')
