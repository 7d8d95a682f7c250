-- Deleting a local account is a request, too: one that a process leaves behind is finished by another.

ALTER TABLE deletions ADD COLUMN user_id TEXT;

-- With which key a kept answer is sealed. Unset for those of before, which are forgotten within a day.

ALTER TABLE repeatable_requests ADD COLUMN key_id TEXT;
CREATE INDEX repeatable_requests_by_key ON repeatable_requests (key_id, name) WHERE key_id IS NOT NULL;

-- Whose a kept answer is: it goes with its user.

ALTER TABLE repeatable_requests ADD COLUMN owner TEXT;
CREATE INDEX repeatable_requests_by_owner ON repeatable_requests (owner) WHERE owner IS NOT NULL;
