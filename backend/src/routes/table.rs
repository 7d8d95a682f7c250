//! The table of routes. In a module of its own, so that no family can add a route that is not noted: what is served is
//! compared with what is described, and with who may ask for it.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};

use crate::error::ApiError;

/// Where the families add their routes, which are noted on the way.
pub(super) struct Routes<'a> {
    app: &'a mut ServiceConfig,
    served: Vec<(Method, String)>,
}

impl<'a> Routes<'a> {
    /// Those of an application that has none yet.
    pub(super) fn of(app: &'a mut ServiceConfig) -> Self {
        Self { app, served: Vec::new() }
    }

    /// Method and path of each.
    pub(super) fn into_served(self) -> Vec<(Method, String)> {
        self.served
    }

    /// Adds a resource.
    pub(super) fn service(&mut self, resource: ApiResource) {
        let ApiResource { path, methods, resource } = resource;
        // What is told of a path has names in it, and not what they may stand for.
        let told = path.replace(":.*}", "}");
        self.served.extend(methods.into_iter().map(|method| (method, told.clone())));
        self.app.service(resource);
    }
}

/// A path and what is served there.
pub(super) struct ApiResource {
    path: String,
    methods: Vec<Method>,
    resource: Resource,
}

/// A resource that answers 405 with `Allow` to every other method.
pub(super) fn resource<const N: usize>(path: &str, routes: [(Method, Route); N]) -> ApiResource {
    let methods: Vec<Method> = routes.iter().map(|(method, _)| method.clone()).collect();
    let allowed = methods.clone();
    let resource = routes
        .into_iter()
        .fold(web::resource(path), |resource, (method, route)| resource.route(route.method(method)))
        .default_service(web::to(move || {
            let error = ApiError::method_not_allowed(&allowed);
            async move { Err::<HttpResponse, _>(error) }
        }));
    ApiResource { path: path.to_owned(), methods, resource }
}
