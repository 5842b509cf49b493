"""
Somebody at the pages: cookies kept by hand (Secure ones too), forms sent as a browser sends them.

    ana = Browser(site)
    ana.sign_in(address)
    answer = ana.submit("/connexion", {"email": …}, path="/connexion")

Every request is a connection of its own, so that with several gateways each answers some of them.
"""
import html
import re

import requests

from harness.deployment import PASSWORD
from harness.patience import eventually

TOKEN = re.compile(r'name="csrf" value="([^"]*)"')


def text_of(answer):
    """What a page says; spaces are spaces."""
    return html.unescape(re.sub(r"<[^>]*>", "", answer.text)).replace("\u00a0", " ").replace("\u202f", " ")


class Browser:
    def __init__(self, site, **headers):
        self.site = site
        self.headers = headers
        self.cookies = {}
        self.set_cookies = []  # as they came, attributes included

    @property
    def origin(self):
        return self.site.environment["CAUSERIE_PUBLIC_URL"]

    def request(self, method, path, fields=None, headers=None):
        """The bare answer; redirects are not followed."""
        wanted = {**self.headers, "Connection": "close"}
        if self.cookies:
            wanted["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        wanted.update(headers or {})
        answer = requests.request(method, self.site.url + path, data=fields, timeout=15, allow_redirects=False,
                                  headers={name: value for name, value in wanted.items() if value is not None})
        for line in answer.raw.headers.getlist("Set-Cookie"):
            self._keep(line)
        return answer

    def _keep(self, line):
        self.set_cookies.append(line)
        name, value = line.split(";")[0].split("=", 1)
        if value and "Max-Age=0" not in line:
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def form_token(self, page):
        """The token that the first form of a page carries."""
        text = self.get(page).text
        found = TOKEN.search(text)
        assert found, f"{page} has no form with a token"
        return found[1]

    def submit(self, page, fields, path=None, headers=None):
        """Loads a page and sends its form."""
        fields = {"csrf": self.form_token(page), **fields}
        return self.send(path or page, fields, headers)

    def send(self, path, fields, headers=None):
        """A form's request without loading its page first."""
        return self.request("POST", path, fields, {"Origin": self.origin, **(headers or {})})

    def sign_in(self, address, password=PASSWORD):
        def served():
            answer = self.submit("/connexion", {"email": address, "password": password})
            assert answer.status_code != 503, f"{answer.status_code} {answer.text[:500]}"
            return answer

        answer = eventually(lambda: [served()])[0]
        assert answer.status_code == 303, f"{answer.status_code} {answer.text[:500]}"
        return self

    def is_signed_in(self):
        answer = self.get("/compte")
        assert answer.status_code in (200, 303), f"{answer.status_code} {answer.text[:500]}"
        return answer.status_code == 200
