-- What programs and host applications need: named sessions, API keys, one-time links, counts of tries, and the answers to
-- requests that may be repeated.

ALTER TABLE sessions ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN name TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
ALTER TABLE sessions ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET id = 'ses_' || lower(hex(randomblob(16))), last_used_at = created_at;
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_of_user ON sessions (user_id, last_used_at);

CREATE INDEX oauth_states_of_user ON oauth_states (user_id);

-- `user_id` is unset for a service key.
CREATE TABLE api_keys (
    id           TEXT    NOT NULL PRIMARY KEY,
    key_hash     BLOB    NOT NULL UNIQUE,
    user_id      TEXT,
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    hint         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX api_keys_of_user ON api_keys (user_id, created_at, id);

CREATE TABLE host_links (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL,
    name       TEXT,
    return_to  TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX host_links_by_expiry ON host_links (expires_at);
CREATE INDEX host_links_of_user ON host_links (user_id);

CREATE TABLE tries (
    name      TEXT    NOT NULL PRIMARY KEY,
    count     INTEGER NOT NULL,
    resets_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_by_reset ON tries (resets_at);

-- `status` and `sealed_body` are unset until there is an answer.
CREATE TABLE repeatable_requests (
    name         BLOB    NOT NULL PRIMARY KEY,
    request_hash BLOB    NOT NULL,
    lease_until  INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    status       INTEGER,
    sealed_body  TEXT
) STRICT;
CREATE INDEX repeatable_requests_by_expiry ON repeatable_requests (expires_at);
