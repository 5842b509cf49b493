"""The statement pool against a real server: runs tests/harness/test_sql.c, and takes the server away."""
import os
import subprocess

from harness.postgres import Postgres
from harness.programs import program


def test_the_pool_against_a_real_server():
    with Postgres() as postgres:
        environment = {**os.environ, "CAUSERIE_TEST_DATABASE_URL": postgres.create_database("test")}
        done = subprocess.run([program("test_sql")], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
