//! The routes, a file for each family of URLs.

mod admin;
mod authorize;
mod graph;
mod token;

use actix_web::web;

use crate::world::World;

/// The simulated world, as handlers get it.
pub(crate) type WorldData = simulator_kit::WorldData<World>;

/// Adds every route of Instagram's own.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.configure(authorize::configure)
        .configure(token::configure)
        .configure(graph::configure)
        .configure(admin::configure);
}
