"""
Mails as a recipient's server meets them: what they say, to whom, and what becomes of those it refuses.

A mail waits a little before it leaves. Pauses between tries are minutes, so tests move the time of a
delivery instead of waiting.
"""
import asyncio
import contextlib
import html.parser
import re
import secrets
import threading
import time

import pytest

from harness.deployment import Deployment, a_topic
from harness.pages import Browser
from harness.patience import eventually

DELAY = 0.6  # seconds, long enough to change one's mind in
PATIENT = {"CAUSERIE_MAIL_DELAY": f"{DELAY * 1000:.0f}ms", "CAUSERIE_SMTP_TIMEOUT": "20s", "CAUSERIE_MAIL_LEASE": "9s"}


@pytest.fixture(scope="module")
def site():
    with Deployment(settings=PATIENT) as running:
        running.add_expertises()
        yield running


@pytest.fixture(autouse=True)
def a_kind_server(site):
    yield
    site.mail.answer = site.mail.greet = None
    site.mail.turn_away = {}
    the_server_may_be_asked(site)


@pytest.fixture(scope="module")
def ben(site):
    return site.member("Ben", language="en")


@pytest.fixture(scope="module")
def cleo(site):
    return site.member("Cléo")


@pytest.fixture
def topic(site, ana, organizer):
    """Ana's, who is told of every comment; so most tests look at what Ben gets."""
    return site.open_topic(ana, organizer)


@pytest.fixture
def remark(topic, ben):
    """Something by Ben to be answered."""
    return ben.post(f"/topics/{topic['id']}/comments", {"body": "Laisser du vide."})


def reply(member, topic, parent, body="Venez donc en parler."):
    return member.post(f"/topics/{topic['id']}/comments", {"body": body, "parent_id": parent["id"]})


def mails_about(site, comment, person):
    return [mail for mail in site.mail.to(person.email) if mail.message_id.startswith(f"<c.{comment['id']}.")]


def mail_about(site, comment, person, copies=1):
    return eventually(lambda: len(mails_about(site, comment, person)) >= copies and mails_about(site, comment, person))[-1]


def delivery(site, comment, person):
    """State, reason for it and tries; None while nothing is queued."""
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state, why, attempt FROM deliveries WHERE comment_id = %s AND account_id = %s",
                       (comment["id"], person.id))
        return cursor.fetchone()


def ends_as(site, comment, person, state):
    eventually(lambda: (delivery(site, comment, person) or [None])[0] == state)
    return delivery(site, comment, person)


def nothing_is_under_way(site):
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM deliveries WHERE state = 'sending'")
        return cursor.fetchone()[0] == 0


def the_server_may_be_asked(site):
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE server_pause SET until = now()")


@contextlib.contextmanager
def nothing_leaves(site):
    """Whatever is queued stays so meanwhile, as where the server is away; however long the delay."""
    with site.database("notifications") as connection, connection.cursor() as cursor:
        def stopped():
            cursor.execute("LOCK TABLE deliveries IN SHARE ROW EXCLUSIVE MODE")  # waits for who is taking some
            cursor.execute("INSERT INTO server_pause VALUES (true, 1, now() + interval '1 hour')"
                           " ON CONFLICT (only_one) DO UPDATE SET until = EXCLUDED.until")
            connection.commit()
            if not nothing_is_under_way(site):  # what is taken ends the pause
                return False
            cursor.execute("SELECT count(*) FROM server_pause WHERE until > now()")
            return cursor.fetchone()[0] == 1

        eventually(stopped)
        try:
            yield
        finally:
            cursor.execute("DELETE FROM server_pause")
            connection.commit()  # also where the test failed


def let_time_pass(site):
    the_server_may_be_asked(site)
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries SET due_at = now() - interval '1 hour' WHERE state IN ('deferred', 'unknown')")


def offers_about(site, comment, person):
    return [mail for mail in site.mail.offered
            if mail.recipient == person.email and mail.message_id.startswith(f"<c.{comment['id']}.")]


def badly(person, replies):
    """The server's replies to this person's next mails; all others are taken."""
    rest = list(replies)
    return lambda address, _: rest.pop(0) if address == person.email and rest else "250 taken"


# --- tries


def test_a_mail_refused_for_now_is_tried_again_under_the_same_id(site, topic, remark, ben, cleo):
    site.mail.answer = badly(ben, ["451 greylisted", "421 too busy"])
    answer = reply(cleo, topic, remark)
    for tries in (1, 2):
        eventually(lambda: (delivery(site, answer, ben) or ("", "", 0))[::2] == ("deferred", tries))
        assert mails_about(site, answer, ben) == []
        let_time_pass(site)
    mail_about(site, answer, ben)
    assert ends_as(site, answer, ben, "sent")[2] == 3
    assert len({mail.message_id for mail in offers_about(site, answer, ben)}) == 1
    assert len(offers_about(site, answer, ben)) == 3


def test_a_deferred_mail_waits_for_its_pause(site, topic, remark, ben, cleo):
    site.mail.answer = badly(ben, ["451 greylisted"])
    answer = reply(cleo, topic, remark)
    ends_as(site, answer, ben, "deferred")
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT due_at - now() FROM deliveries WHERE comment_id = %s AND account_id = %s",
                       (answer["id"], ben.id))
        assert 40 < cursor.fetchone()[0].total_seconds() <= 60


def test_a_mail_cut_after_the_dot_is_sent_again_under_the_same_id(site, topic, remark, ben, cleo):
    site.mail.answer = badly(ben, ["cut-after"])
    answer = reply(cleo, topic, remark)
    ends_as(site, answer, ben, "unknown")
    assert len(mails_about(site, answer, ben)) == 1
    let_time_pass(site)
    mail_about(site, answer, ben, copies=2)
    ends_as(site, answer, ben, "sent")
    assert len(mails_about(site, answer, ben)) == 2
    assert len({mail.message_id for mail in mails_about(site, answer, ben)}) == 1


def test_a_server_that_always_hangs_up_after_the_dot_gets_five_copies_and_no_more(site, topic, remark, ben, cleo):
    told = len(site.lines("notifications", "mail.given_up"))
    site.mail.answer = badly(ben, ["cut-after"] * 50)
    answer = reply(cleo, topic, remark)
    for copies in range(1, 5):
        eventually(lambda: (delivery(site, answer, ben) or ("", "", 0))[::2] == ("unknown", copies))
        let_time_pass(site)
    assert ends_as(site, answer, ben, "failed")[2] == 5
    assert len(mails_about(site, answer, ben)) == 5
    assert len({mail.message_id for mail in mails_about(site, answer, ben)}) == 1
    [line] = site.lines("notifications", "mail.given_up")[told:]
    assert line["attempt"] == 5 and "log" in line["do"]
    assert f"causerie_mails_given_up_total {told + 1}" in site.replicas("notifications")[0].admin("/metrics").text


def test_a_mail_whose_senders_always_die_after_the_dot_is_given_up(site, topic, remark, ben, cleo):
    told = len(site.lines("notifications", "mail.given_up"))
    site.mail.answer = badly(ben, ["cut-after"])
    answer = reply(cleo, topic, remark)
    ends_as(site, answer, ben, "unknown")
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries SET state = 'sending', lease_until = now(), unknowns = 4"
                       " WHERE comment_id = %s AND account_id = %s", (answer["id"], ben.id))
    ends_as(site, answer, ben, "failed")
    eventually(lambda: len(site.lines("notifications", "mail.given_up")) == told + 1)
    assert len(mails_about(site, answer, ben)) == 1


def test_a_mail_refused_for_good_fails_at_once(site, topic, remark, ben, cleo):
    site.mail.answer = badly(ben, ["554 never"])
    answer = reply(cleo, topic, remark)
    assert ends_as(site, answer, ben, "failed") == ("failed", "the server said 554", 1)
    let_time_pass(site)
    time.sleep(1)
    assert mails_about(site, answer, ben) == []


def test_an_unknown_recipient_fails_at_once(site, topic, remark, ben, cleo):
    site.mail.greet = lambda address: "550 no such user" if address == ben.email else "250 known"
    answer = reply(cleo, topic, remark)
    assert ends_as(site, answer, ben, "failed")[1] == "the server said 550"


@pytest.mark.parametrize("hook", ["answer", "greet"])
def test_a_slow_recipient_does_not_delay_the_others(site, topic, remark, ana, ben, cleo, hook):
    over = threading.Event()

    async def slowly(address, *_):
        while address == ben.email and not over.is_set():
            await asyncio.sleep(0.1)
        return "250 taken"

    setattr(site.mail, hook, slowly)
    slow = reply(cleo, topic, remark)  # to Ben, and to Ana who proposed the topic
    others = [slow] + [cleo.post(f"/topics/{topic['id']}/comments", {"body": f"Et encore {n}."}) for n in range(5)]
    try:
        eventually(lambda: all(mails_about(site, comment, ana) for comment in others), seconds=15)  # less than we wait for the server
        assert mails_about(site, slow, ben) == []
    finally:
        over.set()
    mail_about(site, slow, ben)


def test_a_reset_does_not_wait_behind_notifications(site, topic, remark, ana, ben, cleo):
    """The server takes no notification for as long as it likes, and a thousand are due."""
    over = threading.Event()

    async def notifications_wait(address, _):
        while address == ana.email and not over.is_set():
            await asyncio.sleep(0.1)
        return "250 taken"

    site.mail.answer = notifications_wait
    comment = cleo.post(f"/topics/{topic['id']}/comments", {"body": "À tous"})
    ends_as(site, comment, ana, "sending")
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO deliveries (source, epoch, seq, account_id, reason, type, topic_id, comment_id, state, due_at)"
                       " SELECT 'a thousand', %s, n, %s, 'proposer', 'comment.posted', %s, %s, 'queued', now() - interval '1 hour'"
                       " FROM generate_series(1, 1000) n", (comment["id"], ana.id, topic["id"], comment["id"]))
    try:
        site.visitor().post("/password/forgot", {"email": ben.email}, status=202)
        site.mail.wait_for(ben.email, subject="password", seconds=10)  # half of the patience with the server
        assert mails_about(site, comment, ana) == []
    finally:
        with site.database("notifications") as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM deliveries WHERE source = 'a thousand'")
        over.set()


def test_a_server_that_does_not_answer_the_dot_stops_nobody(site, topic, remark, ben, cleo):
    over = threading.Event()

    async def silent(address, _):
        while address == ben.email and not over.is_set():
            await asyncio.sleep(0.1)
        return "250 taken"

    site.mail.answer = silent
    answer = reply(cleo, topic, remark)
    eventually(lambda: offers_about(site, answer, ben))
    assert site.replicas("notifications")[0].admin("/healthz").status_code == 200
    assert ben.get("/preferences")
    assert mails_about(site, answer, ben) == [], "both were answered while the server was silent"
    over.set()
    mail_about(site, answer, ben)


def test_a_server_that_is_away_costs_no_mail(site, topic, remark, ben, cleo):
    site.mail.stop()
    try:
        answer = reply(cleo, topic, remark)
        ends_as(site, answer, ben, "deferred")
    finally:
        site.mail.start()
    let_time_pass(site)
    mail_about(site, answer, ben)


def refusing(site, what):
    """The database of notifications takes no such write until the fixture's end."""
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE OR REPLACE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'refused by the test'; END $$ LANGUAGE plpgsql;
            CREATE TRIGGER refused BEFORE UPDATE ON deliveries FOR EACH ROW WHEN ({what}) EXECUTE FUNCTION refuse()""")


@pytest.fixture
def accept_again(site):
    def accept():
        with site.database("notifications") as connection, connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS refused ON deliveries")
    yield accept
    accept()


def test_a_mail_whose_acceptance_could_not_be_recorded_is_sent_again_under_the_same_id(
        site, topic, remark, ben, cleo, accept_again):
    refusing(site, "NEW.state = 'sent'")
    answer = reply(cleo, topic, remark)
    mail_about(site, answer, ben)
    eventually(lambda: site.lines("notifications", "mail.not_recorded"))
    with busy(site, cleo, topic):
        ends_as(site, answer, ben, "unknown")
    accept_again()
    let_time_pass(site)
    ends_as(site, answer, ben, "sent")
    assert [mail.message_id for mail in mails_about(site, answer, ben)] == [mail_about(site, answer, ben).message_id] * 2


@contextlib.contextmanager
def busy(site, cleo, topic):
    """One mail to somebody else is under way all the time, so the daemon renews its leases."""
    began, over = threading.Event(), threading.Event()

    async def slowly(*_):
        if not began.is_set():
            began.set()
            while not over.is_set():
                await asyncio.sleep(0.1)
        return "250 taken"

    site.mail.answer = slowly
    cleo.post(f"/topics/{topic['id']}/comments", {"body": "Et pendant ce temps."})
    eventually(began.is_set)
    try:
        yield
    finally:
        over.set()


def test_a_row_that_nobody_works_on_goes_back_and_is_sent(site, topic, remark, ben, cleo):
    """As after a claim whose answer was lost: the database says it is this worker's, who knows nothing of it."""
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        ends_as(site, answer, ben, "queued")
        with site.database("notifications") as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE deliveries SET state = 'sending', lease_until = now() + interval '3 s',"
                           " worker = (SELECT worker FROM deliveries WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1)"
                           " WHERE comment_id = %s AND account_id = %s", (answer["id"], ben.id))
    with busy(site, cleo, topic):
        ends_as(site, answer, ben, "sent")
    assert len(mails_about(site, answer, ben)) == 1


def test_a_worker_has_another_name_at_each_start(site, topic, remark, ben, cleo):
    names = set()
    for body in ("Avant", "Après"):
        answer = reply(cleo, topic, remark, body)
        ends_as(site, answer, ben, "sent")
        with site.database("notifications") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT worker FROM deliveries WHERE comment_id = %s AND account_id = %s", (answer["id"], ben.id))
            names.add(re.fullmatch(r".*:\d+:([0-9a-f]{8})", cursor.fetchone()[0])[1])
        restart(site)
    assert len(names) == 2


@pytest.fixture
def with_a_password(site):
    """The notifications daemon signs in to the server."""
    site.environment["CAUSERIE_SMTP_USER"] = site.environment["CAUSERIE_SMTP_PASSWORD"] = "causerie"
    restart(site)
    yield
    del site.environment["CAUSERIE_SMTP_USER"], site.environment["CAUSERIE_SMTP_PASSWORD"]
    restart(site)


def restart(site):
    site.kill("notifications")
    site.start("notifications")
    site.wait_ready()


@pytest.mark.parametrize("stage, reply_line, hint", [
    ("greeting", "554 not from your network", "why it refuses us"), ("EHLO", "550 who are you", "why it refuses us"),
    ("MAIL", "553 not your domain", "CAUSERIE_MAIL_FROM"), ("AUTH", "535 wrong password", "CAUSERIE_SMTP_PASSWORD")])
def test_a_server_that_refuses_us_costs_no_mail(site, topic, remark, ben, cleo, with_a_password, stage, reply_line, hint):
    told = len(site.lines("notifications", "mail.server_away"))
    site.mail.turn_away = {stage: reply_line}
    first = reply(cleo, topic, remark)
    lines = eventually(lambda: site.lines("notifications", "mail.server_away")[told:])
    assert (lines[0]["code"], lines[0]["failures"]) == (int(reply_line[:3]), 1) and hint in lines[0]["do"]

    waits = {("queued", 0), ("deferred", 0)}  # deferred: it was the one that found out; not its fault
    eventually(lambda: (delivery(site, first, ben) or ("", "", 0))[::2] in waits and nothing_is_under_way(site))

    met = site.mail.turned_away
    second = reply(cleo, topic, remark, "Ou en écrire.")
    ends_as(site, second, ben, "queued")
    time.sleep(DELAY + 1)
    site.mail.turn_away = {}
    the_server_may_be_asked(site)
    mail_about(site, first, ben)
    mail_about(site, second, ben)
    assert site.mail.turned_away == met, "while the server takes nothing it is left alone"
    assert len(site.lines("notifications", "mail.server_away")) == told + 1
    assert ends_as(site, first, ben, "sent")[2] == 1


# --- what is not sent


def test_a_comment_deleted_meanwhile_is_not_mailed(site, topic, remark, ben, cleo):
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        cleo.delete(f"/comments/{answer['id']}")
    assert ends_as(site, answer, ben, "skipped")[1] == "the comment is not to be seen"
    assert mails_about(site, answer, ben) == []


def test_a_comment_hidden_meanwhile_is_not_mailed(site, topic, remark, ben, cleo, organizer):
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        organizer.post(f"/comments/{answer['id']}/moderation", {"action": "hide", "reason": "Hors sujet"}, status=200)
    assert ends_as(site, answer, ben, "skipped")[1] == "the comment is not to be seen"
    assert mails_about(site, answer, ben) == []


def test_a_topic_withdrawn_meanwhile_is_not_mailed(site, topic, remark, ben, ana, cleo):
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        ana.post(f"/topics/{topic['id']}/transitions", {"to": "withdrawn", "version": topic["version"]}, status=200)
    assert ends_as(site, answer, ben, "skipped")[1] == "the topic is not to be seen"
    assert mails_about(site, answer, ben) == []


def test_what_was_read_on_the_site_is_not_mailed(site, topic, remark, ben, cleo):
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        ends_as(site, answer, ben, "queued")
        ben.post("/notifications/read", {"topic_id": topic["id"]}, status=204)
    assert ends_as(site, answer, ben, "skipped")[1] == "read on the site"
    assert mails_about(site, answer, ben) == []


def test_an_address_that_is_not_verified_gets_nothing(site, topic, cleo):
    dora = site.member(f"Dora {secrets.choice('abcdefgh')}")
    remark = dora.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE accounts SET state = 'unverified' WHERE id = %s", (dora.id,))
    answer = reply(cleo, topic, remark)
    assert ends_as(site, answer, dora, "skipped")[1] == "not a verified, active account"
    assert mails_about(site, answer, dora) == []


def test_who_muted_a_topic_gets_nothing_of_it(site, topic, remark, ben, ana, cleo):
    ben.put(f"/topics/{topic['id']}/follow", {"level": "mute"})
    answer = reply(cleo, topic, remark)
    mail_about(site, answer, ana)  # the proposer's, of the same event
    assert delivery(site, answer, ben) is None


def test_who_wants_no_mail_gets_none_but_that_of_the_account(site, topic, cleo):
    emil = site.member("Emil")
    remark = emil.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    emil.put("/preferences", {"rhythm": "never", "local_hour": 8})
    answer = reply(cleo, topic, remark)
    assert ends_as(site, answer, emil, "skipped")[1] == "not wanted"
    site.visitor().post("/password/forgot", {"email": emil.email}, status=202)
    site.mail.wait_for(emil.email, subject="mot de passe")


def test_nobody_is_mailed_about_what_they_did_themselves(site, topic, ana, ben):
    own = ana.post(f"/topics/{topic['id']}/comments", {"body": "À moi-même"})
    answer = reply(ana, topic, own)
    later = ben.post(f"/topics/{topic['id']}/comments", {"body": "À la proposante"})
    mail_about(site, later, ana)
    assert delivery(site, own, ana) is None and delivery(site, answer, ana) is None


def test_several_reasons_are_one_mail_with_the_strongest(site, topic, ana, cleo):
    ana.put(f"/topics/{topic['id']}/follow", {"level": "all"})
    own = ana.post(f"/topics/{topic['id']}/comments", {"body": "Je commence."})
    answer = reply(cleo, topic, own)  # she is its parent's author, the proposer, and follows everything
    mail = mail_about(site, answer, ana)
    assert mail.parsed["X-Causerie-Reason"] == "reply"
    last = cleo.post(f"/topics/{topic['id']}/comments", {"body": "Et de plus."})
    assert mail_about(site, last, ana).parsed["X-Causerie-Reason"] == "proposer"
    assert len(mails_about(site, answer, ana)) == 1


def test_an_edit_meanwhile_is_what_is_mailed(site, topic, remark, ben, cleo):
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark, "Avec une fôte.")
        cleo.patch(f"/comments/{answer['id']}", {"version": answer["version"], "body": "Sans la faute."})
    mail = mail_about(site, answer, ben)
    assert "Sans la faute." in mail.body() and "fôte" not in mail.body()
    time.sleep(DELAY + 0.7)
    assert len(mails_about(site, answer, ben)) == 1


# --- what a mail is


def test_the_headers_are_complete(site, topic, remark, ben, ana, cleo):
    answer = reply(cleo, topic, remark)
    mail, proposers = mail_about(site, answer, ben), mail_about(site, answer, ana)
    head = mail.parsed
    assert mail.recipients == [ben.email]
    assert head["To"].addresses[0].addr_spec == ben.email and len(head["To"].addresses) == 1
    assert head["Cc"] is None and head["Bcc"] is None
    assert head["From"].addresses[0].display_name == "Cléo via Causerie"
    assert head["From"].addresses[0].addr_spec == "notifications@causerie.example"
    assert re.fullmatch(r"b\+\d+\.[a-z2-7]{16}@causerie\.example", mail.sender)
    assert head["Subject"] == "Re: [Causerie] Une conversation n’est pas un marché"
    assert abs(head["Date"].datetime.timestamp() - time.time()) < 60
    assert head["List-Id"].endswith(f" <t{topic['id']}.causerie.example>")
    assert head["List-Id"] == proposers.parsed["List-Id"]
    assert head["List-Unsubscribe"].startswith(f"<{site.url}/u/") and head["List-Unsubscribe"].endswith(">")
    assert head["List-Unsubscribe"] != proposers.parsed["List-Unsubscribe"]
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert head["Archived-At"] == f"<{site.url}/sujets/{topic['id']}-{topic['slug']}?autour={answer['id']}#c{answer['id']}>"
    assert head["List-Archive"] == f"<{site.url}/sujets/{topic['id']}-{topic['slug']}>"
    assert head["Auto-Submitted"] == "auto-generated"
    assert head["Precedence"] == "list"
    assert head["X-Auto-Response-Suppress"] == "All"
    assert head["X-Causerie-Reason"] == "reply"
    assert (head["Content-Language"], proposers.parsed["Content-Language"]) == ("en", "fr")
    assert head["MIME-Version"] == "1.0"
    assert [part.get_content_type() for part in head.iter_parts()] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in head.iter_parts()} == {"utf-8"}
    assert len(head.keys()) == len({name.lower() for name in head.keys()})


LONG_URL = "https://debats-et-emissions.participation-citoyenne.ville-exemple-sur-la-riviere.fr"
LONG_DOMAIN = "notifications.debats.participation-citoyenne.ville-exemple-sur-la-riviere.example.org"


@pytest.fixture(scope="module")
def far_away():
    """The site under a long name: every address in a header is longer than a line should be."""
    with Deployment(settings={"CAUSERIE_PUBLIC_URL": LONG_URL, "CAUSERIE_MAIL_FROM": f"courrier@{LONG_DOMAIN}"}) as running:
        running.add_expertises()
        yield running


def as_sent(mail):
    """The header lines' values as the bytes are, only unfolded: no reader's help."""
    head = re.sub(rb"\r\n(?=[ \t])", b"", mail.raw.split(b"\r\n\r\n")[0]).decode()
    return dict(line.split(": ", 1) for line in head.split("\r\n"))


def test_what_programs_read_in_a_header_is_never_encoded(far_away):
    ana, ben = far_away.member("Ana"), far_away.member("Ben")
    topic = far_away.open_topic(ana, far_away.organizer(), title="Réunion " * 17)
    first = ana.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    answer = reply(ben, topic, first)
    mail = mail_about(far_away, answer, ana)
    is_well_formed(mail)
    head = as_sent(mail)
    page = f"{LONG_URL}/sujets/{topic['id']}-{topic['slug']}"
    assert head["List-Archive"] == f"<{page}>"
    assert head["Archived-At"] == f"<{page}?autour={answer['id']}#c{answer['id']}>"
    assert re.fullmatch(f"<{re.escape(LONG_URL)}/u/[A-Za-z0-9_-]+>", head["List-Unsubscribe"])
    thread, parent, own = (rf"<{kind}\.{id}\.[a-z2-7]{{16}}@{re.escape(LONG_DOMAIN)}>"
                           for kind, id in (("t", topic["id"]), ("c", first["id"]), ("c", answer["id"])))
    assert re.fullmatch(own, head["Message-ID"])
    assert re.fullmatch(parent, head["In-Reply-To"])
    assert re.fullmatch(f"{thread} {parent}", head["References"])
    assert head["List-Id"].endswith(f" <t{topic['id']}.{LONG_DOMAIN}>")
    assert b"\r\n <" in mail.raw.split(b"\r\n\r\n")[0]  # folded, but between the words


def test_mails_of_a_discussion_are_one_thread_for_each_reader(site, topic, ana, ben, cleo):
    first = ben.post(f"/topics/{topic['id']}/comments", {"body": "Première"})
    second = reply(cleo, topic, first, "Deuxième")
    third = reply(ben, topic, second, "Troisième")
    mails = {n: mail_about(site, comment, ana) for n, comment in enumerate((first, second, third))}
    root = mails[0].parsed["In-Reply-To"]
    assert root.startswith(f"<t.{topic['id']}.")
    assert mails[0].parsed["References"] == root
    assert mails[1].parsed["In-Reply-To"] == mails[0].message_id
    assert mails[1].parsed["References"].split() == [root, mails[0].message_id]
    assert mails[2].parsed["In-Reply-To"] == mails[1].message_id
    other = mail_about(site, second, ben)
    assert other.message_id != mails[1].message_id  # bodies differ, so do ids
    assert other.parsed["References"].split()[0] != root


def test_mails_of_the_account_cannot_be_unsubscribed(site):
    address = site.sign_up("Fanny")
    mail = site.mail.wait_for(address)
    for name in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence"):
        assert mail.parsed[name] is None
    assert mail.parsed["Auto-Submitted"] == "auto-generated"
    assert mail.message_id.startswith("<a.")


class Text(html.parser.HTMLParser):
    """What a reader of the HTML sees, and where it leads."""

    def __init__(self, markup):
        super().__init__()
        self.words, self.links, self.tags = [], [], set()
        self._hidden = 0
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self._hidden += tag in ("style", "title", "head")
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_endtag(self, tag):
        self._hidden -= tag in ("style", "title", "head")

    def handle_data(self, data):
        if not self._hidden:
            self.words += re.findall(r"\w+", data)


def test_text_and_html_say_the_same(site, topic, remark, ben, cleo):
    answer = reply(cleo, topic, remark, "Un *mot* en gras, un `code`, une liste :\n\n- un\n- deux\n\n> cité")
    mail = mail_about(site, answer, ben)
    page = Text(mail.body("html"))
    plain = re.sub(r"https?://\S+", "", mail.body())
    missing = set(re.findall(r"\w+", plain)) - set(page.words)
    assert not missing, f"only in the text: {missing}"
    assert set(mail.links()) <= set(page.links) | {site.url}
    assert all(link.startswith(site.url) for link in page.links)
    assert not page.tags & {"script", "img", "iframe", "object", "form", "link"}


# --- hostile values


HOSTILE_BODIES = ["\n.\n..\n.\n", "x" * 4900, "<script>alert(1)</script> <img src=x onerror=alert(1)>",
                  "From nobody\nFrom the start", "é" * 4900, "fin\u2028de\u2029ligne\u0085ici", "\u202Edroite à gauche",
                  "[piège](javascript:alert(1)) [ici](//evil.example)", "🎬" * 2000, "=?utf-8?Q?Bcc:_x?=", "a\r\n.\r\nQUIT"]


@pytest.fixture(scope="module")
def hostile(site, ana, organizer, cleo):
    """A mail to Ana for each body, sent together."""
    topic = site.open_topic(ana, organizer)
    posted = [cleo.post(f"/topics/{topic['id']}/comments", {"body": f"Voici : {body} : voilà"}) for body in HOSTILE_BODIES]
    return [mail_about(site, comment, ana) for comment in posted]


def is_well_formed(mail):
    """As RFC 5321 and 5322 want it; returns its header lines."""
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw) is None, "a bare CR or LF"
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
    assert mail.raw.isascii()
    head = mail.raw.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert all(re.match(rb"[A-Za-z-]+: |[ \t]+\S", line) for line in head), head
    assert mail.parsed.defects == []
    names = [name.lower() for name in mail.parsed.keys()]
    assert len(names) == len(set(names)) and "bcc" not in names
    for part in mail.parsed.iter_parts():
        assert part["Content-Transfer-Encoding"] in ("quoted-printable", "base64")
    return head


@pytest.mark.parametrize("number", range(len(HOSTILE_BODIES)))
def test_a_hostile_body_arrives_whole_and_harmless(hostile, number, site):
    mail = hostile[number]
    is_well_formed(mail)
    text = mail.body()
    assert "Voici" in text and "voilà" in text
    page = Text(mail.body("html"))
    assert "script" not in page.tags and "img" not in page.tags
    assert all(link.startswith(site.url) for link in page.links)


TITLES = ["🎬" * 140, "Réunion " * 17, "\u05d0\u05d1\u05d2 " * 30, '"Guillemets", <chevrons> & (parenthèses); a@b.example',
          "=?utf-8?Q?Bcc:_evil=40example.org?= et la suite", "x" * 140,
          "<evil.example> Un identifiant de liste"]


@pytest.fixture(scope="module")
def titled(site, ana, organizer, cleo):
    """A topic for each title, and the mail to Ana about a comment on it; posted together."""
    topics, comments = [], []
    for title in TITLES:
        topics.append(site.open_topic(ana, organizer, title=title))
        comments.append(cleo.post(f"/topics/{topics[-1]['id']}/comments", {"body": "Bonjour"}))
    return [(topic, mail_about(site, comment, ana)) for topic, comment in zip(topics, comments)]


@pytest.mark.parametrize("number", range(len(TITLES)))
def test_a_hostile_title_is_one_header_and_reads_as_it_was_written(titled, number):
    topic, mail = titled[number]
    is_well_formed(mail)
    assert mail.parsed["Subject"] == f"Re: [Causerie] {topic['title']}"
    raw = re.search(rb"\r\nList-Id: ((?:.|\r\n[ \t])*?)\r\n(?![ \t])", mail.raw)[1].decode()
    phrase, list_id = raw.rsplit("<", 1)
    assert list_id == f"t{topic['id']}.causerie.example>"
    unquoted = re.sub(r'"(\\.|[^"\\])*"', "", phrase)  # what is left are atoms and encoded words
    assert re.fullmatch(r"[\w!#$%&'*+/=?^`{|}~. \t\r\n-]*", unquoted, re.A), raw


NAMES = ["O’Brien-Ødegård", "Zoë de la Fontaine " * 3, "\u05d0\u05d1\u05d2\u05d3", "李小龍", "D. \"Le\" Grand, Jr. <x@y.example>"]


@pytest.fixture(scope="module")
def named(site, ana, organizer):
    """A writer of each name, and the mail to Ana about what they wrote."""
    topic = site.open_topic(ana, organizer)
    found = []
    for name in NAMES:
        writer = site.member(f"Nom {secrets.token_hex(3)}")
        shown = writer.patch("/me", {"display_name": name})["display_name"]
        found.append((shown, writer.post(f"/topics/{topic['id']}/comments", {"body": "Bonjour"})))
    return [(name, mail_about(site, comment, ana)) for name, comment in found]


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_strange_name_is_one_sender(named, number):
    name, mail = named[number]
    is_well_formed(mail)
    assert [(sender.display_name, sender.addr_spec) for sender in mail.parsed["From"].addresses] == \
        [(f"{name} via Causerie", "notifications@causerie.example")]


@pytest.mark.parametrize("bad", ["Eve\r\nBcc: victim@example.org", "Eve\nBcc: v@example.org", "Eve\x00", "Eve\u202e"])
def test_line_ends_and_controls_are_refused_at_the_door(site, ana, bad):
    assert ana.request("PATCH", "/me", {"display_name": bad}).status_code in (400, 422)
    assert ana.request("POST", "/topics", a_topic(title=f"Un titre assez long {bad}")).status_code in (201, 400, 422)
    answer = site.visitor().request("POST", "/accounts", {"email": f"{bad}@example.org", "password": "une phrase assez longue",
                                                          "display_name": "Quelqu’un", "language": "fr"})
    assert answer.status_code in (400, 422)


def test_a_line_end_that_got_into_the_database_still_makes_no_header(site, topic, ana):
    writer = site.member("Gaston")
    comment = writer.post(f"/topics/{topic['id']}/comments", {"body": "Bonjour"})
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE accounts SET display_name = %s WHERE id = %s",
                       ("Gaston\r\nBcc: victim@example.org\r\nX: y", writer.id))
    eventually(lambda: (delivery(site, comment, ana) or [""])[0] in ("failed", "deferred", "sent"))
    for mail in mails_about(site, comment, ana):
        is_well_formed(mail)
    assert site.mail.to("victim@example.org") == []
    with site.database("accounts") as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE accounts SET display_name = 'Gaston' WHERE id = %s", (writer.id,))


# --- pages


def test_reading_the_page_while_signed_in_is_reading_on_the_site(site, topic, remark, ben, cleo):
    browser = Browser(site).sign_in(ben.email)
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        ends_as(site, answer, ben, "queued")
        page = browser.get(browser.get(f"/sujets/{topic['id']}").headers["Location"])
        assert "Venez donc en parler." in page.text
    assert ends_as(site, answer, ben, "skipped")[1] == "read on the site"


# --- stopping mails


KINDS = {"reply": ("réponses à vos réactions", "replies"), "mention": ("réponses à vos réactions", "replies"),
         "proposer": ("réactions aux sujets que vous suivez", "follows"),
         "follow": ("réactions aux sujets que vous suivez", "follows"), "state": ("étapes des sujets que vous suivez", "states")}


def stop_link(mail):
    return as_sent(mail)["List-Unsubscribe"].strip("<>").removeprefix("http://").split("/", 1)[1]


@pytest.mark.parametrize("reason", KINDS)
def test_of_this_kind_stops_what_the_page_says_and_nothing_else(site, topic, cleo, reason):
    words, box = KINDS[reason]
    lea = site.member(f"Léa {secrets.token_hex(3)}")
    lea.put(f"/topics/{topic['id']}/follow", {"level": "all"})
    remark = lea.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        ends_as(site, answer, lea, "queued")
        with site.database("notifications") as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE deliveries SET reason = %s WHERE comment_id = %s AND account_id = %s",
                           (reason, answer["id"], lea.id))
    link = "/" + stop_link(mail_about(site, answer, lea))
    anybody = Browser(site)
    page = anybody.get(link).text
    assert words in page and sum(text in page for text, _ in set(KINDS.values())) == 1
    assert lea.get("/preferences")[box] is True, "looking changes nothing"
    assert words in anybody.submit(link, {"scope": "kind"}).text
    boxes = {name: lea.get("/preferences")[name] for name in ("replies", "follows", "states")}
    assert boxes == {name: name != box for name in boxes}


def test_a_proposer_who_stops_reactions_still_hears_of_replies(site, organizer, ben, cleo):
    lea = site.member(f"Léa {secrets.token_hex(3)}")
    topic = site.open_topic(lea, organizer)
    first = cleo.post(f"/topics/{topic['id']}/comments", {"body": "Une réaction"})
    link = "/" + stop_link(mail_about(site, first, lea))
    Browser(site).submit(link, {"scope": "kind"})
    own = lea.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    second = cleo.post(f"/topics/{topic['id']}/comments", {"body": "Une réaction de plus"})
    answer = reply(ben, topic, own)
    mail_about(site, answer, lea)
    assert ends_as(site, second, lea, "skipped")[1] == "not wanted"
    assert mails_about(site, second, lea) == []


STOPS = {"muted": lambda person, topic: person.put(f"/topics/{topic['id']}/follow", {"level": "mute"}),
         "never": lambda person, _: person.put("/preferences", {"rhythm": "never", "local_hour": 8}),
         "no such kind": lambda person, _: person.put("/preferences", {"rhythm": "at_once", "local_hour": 8, "replies": False,
                                                                       "follows": True, "states": True})}


@pytest.mark.parametrize("how", STOPS)
def test_mail_stopped_during_the_delay_is_not_sent(site, topic, ana, cleo, how):
    lea = site.member(f"Léa {secrets.token_hex(3)}")
    remark = lea.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    with nothing_leaves(site):
        answer = reply(cleo, topic, remark)
        ends_as(site, answer, lea, "queued")
        STOPS[how](lea, topic)
    mail_about(site, answer, ana)  # the proposer's, of the same event
    assert ends_as(site, answer, lea, "skipped")[1] == "not wanted any more"
    assert mails_about(site, answer, lea) == []


def test_who_stops_following_during_the_delay_gets_nothing_more(site, topic, ana, cleo):
    lea = site.member(f"Léa {secrets.token_hex(3)}")
    lea.put(f"/topics/{topic['id']}/follow", {"level": "all"})
    with nothing_leaves(site):
        comment = cleo.post(f"/topics/{topic['id']}/comments", {"body": "Une réaction"})
        ends_as(site, comment, lea, "queued")
        lea.put(f"/topics/{topic['id']}/follow", {"level": "replies"})
    assert ends_as(site, comment, lea, "skipped")[1] == "not wanted any more"


def test_who_unsubscribes_by_a_link_gets_nothing_of_what_was_waiting(site, topic, cleo):
    lea = site.member(f"Léa {secrets.token_hex(3)}")
    remark = lea.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    first = reply(cleo, topic, remark)
    link = stop_link(mail_about(site, first, lea))
    with nothing_leaves(site):
        second = reply(cleo, topic, remark, "Et encore.")
        ends_as(site, second, lea, "queued")
        Browser(site).send("/" + link, {"List-Unsubscribe": "One-Click"})
    assert ends_as(site, second, lea, "skipped")[1] == "not wanted any more"


# --- what is kept


def test_deliveries_that_ended_half_a_year_ago_are_deleted_and_no_others(site, ana):
    rows = [("sent", 181), ("skipped", 181), ("failed", 181), ("sent", 179), ("queued", 181), ("unknown", 181)]
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO deliveries (source, epoch, seq, account_id, reason, type, state, due_at, at)"
                           " VALUES ('old', 1, %s, %s, 'reply', 'comment.posted', %s, now() + interval '1 day',"
                           " now() - %s * interval '1 day')",
                           [(number, ana.id, state, days) for number, (state, days) in enumerate(rows)])
    restart(site)  # it tidies up soon after its start

    def left():
        with site.database("notifications") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT seq FROM deliveries WHERE source = 'old' ORDER BY seq")
            return [seq for seq, in cursor.fetchall()]

    eventually(lambda: len(left()) < len(rows))
    assert left() == [3, 4, 5]
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM deliveries WHERE source = 'old'")


def told_of(person, comment):
    """The comment is in the inbox; and how many there are to read."""
    inbox = person.get("/notifications")
    return comment["id"] in [item["comment_id"] for item in inbox["items"]], inbox["unread"]


def test_a_deleted_reply_leaves_the_inbox(site, topic, cleo):
    lea = site.member(f"Léa {secrets.token_hex(3)}")
    remark = lea.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"})
    kept, answer = reply(cleo, topic, remark), reply(cleo, topic, remark, "Ou pas.")
    eventually(lambda: told_of(lea, answer) == (True, 2))
    cleo.delete(f"/comments/{answer['id']}")
    eventually(lambda: told_of(lea, answer) == (False, 1))
    assert told_of(lea, kept)[0]


def test_a_hidden_reply_leaves_the_inbox_until_it_is_restored(site, topic, cleo, organizer):
    lea = site.member(f"Léa {secrets.token_hex(3)}")
    answer = reply(cleo, topic, lea.post(f"/topics/{topic['id']}/comments", {"body": "Une remarque"}))
    eventually(lambda: told_of(lea, answer) == (True, 1))
    organizer.post(f"/comments/{answer['id']}/moderation", {"action": "hide", "reason": "Hors sujet"}, status=200)
    eventually(lambda: told_of(lea, answer) == (False, 0))
    organizer.post(f"/comments/{answer['id']}/moderation", {"action": "restore", "reason": "En fait non"}, status=200)
    eventually(lambda: told_of(lea, answer) == (True, 1))
