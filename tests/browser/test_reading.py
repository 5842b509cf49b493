"""What a page does while one reads and writes: nothing twice, nothing that moves, nothing heavy, nothing foreign."""
import gzip
import re

import pytest
import requests
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from harness.browser import plain
from harness.deployment import PASSWORD
from harness.patience import eventually

PAGE_LIMIT = 30 * 1024
SCRIPT_LIMIT = 8 * 1024
LONG_WORD = "Anticonstitutionnellement" * 5

VISITOR_PAGES = ["/", "/sujets", "/sujets?q=velo", "/sujets?q=introuvable", "/sujets/1", "/sujets/3", "/sujets/10",
                 "/sujets/1?repondre=1", "/connexion", "/inscription", "/mot-de-passe", "/aide", "/dev/mailbox",
                 "/nulle-part", "/u/faux"]
MEMBER_PAGES = ["/sujets/1", "/sujets/nouveau", "/compte", "/notifications", "/notifications/preferences"]
ORGANIZER_PAGES = ["/bureau", "/bureau/sujets/1", "/bureau/sujets/1/connexes", "/moderation", "/sujets/1"]


@pytest.fixture(scope="module")
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer, title="Que lit-on pendant que d’autres écrivent ?",
                           expertises=["marketing"])


@pytest.fixture(scope="module")
def lise(site):
    return site.member("Lise Aubry")


@pytest.fixture
def reader(scripted, lise):
    scripted.sign_in(lise.email, PASSWORD)
    return scripted


def bodies(client, topic):
    return [comment["body"] for comment in client.get(f"/topics/{topic['id']}/comments", limit=100)["items"]]


# --- once


@pytest.mark.parametrize("kind", ["script", "plain"])
def test_a_double_click_posts_once(browsers, site, topic, ana, kind, request):
    browser = request.getfixturevalue("scripted" if kind == "script" else "plain_browser")
    browser.sign_in(ana.email, PASSWORD)
    browser.open(f"/sujets/{topic['id']}")
    text = f"Deux clics, une réaction ({kind})."
    browser.fill("text", text)
    ActionChains(browser.driver).double_click(browser.pressable("Publier ma réaction")).perform()
    browser.wait(lambda: text in browser.text(".comments"))
    assert bodies(ana, topic).count(text) == 1


def test_going_back_and_sending_again_posts_once(plain_browser, topic, ana):
    plain_browser.sign_in(ana.email, PASSWORD)
    plain_browser.open(f"/sujets/{topic['id']}")
    text = "Une fois suffit, même en revenant."
    for again in (False, True):
        if again:
            plain_browser.driver.back()
        if plain_browser.named("text").get_attribute("value") != text:
            plain_browser.fill("text", text)
        plain_browser.press("Publier ma réaction")
        plain_browser.wait(lambda: text in plain_browser.text(".comments"))
    assert bodies(ana, topic).count(text) == 1


# --- live


def test_a_comment_that_arrives_waits_behind_a_button_and_nothing_moves(reader, topic, ana):
    reader.open(f"/sujets/{topic['id']}")
    field = reader.named("text")
    field.send_keys("Je suis en train d’écrire")
    reader.wait(lambda: reader.driver.execute_script("return listening && performance.now() > 500"))

    def places():
        return reader.driver.execute_script(
            "return [scrollY, document.documentElement.scrollHeight, ...[...document.querySelectorAll("
            "'main *:not([data-live]):not([data-live] *)')].map((e) => e.getBoundingClientRect().top)]")

    before, shifts = places(), reader.driver.execute_script("return shifts")
    posted = [ana.post(f"/topics/{topic['id']}/comments", {"body": "J’arrive pendant la lecture."})]
    button = reader.wait(lambda: reader.all("[data-live] button"))[0]
    assert plain(button.text) == "1 nouvelle réaction"
    posted.append(ana.post(f"/topics/{topic['id']}/comments", {"body": "Moi aussi."}))
    reader.wait(lambda: plain(button.text) == "2 nouvelles réactions")
    assert places() == before
    assert reader.driver.execute_script("return shifts") == pytest.approx(shifts, abs=0.001)  # the button's own width
    assert reader.focused == field
    assert not reader.has(f"#c{posted[0]['id']}")

    button.click()
    reader.wait(lambda: reader.has(f"#c{posted[0]['id']}") and reader.has(f"#c{posted[1]['id']}"))
    assert reader.focused.get_attribute("id") == f"c{posted[0]['id']}"
    assert reader.named("text").get_attribute("value") == "Je suis en train d’écrire"
    assert not reader.has("[data-live] button")


def test_what_one_posts_oneself_is_not_announced_as_new(reader, topic):
    reader.open(f"/sujets/{topic['id']}")
    reader.fill("text", "De ma propre main.")
    reader.press("Publier ma réaction")
    reader.wait(lambda: "De ma propre main." in reader.text(".comments"))
    reader.driver.execute_async_script("setTimeout(arguments[0], 700)")
    assert not reader.has("[data-live] button")


# --- the keyboard


def test_the_first_tab_leads_past_the_masthead(scripted):
    scripted.open("/sujets")
    scripted.keys(Keys.TAB)
    assert plain(scripted.focused.text) == "Aller au contenu"
    scripted.keys(Keys.ENTER)
    scripted.wait(lambda: scripted.focused.get_attribute("id") == "contenu")


def test_escape_leaves_a_reply_and_returns_to_where_it_began(reader, topic, ana):
    posted = ana.post(f"/topics/{topic['id']}/comments", {"body": "Répondez-moi, ou pas."})
    reader.open(f"/sujets/{topic['id']}")
    reader.tab_to(lambda one: one.get_attribute("data-reply") == posted["id"])
    reader.keys(Keys.ENTER)
    reader.wait(lambda: reader.focused.get_attribute("name") == "text")
    reader.keys(Keys.ESCAPE)
    reader.wait(lambda: reader.focused.get_attribute("data-reply") == posted["id"])


@pytest.mark.parametrize("kind", ["scripted", "plain_browser"])
def test_an_organizer_pins_and_releases_a_related_topic_by_keyboard(kind, request):
    browser = request.getfixturevalue(kind)
    browser.sign_in("camille@causerie.example", "causerie-demo")
    browser.open("/sujets/1")
    browser.tab_to_words("Comprendre et choisir")
    browser.keys(Keys.ENTER)
    browser.wait(lambda: browser.path.endswith("/connexes"))
    title = browser.wait(lambda: browser.texts("ol .dossier h3"))[0]
    for button, pinned in (("Épingler", True), ("Libérer", False)):
        browser.tab_to(lambda one, button=button: plain(one.get_attribute("innerText") or "") == plain(f"{button} {title}"))
        browser.keys(Keys.ENTER)
        browser.wait(lambda pinned=pinned: browser.has("ul .dossier") == pinned
                     and browser.says("C’est noté : les pages des deux sujets suivent dans la seconde."))


# --- small screens


def widths(browser, pages, width):
    browser.screen(width, 640)
    for path in pages:
        browser.open(path)
        yield path, browser.overflow()


@pytest.mark.parametrize("who", ["visitor", "member", "organizer"])
def test_no_page_scrolls_sideways_on_a_narrow_screen(site, scripted, topic, ana, who):
    pages = {"visitor": VISITOR_PAGES, "member": MEMBER_PAGES, "organizer": ORGANIZER_PAGES}[who]
    if who == "member":
        ana.post(f"/topics/{topic['id']}/comments", {"body": f"{LONG_WORD} `{LONG_WORD}`\n\n    {LONG_WORD}\n\n> {LONG_WORD}"})
        pages = pages + [f"/sujets/{topic['id']}"]
        scripted.sign_in(ana.email, PASSWORD)
    elif who == "organizer":
        scripted.sign_in("camille@causerie.example", "causerie-demo")
    assert {path: wider for path, wider in widths(scripted, pages, 320) if wider > 0} == {}


# --- weight


def fetched(url):
    """The bytes of a body as they come over the wire."""
    answer = requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
    assert answer.status_code == 200 and answer.headers["Content-Encoding"] == "gzip"
    return answer.raw.read(decode_content=False)


def test_a_topic_with_fifty_comments_is_light(site, ana):
    for _ in range(50 - len(ana.get("/topics/3/comments", limit=100)["items"])):
        ana.post("/topics/3/comments", {"body": "Fermer, c’est aussi choisir qui parle. Je préfère qu’on modère."})
    url = requests.get(f"{site.url}/sujets/3", timeout=10).url

    def with_fifty():  # the last one's event may be under way to the gateway, which keeps pages
        page = fetched(url)
        html = gzip.decompress(page).decode()
        return (page, html) if html.count('class="comment') >= 50 else None

    page, html = eventually(with_fifty)
    assets = {kind: fetched(site.url + path) for kind, path in
              re.findall(r'(?=<(link rel="stylesheet"|script)[^>]* (?:href|src)="([^"]+)")', html)}
    assert len(assets) == 2
    assert len(assets["script"]) <= SCRIPT_LIMIT
    assert len(page) + sum(map(len, assets.values())) <= PAGE_LIMIT


def test_pages_forbid_scripts_and_files_of_others(site):
    for path in ("/", "/sujets", "/sujets/1", "/connexion", "/nulle-part"):
        policy = requests.get(site.url + path, timeout=10).headers["Content-Security-Policy"]
        rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";") if rule.strip()}
        assert rules["default-src"] == ["'none'"]
        assert rules["script-src"] == ["'self'"] and rules["style-src"] == ["'self'"]
        assert rules["frame-ancestors"] == ["'none'"] and rules["base-uri"] == ["'none'"]
