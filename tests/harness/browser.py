"""
A browser as people have it, with script or without, in one language, and a witness of what went wrong.

    with Browser(site.url, script=False, language="en") as browser:
        browser.open("/sujets")
        browser.fill("q", "velo")
        browser.press("Chercher")            # words are French; the catalogue says them in English
        assert not browser.complaints()

complaints() are the console's errors, what the content security policy refused, scripts that a text of
a visitor's brought along, files that are missing, and requests to any other host, since the last time.
"""
import ast
import json
import pathlib
import re
import shutil
import tempfile
import time
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness.patience import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "services/gateway/locale/en.po"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--hide-scrollbars", "--disable-dev-shm-usage", "--window-size=1280,900")
NO_BREAK = str.maketrans("\u00a0\u202f", "  ")
JAVASCRIPT = "profile.managed_default_content_settings.javascript"
REFUSED = 2
TALL = 6000

# What runs in every page before its own scripts: a foreign script that runs leaves a trace, and so does a shift.
WITNESS = """
window.ran = [];
window.listening = false;
window.shifts = 0;
for (const name of ["alert", "confirm", "prompt", "print"])
    window[name] = (...words) => { window.ran.push(name + " " + words); };
document.addEventListener("securitypolicyviolation",
    (event) => window.ran.push(`refused ${event.violatedDirective} ${event.blockedURI}`));
window.EventSource = class extends EventSource {
    constructor(...words) {
        super(...words);
        this.addEventListener("open", () => { window.listening = true; });
    }
};
new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.shifts += one.value; }))
    .observe({ type: "layout-shift", buffered: true });
"""


def _catalogue():
    """French text to English, as the site's own catalogue says it."""
    words = {}
    for entry in CATALOGUE.read_text(encoding="utf-8").split("\n\n"):
        said = {}
        for name, texts in re.findall(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', entry, re.M):
            said[name] = "".join(ast.literal_eval(line) for line in texts.splitlines() if line)
        one = said.get("msgstr", said.get("msgstr[0]", ""))
        words[said.get("msgid", "")] = one
        if "msgid_plural" in said:
            words[said["msgid_plural"]] = said.get("msgstr[1]", one)
    return words


def plain(text):
    """Spaces are spaces: French typography puts no-break ones."""
    return " ".join(text.translate(NO_BREAK).split())


def _quoted(text):
    """An XPath literal; apostrophes in ours are typographic."""
    assert "'" not in text
    return f"'{text}'"


SAID = "normalize-space(translate(., '\u00a0\u202f', '  '))"


class Browser:
    ENGLISH = _catalogue()

    def __init__(self, url, script=True, language="fr"):
        self.url = url
        self.script = script
        self.language = language
        self._profile = tempfile.mkdtemp(prefix="causerie-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in FLAGS + (f"--user-data-dir={self._profile}",):
            options.add_argument(flag)
        preferences = {"intl.accept_languages": language, "credentials_enable_service": False}
        if not script:
            preferences[JAVASCRIPT] = REFUSED
        options.add_experimental_option("prefs", preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_page_load_timeout(30)
        if script:
            self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WITNESS})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    # --- words

    def word(self, french, *values):
        """How the site says it in this browser's language; values take the places of %s and %d."""
        said = self.ENGLISH[french] if self.language == "en" else french
        assert said, f"the catalogue does not say {french!r} in English"
        for value in values:
            said = re.sub("%[sd]", str(value), said, count=1)
        return said.replace("%%", "%")

    # --- going about

    def open(self, path):
        self.driver.get(path if path.startswith("http") else self.url + path)

    @property
    def path(self):
        return self.driver.current_url.removeprefix(self.url)

    def wait(self, check, seconds=PATIENCE):
        """What check() returns once it is true; pages that change under it are asked again."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = check()
            except (StaleElementReferenceException, LookupError, StopIteration):
                found = None
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain at {self.driver.current_url}:\n{self.text()[:3000]}")
            time.sleep(0.03)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def has(self, selector):
        return bool(self.all(selector))

    def one(self, selector):
        return self.wait(lambda: (self.all(selector) or [None])[0])

    def named(self, field):
        """The visible control of that name."""
        return self.wait(lambda: next(found for found in self.all(f'main [name="{field}"]') if found.is_displayed()))

    def text(self, selector="body"):
        return plain(self.wait(lambda: self.all(selector))[0].get_attribute("innerText"))

    def texts(self, selector):
        return [plain(found.get_attribute("innerText")) for found in self.all(selector)]

    def says(self, french, *values):
        """True when the page says so, in its language."""
        return plain(self.word(french, *values)) in self.text()

    def wait_says(self, french, *values):
        self.wait(lambda: self.says(french, *values))

    def pressable(self, french, *values, within="main"):
        words = _quoted(plain(self.word(french, *values)))
        inside = f"//{within}" if within.isalpha() else within
        path = f"{inside}//*[self::a or self::button or self::summary][{SAID}={words}]"
        return self.wait(lambda: next(one for one in self.driver.find_elements(By.XPATH, path) if one.is_displayed()))

    def press(self, french, *values, within="main"):
        """The button or link that says so; waits for the page it leads to, if any."""
        self.pressable(french, *values, within=within).click()

    def fill(self, field, text):
        found = self.named(field)
        found.clear()
        found.send_keys(text)

    def choose(self, field, value):
        """A radio button or an option."""
        for found in self.all(f'main [name="{field}"][value="{value}"], main select[name="{field}"] option[value="{value}"]'):
            if found.is_displayed():
                found.click()
                return
        raise AssertionError(f"{field} offers no {value}")

    # --- the keyboard

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    @property
    def focused(self):
        return self.driver.switch_to.active_element

    def tab_to(self, wanted, limit=200):
        """Tab until wanted(element) holds; the element."""
        for _ in range(limit):
            self.keys(Keys.TAB)
            try:
                if wanted(self.focused):
                    return self.focused
            except StaleElementReferenceException:
                pass
        raise AssertionError(f"the keyboard does not come there at {self.driver.current_url}")

    def tab_to_words(self, french, *values):
        words = plain(self.word(french, *values))
        return self.tab_to(lambda one: plain(one.get_attribute("innerText") or "") == words)

    # --- people

    def sign_in(self, address, password):
        self.open("/connexion")
        self.fill("email", address)
        self.fill("password", password)
        self.press("Se connecter")
        self.wait(lambda: self.has(".account"))

    def cookies(self):
        return self.driver.get_cookies()

    def take(self, cookies):
        """As if these had been set in an earlier visit."""
        for cookie in cookies:
            self.driver.execute_cdp_cmd("Network.setCookie", {
                "name": cookie["name"], "value": cookie["value"], "url": self.url, "httpOnly": cookie["httpOnly"]})

    def forget(self):
        """As if nobody had been here before."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.get("about:blank")
        self.complaints()

    # --- what it looks like

    def screen(self, width=1280, height=900, theme="light"):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": theme}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def overflow(self):
        """By how many pixels the page is wider than the screen."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def picture(self, path, width, theme):
        self.screen(width, 900, theme)
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.screen(width, min(max(height, 900), TALL), theme)
        self.driver.save_screenshot(str(path))

    # --- the witness

    def complaints(self):
        found = [f"{entry['level']} {entry['message']}" for entry in self.driver.get_log("browser")
                 if entry["source"] != "network" and entry["level"] in ("SEVERE", "WARNING")]
        found += self._ran()
        for entry in self.driver.get_log("performance"):
            found += self._judge(json.loads(entry["message"])["message"])
        return found

    def _ran(self):
        if not self.script:
            return []
        try:
            return self.driver.execute_script("return (window.ran || []).splice(0)")
        except WebDriverException:
            return []

    def _judge(self, event):
        name, details = event["method"], event["params"]
        if name == "Network.requestWillBeSent":
            address = urllib.parse.urlsplit(details["request"]["url"])
            ours = urllib.parse.urlsplit(self.url).netloc
            if address.scheme in ("http", "https", "ws", "wss") and address.netloc != ours:
                return [f"another host: {details['request']['url']}"]
        elif name == "Network.responseReceived" and details["type"] != "Document":
            if details["response"]["status"] >= 400:
                return [f"{details['response']['status']} {details['response']['url']}"]
        return []
