-- The audit journal, the ends of its chains, and the shapes of the tables that are made from kinds.

CREATE TABLE garrison_journal (
    writer TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (writer, sequence)
);

CREATE INDEX garrison_journal_at ON garrison_journal (at);

CREATE TABLE garrison_head (
    writer TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    base BIGINT NOT NULL,
    base_mac BYTEA NOT NULL,
    seal TEXT NOT NULL
);

-- What each table of records looks like, so that a kind that gained or lost an index is noticed.
CREATE TABLE garrison_kind (
    name TEXT NOT NULL PRIMARY KEY,
    shape TEXT NOT NULL
);
