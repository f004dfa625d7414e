-- OAuth clients, in the order in which they were added. `secret` is a keyed digest; `keys` a public JWK set; each has one of the two.
-- `audiences` and `scopes` are JSON arrays: they are read and written as a whole. AUTOINCREMENT: the order stays what it was.
CREATE TABLE clients (
    number    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id        BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    name      TEXT    NOT NULL,
    secret    BLOB    CHECK (length(secret) = 32),
    keys      TEXT,
    audiences TEXT    NOT NULL,
    scopes    TEXT    NOT NULL,
    exchanges INTEGER NOT NULL CHECK (exchanges IN (0, 1)),
    serves    TEXT,
    added_at  INTEGER NOT NULL,
    CHECK ((secret IS NULL) <> (keys IS NULL))
) STRICT;

-- Assertions of clients that were shown and must not be taken again; keyed digests, each until nobody would take it anyway.
CREATE TABLE shown_assertions (
    client       BLOB    NOT NULL CHECK (length(client) = 16),
    digest       BLOB    NOT NULL CHECK (length(digest) = 32),
    forget_after INTEGER NOT NULL,
    PRIMARY KEY (client, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX shown_assertions_by_age ON shown_assertions (forget_after);
