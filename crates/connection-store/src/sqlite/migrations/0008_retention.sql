-- What is removed by its age: the first points of days, and requests to delete that are completed.

CREATE INDEX connection_history_of_days ON connection_history (at) WHERE expires_at IS NULL;
CREATE INDEX deletions_completed ON deletions (completed_at) WHERE completed_at IS NOT NULL;
