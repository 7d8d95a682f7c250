-- When the next try to renew a token may begin: the end of a worker's lease, or of the wait after a failure. Unset: at once.
ALTER TABLE instagram_connections ADD COLUMN refresh_not_before INTEGER;
ALTER TABLE instagram_connections ADD COLUMN refresh_failures INTEGER NOT NULL DEFAULT 0;
