"""
Whose account it is: an address may be signed up by anybody, and belongs to whoever opens a link that
went there. What was asked for with that link is in force then, and nobody learns whose address it is.
"""
import concurrent.futures
import re
import secrets

import pytest

from harness.deployment import PASSWORD, a_name
from harness.pages import Browser
from harness.patience import eventually

OWN = "une phrase bien à moi"
RESET = "une toute dernière phrase"


@pytest.fixture
def address():
    return f"m{secrets.token_hex(6)}@example.org"


def sign_up(site, address, name, password=PASSWORD, **more):
    return site.visitor().request("POST", "/accounts", {"email": address, "password": password, "display_name": name,
                                                        "language": "fr", **more})


def link_for(site, address, name):
    """The token of the link in the mail that greets by that name."""
    def found():
        return [next(url for url in mail.links() if "/verification/" in url).rsplit("/", 1)[1]
                for mail in site.mail.to(address) if name in mail.body()]
    return eventually(found)[0]


def verify(site, token):
    return site.visitor().request("POST", "/accounts/verify", {"token": token}).status_code


def signs_in(site, address, password):
    return site.visitor().request("POST", "/tokens", {"email": address, "password": password, "label": "x"}).status_code


# --- whose password, whose name


def test_a_stranger_who_signed_an_address_up_first_has_nothing_once_its_owner_opens_the_link(site, address):
    strange, own = a_name(), a_name()
    sign_up(site, address, strange)
    stranger, browser = site.sign_in(address), Browser(site).sign_in(address)
    stranger.patch("/me", {"bio": "Une ligne à moi", "organisation": "La mienne", "expertises": ["marketing"]})
    assert sign_up(site, address, own, OWN, language="en").status_code == 202
    assert verify(site, link_for(site, address, own)) == 204

    assert signs_in(site, address, PASSWORD) == 401
    assert stranger.request("GET", "/me").status_code == 401
    assert not browser.is_signed_in()
    me = site.sign_in(address, OWN).get("/me")
    assert (me["display_name"], me["language"], me["bio"], me["organisation"], me["expertises"]) == (own, "en", "", "", [])


def test_of_two_sign_ups_the_one_whose_link_was_opened_is_in_force(site, address):
    first, second = a_name(), a_name()
    sign_up(site, address, first)
    sign_up(site, address, second, OWN)
    before = site.sign_in(address)
    links = {name: link_for(site, address, name) for name in (first, second)}
    assert verify(site, links[first]) == 204
    assert before.request("GET", "/me").status_code == 401, "verification ends what was open"
    member = site.sign_in(address)
    assert member.get("/me")["display_name"] == first

    for link in (links[second], links[first]):  # opened again, or too late: harmless
        assert verify(site, link) == 204
    assert signs_in(site, address, OWN) == 401
    assert member.get("/me")["display_name"] == first, "a session of the member's own ended"


def test_a_reset_makes_void_what_was_signed_up_before(site, address):
    strange = a_name()
    sign_up(site, address, a_name(), OWN)
    sign_up(site, address, strange)
    link = link_for(site, address, strange)
    site.visitor().post("/password/forgot", {"email": address}, status=202)
    mail = site.mail.wait_for(address, subject="nouveau mot de passe")
    token = next(url for url in mail.links() if "/mot-de-passe/" in url).rsplit("/", 1)[1]
    site.visitor().post("/password/reset", {"token": token, "password": RESET}, status=204)
    verify(site, link)
    assert signs_in(site, address, RESET) == 201
    assert signs_in(site, address, PASSWORD) == 401


def test_an_address_gets_three_mails_an_hour_however_often_it_is_signed_up(site, address):
    names = [a_name() for _ in range(6)]
    assert {sign_up(site, address, name).status_code for name in names} == {202}
    for name in names[:3]:
        link_for(site, address, name)
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mails JOIN accounts ON accounts.id = account_id WHERE email_folded = %s", (address,))
        assert cursor.fetchone()[0] == 3


def test_who_verifies_in_their_browser_is_signed_out_there_and_told_to_sign_in(site, address):
    name = a_name()
    sign_up(site, address, name)
    browser = Browser(site).sign_in(address)
    link = link_for(site, address, name)
    page = browser.submit(f"/verification/{link}", {"token": link}, path="/verification")
    assert page.status_code == 200 and "Se connecter" in page.text
    assert "session" not in browser.cookies and not browser.is_signed_in()


# --- names


def without_instance(answer):
    return answer.status_code, re.sub(r'"instance":"[^"]*"', "", answer.text)


@pytest.mark.parametrize("spelled", [str, str.upper])
def test_a_members_name_is_taken_for_their_own_address_as_for_any_other(site, spelled):
    member = site.member(a_name())
    name = spelled(member.account["display_name"])
    answers = {without_instance(sign_up(site, one, name)) for one in (member.email, f"m{secrets.token_hex(6)}@example.org")}
    assert len(answers) == 1
    status, body = answers.pop()
    assert status == 422 and '"display_name"' in body and '"taken"' in body
    pages = set()
    for one in (member.email, f"m{secrets.token_hex(6)}@example.org"):
        page = Browser(site).submit("/inscription", {"email": one, "name": name, "password": PASSWORD, "language": "fr"})
        text = re.sub(r'name="(csrf|key)" value="[^"]*"', "", page.text).replace(one, "ADDRESS")
        pages.add((page.status_code, text))
    assert len(pages) == 1


def test_a_name_does_not_tell_whether_the_address_it_was_signed_up_with_has_an_account(site, address):
    known, waiting = site.member(a_name()).email, site.sign_up(a_name())
    answers = set()
    for one in (known, waiting, address):
        name = a_name()
        first = without_instance(sign_up(site, one, name))
        again = without_instance(sign_up(site, f"m{secrets.token_hex(6)}@example.org", name))
        answers.add((first, again, without_instance(sign_up(site, one, name))))
    assert len(answers) == 1


def test_of_two_who_wait_with_one_name_the_first_to_verify_has_it_and_the_other_a_number(site):
    name = a_name()
    one, other = site.sign_up(name), site.sign_up(name)
    for who in (one, other):
        assert verify(site, link_for(site, who, name)) == 204
    second = site.sign_in(other)
    assert site.sign_in(one).get("/me")["display_name"] == name
    assert second.get("/me")["display_name"] == f"{name} {second.id}"
    assert sign_up(site, "x" + one, f"{name} {second.id}").status_code == 422, "the numbered name is theirs"


def test_of_many_who_verify_one_name_at_once_each_gets_in(site):
    name = a_name()
    addresses = [site.sign_up(name) for _ in range(4)]
    links = [link_for(site, one, name) for one in addresses]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda link: verify(site, link), links))
    for link in links:
        assert verify(site, link) == 204
    names = {site.sign_in(one).get("/me")["display_name"] for one in addresses}
    assert len(names) == 4 and name in names


@pytest.mark.parametrize("verified", [True, False])
def test_one_may_keep_ones_name_and_not_take_anothers(site, verified):
    taken = site.member(a_name()).account["display_name"]
    person = site.member(a_name()) if verified else site.sign_in(site.sign_up(a_name()))
    name = person.get("/me")["display_name"]
    assert person.patch("/me", {"display_name": name.upper()})["display_name"] == name.upper()
    refused = person.request("PATCH", "/me", {"display_name": taken})
    assert refused.status_code == 422 and refused.json()["errors"] == [{"field": "display_name", "reason": "taken"}]
