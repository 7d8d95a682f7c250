-- A token's key is read from the token, so that the two cannot differ.
DROP INDEX instagram_connections_by_key;
ALTER TABLE instagram_connections DROP COLUMN token_key_id;
ALTER TABLE instagram_connections ADD COLUMN token_key_id TEXT GENERATED ALWAYS AS (
    CASE WHEN access_token GLOB 'v1.*.*' THEN substr(access_token, 4, instr(substr(access_token, 4), '.') - 1) END) VIRTUAL;
CREATE INDEX instagram_connections_by_key ON instagram_connections (is_active, token_key_id, id);

-- What was put off comes after what was never tried, each in its own order.
DROP INDEX instagram_connections_by_sync;
CREATE INDEX instagram_connections_by_refresh_wait
    ON instagram_connections (is_active, needs_reauthorization_since, refresh_not_before, token_expires_at);
CREATE INDEX instagram_connections_by_sync_wait
    ON instagram_connections (is_active, needs_reauthorization_since, sync_not_before, last_synced_at);
