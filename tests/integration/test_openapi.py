"""The OpenAPI document says what the API answers: real answers are held against its schemas."""
import re

import jsonschema
import pytest

from harness.deployment import PASSWORD, a_topic
from harness.patience import eventually


@pytest.fixture(scope="module")
def document(site):
    return site.visitor().get("/openapi.json")


@pytest.fixture(scope="module")
def check(site, document):
    """Asks, and holds the answer against the operation's schema for its status."""
    tried = set()

    def operation_of(method, path):
        for pattern, operations in document["paths"].items():
            wanted = "^/api/v1" + re.sub(r"\{[^}]+\}", "[0-9]+", pattern.removeprefix("/api/v1")) + "$"
            if re.match(wanted, "/api/v1" + path) and method.lower() in operations:
                return operations[method.lower()]
        raise AssertionError(f"{method} {path} is not in the document")

    def ask(person, method, path, body=None, status=200, **query):
        operation = operation_of(method, path)
        answer = person.request(method, path, body, **query)
        assert answer.status_code == status, answer.text
        described = operation["responses"].get(str(status), operation["responses"]["default"])
        if "content" not in described:
            assert answer.content == b""
        else:
            (kind, content), = described["content"].items()
            assert answer.headers["Content-Type"] == kind
            schema = {**content["schema"], "components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(answer.json())
        if body is not None and status < 300:
            schema = {**operation["requestBody"]["content"]["application/json"]["schema"],
                      "components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(body)
        tried.add(operation["operationId"])
        return answer.json() if answer.content else None

    ask.tried = tried
    return ask


def test_the_document_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"\{([^}]+)\}", path))


def test_every_operation_answers_as_described(site, check, document, ana, organizer):
    visitor = site.visitor()
    check(visitor, "POST", "/accounts", {"email": "neuve@example.org", "password": "une phrase assez longue",
                                         "display_name": "Neuve", "language": "fr"}, 202)
    check(visitor, "POST", "/accounts/verify", {"token": "inconnu"}, site_status(site, "/accounts/verify"))
    check(visitor, "POST", "/tokens", {"email": ana.email, "password": "une phrase assez longue", "label": "x"}, 201)
    extra = [t["id"] for t in check(ana, "GET", "/tokens")["items"] if not t["current"]][0]
    check(ana, "DELETE", f"/tokens/{extra}", status=204)
    check(ana, "GET", "/me")
    check(ana, "PATCH", "/me", {"bio": "Une ligne", "expertises": ["marketing"], "organisation": "Ici"})
    check(visitor, "POST", "/password/forgot", {"email": "neuve@example.org"}, 202)
    leaving = site.member("Partante")
    check(leaving, "POST", "/account/erase", {"password": PASSWORD, "remove_comments": True}, 202)
    link = next(url for url in site.mail.wait_for(leaving.email, subject="effacé").links() if "/compte/garder/" in url)
    check(visitor, "POST", "/account/keep", {"token": link.rsplit("/", 1)[1]}, 204)

    check(visitor, "GET", "/taxonomies")
    topic = check(ana, "POST", "/topics", a_topic(), 201)
    path = f"/topics/{topic['id']}"
    topic = check(organizer, "POST", f"{path}/transitions", {"to": "open", "version": topic["version"]})
    topic = check(organizer, "PATCH", path, {"version": topic["version"], "place": "Studios"})
    check(organizer, "PATCH", path, {"version": topic["version"] + 7, "place": "Ailleurs"}, 409)
    check(visitor, "GET", path)
    check(visitor, "GET", "/topics", q="conversation", state="open", limit=5)
    check(visitor, "GET", "/topics/99999", status=404)
    check(visitor, "GET", f"{path}/history")
    check(ana, "PUT", f"{path}/opinion", {"value": 4, "reason": "Oui"})
    check(visitor, "GET", f"{path}/opinions")
    check(ana, "DELETE", f"{path}/opinion", status=204)
    other = check(organizer, "POST", "/topics", a_topic(title="Un autre sujet, tout à fait"), 201)
    check(organizer, "PUT", f"{path}/related/{other['id']}", {"pairing": "pinned"})
    check(organizer, "PUT", f"{path}/related/{other['id']}", {"pairing": "nothing"}, 422)
    check(organizer, "GET", f"{path}/pairs")
    eventually_related(visitor, path)
    check(visitor, "GET", f"{path}/related")
    check(organizer, "GET", f"{path}/related", everything="true")
    check(organizer, "DELETE", f"{path}/related/{other['id']}", status=204)

    comment = check(ana, "POST", f"{path}/comments", {"body": "Bonjour"}, 201)
    reply = check(organizer, "POST", f"{path}/comments", {"body": "Réponse", "parent_id": comment["id"]}, 201)
    check(visitor, "GET", f"{path}/comments", limit=1)
    check(visitor, "GET", f"/comments/{comment['id']}")
    check(ana, "PATCH", f"/comments/{comment['id']}", {"version": comment["version"], "body": "Bonjour !"})
    check(visitor, "GET", f"/comments/{comment['id']}/history")
    check(ana, "POST", f"/comments/{reply['id']}/reports", {"reason": "hors sujet"}, 201)
    check(organizer, "POST", f"/comments/{comment['id']}/moderation", {"action": "hide", "reason": "essai"})
    check(organizer, "DELETE", f"/comments/{reply['id']}", status=204)

    check(ana, "GET", f"{path}/follow")
    check(ana, "PUT", f"{path}/follow", {"level": "all"})
    check(ana, "GET", "/notifications")
    check(ana, "POST", "/notifications/read", {"all": True}, 204)
    check(ana, "GET", "/preferences")
    check(ana, "PUT", "/preferences", {"rhythm": "never", "local_hour": 8})
    check(ana, "GET", "/deliveries")
    check(ana, "POST", "/password/reset", {"token": "inconnu", "password": "une autre phrase longue"},
          site_status(site, "/password/reset"))

    ids = {operation["operationId"] for operations in document["paths"].values() for operation in operations.values()}
    assert ids - check.tried == {"topic_stream", "openapi"}


def eventually_related(person, path):
    """The list is there, with something in it to be held against its schema."""
    assert eventually(lambda: (answer := person.request("GET", f"{path}/related")).ok and answer.json()["items"])


def site_status(site, path):
    """A made-up token is refused; with which status is the service's choice."""
    body = {"token": "inconnu"} | ({"password": "une autre phrase longue"} if "reset" in path else {})
    status = site.visitor().request("POST", path, body).status_code
    assert 400 <= status < 500
    return status
