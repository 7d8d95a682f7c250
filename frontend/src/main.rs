#![doc = include_str!("../README.md")]
#![expect(
    unreachable_pub,
    reason = "nothing outside uses a program; `pub` here marks what a module offers the others"
)]

mod address;
mod api;
mod app;
mod callback;
mod clipboard;
mod components;
mod connect;
mod focus;
mod format;
mod freshness;
mod json;
mod pages;
mod problem;
mod providers;
mod scopes;
mod session;
mod storage;
mod theme;
mod ticking;
mod user_agent;

fn main() {
    app::start();
}
