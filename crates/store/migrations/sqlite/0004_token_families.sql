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
