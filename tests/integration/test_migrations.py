"""What migrations make of the topics that are there."""
from harness import migrations

OLD, OLDER, NEW, OTHER, FURTHER = 1, 2, 3, 4, 5  # OLDER went into OLD, OLD into NEW


def all_of(cursor, text):
    cursor.execute(text)
    return cursor.fetchall()


def put_topic(cursor, topic, state="open"):
    cursor.execute("INSERT INTO topics (id, state, proposer_id, title, slug, lead, article, language, format, treatment, expertises)"
                   " VALUES (%s, %s, 1, '', '', '', '', 'fr', '', '', '{}')", (topic, state))


def put_topics(cursor):
    for topic in (OLD, OLDER, NEW, OTHER, FURTHER):
        put_topic(cursor, topic)
    for topic, target in ((OLD, NEW), (OLDER, OLD)):
        cursor.execute("UPDATE topics SET state = 'merged', target_id = %s WHERE id = %s", (target, topic))


def give(cursor, topic, account, value, day):
    cursor.execute("INSERT INTO opinions (topic_id, account_id, value, at) VALUES (%s, %s, %s, %s)",
                   (topic, account, value, f"2026-01-{day:02}"))
    cursor.execute("UPDATE topics SET opinions = opinions + 1, passionnant = passionnant + %s::int, moyen = moyen + %s::int WHERE id = %s",
                   (value == 4, value == 2, topic))


def test_what_was_said_of_merged_topics_is_said_of_where_they_are_now():
    with migrations.before("topics", "0010") as cursor:
        put_topics(cursor)
        for topic, account, value, day in ((OLD, 11, 4, 1), (OLDER, 11, 2, 2), (OLDER, 12, 4, 3), (OLD, 13, 4, 4), (NEW, 13, 2, 1)):
            give(cursor, topic, account, value, day)
        for one, other, word in ((OLD, OTHER, "pinned"), (NEW, OTHER, "banned"), (OLDER, FURTHER, "pinned"), (OLD, NEW, "banned")):
            cursor.execute("INSERT INTO related_pairs (topic_id, other_id, pairing, actor_id) VALUES (%s, %s, %s, 7)",
                           (*sorted((one, other)), word))
        for topic, account, state in ((OLD, 11, "submitted"), (OLDER, 11, "reserve"), (OLD, 12, "submitted"), (NEW, 12, "invited")):
            cursor.execute("INSERT INTO participations (topic_id, account_id, state) VALUES (%s, %s, %s)", (topic, account, state))
        cursor.execute("INSERT INTO discussions (topic_id, comments) VALUES (%s, 2), (%s, 3), (%s, 5)", (OLD, OLDER, NEW))

        migrations.apply(cursor, "topics", "0010")

        assert all_of(cursor, "SELECT topic_id, account_id, value FROM opinions ORDER BY 2") == [(NEW, 11, 2), (NEW, 12, 4), (NEW, 13, 2)]
        assert all_of(cursor, "SELECT id, opinions, passionnant, moyen FROM topics WHERE id < 4 ORDER BY id") == [
            (OLD, 0, 0, 0), (OLDER, 0, 0, 0), (NEW, 3, 1, 2)]
        assert all_of(cursor, "SELECT topic_id, other_id, pairing FROM related_pairs ORDER BY 2") == [
            (NEW, OTHER, "banned"), (NEW, FURTHER, "pinned")]
        assert all_of(cursor, "SELECT topic_id, account_id, state FROM participations ORDER BY id") == [
            (OLD, 11, "submitted"), (NEW, 11, "reserve"), (OLD, 12, "submitted"), (NEW, 12, "invited")]
        assert all_of(cursor, "SELECT topic_id, comments FROM discussions") == [(NEW, 10)]
        assert all_of(cursor, "SELECT aggregate_id, type FROM outbox") == [(NEW, "topic.edited")]


def test_archived_topics_say_again_why_they_were_declined():
    with migrations.before("topics", "0011") as cursor:
        for topic, steps in ((1, (("declined", "Hors sujet", False), ("archived", "Rangé", False))),
                             (2, (("not_aired", "Entre nous", True), ("archived", "", False))),
                             (3, (("published", "", False), ("archived", "Rangé", False)))):
            put_topic(cursor, topic, "archived")
            for version, (to, reason, private) in enumerate(steps, 2):
                cursor.execute("INSERT INTO topic_transitions (topic_id, version, actor_id, from_state, to_state, reason, reason_private)"
                               " VALUES (%s, %s, 1, '', %s, %s, %s)", (topic, version, to, reason, private))
            cursor.execute("UPDATE topics SET public_reason = %s WHERE id = %s", (steps[-1][1], topic))

        migrations.apply(cursor, "topics", "0011")

        assert all_of(cursor, "SELECT id, public_reason FROM topics ORDER BY id") == [(1, "Hors sujet"), (2, ""), (3, "Rangé")]
