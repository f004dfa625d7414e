-- What a key is for: access tokens at our own doors, or what services verify. Those that were there are known to services.
ALTER TABLE signing_keys ADD COLUMN purpose TEXT NOT NULL DEFAULT 'services' CHECK (purpose IN ('edge', 'services'));
