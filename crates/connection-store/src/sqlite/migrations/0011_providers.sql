-- Accounts of several providers: a table for each, with the same columns.

ALTER TABLE instagram_connections RENAME COLUMN instagram_user_id TO provider_account_id;
ALTER TABLE instagram_connections RENAME COLUMN app_scoped_user_id TO other_account_id;
ALTER TABLE instagram_connections ADD COLUMN refresh_token TEXT;
ALTER TABLE instagram_connections ADD COLUMN profile_url TEXT;
ALTER TABLE instagram_connections ADD COLUMN product TEXT;
-- The first time that the provider refused the token. Unset: it has not.
ALTER TABLE instagram_connections ADD COLUMN refused_since INTEGER;
-- The end of the connection; of Instagram that of the token.
ALTER TABLE instagram_connections ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
UPDATE instagram_connections SET expires_at = token_expires_at;

-- Which of a user's connections is in use: the one that has it set. Until now the one that was connected last.
ALTER TABLE instagram_connections ADD COLUMN selected_at INTEGER;
UPDATE instagram_connections SET selected_at = last_connected_at
    WHERE is_active = 1 AND id = (
        SELECT other.id FROM instagram_connections AS other
        WHERE other.user_id = instagram_connections.user_id AND other.is_active = 1
        ORDER BY other.last_connected_at DESC, other.id DESC LIMIT 1);
DROP INDEX instagram_connections_by_user;
CREATE INDEX instagram_connections_by_user
    ON instagram_connections (user_id, is_active, selected_at, last_connected_at, id);
DROP INDEX instagram_connections_by_app_scoped_user;
CREATE INDEX instagram_connections_by_other_account ON instagram_connections (other_account_id);

CREATE TABLE spotify_connections (
    id                          TEXT    NOT NULL PRIMARY KEY,
    user_id                     TEXT    NOT NULL,
    provider_account_id         TEXT    NOT NULL UNIQUE,
    other_account_id            TEXT,
    access_token                TEXT    NOT NULL,
    refresh_token               TEXT,
    token_issued_at             INTEGER NOT NULL,
    token_expires_at            INTEGER NOT NULL,
    expires_at                  INTEGER NOT NULL,
    refresh_at                  INTEGER NOT NULL,
    username                    TEXT    NOT NULL,
    name                        TEXT,
    profile_picture_url         TEXT,
    profile_url                 TEXT,
    biography                   TEXT,
    website                     TEXT,
    followers_count             INTEGER,
    follows_count               INTEGER,
    media_count                 INTEGER,
    product                     TEXT,
    scopes                      TEXT    NOT NULL,
    connected_at                INTEGER NOT NULL,
    last_connected_at           INTEGER NOT NULL,
    last_synced_at              INTEGER NOT NULL,
    last_error                  TEXT,
    needs_reauthorization_since INTEGER,
    refused_since               INTEGER,
    selected_at                 INTEGER,
    is_active                   INTEGER NOT NULL,
    refresh_lease_until         INTEGER,
    refresh_not_before          INTEGER,
    refresh_failures            INTEGER NOT NULL DEFAULT 0,
    sync_lease_until            INTEGER,
    sync_not_before             INTEGER,
    sync_failures               INTEGER NOT NULL DEFAULT 0,
    updated_at                  INTEGER NOT NULL,
    created_at                  INTEGER NOT NULL,
    -- The key of the refresh token, without which the access token is of no use for long.
    token_key_id                TEXT    GENERATED ALWAYS AS (
        CASE WHEN coalesce(refresh_token, access_token) GLOB 'v1.*.*' THEN substr(
            coalesce(refresh_token, access_token), 4,
            instr(substr(coalesce(refresh_token, access_token), 4), '.') - 1) END) VIRTUAL
) STRICT;
CREATE INDEX spotify_connections_by_user
    ON spotify_connections (user_id, is_active, selected_at, last_connected_at, id);
CREATE INDEX spotify_connections_of_user ON spotify_connections (user_id, id);
CREATE INDEX spotify_connections_by_other_account ON spotify_connections (other_account_id);
CREATE INDEX spotify_connections_by_key ON spotify_connections (is_active, token_key_id, id);
CREATE INDEX spotify_connections_by_refresh
    ON spotify_connections (is_active, needs_reauthorization_since, refresh_at);
CREATE INDEX spotify_connections_by_refresh_wait
    ON spotify_connections (is_active, needs_reauthorization_since, refresh_not_before, refresh_at);
CREATE INDEX spotify_connections_by_sync_wait
    ON spotify_connections (is_active, needs_reauthorization_since, sync_not_before, last_synced_at);

ALTER TABLE webhook_deliveries RENAME COLUMN instagram_user_id TO provider_account_id;
ALTER TABLE webhook_deliveries ADD COLUMN provider TEXT NOT NULL DEFAULT 'instagram';

ALTER TABLE oauth_states RENAME COLUMN expected_instagram_user_id TO expected_account_id;
ALTER TABLE oauth_states ADD COLUMN provider TEXT NOT NULL DEFAULT 'instagram';
ALTER TABLE oauth_states ADD COLUMN sealed_verifier TEXT;

-- Of a request about an account.
ALTER TABLE deletions ADD COLUMN provider TEXT NOT NULL DEFAULT 'instagram';
