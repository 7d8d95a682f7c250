-- What keeps a connection alive for years: leases apart from waits, syncs, events and who is told of them, histories,
-- deletions, pauses, and which key sealed a token.

-- Until when a worker has the connection to itself. `…_not_before` is the wait after a failure. Unset: neither.
ALTER TABLE instagram_connections ADD COLUMN refresh_lease_until INTEGER;
ALTER TABLE instagram_connections ADD COLUMN sync_lease_until INTEGER;
ALTER TABLE instagram_connections ADD COLUMN sync_not_before INTEGER;
ALTER TABLE instagram_connections ADD COLUMN sync_failures INTEGER NOT NULL DEFAULT 0;

-- The second part of `v1.<key id>.<ciphertext>`.
ALTER TABLE instagram_connections ADD COLUMN token_key_id TEXT;
UPDATE instagram_connections SET token_key_id = substr(access_token, 4, instr(substr(access_token, 4), '.') - 1)
    WHERE access_token GLOB 'v1.*.*';

DROP INDEX instagram_connections_by_token_expiry;
CREATE INDEX instagram_connections_by_refresh
    ON instagram_connections (is_active, needs_reauthorization_since, token_expires_at);
CREATE INDEX instagram_connections_by_sync
    ON instagram_connections (is_active, needs_reauthorization_since, last_synced_at);
CREATE INDEX instagram_connections_by_key ON instagram_connections (is_active, token_key_id, id);
CREATE INDEX instagram_connections_of_user ON instagram_connections (user_id, id);
CREATE INDEX instagram_connections_by_app_scoped_user ON instagram_connections (app_scoped_user_id);

CREATE TABLE connection_events (
    id            TEXT    NOT NULL PRIMARY KEY,
    connection_id TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    succeeded     INTEGER NOT NULL,
    message       TEXT    NOT NULL,
    expires_at    INTEGER
) STRICT;
CREATE INDEX connection_events_by_connection ON connection_events (connection_id, at, id);
CREATE INDEX connection_events_by_expiry ON connection_events (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE webhook_deliveries (
    event_id          TEXT    NOT NULL,
    receiver          TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    at                INTEGER NOT NULL,
    connection_id     TEXT    NOT NULL,
    user_id           TEXT    NOT NULL,
    instagram_user_id TEXT    NOT NULL,
    attempts          INTEGER NOT NULL,
    due_at            INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    PRIMARY KEY (event_id, receiver)
) STRICT;
CREATE INDEX webhook_deliveries_by_due ON webhook_deliveries (due_at);
CREATE INDEX webhook_deliveries_by_connection ON webhook_deliveries (connection_id);
CREATE INDEX webhook_deliveries_by_expiry ON webhook_deliveries (expires_at);

-- `expires_at` is unset for the first point of a day.
CREATE TABLE connection_history (
    connection_id   TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    followers_count INTEGER,
    follows_count   INTEGER,
    media_count     INTEGER,
    expires_at      INTEGER,
    PRIMARY KEY (connection_id, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX connection_history_by_expiry ON connection_history (expires_at) WHERE expires_at IS NOT NULL;

-- `account_id` is unset once everything is gone.
CREATE TABLE deletions (
    code         TEXT    NOT NULL PRIMARY KEY,
    account_id   TEXT,
    connected_by INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    completed_at INTEGER
) STRICT;
CREATE INDEX deletions_unfinished ON deletions (requested_at) WHERE completed_at IS NULL;

CREATE TABLE pauses (
    name  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE oauth_states ADD COLUMN expected_instagram_user_id TEXT;
ALTER TABLE oauth_states ADD COLUMN expected_username TEXT;
