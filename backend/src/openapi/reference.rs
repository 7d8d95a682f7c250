//! The reference for people: the document as one page of HTML, without a script, so that it works anywhere and under the
//! strictest policy. Looking something up is the browser's own search.

use std::fmt::Write as _;

use serde_json::Value;
use utoipa::openapi::{OpenApi, RefOr, Schema};

use crate::pages::{escape, policy};

const STYLE: &str = concat!(include_str!("../pages/page_tokens.css"), include_str!("reference.css"));

/// The methods in the order in which the operations of a path are shown.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A page and what it may do in a browser.
pub(super) struct Page {
    /// The whole page.
    pub(super) html: String,
    /// Its content security policy.
    pub(super) policy: String,
}

/// Shows the document.
pub(super) fn page(document: &OpenApi) -> Page {
    // Read as what others read, too: the page shows nothing that is not in the document.
    let value = serde_json::to_value(document).unwrap_or_default();
    let policy = policy(STYLE);
    Page { html: Reference { ordered: document, document: &value }.page(), policy }
}

/// Something described, beside its path and method.
struct Operation<'a> {
    path: &'a str,
    method: &'static str,
    value: &'a Value,
}

impl<'a> Operation<'a> {
    fn id(&self) -> &'a str {
        text(&self.value["operationId"])
    }

    fn has_tag(&self, tag: &str) -> bool {
        list(&self.value["tags"]).iter().any(|of| of == tag)
    }
}

struct Reference<'a> {
    /// Knows in which order things were written down.
    ordered: &'a OpenApi,
    document: &'a Value,
}

impl<'a> Reference<'a> {
    fn page(&self) -> String {
        let info = &self.document["info"];
        let title = escape(text(&info["title"]));
        let tags: Vec<&Value> = list(&self.document["tags"]).iter().collect();
        let operations = self.operations();
        let mut contents = String::new();
        let mut sections = String::new();
        for tag in &tags {
            let name = text(&tag["name"]);
            let of_tag: Vec<_> = operations.iter().filter(|operation| operation.has_tag(name)).collect();
            let _ = write!(contents, "<h2>{}</h2>\n<ul>\n", escape(name));
            let _ = write!(
                sections,
                "<section aria-labelledby=\"{anchor}\">\n<h2 id=\"{anchor}\">{name}</h2>\n{about}\n",
                anchor = anchor(name),
                name = escape(name),
                about = prose(text(&tag["description"])),
            );
            for operation in of_tag {
                let _ = writeln!(
                    contents,
                    "<li><a href=\"#{id}\"><span class=\"method {method}\">{method}</span> {id}</a></li>",
                    id = escape(operation.id()),
                    method = operation.method,
                );
                sections.push_str(&self.operation(operation));
            }
            contents.push_str("</ul>\n");
            sections.push_str("</section>\n");
        }
        contents.push_str("<h2>More</h2>\n<ul>\n<li><a href=\"#schemas\">Schemas</a></li>\n</ul>\n");
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title} – API reference</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n\
             <header>\n<h1>{title} API</h1>\n\
             <p class=\"quiet\">Version {version} · <a href=\"openapi.json\">OpenAPI document</a></p>\n{about}\n</header>\n\
             <nav aria-label=\"Contents\">\n{contents}</nav>\n<main id=\"main\">\n{security}{sections}{schemas}</main>\n</body>\n</html>\n",
            version = escape(text(&info["version"])),
            about = prose(text(&info["description"])),
            security = self.security(),
            schemas = self.schemas(),
        )
    }

    fn operations(&self) -> Vec<Operation<'a>> {
        let of_path = |path: &'a String| {
            let item = &self.document["paths"][path];
            METHODS
                .into_iter()
                .filter_map(move |method| Some(Operation { path, method, value: item.get(method)? }))
        };
        self.ordered.paths.paths.keys().flat_map(of_path).collect()
    }

    /// The fields of a schema in the order in which the type has them.
    fn fields(&self, schema: &str) -> Vec<&'a String> {
        let schemas = self.ordered.components.as_ref().map(|components| &components.schemas);
        match schemas.and_then(|schemas| schemas.get(schema)) {
            Some(RefOr::T(Schema::Object(object))) => object.properties.keys().collect(),
            _ => Vec::new(),
        }
    }

    fn security(&self) -> String {
        let schemes = self.document["components"]["securitySchemes"].as_object().into_iter().flatten();
        let mut rows = String::new();
        for (name, scheme) in schemes {
            let how = match text(&scheme["type"]) {
                "apiKey" => format!("Cookie: {}=…", text(&scheme["name"])),
                _ => format!("Authorization: Bearer {}", text(&scheme["bearerFormat"])),
            };
            let _ = writeln!(
                rows,
                "<div><dt><code>{}</code></dt><dd><code>{}</code>{}</dd></div>",
                escape(name),
                escape(&how),
                prose(text(&scheme["description"]))
            );
        }
        format!(
            "<section aria-labelledby=\"who\">\n<h2 id=\"who\">Who is asking</h2>\n<dl class=\"rows\">\n{rows}</dl>\n</section>\n"
        )
    }

    fn operation(&self, operation: &Operation<'_>) -> String {
        let id = escape(operation.id());
        let summary = text(&operation.value["summary"]);
        // The macros repeat the first line in the description.
        let more = text(&operation.value["description"]);
        let more = more.strip_prefix(summary).unwrap_or(more);
        format!(
            "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\"><a class=\"anchor\" href=\"#{id}\"><span class=\"method \
             {method}\">{method}</span> <code>{path}</code></a></h3>\n<p class=\"summary\">{summary}</p>\n{more}\n\
             <p class=\"quiet\"><code>{id}</code> · {who}</p>\n{parameters}{body}{responses}</article>\n",
            method = operation.method,
            path = breakable(operation.path),
            summary = inline(summary),
            more = prose(more),
            who = who(&operation.value["security"]),
            parameters = self.parameters(operation.value),
            body = self.request_body(&operation.value["requestBody"]),
            responses = self.responses(&operation.value["responses"]),
        )
    }

    fn parameters(&self, operation: &Value) -> String {
        let mut rows = String::new();
        for parameter in list(&operation["parameters"]) {
            let place = match parameter["required"] == true {
                true => format!("{}, required", text(&parameter["in"])),
                false => text(&parameter["in"]).to_owned(),
            };
            rows.push_str(&row(
                text(&parameter["name"]),
                &format!("{} · {}", self.kind(&parameter["schema"]), escape(&place)),
                &[&self.limits(&parameter["schema"]), text(&parameter["description"])],
            ));
        }
        titled("Parameters", &rows)
    }

    fn request_body(&self, body: &Value) -> String {
        let mut out = String::new();
        for (media_type, content) in body["content"].as_object().into_iter().flatten() {
            let _ = write!(
                out,
                "<h4>Request body</h4>\n<p>{} <span class=\"quiet\">{}</span></p>\n{}",
                self.kind(&content["schema"]),
                escape(media_type),
                self.example(&content["schema"])
            );
        }
        out
    }

    fn responses(&self, responses: &Value) -> String {
        let mut rows = String::new();
        for (status, response) in responses.as_object().into_iter().flatten() {
            let is_failure = status.starts_with(['4', '5']);
            let mut shown = String::new();
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                if !is_failure {
                    let _ = write!(
                        shown,
                        "<p>{} <span class=\"quiet\">{}</span></p>\n{}",
                        self.kind(&content["schema"]),
                        escape(media_type),
                        self.example(&content["schema"])
                    );
                }
            }
            let class = if is_failure { "failure" } else { "success" };
            let _ = writeln!(
                rows,
                "<div><dt><span class=\"status {class}\">{status}</span></dt><dd>{}{shown}</dd></div>",
                prose(text(&response["description"])),
            );
        }
        format!("<h4>Answers</h4>\n<dl class=\"rows\">\n{rows}</dl>\n")
    }

    /// The example that a schema has, folded up.
    fn example(&self, schema: &Value) -> String {
        let Some(example) = self.named(schema).and_then(|schema| list(&schema["examples"]).first()) else {
            return String::new();
        };
        let pretty = serde_json::to_string_pretty(example).unwrap_or_default();
        format!(
            "<details><summary>Example</summary>\n<pre tabindex=\"0\"><code>{}</code></pre></details>\n",
            escape(&pretty)
        )
    }

    /// The schema that a reference names, or the schema itself.
    fn named<'v>(&self, schema: &'v Value) -> Option<&'v Value>
    where
        'a: 'v,
    {
        match reference(schema) {
            Some(name) => self.document["components"]["schemas"].get(name),
            None => Some(schema),
        }
    }

    fn schemas(&self) -> String {
        let mut out =
            String::from("<section aria-labelledby=\"schemas\">\n<h2 id=\"schemas\">Schemas</h2>\n");
        for (name, schema) in self.document["components"]["schemas"].as_object().into_iter().flatten() {
            let required = list(&schema["required"]);
            let mut rows = String::new();
            for property in self.fields(name) {
                let value = &schema["properties"][property];
                let is_required = required.iter().any(|name| name == property.as_str());
                let optional = if is_required { "" } else { " · may be absent" };
                let facts = format!("{}{optional}", self.kind(value));
                rows.push_str(&row(property, &facts, &[&self.limits(value), text(&value["description"])]));
            }
            let _ = write!(
                out,
                "<article aria-labelledby=\"schema-{name}\">\n<h3 id=\"schema-{name}\"><a class=\"anchor\" \
                 href=\"#schema-{name}\"><code>{name}</code></a></h3>\n{about}\n{values}{rows}{example}</article>\n",
                name = escape(name),
                about = prose(text(&schema["description"])),
                values = values(schema),
                rows = if rows.is_empty() { rows } else { format!("<dl class=\"rows\">\n{rows}</dl>\n") },
                example = self.example(schema),
            );
        }
        out.push_str("</section>\n");
        out
    }

    /// Describes the kind of a value in a few words; a link where it has a schema of its own.
    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = reference(schema) {
            return format!("<a href=\"#schema-{name}\">{name}</a>", name = escape(name));
        }
        for parts in ["oneOf", "anyOf", "allOf"] {
            let parts = list(&schema[parts]);
            if !parts.is_empty() {
                let kinds: Vec<_> = parts.iter().map(|part| self.kind(part)).collect();
                return kinds.join(" or ");
            }
        }
        if schema.get("items").is_some() {
            return format!("list of {}", self.kind(&schema["items"]));
        }
        let names = match &schema["type"] {
            Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
            name => text(name).to_owned(),
        };
        let format = match text(&schema["format"]) {
            "date-time" => " (time)",
            _ => "",
        };
        escape(&format!("{names}{format}"))
    }

    /// Describes the bounds of a value.
    fn limits(&self, schema: &Value) -> String {
        let schema = self.named(schema).unwrap_or(schema);
        let bound = |name: &str| schema.get(name).filter(|value| value.is_u64()).map(ToString::to_string);
        let range = |low: Option<String>, high: Option<String>, unit: &str| match (low, high) {
            (Some(low), Some(high)) => Some(format!("{low} to {high}{unit}")),
            (None, Some(high)) => Some(format!("At most {high}{unit}")),
            _ => None,
        };
        let said = [
            range(bound("minLength"), bound("maxLength"), " characters"),
            range(bound("minimum"), bound("maximum"), ""),
            schema.get("default").filter(|value| !value.is_null()).map(|value| format!("Default {value}")),
        ];
        said.into_iter().flatten().map(|words| format!("{words}. ")).collect()
    }
}

/// Returns the name of the schema that a reference leads to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn row(name: &str, facts: &str, about: &[&str]) -> String {
    format!(
        "<div><dt><code>{}</code></dt><dd><p class=\"quiet\">{facts}</p>{}</dd></div>\n",
        escape(name),
        prose(&about.concat())
    )
}

fn titled(title: &str, rows: &str) -> String {
    match rows.is_empty() {
        true => String::new(),
        false => format!("<h4>{title}</h4>\n<dl class=\"rows\">\n{rows}</dl>\n"),
    }
}

/// The values that there are, where they are counted.
fn values(schema: &Value) -> String {
    let values = list(&schema["enum"]);
    if values.is_empty() {
        return String::new();
    }
    let codes: Vec<_> = values.iter().map(|value| format!("<code>{}</code>", escape(text(value)))).collect();
    format!("<p>One of {}.</p>\n", codes.join(", "))
}

/// Describes the callers that may call an operation.
fn who(security: &Value) -> String {
    let ways: Vec<_> = list(security)
        .iter()
        .flat_map(|way| way.as_object().into_iter().flatten())
        .map(|(name, scopes)| {
            let scopes: Vec<_> =
                list(scopes).iter().map(|scope| inline(&format!("`{}`", text(scope)))).collect();
            match (name.as_str(), scopes.is_empty()) {
                ("session", _) => "a signed-in browser".to_owned(),
                (_, true) => "a key".to_owned(),
                (_, false) => format!("a key with {}", scopes.join(" and ")),
            }
        })
        .collect();
    if ways.is_empty() { "anybody".to_owned() } else { ways.join(", or ") }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// A path that may be broken after each slash where the screen is narrow.
fn breakable(path: &str) -> String {
    escape(path).replace('/', "/<wbr>")
}

/// Paragraphs, with what stands between backticks as code.
fn prose(markdown: &str) -> String {
    let paragraphs = markdown.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>", inline(paragraph))).collect()
}

fn inline(markdown: &str) -> String {
    let parts = markdown.split('`').enumerate().map(|(place, part)| match place % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_document_is_markup() {
        assert_eq!(
            prose("a <b> & `c < \"d\"`\n\n\ne"),
            "<p>a &lt;b&gt; &amp; <code>c &lt; &quot;d&quot;</code></p><p>e</p>"
        );
    }
}
