-- Which claim a request's name has, so that one that comes too late forgets its own alone. Unset for those of before, which are
-- forgotten within a day.

ALTER TABLE repeatable_requests ADD COLUMN claim TEXT;
