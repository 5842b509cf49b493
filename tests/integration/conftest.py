"""
Whom most tests of this folder meet: a site of the module's own, an organizer and two members.

A module that needs another site, or other people, has fixtures of the same names.
"""
import pytest

from harness.deployment import Deployment


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
