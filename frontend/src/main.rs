#![doc = include_str!("../README.md")]
#![expect(
    unreachable_pub,
    reason = "nothing outside uses a program; `pub` here marks what a module offers the others"
)]

mod api;
mod app;
mod callback;
mod components;
mod connect;
mod focus;
mod format;
mod pages;
mod permissions;
mod problem;
mod session;
mod storage;
mod theme;

fn main() {
    app::start();
}
