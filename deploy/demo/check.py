#!/usr/bin/env python3
"""check.py - refuses a demo site that the product would refuse, and counts what there is.

Run it after every edit: python3 deploy/demo/check.py. It prints every fault it finds, then the
totals, and exits 1 if there was a fault. The limits are the product's own (title, lead, article,
comment, opinion, motivation), the states are those of the topic, participation, sponsor offer,
comment and seat lifecycles. Ages are in days before the moment of loading; larger is older.
"""

import collections
import json
import pathlib
import re
import sys
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent

NEXT = {
    "draft": {"proposed", "withdrawn"},
    "proposed": {"open", "declined", "withdrawn", "merged"},
    "open": {"shortlisted", "declined", "withdrawn", "merged"},
    "shortlisted": {"scheduled", "declined", "withdrawn", "merged"},
    "scheduled": {"shortlisted", "recorded", "cancelled", "merged"},
    "recorded": {"published", "not_aired"},
    "published": {"archived"},
    "not_aired": {"archived"},
    "declined": {"archived"},
    "withdrawn": {"archived"},
    "merged": {"archived"},
    "cancelled": {"archived"},
    "archived": set(),
}
CLOSING = {"declined", "withdrawn", "merged", "archived"}
PARTICIPATION = {
    "submitted", "in_review", "reserve", "invited", "confirmed", "took_part", "rejected",
    "declined_by_member", "withdrawn", "cancelled_by_organizer", "expired", "no_show",
}
OFFER = {"draft", "submitted", "in_discussion", "accepted", "delivered", "declined", "withdrawn",
         "expired"}
SEAT = {"requested", "confirmed", "waiting", "cancelled", "attended"}
COMMENT = {"visible", "pending", "hidden", "deleted", "spam", "erased"}

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def need(where, text, low, high, what):
    if not isinstance(text, str) or not low <= len(text) <= high:
        size = len(text) if isinstance(text, str) else text
        fault(where, f"{what} has {size} characters, wants {low} to {high}")
    elif text != unicodedata.normalize("NFC", text):
        fault(where, f"{what} is not NFC")
    elif any(c in text for c in "\u00a0\u202f\u200b\t"):
        fault(where, f"{what} holds a no-break space, a zero-width character or a tab")
    elif re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text):
        fault(where, f"{what} holds a control character")


def check_typography(where, text, language):
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)|https?://\S+", "", text)
    if re.search(r"\w'\w", prose):
        fault(where, "straight apostrophe in prose: " + re.search(r".{0,12}\w'\w.{0,12}", prose)[0])
    if '"' in prose:
        fault(where, "straight quotes in prose")
    if language == "fr" and re.search(r"\w[?!;»]|«\w|\w:\s", prose):
        fault(where, "missing space: " + re.search(r".{0,12}(\w[?!;»]|«\w|\w:\s).{0,12}", prose)[0])


def check_people(people, expertises):
    keys = [p["key"] for p in people]
    if len(set(keys)) != len(keys):
        fault("people", "a key appears twice")
    mails = [p["email"].casefold() for p in people if p["email"]]
    if len(set(mails)) != len(mails):
        fault("people", "an e-mail address appears twice")
    for p in people:
        where = "people/" + p["key"]
        need(where, p["display_name"], 2, 60, "display_name")
        if p["bio"] is not None:
            need(where, p["bio"], 2, 160, "bio")
            check_typography(where, p["bio"], p["language"])
        if p["language"] not in ("fr", "en"):
            fault(where, "language")
        if len(p["expertises"]) > 10 or set(p["expertises"]) - expertises:
            fault(where, "expertises")
        if p["state"] not in ("active", "suspended", "erased"):
            fault(where, "state")
        if p["role"] not in ("member", "moderator", "organizer"):
            fault(where, "role")
        if (p["email"] is None) != (p["state"] == "erased"):
            fault(where, "an e-mail address, unless erased")
    known = [p["role"] for p in people if (p["email"] or "").endswith("@causerie.example")]
    if sorted(known) != ["member", "member", "member", "moderator", "organizer"]:
        fault("people", "the five known accounts are not one organizer, one moderator, three members")
    states = collections.Counter(p["state"] for p in people)
    if states["suspended"] != 1 or states["erased"] != 1:
        fault("people", "wants one suspended and one erased")


def check_history(where, t, roles):
    state, age = "draft", t["age_days"]
    for step in t["transitions"]:
        if step["to"] not in NEXT[state]:
            fault(where, f"{state} cannot become {step['to']}")
        if not 0 <= step["age_days"] < age:
            fault(where, f"{step['to']} is not later than what precedes it")
        own = step["to"] in ("proposed", "withdrawn")
        if own and step["by"] != t["proposer"]:
            fault(where, f"{step['to']} is the proposer's to do")
        if not own and roles[step["by"]] != "organizer":
            fault(where, f"{step['to']} is an organizer's to do")
        if step["to"] in ("declined", "cancelled", "not_aired", "merged"):
            need(where, step["reason"], 30, 400, "reason of " + step["to"])
        state, age = step["to"], step["age_days"]
    if state != t["state"]:
        fault(where, f"history ends in {state}, state says {t['state']}")


def check_recording(where, t, passed):
    r, v = t["recording"], t["video"]
    if (r is not None) != ("scheduled" in passed):
        fault(where, "recording facts from scheduled on, and only then")
    if r is not None:
        if r["duration_minutes"] <= 0 or r["capacity_set"] < 1 or r["capacity_audience"] < 0:
            fault(where, "recording numbers")
        if not re.fullmatch(r"[0-2]\d:[0-5]\d", r["start_local"]):
            fault(where, "start_local")
        if t["state"] == "scheduled" and r["start_in_days"] <= 0:
            fault(where, "scheduled, but in the past")
        if "recorded" in passed and r["start_in_days"] > -passed["recorded"]:
            fault(where, "recorded before it started")
        if not any(p["state"] not in ("submitted", "in_review", "reserve", "rejected")
                   for p in t["participations"]):
            fault(where, "scheduled without an invited panelist")
    if (v is not None) != ("published" in passed):
        fault(where, "a video when published, and only then")
    if v is not None:
        seconds = [c["seconds"] for c in v["chapters"]]
        if not 4 <= len(seconds) <= 8 or seconds[0] != 0 or seconds != sorted(set(seconds)):
            fault(where, "4 to 8 chapters, from 0, in order")
        if seconds[-1] >= v["duration_seconds"]:
            fault(where, "a chapter after the end")
        need(where, v["transcript"], 100, 5000, "transcript")
        if not re.fullmatch(r"/videos/[a-z0-9-]+\.webm", v["file"]):
            fault(where, "video file")


def check_opinions(where, t, people, passed):
    total = sum(t["opinions"].values())
    active = sum(p["state"] == "active" for p in people.values())
    if set(t["opinions"]) != {"1", "2", "3", "4"} or total > active or t["followers"] > active:
        fault(where, "more opinions or followers than people")
    if total and ("open" not in passed or t["state"] == "merged"):
        fault(where, "opinions on a topic that cannot have any")
    said = collections.Counter()
    for o in t["opinion_reasons"]:
        need(where, o["reason"], 2, 280, "opinion reason")
        check_typography(where, o["reason"], people[o["by"]]["language"])
        said[str(o["value"])] += 1
    if any(n > t["opinions"][v] for v, n in said.items()):
        fault(where, "reasons beyond the counts")
    if len({o["by"] for o in t["opinion_reasons"]}) != len(t["opinion_reasons"]):
        fault(where, "one opinion per member")


def check_participations(where, t, people, expertises, comment_keys, opened):
    live = collections.Counter(p["by"] for p in t["participations"])
    if any(n > 1 for n in live.values()):
        fault(where, "two participations by one person")
    for p in t["participations"]:
        if p["by"] not in people or p["state"] not in PARTICIPATION:
            fault(where, "participation by or state")
        if p["attendance"] not in ("on_site", "remote") or set(p["expertises"]) - expertises:
            fault(where, "participation attendance or expertises")
        if p["motivation"] is not None:
            need(where, p["motivation"], 40, 4000, "motivation")
        elif p["state"] != "invited" or p["comment"] not in comment_keys:
            fault(where, "no motivation, and not invited from a comment")
        if not 0 < p["age_days"] < opened:
            fault(where, "participation before the topic was open")


def check_offers(where, t, people, items):
    for s in t["sponsor_offers"]:
        need(where, s["message"], 20, 4000, "sponsor message")
        if s["by"] not in people or s["state"] not in OFFER:
            fault(where, "sponsor by or state")
        codes = {i["code"] for i in s["items"]}
        if codes - set(items):
            fault(where, "unknown sponsor item")
        if any(items[c]["requires"] and items[c]["requires"] not in codes for c in codes):
            fault(where, "a sponsor item lacks the one it requires")
        if (s["state"] == "accepted") != (s["public_sentence"] is not None):
            fault(where, "a public sentence when accepted, and only then")


def check_comments(where, t, people, opened, closed):
    seen, depth = {}, {}
    before = float("inf")
    for c in t["comments"]:
        at = f"{where}#{c['key']}"
        need(at, c["body"], 2, 5000, "body")
        check_typography(at, c["body"], c.get("language", t["language"]))
        if c["author"] not in people:
            fault(at, "unknown author")
        if c["state"] not in COMMENT:
            fault(at, "state")
        if (c["state"] == "erased") != (people[c["author"]]["state"] == "erased"):
            fault(at, "erased, if and only if the account is")
        if (c["state"] in ("hidden", "spam")) != ("moderation" in c):
            fault(at, "a moderator and a reason when hidden, and only then")
        if c["key"] in seen:
            fault(at, "key appears twice")
        if c["age_days"] > before:
            fault(at, "comments are not in the order of time")
        if not closed <= c["age_days"] < opened:
            fault(at, "written before the topic was open or after it was closed")
        if c["parent"] is not None:
            if c["parent"] not in seen:
                fault(at, "its parent does not come before it")
                continue
            if c["age_days"] >= seen[c["parent"]]["age_days"]:
                fault(at, "older than its parent")
        depth[c["key"]] = 1 + depth.get(c["parent"], 0)
        before = c["age_days"]
        seen[c["key"]] = c
    if depth and max(depth.values()) > 6:
        fault(where, "a thread deeper than six")
    return max(depth.values(), default=0)


def check_links(where, text, keys):
    for target in re.findall(r"\]\(([^)]*)\)", text):
        if target.startswith("topic:"):
            if target[6:] not in keys:
                fault(where, f"link to unknown topic {target}")
        elif not target.startswith("https://"):
            fault(where, f"link {target}")


def check_topic(name, t, keys, people, taxonomy):
    where = t["key"]
    roles = {k: p["role"] for k, p in people.items()}
    expertises = {e["slug"] for e in taxonomy["expertises"]}
    passed = {s["to"]: s["age_days"] for s in t["transitions"]}
    if not re.fullmatch(r"\d\d-" + re.escape(where), name):
        fault(where, f"stands in {name}.json")
    need(where, t["title"], 10, 140, "title")
    need(where, t["lead"], 60, 600, "lead")
    need(where, t["article"], 200, 20000, "article")
    for text in (t["title"], t["lead"], t["article"]):
        check_typography(where, text, t["language"])
    check_links(where, t["article"], keys)
    if t["format"] not in {f["slug"] for f in taxonomy["formats"]}:
        fault(where, "format")
    if t["treatment"] not in {f["slug"] for f in taxonomy["treatments"]}:
        fault(where, "treatment")
    if not 1 <= len(t["expertises"]) <= 7 or set(t["expertises"]) - expertises:
        fault(where, "expertises")
    check_history(where, t, roles)
    check_recording(where, t, passed)
    check_opinions(where, t, people, passed)
    opened = passed.get("open", 0)
    closed = min((a for s, a in passed.items() if s in CLOSING), default=0)
    check_participations(where, t, people, expertises, {c["key"] for c in t["comments"]}, opened)
    check_offers(where, t, people, {i["code"]: i for i in taxonomy["sponsor_items"]})
    for s in t["seats"]:
        if s["by"] not in people or s["state"] not in SEAT or not 1 <= s["seats"] <= 4:
            fault(where, "seat")
    taken = sum(s["seats"] for s in t["seats"] if s["state"] in ("confirmed", "attended"))
    if t["recording"] and taken > t["recording"]["capacity_audience"]:
        fault(where, "more seats than the room has")
    for step in t["transitions"]:
        if step["to"] == "merged":
            if step["into"] not in keys or t["comments"]:
                fault(where, "merged into nothing, or kept its comments")
    return check_comments(where, t, people, opened, closed)


def check_joined(people, topics):
    for t in topics.values():
        done = [(t["proposer"], t["age_days"])]
        done += [(c["author"], c["age_days"]) for c in t["comments"]]
        done += [(p["by"], p["age_days"]) for p in t["participations"]]
        done += [(s["by"], s["age_days"]) for s in t["seats"] + t["sponsor_offers"]]
        for who, age in done:
            if people[who]["age_days"] <= age:
                fault(t["key"], f"{who} took part before having an account")


def check_helps():
    for name in ("help.fr.md", "help.en.md"):
        text = (HERE / name).read_text(encoding="utf-8")
        need(name, text, 1500, 20000, "text")
        check_typography(name, text, name[5:7])


def check_site(people, topics, taxonomy):
    check_people(list(people.values()), {e["slug"] for e in taxonomy["expertises"]})
    if len(taxonomy["expertises"]) < 14 or len(taxonomy["formats"]) != 7:
        fault("taxonomy", "formats or expertises are missing")
    keys = {t["key"] for t in topics.values()}
    if len(keys) != len(topics):
        fault("topics", "a key appears twice")
    deepest = max(check_topic(name, t, keys, people, taxonomy) for name, t in topics.items())
    check_joined(people, topics)
    check_helps()
    states = collections.Counter(t["state"] for t in topics.values())
    for state in NEXT:
        if not states[state]:
            fault("topics", f"no topic is {state}")
    languages = collections.Counter(t["language"] for t in topics.values())
    sizes = sorted((len(t["comments"]) for t in topics.values()), reverse=True)
    used = collections.Counter(e for t in topics.values() for e in t["expertises"])
    if len(topics) < 46 or languages["fr"] < 36 or languages["en"] < 10:
        fault("topics", "too few")
    if sum(sizes) < 330 or sum(25 <= n <= 55 for n in sizes) < 4 or sizes[0] > 55:
        fault("comments", "too few, or not four lively topics of 25 to 55")
    if len(topics["01-une-conversation-n-est-pas-un-marche"]["comments"]) != 2:
        fault("topics", "the model topic has exactly two comments")
    comment_states = collections.Counter(c["state"] for t in topics.values() for c in t["comments"])
    for state in COMMENT - set(comment_states):
        fault("comments", f"none is {state}")
    print(f"people        {len(people)}")
    print(f"topics        {len(topics)} ({', '.join(f'{n} {k}' for k, n in languages.items())})")
    print(f"  states      {', '.join(f'{states[s]} {s}' for s in NEXT)}")
    print(f"  expertises  {', '.join(f'{k} {n}' for k, n in used.most_common())}")
    print(f"comments      {sum(sizes)}, deepest thread {deepest}, largest {sizes[:6]}, "
          f"{sum(n <= 2 for n in sizes)} topics with at most two")
    print(f"  states      {', '.join(f'{n} {k}' for k, n in comment_states.most_common())}")
    print(f"opinions      {sum(sum(t['opinions'].values()) for t in topics.values())}")
    print(f"participations {sum(len(t['participations']) for t in topics.values())}, "
          f"offers {sum(len(t['sponsor_offers']) for t in topics.values())}, "
          f"seats {sum(len(t['seats']) for t in topics.values())}")
    lengths = sorted(len(t["article"]) for t in topics.values())
    print(f"articles      {lengths[0]} to {lengths[-1]} characters, median {lengths[len(lengths) // 2]}")


def main():
    people = {p["key"]: p for p in read(HERE / "people.json")}
    taxonomy = read(HERE / "taxonomy.json")
    topics = {p.stem: read(p) for p in sorted((HERE / "topics").glob("*.json"))}
    check_site(people, topics, taxonomy)
    for f in faults:
        print("FAULT " + f, file=sys.stderr)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
