"""A test that fails shows beside its own words what the daemons of its site complained of."""
import pytest

from harness.deployment import Deployment


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Deployment) and value.folder.exists():
                report.sections.append((f"complaints of {name}", value.complaints()))
