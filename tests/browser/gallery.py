#!/usr/bin/python3
"""Renders every sample page and takes its picture: light and dark, wide and narrow.

    tests/browser/gallery.py [--pages topic,list] [--no-pictures] [--build DIR]

Pages go to build/gallery, pictures to build/screenshots/<page>-<wide|narrow>-<light|dark>.png.
It also fails when a page scrolls sideways on a narrow screen, and prints the weight of the topic
page with 50 comments. Nothing but the compiler, the libraries and chromium is needed.
"""

import argparse
import functools
import http.server
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "services/lib/tools"
SCREENS = {"wide": (1280, 900), "narrow": (360, 780)}
WARNINGS = (
    "-std=c17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes "
    "-Wmissing-prototypes -Wconversion -Wcast-qual -Wvla -Wformat=2 -Werror"
).split()


def tool(name, *arguments):
    subprocess.run([sys.executable, "-B", str(TOOLS / name), *map(str, arguments)], check=True, cwd=ROOT)


def build(folder):
    """The gallery program, with templates compiled under the warnings of our own code."""
    made = folder / "made"
    made.mkdir(parents=True, exist_ok=True)
    tool("compile_templates.py", "services/gateway/templates",
         made / "gateway_templates.c", made / "gateway_templates.h")
    tool("compile_static.py", "services/gateway/static", made / "gateway_static.c", made / "gateway_static.h")
    templates = sorted((ROOT / "services/gateway/templates").glob("*.html"))
    tool("compile_locale.py", made / "catalogue.c", "services/gateway/locale/en.po", "--", *templates,
         "services/gateway/words.c")
    sources = [ROOT / "services/lib" / name for name in ("template.c", "locale.c", "zone.c")]
    sources += [ROOT / "services/gateway/words.c", ROOT / "tests/unit/gateway/samples.c",
                ROOT / "tests/browser/gallery.c", *sorted(made.glob("*.c"))]
    program = folder / "gallery-program"
    subprocess.run(
        ["gcc", *WARNINGS, "-I", ROOT / "services", "-I", made, "-I", ROOT / "tests/unit/gateway",
         *sources, "-o", program, "-levent"],
        check=True,
    )
    return program


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def browser(profile):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars", f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def take(driver, address, path, size, theme):
    """One full-page picture; returns how many pixels the page is wider than the screen."""
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(address)
    height, width = driver.execute_script(
        "const e = document.documentElement; return [e.scrollHeight, e.scrollWidth]"
    )
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {**metrics, "height": min(max(height, size[1]), 6000)})
    driver.save_screenshot(str(path))
    return width - size[0]


def pictures(gallery, target, wanted):
    target.mkdir(parents=True, exist_ok=True)
    server = serve(gallery)
    too_wide = []
    with tempfile.TemporaryDirectory() as profile:
        driver = browser(profile)
        try:
            for page in sorted(gallery.glob("*.html")):
                if wanted and page.stem not in wanted:
                    continue
                for screen, size in SCREENS.items():
                    for theme in ("light", "dark"):
                        path = target / f"{page.stem}-{screen}-{theme}.png"
                        address = f"http://127.0.0.1:{server.server_port}/{page.name}"
                        if take(driver, address, path, size, theme) > 0:
                            too_wide.append(f"{page.stem} at {size[0]} px")
        finally:
            driver.quit()
    return sorted(set(too_wide))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", help="only these, comma separated")
    parser.add_argument("--no-pictures", action="store_true")
    parser.add_argument("--build", default=str(ROOT / "build"))
    options = parser.parse_args()
    folder = pathlib.Path(options.build)
    gallery = folder / "gallery"
    gallery.mkdir(parents=True, exist_ok=True)
    subprocess.run([build(folder), gallery], check=True)
    if options.no_pictures:
        return
    wanted = set(options.pages.split(",")) if options.pages else None
    too_wide = pictures(gallery, folder / "screenshots", wanted)
    if too_wide:
        sys.exit("scrolls sideways: " + ", ".join(too_wide))


if __name__ == "__main__":
    main()
