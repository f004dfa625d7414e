-- Sessions that are remembered, and when each session's token was issued. SQLite cannot change a CHECK, so the table is made anew.
CREATE TABLE sessions_anew (
    number     INTEGER NOT NULL PRIMARY KEY,
    digest     BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    subject    BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('browser', 'client', 'remembered')),
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
SELECT number, digest, id, subject, version, epoch, kind, opened_at, proven_at, seen_at, opened_at, idle, ends_at, assurance, amr,
       address, user_agent
FROM sessions;

DROP TABLE sessions;

ALTER TABLE sessions_anew RENAME TO sessions;

CREATE INDEX sessions_of_subject ON sessions (subject);
