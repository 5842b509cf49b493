"""A service's database as it was before one of its migrations, to see what that makes of what is there."""
import contextlib

from harness.deployment import ROOT
from harness.postgres import Postgres


def apply(cursor, service, number):
    """The migration with this number."""
    cursor.execute(next((ROOT / "services" / service / "migrations").glob(f"{number}_*.sql")).read_text())


@contextlib.contextmanager
def before(service, number):
    """A cursor that commits each statement."""
    folder = ROOT / "services" / service / "migrations"
    with contextlib.ExitStack() as stack:
        postgres = Postgres()
        stack.callback(postgres.remove)
        postgres.start()
        postgres.create_database("before")
        connection = stack.enter_context(contextlib.closing(postgres.connect("before")))
        connection.autocommit = True
        with connection.cursor() as cursor:
            for name in (folder / "lib.list").read_text().split():
                cursor.execute((ROOT / "services" / "lib" / "migrations" / f"{name}.sql").read_text())
            for migration in sorted(folder.glob("0*.sql")):
                if migration.name < number:
                    cursor.execute(migration.read_text())
            yield cursor
