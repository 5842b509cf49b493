"""A member leaves, reads what that means, and comes back by the link in the mail; with and without script."""
import itertools

import pytest

from harness.deployment import PASSWORD

numbers = itertools.count(1)


@pytest.mark.parametrize("browser", [(True, "fr"), (False, "en")], ids=["script-fr", "plain-en"], indirect=True)
def test_a_member_leaves_and_changes_their_mind(site, browser):
    member = site.member(f"Noémie {next(numbers)}", browser.language)
    browser.sign_in(member.email, PASSWORD)
    browser.open("/compte")
    browser.press("Effacer mon compte")
    browser.wait_says("Ce qui disparaît")
    browser.wait_says("Ce qui reste")

    browser.choose("comments", "remove")
    browser.fill("password", "pas la bonne")
    browser.press("Effacer mon compte")
    browser.wait_says("Ce n’est pas votre mot de passe.")
    assert browser.one('[name="comments"][value="remove"]').is_selected()
    browser.fill("password", PASSWORD)
    browser.press("Effacer mon compte")
    browser.wait_says("Votre compte est fermé")
    assert not browser.has(".account"), "the page still greets who left"

    browser.open("/connexion")
    browser.fill("email", member.email)
    browser.fill("password", PASSWORD)
    browser.press("Se connecter")
    browser.wait(lambda: browser.has('[role="alert"]'))

    link = next(url for url in site.mail.wait_for(member.email, after=1).links() if "/compte/garder/" in url)
    browser.open(link.removeprefix(site.url))
    browser.press("Garder mon compte")
    browser.wait_says("Votre compte est gardé")
    browser.press("Se connecter")
    browser.fill("email", member.email)
    browser.fill("password", PASSWORD)
    browser.press("Se connecter")
    browser.wait(lambda: browser.has(".account"))
