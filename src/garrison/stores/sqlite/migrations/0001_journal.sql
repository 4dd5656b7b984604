-- The audit journal, the ends of its chains, and the shapes of the tables that are made from kinds.

-- Written in order of its key and never changed: one tree without a row number is the smaller and faster one.
CREATE TABLE garrison_journal (
    writer TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    code TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    mac BLOB NOT NULL,
    PRIMARY KEY (writer, sequence)
) WITHOUT ROWID;

CREATE INDEX garrison_journal_at ON garrison_journal (at);

CREATE TABLE garrison_head (
    writer TEXT NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    mac BLOB NOT NULL,
    base INTEGER NOT NULL,
    base_mac BLOB NOT NULL,
    seal TEXT NOT NULL
) WITHOUT ROWID;

-- What each table of records looks like, so that a kind that gained or lost an index is noticed.
CREATE TABLE garrison_kind (
    name TEXT NOT NULL PRIMARY KEY,
    shape TEXT NOT NULL
) WITHOUT ROWID;
