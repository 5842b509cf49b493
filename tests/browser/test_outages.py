"""Each part of the site goes away in turn: the page stays, says plainly what is missing, and heals."""
import pytest
import requests

from harness.browser import plain
from harness.deployment import PASSWORD
from harness.patience import eventually

SAID = {
    "topics": "Les sujets ne répondent pas : ce que vous voyez peut dater de quelques minutes.",
    "comments": "Les réactions ne répondent pas en ce moment ; elles reviennent dès que possible.",
    "accounts": "Les comptes ne répondent pas : des noms manquent et l’on ne peut pas se connecter.",
    "related": "Dernière liste connue.",
    "notifications": "Les notifications ne répondent pas ; vos e-mails partiront plus tard.",
}
NO_SESSIONS = "Les sessions ne répondent pas : la lecture fonctionne, la connexion est momentanément impossible."
TITLE = "Que reste-t-il quand une partie manque ?"


@pytest.fixture(scope="module")
def topic(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title=TITLE, expertises=["marketing"])
    ana.post(f"/topics/{topic['id']}/comments", {"body": "Je reste lisible."})
    return topic


@pytest.fixture
def down(site):
    """Takes a daemon away; afterwards all are back."""
    yield site.kill
    for name in ("accounts", "topics", "comments", "notifications", "related", "gateway"):
        site.start(name)
    site.wait_ready()


@pytest.fixture
def address(site, topic):
    """Of a page that is kept for visitors: its topic's last event has come."""
    return eventually(lambda: (answer := requests.get(f"{site.url}/sujets/{topic['id']}", timeout=10)).headers["ETag"] and answer.url)


@pytest.mark.parametrize("name", ["topics", "comments", "related", "notifications"])
def test_a_member_is_told_what_is_missing_and_the_page_heals(site, scripted, address, ana, down, name):
    scripted.sign_in(ana.email, PASSWORD)
    scripted.open(address)
    assert not scripted.says(SAID[name])
    down(name)

    def told():
        scripted.open(address)
        assert plain(scripted.text("h1")) == plain(TITLE)
        return scripted.says(SAID[name])

    scripted.wait(told)
    assert requests.get(address, timeout=10).status_code == 200
    site.start(name)

    def healed():
        scripted.open(address)
        return not scripted.says(SAID[name]) and scripted.has("#reagir") and "Je reste lisible." in scripted.text("#reagir")

    scripted.wait(healed)
    only_unavailable(scripted)


def only_unavailable(browser):
    """While a part is away the page's stream may be refused; nothing else may go wrong."""
    assert not [complaint for complaint in browser.complaints() if not complaint.startswith("503 ")]


def test_a_gateway_that_has_seen_nothing_yet_tells_a_visitor_who_is_missing(site, plain_browser, topic, down):
    for name in ("accounts", "related", "comments", "gateway"):
        down(name)
    site.start("gateway")
    address = f"/sujets/{topic['id']}"
    eventually(lambda: is_up(site.url + address))
    plain_browser.open(address)
    assert plain(plain_browser.text("h1")) == plain(TITLE)
    for sentence in (SAID["accounts"], SAID["comments"], "Les sujets connexes ne sont pas disponibles en ce moment."):
        assert plain_browser.says(sentence)
    for name in ("accounts", "related", "comments"):
        site.start(name)

    def healed():
        plain_browser.open(address)
        whole = plain_browser.has(".byline") and not plain_browser.has(".notice.warning")
        return whole and "Ana Belmonte" in plain_browser.text(".byline")

    plain_browser.wait(healed)


def is_up(address):
    try:
        return requests.get(address, timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


def test_the_gateway_comes_back_and_readers_hear_of_new_comments_again(site, scripted, topic, ana, down):
    scripted.open(f"/sujets/{topic['id']}")
    down("gateway")
    site.start("gateway")
    site.wait_ready()

    def arrived():
        ana.post(f"/topics/{topic['id']}/comments", {"body": "Me revoilà."})
        return scripted.has("[data-live] button")

    eventually(arrived)
    only_unavailable(scripted)


def test_without_redis_one_reads_and_signing_in_says_why_not(site, plain_browser, topic, ana):
    site.redis.kill()
    try:
        plain_browser.open(f"/sujets/{topic['id']}")
        assert plain(plain_browser.text("h1")) == plain(TITLE)
        plain_browser.open("/connexion")
        plain_browser.fill("email", ana.email)
        plain_browser.fill("password", PASSWORD)
        plain_browser.press("Se connecter")
        plain_browser.wait_says(NO_SESSIONS)
        assert not plain_browser.has(".account")
    finally:
        site.redis.start()

    def signed_in():
        plain_browser.open("/connexion")
        plain_browser.fill("email", ana.email)
        plain_browser.fill("password", PASSWORD)
        plain_browser.press("Se connecter")
        plain_browser.wait(lambda: plain_browser.has(".account") or plain_browser.has(".errors"))
        return plain_browser.has(".account")

    plain_browser.wait(signed_in)
