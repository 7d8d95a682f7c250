-- How many connections a request to delete was about when it came; unset for the earlier ones.

ALTER TABLE deletions ADD COLUMN connections INTEGER;
