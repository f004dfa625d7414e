-- When each account was last signed in to. Apart from the accounts, because every sign-in writes it: many of these to a page.
CREATE TABLE sign_ins (
    subject BLOB    NOT NULL PRIMARY KEY CHECK (length(subject) = 16),
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sign_ins (subject, at) SELECT subject, max(opened_at) FROM sessions GROUP BY subject;
