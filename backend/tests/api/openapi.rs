//! The API's description of itself: complete, true and readable by anybody.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, TestApp};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

async fn document(app: &TestApp) -> Value {
    let answer = app.anonymous().get("/api/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.body
}

/// Every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<String> {
        METHODS
            .iter()
            .filter(|method| item.get(**method).is_some())
            .map(|method| format!("{method} {path}"))
            .collect()
    };
    let names = paths.iter().flat_map(of_path);
    names
        .map(|name| {
            let (method, path) = name.split_once(' ').unwrap();
            let operation = &paths[path][method];
            (format!("{} {path}", method.to_uppercase()), operation)
        })
        .collect()
}

#[actix_web::test]
async fn what_is_served_is_described_and_what_is_described_is_served() {
    let app = TestApp::start();
    let document = document(&app).await;
    let described: BTreeSet<String> = operations(&document).into_iter().map(|(name, _)| name).collect();
    let served: BTreeSet<String> = backend::app::served_routes().into_iter().collect();
    // HEAD is GET without its body: it has to stand beside one, and is not described itself.
    let (head, served): (BTreeSet<_>, BTreeSet<_>) =
        served.into_iter().partition(|route| route.starts_with("HEAD "));
    for route in head {
        assert!(served.contains(&route.replacen("HEAD", "GET", 1)), "{route}");
    }
    assert_eq!(
        served.difference(&described).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "served, not described"
    );
    assert_eq!(
        described.difference(&served).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "described, not served"
    );
    // The list is what the application really answers to; metrics have an address of their own.
    let client = app.anonymous();
    for route in &served {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace(['{', '}'], "");
        let answer = Answer::of(client.request(method.parse().unwrap(), &path)).await;
        assert_ne!(answer.failure(), "405 method_not_allowed", "{route}");
    }
    assert!(!described.iter().any(|route| route.contains("/metrics")));
    assert_eq!(client.get("/metrics").await.status, 404);
}

#[actix_web::test]
async fn the_document_is_openapi_3_1_and_refers_to_nothing_missing() {
    let app = TestApp::start();
    let document = document(&app).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "http://localhost:4002");
    let mut references = Vec::new();
    collect(&document, "$ref", &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let text = document.to_string();
    for rust in ["[`", "crate::", "Success_", "usize"] {
        assert!(!text.contains(rust), "{rust} in the document");
    }
}

fn collect<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == key {
                    found.push(value);
                }
                collect(value, key, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, key, found)),
        _ => {}
    }
}

#[actix_web::test]
async fn every_operation_is_fit_for_generated_clients_and_for_people() {
    let app = TestApp::start();
    let document = document(&app).await;
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(id.starts_with(|c: char| c.is_ascii_lowercase()), "{id}");
        assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
        assert!(ids.insert(id), "{id} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        assert!(
            operation["tags"].as_array().is_some_and(|of| of.len() == 1 && tags.contains(&&of[0])),
            "{name}"
        );
        let in_path: Vec<_> = name.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {}", parameter["name"]);
            let name_of = parameter["schema"]["$ref"].as_str().map(|of| of.rsplit('/').next().unwrap());
            let schema = name_of.map_or(&parameter["schema"], |of| &document["components"]["schemas"][of]);
            let kind = &schema["type"];
            assert!(kind.is_string(), "{name}: {} is {kind}", parameter["name"]);
        }
        for parameter in in_path {
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(
                parameters.iter().any(|of| of["name"] == parameter && of["in"] == "path"),
                "{name}: {parameter}"
            );
        }
    }
}

#[actix_web::test]
async fn every_failure_is_described_with_its_exact_codes() {
    let app = TestApp::start();
    let document = document(&app).await;
    for (name, operation) in operations(&document) {
        let mut all = Vec::new();
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["headers"]["X-Request-Id"].is_object(), "{name} {status}");
            if status.as_str() < "400" {
                continue;
            }
            let schema = &response["content"]["application/json"]["schema"];
            assert_eq!(schema["$ref"], "#/components/schemas/ErrorBody", "{name} {status}");
            let codes = &schema["properties"]["code"]["enum"];
            for code in codes.as_array().unwrap_or_else(|| panic!("{name} {status}: {response}")) {
                let known = shared::ErrorCode::ALL.iter().find(|known| code == known.as_str()).unwrap();
                assert_eq!(known.status().to_string(), *status, "{name}");
                all.push(*known);
            }
        }
        use shared::ErrorCode as C;
        assert!(all.contains(&C::Internal), "{name}");
        let is_change = !name.starts_with("GET ");
        assert_eq!(all.contains(&C::CrossSiteRequest), is_change, "{name}");
        assert_eq!(all.contains(&C::Unauthenticated), operation["security"].is_array(), "{name}");
        assert_eq!(all.contains(&C::UnsupportedMediaType), operation["requestBody"].is_object(), "{name}");
    }
}

#[actix_web::test]
async fn every_body_has_an_example_and_every_example_fits_its_schema() {
    let app = TestApp::start();
    let document = document(&app).await;
    let mut bodies = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let successes =
            operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
        let contents = successes.map(|(_, response)| response).chain([&operation["requestBody"]]);
        for (media_type, content) in contents.filter_map(|of| of["content"].as_object()).flatten() {
            if media_type == "text/html" || name == "GET /api/openapi.json" {
                continue;
            }
            let reference = content["schema"]["$ref"].as_str().unwrap_or_else(|| panic!("{name}: {content}"));
            bodies.insert(reference.rsplit('/').next().unwrap());
        }
    }
    bodies.insert("ErrorBody");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for body in &bodies {
        let examples = schemas[*body]["examples"].as_array().map_or(0, Vec::len);
        assert!(examples > 0, "{body} has no example");
    }
    for (name, schema) in schemas {
        for example in schema["examples"].as_array().into_iter().flatten() {
            let whole = serde_json::json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": format!("#/components/schemas/{name}"),
                "components": document["components"],
            });
            let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
            let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert_eq!(wrong, Vec::<String>::new(), "{name}: {example}");
            // What is in an example is in the schema: a name that has changed is found.
            for field in example.as_object().unwrap().keys() {
                assert!(schema["properties"][field].is_object(), "{name} has no {field}");
            }
        }
    }
}

#[actix_web::test]
async fn times_and_what_can_be_null_are_written_as_in_openapi_3_1() {
    let app = TestApp::start();
    let document = document(&app).await;
    let connection = &document["components"]["schemas"]["Connection"]["properties"];
    assert_eq!(connection["expiresAt"]["type"], "string");
    assert_eq!(connection["expiresAt"]["format"], "date-time");
    assert_eq!(connection["name"]["type"], serde_json::json!(["string", "null"]));
    assert_eq!(connection["followers"]["type"], serde_json::json!(["integer", "null"]));
    let key = &document["components"]["schemas"]["ApiKey"]["properties"]["lastUsedAt"];
    assert_eq!(key["type"], serde_json::json!(["string", "null"]));
    assert_eq!(key["format"], "date-time");
    let mut nullable = Vec::new();
    collect(&document, "nullable", &mut nullable);
    assert_eq!(nullable, Vec::<&Value>::new(), "a word of OpenAPI 3.0");
}

#[actix_web::test]
async fn what_has_not_changed_is_not_sent_again() {
    let app = TestApp::start();
    for path in ["/api/openapi.json", "/api/docs"] {
        let first = app.anonymous().get(path).await;
        assert_eq!(first.header("cache-control"), "public, no-cache");
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{tag}");
        let ask = |known: &str| {
            Answer::of(app.anonymous().request(Method::GET, path).header("if-none-match", known.to_owned()))
        };
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let again = ask(&known).await;
            assert_eq!(
                (again.status, again.text.as_str(), again.header("etag")),
                (304, "", tag.as_str()),
                "{known}"
            );
        }
        assert_eq!(ask("\"x\"").await.text, first.text);
        let head = Answer::of(app.anonymous().request(Method::HEAD, path)).await;
        assert_eq!((head.status, head.header("etag")), (200, tag.as_str()));
    }
}

#[actix_web::test]
async fn the_reference_needs_no_script_and_nothing_from_elsewhere() {
    let app = TestApp::start();
    let page = app.anonymous().get("/api/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    for word in ["<script", " style=", "src=", "@import", "url(", "href=\"http"] {
        assert!(!page.text.contains(word), "{word}");
    }
    let document = document(&app).await;
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert_eq!(page.text.matches(&format!("id=\"{id}\"")).count(), 1, "{name}");
    }
    // Every link leads to a place on the page.
    for link in page.text.split("href=\"#").skip(1) {
        let target = link.split_once('"').unwrap().0;
        assert!(page.text.contains(&format!("id=\"{target}\"")), "#{target}");
    }
}
