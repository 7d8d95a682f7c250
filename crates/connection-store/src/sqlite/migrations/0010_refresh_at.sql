-- When a token is to be refreshed is decided when it is stored, and no longer with each search: from here on the provider of each
-- token decides. Tokens of before are refreshed 30 days before their end and at the age of a day at least, as they were.

ALTER TABLE instagram_connections ADD COLUMN refresh_at INTEGER NOT NULL DEFAULT 0;
UPDATE instagram_connections SET refresh_at = max(token_expires_at - 2592000000, token_issued_at + 86400000);

DROP INDEX instagram_connections_by_refresh;
DROP INDEX instagram_connections_by_refresh_wait;
CREATE INDEX instagram_connections_by_refresh
    ON instagram_connections (is_active, needs_reauthorization_since, refresh_at);
CREATE INDEX instagram_connections_by_refresh_wait
    ON instagram_connections (is_active, needs_reauthorization_since, refresh_not_before, refresh_at);
