"""
What the browser tests share: the demo site, four browsers (with and without script, in French and in
English), and the rule that no test leaves an error in the console or a request to another host behind.
"""
import pytest

from harness.browser import Browser
from harness.deployment import Deployment
from harness.mailbox import DevelopmentMailbox

KINDS = [(True, "fr"), (False, "fr"), (True, "en"), (False, "en")]
NAMES = ["script-fr", "plain-fr", "script-en", "plain-en"]


@pytest.fixture(scope="session")
def site():
    mailbox = DevelopmentMailbox()
    deployment = Deployment(settings=mailbox.settings, demo=True)
    deployment.mail = mailbox
    with deployment:
        yield deployment


@pytest.fixture(scope="session")
def browsers(site):
    """Browsers by kind, started when they are first wanted."""
    running = {}

    def find(script, language):
        if (script, language) not in running:
            running[script, language] = Browser(site.url, script, language)
        return running[script, language]

    yield find
    for one in running.values():
        one.close()


def _lend(browser):
    browser.forget()
    browser.screen()
    yield browser
    complaints = browser.complaints()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(params=KINDS, ids=NAMES)
def browser(browsers, request):
    """Each of the four in turn."""
    yield from _lend(browsers(*request.param))


@pytest.fixture
def scripted(browsers):
    """One with script, in French, for what only script does or what is the same in all."""
    yield from _lend(browsers(True, "fr"))


@pytest.fixture
def plain_browser(browsers):
    """One without script, in French."""
    yield from _lend(browsers(False, "fr"))


@pytest.fixture(scope="session")
def organizer(site):
    return site.sign_in("camille@causerie.example", "causerie-demo")


@pytest.fixture(scope="session")
def ana(site):
    return site.member("Ana Belmonte")


@pytest.fixture(scope="session")
def ben(site):
    return site.member("Ben Carver", language="en")
