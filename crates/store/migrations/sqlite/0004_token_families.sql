-- Sessions whose holders have tokens of a family. SQLite cannot change a CHECK, so the table is made anew.
CREATE TABLE sessions_anew (
    number     INTEGER NOT NULL PRIMARY KEY,
    digest     BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    subject    BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('browser', 'client', 'remembered', 'tokens')),
    opened_at  INTEGER NOT NULL,
    proven_at  INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    issued_at  INTEGER NOT NULL,
    idle       INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    assurance  INTEGER NOT NULL,
    amr        INTEGER NOT NULL,
    address    TEXT,
    user_agent TEXT    NOT NULL
) STRICT;

INSERT INTO sessions_anew
SELECT number, digest, id, subject, version, epoch, kind, opened_at, proven_at, seen_at, issued_at, idle, ends_at, assurance, amr,
       address, user_agent
FROM sessions;

DROP TABLE sessions;

ALTER TABLE sessions_anew RENAME TO sessions;

CREATE INDEX sessions_of_subject ON sessions (subject);

-- Token families by the digest of their session, and gone with it: an entry without a session is nobody's. A fixed size for each, however
-- often its token was replaced.
CREATE TABLE token_families (
    session            BLOB    NOT NULL PRIMARY KEY CHECK (length(session) = 32),
    generation         INTEGER NOT NULL,
    current            BLOB    NOT NULL CHECK (length(current) = 32),
    replaced           BLOB    CHECK (length(replaced) = 32),
    salt               BLOB    CHECK (length(salt) = 16),
    replaced_at        INTEGER,
    replaced_before_at INTEGER
) STRICT, WITHOUT ROWID;
