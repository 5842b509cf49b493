"""What is over leaves the tables of accounts, batch after batch, and nothing else does."""
from harness.patience import eventually

BATCHES = 2500  # more than two of a thousand


def rows(site, statement, *values):
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def look_now(site):
    """Housekeeping begins a second after a start, then once a minute, and goes on as long as there is more."""
    site.replicas("accounts")[0].crash()
    site.start("accounts")
    site.wait_ready()


def test_sessions_that_are_over_are_forgotten_and_others_stay(site, ana):
    rows(site, "INSERT INTO sessions (token_hash, account_id, label, ended_at)"
               " SELECT sha256(n::text::bytea), %s, 'ended long ago', now() - interval '8 days' FROM generate_series(1, %s) n", ana.id, BATCHES)
    for number, (label, api, seen, ended) in enumerate([
            ("expired", False, "32 days", None), ("expired", True, "368 days", None), ("ended lately", False, "6 days", "6 days"),
            ("alive", False, "29 days", None), ("alive", True, "364 days", None)]):
        rows(site, "INSERT INTO sessions (token_hash, account_id, label, api, seen_at, ended_at) VALUES"
                   " (sha256(%s), %s, %s, %s, now() - %s::interval, now() - %s::interval)", f"x{number}".encode(), ana.id, label, api, seen, ended)
    look_now(site)
    eventually(lambda: rows(site, "SELECT count(*) FROM sessions WHERE label IN ('ended long ago', 'expired')") == [(0,)])
    assert rows(site, "SELECT label, count(*) FROM sessions WHERE label IN ('alive', 'ended lately') GROUP BY 1 ORDER BY 1") == \
        [("alive", 2), ("ended lately", 1)]
    assert ana.get("/me")["id"] == ana.id


def test_links_that_are_over_are_forgotten_with_the_sign_up_that_waited(site, ana):
    rows(site, "INSERT INTO mails (account_id, purpose, email, expires_at)"
               " SELECT %s, 'verify_address', 'over', now() - interval '8 days' FROM generate_series(1, %s)", ana.id, BATCHES)
    rows(site, "INSERT INTO sign_ups SELECT id, 'x', 'x', 'x', 'fr', 'Europe/Paris' FROM mails WHERE email = 'over' LIMIT 1")
    rows(site, "INSERT INTO mails (account_id, purpose, email, expires_at) VALUES (%s, 'verify_address', 'lately', now() - interval '6 days')", ana.id)
    look_now(site)
    eventually(lambda: rows(site, "SELECT count(*) FROM mails WHERE email = 'over'") == [(0,)])
    assert rows(site, "SELECT count(*) FROM sign_ups WHERE name_skeleton = 'x'") == [(0,)]
    assert rows(site, "SELECT count(*) FROM mails WHERE email = 'lately'") == [(1,)]
