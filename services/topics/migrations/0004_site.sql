-- What organizers own of the site itself: help pages, pinned and banned neighbours, defaults of the taxonomies.

CREATE TABLE pages (
  slug      text NOT NULL,
  language  text NOT NULL,
  version   bigint NOT NULL,
  body      text NOT NULL,
  author_id bigint,
  at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (slug, language, version)
);

CREATE TABLE neighbours (
  topic_id bigint NOT NULL REFERENCES topics ON DELETE CASCADE,
  other_id bigint NOT NULL REFERENCES topics ON DELETE CASCADE,
  pinned   boolean NOT NULL,                -- false: banned
  by_id    bigint NOT NULL,
  at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic_id, other_id)
);

INSERT INTO terms (kind, slug, label_fr, label_en, position) VALUES
  ('format', 'talkshow', 'Talkshow', 'Talk show', 1),
  ('format', 'tutoriel', 'Tutoriel', 'Tutorial', 2),
  ('format', 'ressource', 'Ressource', 'Resource', 3),
  ('format', 'interview', 'Interview', 'Interview', 4),
  ('format', 'debat', 'Débat', 'Debate', 5),
  ('format', 'reportage', 'Reportage', 'Report', 6),
  ('format', 'conference', 'Conférence', 'Lecture', 7),
  ('treatment', 'debat', 'Débat', 'Debate', 1),
  ('treatment', 'methodologie', 'Méthodologie et bonnes pratiques', 'Methods and good practice', 2),
  ('treatment', 'information', 'Page d’information', 'Information page', 3);
