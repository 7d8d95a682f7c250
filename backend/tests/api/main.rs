//! The HTTP API, tested from outside. One file a route file, and one for what holds on every path.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod account;
mod api_keys;
mod auth_instagram;
mod auth_instagram_signals;
mod authorization_matrix;
mod canaries;
mod commands;
mod configuration;
mod connection_life;
mod connections;
mod env_sample;
mod every_path;
mod host_sessions;
mod idempotency;
mod integrations_instagram;
mod integrations_instagram_proxy;
mod integrations_instagram_renewal;
mod integrations_instagram_token;
mod key_rotation;
mod known_failures;
mod metrics;
mod mongodb;
mod openapi;
mod overload;
mod process;
mod rate_limits;
mod refresh_job;
mod session;
mod sessions;
mod spotify_accounts;
mod spotify_connect;
mod spotify_end;
mod spotify_exchange;
mod spotify_identity;
mod spotify_leaving;
mod spotify_loss;
mod spotify_mongodb;
mod spotify_proxy;
mod spotify_refresh;
mod spotify_secrets;
mod support;
mod users;
mod web_app;
mod webhooks;
