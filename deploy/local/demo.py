#!/usr/bin/python3
"""
demo.py - turns deploy/demo/ into rows of the four databases, once, as if people had written them.

Each service's rows are one transaction, those of accounts the last: so accounts that are there mean
that all is there, and a load that was cut short is taken up again. Numbers of people and topics are
those of their place in the files, ages count back from now, what the files leave open (who gave
the opinions that are only counted) is drawn with a fixed seed. Nothing is announced: consumers that
start later begin at the owners' present, and related reads everything anyway.

    demo.py <causerie-accounts>     databases from CAUSERIE_<SERVICE>_DATABASE_URL (docker-compose.yml)
"""
import collections
import datetime
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import zoneinfo

from refusal import Refusal
from words import plain_fold, slug

DEMO = pathlib.Path(__file__).resolve().parents[1] / "demo"
PASSWORD = "causerie-demo"
ROLES = {"member": 0, "moderator": 1, "organizer": 3}
SERVICES = ("accounts", "topics", "comments", "notifications")

FINAL = {"withdrawn", "declined", "merged", "archived"}  # no more comments, no more opinions
OPEN_FOR_COMMENTS = {"open", "shortlisted", "scheduled", "recorded", "published", "cancelled", "not_aired"}
TAGS = {"question": "question_for_panel", "answered": "answered_on_air"}
ACTIONS = {"hidden": "hide", "spam": "mark_spam"}

ROAD = ("open", "shortlisted", "scheduled", "recorded", "published")

# How a participation or an offer came to its state.
PARTICIPATION_PATHS = {
    "submitted": ["submitted"],
    "in_review": ["submitted", "in_review"],
    "reserve": ["submitted", "in_review", "reserve"],
    "rejected": ["submitted", "in_review", "rejected"],
    "withdrawn": ["submitted", "withdrawn"],
    "invited": ["submitted", "in_review", "invited"],
    "expired": ["submitted", "in_review", "invited", "expired"],
    "declined_by_member": ["submitted", "in_review", "invited", "declined_by_member"],
    "confirmed": ["submitted", "in_review", "invited", "confirmed"],
    "cancelled_by_organizer": ["submitted", "in_review", "invited", "confirmed", "cancelled_by_organizer"],
    "took_part": ["submitted", "in_review", "invited", "confirmed", "took_part"],
    "no_show": ["submitted", "in_review", "invited", "confirmed", "no_show"],
}
MEMBERS_OWN = {"submitted", "withdrawn", "confirmed", "declined_by_member"}
OFFER_PATHS = {
    "submitted": ["draft", "submitted"],
    "in_discussion": ["draft", "submitted", "in_discussion"],
    "accepted": ["draft", "submitted", "in_discussion", "accepted"],
    "delivered": ["draft", "submitted", "in_discussion", "accepted", "delivered"],
    "declined": ["draft", "submitted", "declined"],
    "withdrawn": ["draft", "submitted", "withdrawn"],
    "expired": ["draft", "submitted", "expired"],
}


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


class Source:
    """What the files hold, with numbers for keys."""

    def __init__(self):
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.people = {person["key"]: person for person in _read(DEMO / "people.json")}
        self.taxonomy = _read(DEMO / "taxonomy.json")
        self.topics = [_read(path) for path in sorted((DEMO / "topics").glob("*.json"))]
        self.people_ids = {key: number for number, key in enumerate(self.people, 1)}
        self.topic_ids = {topic["key"]: number for number, topic in enumerate(self.topics, 1)}
        self.organizer = next(self.people_ids[key] for key, person in self.people.items()
                              if person["role"] == "organizer")
        # Comments are numbered in the order they were written, over all topics.
        written = sorted(((-comment["age_days"], self.topic_ids[topic["key"]], comment["key"])
                          for topic in self.topics for comment in topic["comments"]),
                         key=lambda one: one[:2])
        self.comment_ids = {(topic, key): number for number, (_, topic, key) in enumerate(written, 1)}

    def at(self, age_days):
        return (self.now - datetime.timedelta(days=age_days)).isoformat()

    def author(self, key):
        """An erased member's contributions stand there without a name."""
        return 0 if self.people[key]["state"] == "erased" else self.people_ids[key]

    def address(self, key):
        topic = self.topics[self.topic_ids[key] - 1]
        return f"/sujets/{self.topic_ids[key]}-{slug(topic['title'])}"


class Rows:
    """Rows by table, in the order in which the tables may be filled."""

    def __init__(self):
        self.tables = collections.defaultdict(list)

    def add(self, table, **columns):
        self.tables[table].append(columns)

    def statements(self):
        """One INSERT a table; a row may leave out columns that have a default in every row of it."""
        for table, rows in self.tables.items():
            columns = ", ".join(rows[0])
            document = json.dumps(rows, ensure_ascii=False)
            yield (f"INSERT INTO {table} ({columns}) SELECT {columns} FROM "
                   f"jsonb_populate_recordset(NULL::{table}, {_literal(document)}::jsonb)")

    def count(self, table):
        return len(self.tables[table])


def _literal(text):
    return "'" + text.replace("'", "''") + "'"


def _sequence(table):
    return f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"


def _path_ages(path, start, end):
    """Ages of the steps: from start on, evenly, the last of them at end."""
    steps = max(len(path) - 1, 1)
    return [start - (start - end) * step / steps for step in range(len(path))]


def _ended(topic):
    """The age at which a topic stopped taking comments and opinions; 0: it has not."""
    return min((step["age_days"] for step in topic["transitions"] if step["to"] in FINAL), default=0)


def _reached(topic, state):
    return next((step["age_days"] for step in topic["transitions"] if step["to"] == state), None)


def _seen_by(topic):
    """As topics keeps it: the road widens who sees a topic, a side exit never does."""
    seen = "proposer"
    for step in topic["transitions"]:
        if step["to"] in ROAD:
            seen = "everybody"
        elif step["to"] == "proposed" or step["to"] == "withdrawn" and seen == "everybody":
            seen = "organizers"
    return seen


# --- accounts ------------------------------------------------------------------------------


def accounts_rows(source, hashed, skeletons):
    rows = Rows()
    for (key, person), skeleton in zip(source.people.items(), skeletons):
        erased = person["state"] == "erased"
        rows.add("accounts", id=source.people_ids[key],
                 version=1,
                 email=person["email"],
                 email_folded=person["email"] and person["email"].lower(),
                 display_name="" if erased else person["display_name"],
                 name_skeleton=None if erased else skeleton,
                 password_hash=hashed if is_known(person) else None,
                 language=person["language"], time_zone=person["time_zone"],
                 roles=ROLES[person["role"]], state=person["state"],
                 organisation="" if erased else person["organisation"] or "",
                 bio="" if erased else person["bio"] or "",
                 expertises=[] if erased else person["expertises"],
                 bouncing=False,
                 created_at=source.at(person["age_days"]))
    return rows


def is_known(person):
    return (person["email"] or "").endswith("@causerie.example")


# --- topics --------------------------------------------------------------------------------


def _terms(rows, taxonomy):
    for kind in ("format", "treatment", "expertise"):
        for position, term in enumerate(taxonomy[kind + "s"], 1):
            rows.add("terms", kind=kind, slug=term["slug"], label_fr=term["fr"], label_en=term["en"],
                     synonyms=[plain_fold(synonym) for synonym in term.get("synonyms", [])], position=position)


def _catalogue(rows, taxonomy):
    numbers = {item["code"]: number for number, item in enumerate(taxonomy["sponsor_items"], 1)}
    for item in taxonomy["sponsor_items"]:
        rows.add("catalogue_items", id=numbers[item["code"]], label_fr=item["fr"], label_en=item["en"],
                 unit_cents=item["unit_price_cents"], vat_permille=item["vat_per_mille"],
                 requires_id=numbers.get(item["requires"]))
    return numbers


def _expertise_words(source, slugs):
    terms = {term["slug"]: term for term in source.taxonomy["expertises"]}
    return " ".join(" ".join([terms[one]["fr"], terms[one]["en"], *map(plain_fold, terms[one]["synonyms"])])
                    for one in slugs)


def _public_reason(topic):
    if not topic["transitions"]:
        return ""
    last = topic["transitions"][-1]
    return (last.get("public_reason") if last["to"] == "not_aired" else last["reason"]) or ""


def _topic(rows, source, topic, opinions):
    number = source.topic_ids[topic["key"]]
    steps = topic["transitions"]
    visible = [comment for comment in topic["comments"] if comment["state"] in ("visible", "erased")]
    opened = _reached(topic, "open")
    article = re.sub(r"\]\(topic:([^)]+)\)", lambda found: f"]({source.address(found[1])})", topic["article"])
    values = collections.Counter(opinion["value"] for opinion in opinions)
    merged = next((step["into"] for step in steps if step["to"] == "merged"), None)
    accepted = [offer for offer in topic["sponsor_offers"] if offer["state"] in ("accepted", "delivered")]
    text = {"title": topic["title"], "lead": topic["lead"], "article": article, "language": topic["language"],
            "format": topic["format"], "treatment": topic["treatment"], "expertises": topic["expertises"],
            "place": topic["place"] or ""}
    rows.add("topics", id=number, version=1 + len(steps), state=topic["state"], seen_by=_seen_by(topic),
             proposer_id=source.people_ids[topic["proposer"]], slug=slug(topic["title"]), **text,
             expertise_words=_expertise_words(source, topic["expertises"]),
             public_reason=_public_reason(topic),
             sponsor=accepted[0]["organisation"] if accepted else "",
             target_id=source.topic_ids.get(merged),
             created_at=source.at(topic["age_days"]),
             updated_at=source.at(steps[-1]["age_days"] if steps else topic["age_days"]),
             opened_at=source.at(opened) if opened is not None else None,
             state_since=source.at(steps[-1]["age_days"] if steps else topic["age_days"]),
             opinions=len(opinions), passionnant=values[4], interessant=values[3], moyen=values[2],
             sans_interet=values[1])
    if visible:
        rows.add("discussions", topic_id=number, comments=len(visible),
                 commented_at=source.at(min(comment["age_days"] for comment in visible)))
    rows.add("topic_versions", topic_id=number, version=1, editor_id=source.people_ids[topic["proposer"]], **text,
             at=source.at(topic["age_days"]))


def _transitions(rows, source, topic):
    number = source.topic_ids[topic["key"]]
    rows.add("topic_transitions", topic_id=number, version=1, actor_id=source.people_ids[topic["proposer"]],
             from_state="", to_state="draft", reason="", reason_private=False, at=source.at(topic["age_days"]))
    before = "draft"
    for version, step in enumerate(topic["transitions"], 2):
        rows.add("topic_transitions", topic_id=number, version=version, actor_id=source.people_ids[step["by"]],
                 from_state=before, to_state=step["to"], reason=step["reason"] or "",
                 reason_private=step["to"] == "not_aired", at=source.at(step["age_days"]))
        before = step["to"]


def _recording(rows, source, topic):
    recording = topic["recording"]
    if recording is None:
        return
    zone = zoneinfo.ZoneInfo(recording["time_zone"])
    day = source.now.astimezone(zone).date() + datetime.timedelta(days=recording["start_in_days"])
    start = datetime.datetime.combine(day, datetime.time.fromisoformat(recording["start_local"]), zone)
    # An hour and a quarter is that long on the night of a clock change, too: counted in UTC.
    end = start.astimezone(datetime.timezone.utc) + datetime.timedelta(minutes=recording["duration_minutes"])
    rows.add("recordings", topic_id=source.topic_ids[topic["key"]], place_name=recording["place"],
             address=recording["address"] or "", address_private=recording["address_private"],
             access=recording["accessibility"] or "", online_url="", starts_at=start.isoformat(),
             ends_at=end.isoformat(), time_zone=recording["time_zone"], set_capacity=recording["capacity_set"],
             audience_capacity=recording["capacity_audience"])


def _video(rows, source, topic):
    video, number = topic["video"], source.topic_ids[topic["key"]]
    if video is None:
        return
    rows.add("videos", topic_id=number, url=video["file"], duration_seconds=video["duration_seconds"],
             transcript=video["transcript"], captions_url="", no_captions_reason="")
    for chapter in video["chapters"]:
        rows.add("chapters", topic_id=number, at_seconds=chapter["seconds"], title=chapter["title"])


def draw_opinions(source, topic):
    """The counted opinions as rows: those with a reason, and others drawn for the rest."""
    chance = random.Random(topic["key"])
    opened, ended = _reached(topic, "open"), _ended(topic)
    said = {one["by"]: one for one in topic["opinion_reasons"]}
    others = [key for key, person in source.people.items()
              if person["state"] == "active" and key not in said and key != topic["proposer"]]
    chance.shuffle(others)
    others.append(topic["proposer"])
    # Who joined after the topic closed comes last: they are only taken when nobody else is left.
    others.sort(key=lambda key: source.people[key]["age_days"] <= ended)
    left = collections.Counter({int(value): count for value, count in topic["opinions"].items()})
    left.subtract(one["value"] for one in said.values())
    values = list(left.elements())
    chance.shuffle(values)
    given = [(key, one["value"], one["reason"]) for key, one in said.items()]
    given += [(key, value, "") for key, value in zip(others, values)]
    opinions = []
    for key, value, reason in given:
        oldest = max(min(opened, source.people[key]["age_days"]), ended)
        age = ended + (oldest - ended) * (1 - chance.random() ** 2 * 0.98)  # most come soon after the opening
        opinions.append({"topic_id": source.topic_ids[topic["key"]], "account_id": source.people_ids[key],
                         "value": value, "reason": reason, "at": source.at(age)})
    return opinions


def _participations(rows, source, topic):
    number = source.topic_ids[topic["key"]]
    ended, recorded = _ended(topic), _reached(topic, "recorded")
    for one in topic["participations"]:
        participation = rows.count("participations") + 1
        path = PARTICIPATION_PATHS[one["state"]]
        if one["motivation"] is None:
            path = path[path.index("invited"):]
        last = recorded if one["state"] in ("took_part", "no_show") and recorded else max(ended, one["age_days"] * 0.6)
        ages = _path_ages(path, one["age_days"], last)
        invited = one["state"] == "invited"
        rows.add("participations", id=participation, version=len(path), topic_id=number,
                 account_id=source.people_ids[one["by"]], state=one["state"], motivation=one["motivation"] or "",
                 expertises=one["expertises"], remote=one["attendance"] == "remote", availability=[],
                 links=one["links"], invited_email="", word="",
                 comment_id=source.comment_ids.get((number, one["comment"])),
                 expires_at=source.at(-5) if invited else None,
                 created_at=source.at(ages[0]), updated_at=source.at(ages[-1]))
        for version, (before, state, age) in enumerate(zip(["", *path], path, ages), 1):
            actor = source.people_ids[one["by"]] if state in MEMBERS_OWN else source.organizer
            rows.add("participation_log", participation_id=participation, version=version, actor_id=actor,
                     from_state=before, to_state=state, word="", at=source.at(age))


def _offers(rows, source, topic, catalogue):
    prices = {item["code"]: item for item in source.taxonomy["sponsor_items"]}
    for offer in topic["sponsor_offers"]:
        number = rows.count("sponsorships") + 1
        path = OFFER_PATHS[offer["state"]]
        ages = _path_ages(path, offer["age_days"], offer["age_days"] * 0.5)
        free = offer["free_amount_cents"] or {"min": None, "max": None}
        rows.add("sponsorships", id=number, version=len(path), topic_id=source.topic_ids[topic["key"]],
                 account_id=source.people_ids[offer["by"]], state=offer["state"],
                 organisation=offer["organisation"], contact=offer["contact"], free_min_cents=free["min"],
                 free_max_cents=free["max"], message=offer["message"], conditions=offer["conditions"] or "",
                 public_sentence=offer["public_sentence"] or "", url="", expires_at=source.at(offer["age_days"] - 30),
                 created_at=source.at(ages[0]), updated_at=source.at(ages[-1]))
        for item in offer["items"]:
            rows.add("sponsorship_lines", sponsorship_id=number, item_id=catalogue[item["code"]],
                     quantity=item["quantity"], unit_cents=prices[item["code"]]["unit_price_cents"],
                     vat_permille=prices[item["code"]]["vat_per_mille"])
        for version, (before, state, age) in enumerate(zip(["", *path], path, ages), 1):
            actor = source.people_ids[offer["by"]] if state in ("draft", "submitted", "withdrawn") else source.organizer
            rows.add("sponsorship_log", sponsorship_id=number, version=version, actor_id=actor, from_state=before,
                     to_state=state, reason="", at=source.at(age))


def _seats(rows, source, topic):
    for seat in topic["seats"]:
        rows.add("seats", topic_id=source.topic_ids[topic["key"]], account_id=source.people_ids[seat["by"]],
                 version=1, seats=seat["seats"], state=seat["state"], queued_at=source.at(seat["age_days"]),
                 name_shown=seat["show_name"])


def topics_rows(source):
    rows = Rows()
    _terms(rows, source.taxonomy)
    catalogue = _catalogue(rows, source.taxonomy)
    for topic in source.topics:
        opinions = draw_opinions(source, topic)
        _topic(rows, source, topic, opinions)
        _transitions(rows, source, topic)
        _recording(rows, source, topic)
        _video(rows, source, topic)
        for opinion in opinions:
            rows.add("opinions", **opinion)
        _participations(rows, source, topic)
        _offers(rows, source, topic, catalogue)
        _seats(rows, source, topic)
    for language in ("fr", "en"):
        rows.add("pages", slug="aide", language=language, version=1, author_id=source.organizer,
                 body=(DEMO / f"help.{language}.md").read_text(encoding="utf-8"), at=source.at(300))
    return rows


# --- comments ------------------------------------------------------------------------------


def _standing_replies(comments):
    """How many answers of each comment still have a place: one that is gone has none, unless it was answered."""
    replies = collections.Counter()
    for comment in reversed(comments):
        stands = comment["state"] not in ("deleted", "spam") or replies[comment["key"]] > 0
        if comment["parent"] and stands:
            replies[comment["parent"]] += 1
    return replies


def _earlier_text(body):
    """What an edited comment may have said before: all but its last sentence."""
    sentences = re.split(r"(?<=[.!?]) ", body)
    return " ".join(sentences[:-1]) if len(sentences) > 1 else body.rstrip(".!? ")


def _comment(rows, source, topic, comment, by_key, replies):
    number = source.topic_ids[topic["key"]]
    numbers = {key: source.comment_ids[number, key] for key in by_key}
    ancestors = []
    above = comment["parent"]
    while above:
        ancestors.append(above)
        above = by_key[above]["parent"]
    own = numbers[comment["key"]]
    edited_age = max(comment["age_days"] - 0.1, comment["age_days"] * 0.5)
    moderation = comment.get("moderation")
    rows.add("comments", id=own, topic_id=number, parent_id=numbers.get(comment["parent"]),
             root_id=numbers[ancestors[-1]] if ancestors else own, depth=len(ancestors),
             author_id=source.author(comment["author"]),
             parent_author_id=source.author(by_key[ancestors[0]]["author"]) if ancestors else 0,
             body=comment["body"], language=comment.get("language", topic["language"]),
             state="visible" if comment["state"] == "erased" else comment["state"],
             version=1 + comment["edited"] + (comment["state"] in ("hidden", "spam", "deleted")),
             created_at=source.at(comment["age_days"]),
             edited_at=source.at(edited_age) if comment["edited"] else None,
             replies=replies[comment["key"]],
             moderation_reason=moderation["reason"] if moderation else "")
    if comment["edited"]:
        rows.add("revisions", comment_id=own, version=1, body=_earlier_text(comment["body"]),
                 editor_id=source.author(comment["author"]), at=source.at(comment["age_days"]))
    if "tag" in comment:
        rows.add("comment_tags", comment_id=own, tag=TAGS[comment["tag"]],
                 at_seconds=comment.get("answered_at_seconds"), by_id=source.organizer,
                 at=source.at(comment["age_days"] * 0.5))
    if moderation:
        rows.add("reports", comment_id=own, account_id=source.people_ids[topic["proposer"]],
                 reason=moderation["reason"], at=source.at(comment["age_days"]),
                 resolved_at=source.at(moderation["age_days"]))
        rows.add("moderation_log", comment_id=own, moderator_id=source.people_ids[moderation["by"]],
                 action=ACTIONS[comment["state"]], reason=moderation["reason"], at=source.at(moderation["age_days"]))


def comments_rows(source):
    rows = Rows()
    for topic in source.topics:
        rows.add("threads", topic_id=source.topic_ids[topic["key"]],
                 proposer_id=source.people_ids[topic["proposer"]], state=topic["state"],
                 seen_by=_seen_by(topic), open=topic["state"] in OPEN_FOR_COMMENTS, seen=1 + len(topic["transitions"]),
                 comments=sum(comment["state"] in ("visible", "erased") for comment in topic["comments"]))
    for topic in source.topics:
        by_key = {comment["key"]: comment for comment in topic["comments"]}
        replies = _standing_replies(topic["comments"])
        for comment in topic["comments"]:
            _comment(rows, source, topic, comment, by_key, replies)
    return rows


# --- notifications -------------------------------------------------------------------------


def notifications_rows(source):
    rows = Rows()
    for topic in source.topics:
        chance = random.Random("follow " + topic["key"])
        inside = dict.fromkeys([topic["proposer"], *(comment["author"] for comment in topic["comments"]),
                                *(one["by"] for one in topic["participations"])])
        followers = {key: "replies" for key in inside if source.people[key]["state"] == "active"}
        others = [key for key, person in source.people.items()
                  if person["state"] == "active" and key not in followers and person["age_days"] > _ended(topic)]
        chance.shuffle(others)
        followers.update((key, "milestones") for key in others[:max(topic["followers"] - len(followers), 0)])
        for key, level in followers.items():
            age = min(topic["age_days"], source.people[key]["age_days"])
            rows.add("follows", topic_id=source.topic_ids[topic["key"]], account_id=source.people_ids[key],
                     level=level, chosen=level == "milestones",
                     at=source.at(age * (1 if key == topic["proposer"] else chance.uniform(0.05, 0.95))))
    return rows


# --- into the databases --------------------------------------------------------------------


def _ask(command, lines):
    """A line of answer for each line, from causerie-accounts."""
    asked = subprocess.run(command, input="".join(line + "\n" for line in lines), capture_output=True, text=True)
    answers = asked.stdout.splitlines()
    if asked.returncode != 0 or len(answers) != len(lines):
        raise Refusal(f"the demo site cannot be loaded: {' '.join(map(str, command))}: {asked.stderr.strip()}")
    return answers


def _psql(url, script):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url], input=script,
                          capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line or "error" in line]
        raise Refusal("the demo site cannot be loaded: " + (lines or done.stderr.splitlines() or ["psql failed"])[0])
    return done.stdout.strip()


def state(accounts_url):
    """"empty", "demo" or "other": who is in the accounts database, whose tables may not be there yet."""
    if _psql(accounts_url, "SELECT to_regclass('accounts') IS NULL") == "t":
        return "empty"
    return _psql(accounts_url, "SELECT CASE WHEN NOT EXISTS (SELECT FROM accounts) THEN 'empty' WHEN EXISTS (SELECT "
                               "FROM accounts WHERE email_folded = 'camille@causerie.example') THEN 'demo' ELSE "
                               "'other' END")


def known_accounts():
    """[(address, password, role)] of those people may sign in as."""
    return [(person["email"], PASSWORD, person["role"]) for person in _read(DEMO / "people.json") if is_known(person)]


def load(urls, accounts_program):
    """Fills the databases that are empty; urls by service."""
    source = Source()
    hashed = _ask([accounts_program, "--hash-password"], [PASSWORD])[0]
    skeletons = _ask([accounts_program, "--name-skeleton"],
                     [person["display_name"] for person in source.people.values()])
    _fill(urls["notifications"], notifications_rows(source), "follows")
    _fill(urls["comments"], comments_rows(source), "threads", numbered=["comments"])
    _fill(urls["topics"], topics_rows(source), "topics",
          numbered=["topics", "catalogue_items", "participations", "sponsorships"],
          before=["DELETE FROM terms"],  # the migration's own; the demo brings them all
          after=["INSERT INTO opinion_log (topic_id, account_id, value, reason, at) "
                 "SELECT topic_id, account_id, value, reason, at FROM opinions"])
    _fill(urls["accounts"], accounts_rows(source, hashed, skeletons), "accounts", numbered=["accounts"])


def _fill(url, rows, first_table, numbered=(), before=(), after=()):
    """Puts rows into a database, all or none, unless somebody has been there."""
    if _psql(url, f"SELECT EXISTS (SELECT FROM {first_table})") == "t":
        return
    _psql(url, ";\n".join(["BEGIN", "SET LOCAL statement_timeout = 0", *before, *rows.statements(), *after,
                           *map(_sequence, numbered), "COMMIT", "ANALYZE " + ", ".join(rows.tables)]) + ";\n")


def main():
    urls = {service: os.environ[f"CAUSERIE_{service.upper()}_DATABASE_URL"] for service in SERVICES}
    try:
        if state(urls["accounts"]) == "empty":
            load(urls, sys.argv[1])
    except Refusal as refusal:
        sys.exit(f"demo: {refusal}")


if __name__ == "__main__":
    main()
