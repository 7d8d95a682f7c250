//! A row of the table of routes.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Route};
use utoipa::openapi::{OpenApi, PathItem};

use crate::api_error::ApiError;
use crate::request::{provider_pattern, told};

/// A route. Path, methods and description are those of the attribute on its handler.
pub(super) struct ApiRoute {
    /// The pattern, as the framework reads it.
    pattern: String,
    methods: Vec<Method>,
    handle: fn() -> Route,
    description: OpenApi,
}

impl ApiRoute {
    /// Reads the description of one handler. `handle` makes a route that leads to the handler.
    pub(super) fn new(mut description: OpenApi, handle: fn() -> Route) -> Self {
        let (mut pattern, mut methods) = (String::new(), Vec::new());
        for (path, mut item) in std::mem::take(&mut description.paths.paths) {
            methods = methods_of(&item);
            // `HEAD` is `GET` without the body, and would only make every generated client longer.
            item.head = None;
            description.paths.paths.insert(told(&path), item);
            pattern = path.replace("{provider}", &provider_pattern());
        }
        Self { pattern, methods, handle, description }
    }

    /// Method and path of everything that the route serves, the path with `{names}` in it.
    pub(super) fn served(&self) -> impl Iterator<Item = (Method, String)> {
        self.methods.iter().map(|method| (method.clone(), told(&self.pattern)))
    }
}

fn methods_of(item: &PathItem) -> Vec<Method> {
    let PathItem { get, head, post, put, delete, .. } = item;
    let named = [
        (Method::GET, get),
        (Method::HEAD, head),
        (Method::POST, post),
        (Method::PUT, put),
        (Method::DELETE, delete),
    ];
    named.into_iter().filter(|(_, operation)| operation.is_some()).map(|(method, _)| method).collect()
}

/// Adds the routes to an application: one resource a path, which answers 405 with `Allow` to every other method. Paths are
/// tried in the order of the table.
pub(super) fn serve(table: Vec<ApiRoute>, app: &mut ServiceConfig) {
    let mut resources: Vec<(String, Vec<(Method, Route)>)> = Vec::new();
    for ApiRoute { pattern, methods, handle, .. } in table {
        let routes = methods.into_iter().map(|method| (method, handle()));
        match resources.iter_mut().find(|(path, _)| *path == pattern) {
            Some((_, served)) => served.extend(routes),
            None => resources.push((pattern, routes.collect())),
        }
    }
    for (path, routes) in resources {
        let allowed: Vec<_> = routes.iter().map(|(method, _)| method.clone()).collect();
        let resource = routes
            .into_iter()
            .fold(web::resource(path), |resource, (method, route)| resource.route(route.method(method)))
            .default_service(web::to(move || {
                let error = ApiError::method_not_allowed(&allowed);
                async move { Err::<HttpResponse, _>(error) }
            }));
        app.service(resource);
    }
}

/// Puts the descriptions of all routes together, in the order of the table.
pub(super) fn describe(table: Vec<ApiRoute>) -> OpenApi {
    let described = table.into_iter().map(|route| route.description);
    described.fold(OpenApi::default(), OpenApi::merge_from)
}
