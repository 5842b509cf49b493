"""
Whom most tests of this folder meet: a site of the module's own, an organizer and two members.

A module that needs another site, or other people, has fixtures of the same names.
"""
import pathlib
import tempfile

import pytest

from harness.deployment import Deployment


@pytest.fixture
def tmp_path():
    """In place of pytest's own, whose names are too long for the path of a socket."""
    with tempfile.TemporaryDirectory(prefix="causerie-test-") as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope="module")
def site():
    with Deployment() as running:
        running.add_expertises()
        yield running


@pytest.fixture(scope="module")
def organizer(site):
    return site.organizer()


@pytest.fixture(scope="module")
def ana(site):
    return site.member("Ana")


@pytest.fixture(scope="module")
def ben(site):
    return site.member("Ben")
