"""The statement pool against a real server, by socket and by name: runs tests/harness/test_sql.c."""
import os
import subprocess

from harness.ports import free_port
from harness.postgres import Postgres
from harness.programs import program


def run(url):
    environment = {**os.environ, "CAUSERIE_TEST_DATABASE_URL": url}
    done = subprocess.run([program("test_sql")], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def test_the_pool_by_socket():
    with Postgres() as postgres:
        run(postgres.create_database("test"))


def test_the_pool_by_name_when_the_first_of_two_hosts_is_dead():
    port = free_port()
    with Postgres(settings={"listen_addresses": "localhost", "port": port}) as postgres:
        postgres.create_database("test")
        run(f"postgresql://causerie@127.0.0.2:{port},localhost:{port}/test")
