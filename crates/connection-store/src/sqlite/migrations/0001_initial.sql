-- Times are milliseconds since 1970, UTC. No foreign keys on user ids: they may be a host application's.

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL UNIQUE,
    name          TEXT,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE oauth_states (
    state_hash BLOB    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL,
    return_to  TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_states_by_expiry ON oauth_states (expires_at);

CREATE TABLE used_handles (
    handle_id  TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_handles_by_expiry ON used_handles (expires_at);

CREATE TABLE instagram_connections (
    id                          TEXT    NOT NULL PRIMARY KEY,
    user_id                     TEXT    NOT NULL,
    instagram_user_id           TEXT    NOT NULL UNIQUE,
    app_scoped_user_id          TEXT,
    access_token                TEXT    NOT NULL,
    token_issued_at             INTEGER NOT NULL,
    token_expires_at            INTEGER NOT NULL,
    username                    TEXT    NOT NULL,
    name                        TEXT,
    profile_picture_url         TEXT,
    biography                   TEXT,
    website                     TEXT,
    followers_count             INTEGER,
    follows_count               INTEGER,
    media_count                 INTEGER,
    scopes                      TEXT    NOT NULL,
    connected_at                INTEGER NOT NULL,
    last_connected_at           INTEGER NOT NULL,
    last_synced_at              INTEGER NOT NULL,
    last_error                  TEXT,
    needs_reauthorization_since INTEGER,
    is_active                   INTEGER NOT NULL,
    updated_at                  INTEGER NOT NULL,
    created_at                  INTEGER NOT NULL
) STRICT;
CREATE INDEX instagram_connections_by_user
    ON instagram_connections (user_id, is_active, last_connected_at, id);
CREATE INDEX instagram_connections_by_token_expiry ON instagram_connections (token_expires_at);
