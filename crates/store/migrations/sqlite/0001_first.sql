-- Times are milliseconds since the Unix epoch. Tables are STRICT: SQLite would otherwise keep any type in any column.

-- "VSTB": a file of another program is refused instead of being filled with our tables.
PRAGMA application_id = 0x56535442;

CREATE TABLE accounts (
    subject    BLOB    NOT NULL PRIMARY KEY CHECK (length(subject) = 16),
    identifier TEXT    NOT NULL UNIQUE,
    password   TEXT,
    traits     TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('disabled', 'enabled')),
    epoch      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- `number` rises with every session opened: the newest first is one walk down the primary key. No foreign key to `accounts`,
-- though every session has its account: with one, SQLite ends everyone row by row, which takes a hundred times as long.
CREATE TABLE sessions (
    number     INTEGER NOT NULL PRIMARY KEY,
    digest     BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    subject    BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('browser', 'client')),
    opened_at  INTEGER NOT NULL,
    proven_at  INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    idle       INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    assurance  INTEGER NOT NULL,
    amr        INTEGER NOT NULL,
    address    TEXT,
    user_agent TEXT    NOT NULL
) STRICT;

CREATE INDEX sessions_of_subject ON sessions (subject);

-- The last use of sessions that were used after they were opened. Apart from them, because it is written every minute for every
-- session in use: in the order of digests, five times as many of these to a page.
CREATE TABLE uses (
    digest  BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Private keys sealed under a key file that is not in here.
CREATE TABLE signing_keys (
    key_id      TEXT    NOT NULL PRIMARY KEY,
    algorithm   TEXT    NOT NULL,
    sealed      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    gone_at     INTEGER
) STRICT;

-- What login attempts count against; keyed digests of identifiers and address prefixes.
CREATE TABLE account_tallies (
    account    BLOB    NOT NULL PRIMARY KEY CHECK (length(account) = 32),
    failures   INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    counted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_tallies_by_age ON account_tallies (counted_at);

CREATE TABLE source_tallies (
    source        BLOB    NOT NULL PRIMARY KEY CHECK (length(source) = 32),
    attempts_left INTEGER NOT NULL,
    counted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX source_tallies_by_age ON source_tallies (counted_at);

-- One row, written to find out whether a store that failed can be written again: as many pages as a login writes.
CREATE TABLE pulse (
    beat    INTEGER NOT NULL,
    ballast BLOB    NOT NULL
) STRICT;

INSERT INTO pulse (beat, ballast) VALUES (0, zeroblob(16384));
