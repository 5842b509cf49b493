"""What people write is text: no page runs it, none builds elements of it, and it reads as it was written."""
import urllib.parse

import pytest

from harness.browser import plain
from harness.deployment import PASSWORD
from harness.hostile import ALL, MARKUP

TITLE_LIMIT, LEAD_LIMIT, NAME_LIMIT, BIO_LIMIT = 140, 600, 60, 160

# Elements and attributes that only a text of a visitor's could have brought into the page.
FOREIGN = """
const found = [];
for (const element of document.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
        if (/^on/i.test(attribute.name) || ["style", "srcdoc", "formaction"].includes(attribute.name)
            || attribute.name === "autofocus" && !element.matches(".errors"))
            found.push(`${element.localName}[${attribute.name}]`);
        if (["href", "src", "action", "xlink:href", "data"].includes(attribute.name)
            && /^\\s*(javascript|vbscript|data):/i.test(attribute.value))
            found.push(`${element.localName} to ${attribute.value}`);
    }
    if (element.matches("script[type='application/ld+json']:not([src])"))
        JSON.parse(element.textContent);
    else if (element.matches("script:not([src^='/static/']), iframe, object, embed, base, style, template, math, marquee"
        + ", audio, video, img, meta[http-equiv], link:not([rel~=canonical], [rel=icon], [rel=alternate]"
        + ", [rel=stylesheet][href^='/static/']), svg > :not(rect), xmp, noscript"))
        found.push(element.outerHTML.slice(0, 200));
}
return found;
"""


def in_parts(texts, limit):
    """The texts joined by spaces, in pieces no longer than that."""
    parts = [""]
    for text in texts:
        if len(parts[-1]) + len(text) + 1 > limit:
            parts.append("")
        parts[-1] = f"{parts[-1]} {text}".strip()
    return parts


def line(text, limit):
    """As it would stand in a field of one line."""
    return plain(text)[:limit].strip()


@pytest.fixture(scope="module")
def topics(site, ana, organizer):
    """Topics whose titles and leads are all of them, and one article with everything."""
    article = "Un article assez long pour qu’on le lise, et qui contient tout ce qu’on peut y mettre de travers. " * 2
    made = []
    leads = in_parts(MARKUP, LEAD_LIMIT)
    for number, text in enumerate(in_parts(MARKUP, TITLE_LIMIT - 10)):
        made.append(site.open_topic(ana, organizer, title=f"Sujet {number} {text}",
                                    lead=f"{'Un chapô. ' * 6}{leads[number % len(leads)]}"[:LEAD_LIMIT],
                                    article=article + "\n\n".join(ALL), place=text[:140], expertises=["marketing"]))
    return made


@pytest.fixture(scope="module")
def thread(site, topics, ana):
    """A comment for each, by somebody whose name, organisation and line are another."""
    topic = topics[0]
    comments = [ana.post(f"/topics/{topic['id']}/comments", {"body": text}) for text in ALL]
    with site.database("accounts") as connection, connection.cursor() as cursor:
        people = []
        for text in ALL:
            cursor.execute("INSERT INTO accounts (email, email_folded, display_name, organisation, bio, state)"
                           " VALUES (%s, %s, %s, %s, %s, 'active') RETURNING id",
                           (f"h{len(people)}@example.org", f"h{len(people)}@example.org",
                            line(text, NAME_LIMIT), line(text, 100), line(text, BIO_LIMIT)))
            people.append(cursor.fetchone()[0])
    with site.database("comments") as connection, connection.cursor() as cursor:
        for comment, person in zip(comments, people):
            cursor.execute("UPDATE comments SET author_id = %s WHERE id = %s", (person, comment["id"]))
    return comments


def is_harmless(browser):
    foreign = browser.driver.execute_script(FOREIGN)
    assert foreign == [], f"{browser.path}: {foreign}"
    complaints = browser.complaints()
    assert complaints == [], f"{browser.path}: {complaints}"


def letters(text):
    """What is left when typography and Markdown have had their way."""
    return [character for character in text if character.isalnum() or character in "<>=\"'(){}&;:/"]


def test_titles_and_leads_are_text_in_lists_and_pages(scripted, topics):
    seen = {}
    scripted.open("/sujets")
    while True:
        seen.update(zip(scripted.texts(".row h2, .lead h2"), scripted.texts(".row .chapo, .lead .chapo")))
        is_harmless(scripted)
        following = scripted.all("a[rel=next]")
        if not following or all(plain(topic["title"]) in seen for topic in topics):
            break
        following[0].click()
    for topic in topics:
        assert plain(topic["title"]) in seen
        assert letters(seen[plain(topic["title"])]) == letters(topic["lead"])


def test_a_topic_made_of_attacks_is_text(scripted, topics, thread):
    topic = topics[0]
    scripted.open(f"/sujets/{topic['id']}")
    is_harmless(scripted)
    assert plain(scripted.text("h1")) == plain(topic["title"])
    assert letters(scripted.text(".topic-head .chapo")) == letters(plain(topic["lead"]))
    article = scripted.text("#article")
    for number in range(1, 71):
        assert str(number) in article


def test_comments_and_names_made_of_attacks_are_text(scripted, topics, thread):
    shown = {}
    scripted.open(f"/sujets/{topics[0]['id']}")
    while True:
        for comment in scripted.all(".comment"):
            shown[comment.get_attribute("id")[1:]] = (
                comment.find_element("css selector", ".name").get_attribute("innerText"),
                comment.find_element("css selector", ".prose").get_attribute("innerText"))
        is_harmless(scripted)
        following = [a for a in scripted.all("#reagir .more a") if "suivantes" in a.text]
        if not following:
            break
        following[0].click()
    for number, (comment, text) in enumerate(zip(thread, ALL)):
        name, body = shown[comment["id"]]
        assert plain(name) == plain(line(text, NAME_LIMIT))
        if text in MARKUP and "&" not in text and "`" not in text:
            assert letters(plain(body)) == letters(plain(text)), text


def test_what_is_searched_for_is_text(scripted):
    for query in in_parts(MARKUP, 200):
        scripted.open("/sujets?q=" + urllib.parse.quote(query))
        assert scripted.one("#q").get_attribute("value") == query
        is_harmless(scripted)


@pytest.mark.parametrize("path", ["/connexion?next=", "/inscription?next=", "/sujets?curseur=", "/sujets?expertise=",
                                  "/sujets/1?apres=", "/sujets/1?repondre=", "/verification?token=", "/u/"])
def test_addresses_made_of_attacks_are_text(scripted, path):
    for text in ('"><script>alert(1)</script>', "javascript:alert(1)", "//evil.example/", "/\\evil.example/",
                 "'><img src=x onerror=alert(1)>"):
        scripted.open(path + urllib.parse.quote(text, safe=""))
        is_harmless(scripted)
        assert "evil.example" not in scripted.driver.execute_script(
            "return [...document.links].map((a) => a.hostname).concat([...document.forms]"
            ".map((form) => new URL(form.getAttribute('action'), location).hostname))")


def test_forms_give_attacks_back_as_they_were_typed(site, scripted, ana):
    scripted.sign_in(ana.email, PASSWORD)
    bio = in_parts(MARKUP, BIO_LIMIT)[1]
    scripted.open("/compte")
    scripted.fill("bio", bio)
    scripted.fill("organisation", MARKUP[5])
    scripted.press("Enregistrer le profil")
    scripted.wait(lambda: scripted.says("Votre profil est enregistré."))
    assert scripted.named("bio").get_attribute("value") == bio
    is_harmless(scripted)

    everything = "\n\n".join(ALL)[:4900]
    scripted.open("/sujets/1")
    scripted.driver.execute_script("arguments[0].value = arguments[1]", scripted.named("text"), everything)
    scripted.press("Aperçu")
    scripted.wait(lambda: scripted.has(".preview"))
    is_harmless(scripted)
    assert scripted.named("text").get_attribute("value").strip() == everything.strip()


def test_the_desk_and_moderators_read_attacks_as_text(site, scripted, topics, thread):
    scripted.sign_in("camille@causerie.example", "causerie-demo")
    for path in ("/bureau", f"/bureau/sujets/{topics[0]['id']}", f"/moderation/{thread[0]['id']}",
                 f"/commentaires/{thread[5]['id']}/historique", f"/commentaires/{thread[5]['id']}/signaler"):
        scripted.open(path)
        is_harmless(scripted)


def test_mails_about_attacks_are_text(site, scripted, topics, thread, ben):
    title = topics[0]["title"]
    first = ben.post(f"/topics/{topics[0]['id']}/comments", {"body": "Je lis tout."})
    other = site.member("Zoé Legras")
    other.post(f"/topics/{topics[0]['id']}/comments", {"body": "\n\n".join(MARKUP)[:4900], "parent_id": first["id"]})
    mail = site.mail.wait_for(ben.email, subject="Re:")
    assert plain(title)[:20] in plain(mail.subject)
    scripted.open("/dev/mailbox")
    is_harmless(scripted)
    scripted.wait(lambda: next(a for a in scripted.all(".inbox a") if plain(title)[:20] in plain(a.text))).click()
    frame = scripted.one("iframe.mail")
    foreign = scripted.driver.execute_script(FOREIGN)
    assert len(foreign) == 1 and foreign[0].startswith('<iframe class="mail"')
    scripted.driver.switch_to.frame(frame)
    assert "<svg onload=alert(11)>" in scripted.text()
    assert not scripted.has("script, svg, img, iframe, form, input, [onload], [onerror], [onfocus]")
    scripted.driver.switch_to.default_content()
