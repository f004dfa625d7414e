-- What shows that a key file is the one that this store was made with: an HMAC under the secret in it, which tells nothing of the secret.
CREATE TABLE secret_checks (
    secret TEXT NOT NULL PRIMARY KEY,
    value  BLOB NOT NULL CHECK (length(value) = 32)
) STRICT, WITHOUT ROWID;
