"""
Pictures of the main pages, light and dark, wide and narrow, in build/screenshots/ for people to look at.

This file comes first in the alphabet: what other tests write is not in the pictures.
"""
import pytest

from harness.deployment import BUILD

pytestmark = pytest.mark.timeout(900)  # a test makes up to 56 pictures
WIDE, NARROW = 1280, 360
PAGES = {
    "visitor": {"home": "/", "list": "/sujets", "search": "/sujets?q=velo", "nothing-found": "/sujets?q=introuvable",
                "topic": "/sujets/1", "topic-scheduled": "/sujets/6", "topic-published": "/sujets/2",
                "topic-declined": "/sujets/41", "thread": "/sujets/3", "english": "/sujets/11",
                "sign-in": "/connexion", "sign-up": "/inscription", "help": "/aide", "not-found": "/nulle-part"},
    "solene": {"topic-signed-in": "/sujets/1", "propose": "/sujets/nouveau", "account": "/compte",
               "inbox": "/notifications", "preferences": "/notifications/preferences", "own-topics": "/sujets?de=moi"},
    "camille": {"desk": "/bureau", "desk-topic": "/bureau/sujets/1",
                "desk-related": "/bureau/sujets/1/connexes", "moderation": "/moderation",
                "history": "/commentaires/1/historique"},
}


@pytest.fixture(scope="module")
def folder():
    folder = BUILD / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("who", PAGES)
def test_pages_have_their_pictures_and_fit_the_screen(scripted, folder, who):
    if who != "visitor":
        scripted.sign_in(f"{who}@causerie.example", "causerie-demo")
    for name, path in PAGES[who].items():
        scripted.open(path)
        assert len(scripted.all("h1")) == 1, path
        for width in (WIDE, NARROW):
            for theme in ("light", "dark"):
                target = folder / f"{name}-{'wide' if width == WIDE else 'narrow'}-{theme}.png"
                scripted.picture(target, width, theme)
                assert scripted.overflow() <= 0, f"{path} at {width} px"
                assert target.stat().st_size > 5000
