//! The built web app, served from the backend's own origin (`FRONTEND_DIST`).
//!
//! The whole build is read into memory at start. What happens to the folder later changes nothing before the next start,
//! so the page and the files that it names are always of one build.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use actix_web::http::header::{
    self, AcceptEncoding, ETag, Encoding, EntityTag, Header, HeaderValue, IfNoneMatch,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use url::Url;

use crate::request::is_navigation;

/// The name of the app's one page in its folder.
const PAGE: &str = "index.html";

/// Hosts at which Instagram and Spotify keep profile pictures.
const PICTURE_HOSTS: &str = "https://*.cdninstagram.com https://*.fbcdn.net https://*.fbsbx.com https://*.scdn.co \
    https://*.spotifycdn.com";

/// APIs beside which [`PICTURE_HOSTS`] are.
const REAL_APIS: [&str; 2] = [instagram_client::DEFAULT_GRAPH_URL, spotify_client::DEFAULT_API_URL];

/// A built web app.
pub(crate) struct WebApp {
    /// The app's one page: every path of the app answers with it.
    page: Asset,
    content_security_policy: HeaderValue,
    /// The other files, by their path in a URL.
    files: HashMap<String, Asset>,
}

impl WebApp {
    /// Reads a built app. `apis`: where Instagram and Spotify are; a stand-in serves its pictures itself.
    ///
    /// # Errors
    /// When a file cannot be read, and when the page names a file that is not there: it is of another build then.
    pub(crate) fn read(dist: &Path, apis: [&Url; 2]) -> io::Result<Self> {
        let mut files = HashMap::new();
        read_folder(dist, "", &mut files)?;
        let page = files.remove(&format!("/{PAGE}")).ok_or(io::ErrorKind::NotFound)?;
        // Read once: what is judged here is what is served, also where the folder is being replaced at this moment.
        let html = std::str::from_utf8(&page.plain).map_err(io::Error::other)?;
        if let Some(missing) = hashed_names(html).find(|name| !files.contains_key(*name)) {
            return Err(io::Error::other(format!(
                "FRONTEND_DIST: {PAGE} names {missing}, which is not in the folder; it has to hold one whole build"
            )));
        }
        let policy = content_security_policy(html, apis);
        let content_security_policy = HeaderValue::from_str(&policy).map_err(io::Error::other)?;
        Ok(Self { page, content_security_policy, files })
    }

    /// The page, compressed for clients that can read it.
    pub(crate) fn page(&self, request: &HttpRequest) -> HttpResponse {
        let mut response = self.page.respond(request);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.content_security_policy.clone());
        headers.insert(
            header::HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
        response
    }

    /// Answers with a file of the app, or with its page at every other path that a browser opens and the API has not.
    pub(crate) fn respond(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_api = request.path().split('/').nth(1) == Some("api");
        match self.files.get(request.path()) {
            Some(file) if is_read => Some(file.respond(request)),
            None if is_navigation(request) && !is_api => Some(self.page(request)),
            _ => None,
        }
    }
}

/// A file of the build, as it is sent.
struct Asset {
    content_type: String,
    cache_control: &'static str,
    tag: EntityTag,
    plain: Bytes,
    /// The same, compressed; made by the build.
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl Asset {
    fn read(path: &Path) -> io::Result<Self> {
        let plain = fs::read(path)?;
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let charset = if kind.type_() == mime::TEXT { "; charset=utf-8" } else { "" };
        Ok(Self {
            content_type: format!("{kind}{charset}"),
            cache_control: cache_control(path.file_name().and_then(|name| name.to_str()).unwrap_or_default()),
            // Weak, since it stands for the compressed copies, too.
            tag: EntityTag::new_weak(STANDARD.encode(Sha256::digest(&plain))),
            brotli: copy_of(&plain, path, "br", |copy| brotli::Decompressor::new(copy, 4096))?,
            gzip: copy_of(&plain, path, "gz", flate2::read::GzDecoder::new)?,
            plain: plain.into(),
        })
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response
            .insert_header((header::CACHE_CONTROL, self.cache_control))
            .insert_header((header::VARY, "accept-encoding"))
            .insert_header(ETag(self.tag.clone()));
        let is_known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.tag)),
            Ok(IfNoneMatch::Any) | Err(_) => false,
        };
        if is_known {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response.content_type(self.content_type.as_str());
        let (encoding, bytes) = self.chosen(request);
        if encoding != Encoding::identity() {
            response.insert_header((header::CONTENT_ENCODING, encoding.to_string()));
        }
        response.body(bytes.clone())
    }

    /// The copy that the client prefers of those that there are.
    fn chosen(&self, request: &HttpRequest) -> (Encoding, &Bytes) {
        let copies = [(Encoding::brotli(), self.brotli.as_ref()), (Encoding::gzip(), self.gzip.as_ref())];
        let copies = copies.into_iter().filter_map(|(encoding, copy)| Some((encoding, copy?)));
        let mut all: Vec<_> = copies.chain([(Encoding::identity(), &self.plain)]).collect();
        let wanted = AcceptEncoding::parse(request)
            .ok()
            .and_then(|accepted| accepted.negotiate(all.iter().map(|(encoding, _)| encoding)))
            .unwrap_or_else(Encoding::identity);
        let place = all.iter().position(|(encoding, _)| *encoding == wanted).unwrap_or(all.len() - 1);
        all.swap_remove(place)
    }
}

/// Reads the files of a folder and of the folders in it. `path` is the folder's in a URL. Hidden files are none of the app's.
fn read_folder(folder: &Path, path: &str, files: &mut HashMap<String, Asset>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let path = format!("{path}/{name}");
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &path, files)?;
        } else if !is_compressed_copy(&entry.path()) {
            files.insert(path, Asset::read(&entry.path())?);
        }
    }
    Ok(())
}

fn is_compressed_copy(path: &Path) -> bool {
    let is_copy = path.extension().is_some_and(|extension| extension == "br" || extension == "gz");
    is_copy && path.with_extension("").is_file()
}

/// Reads the compressed copy beside a file. One that does not open to the same content was left there by another build.
fn copy_of<R: Read>(
    plain: &[u8],
    path: &Path,
    extension: &str,
    open: impl Fn(io::Cursor<Bytes>) -> R,
) -> io::Result<Option<Bytes>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    let copy = match fs::read(&name) {
        Ok(copy) => Bytes::from(copy),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut opened = Vec::with_capacity(plain.len());
    let is_same = open(io::Cursor::new(copy.clone())).read_to_end(&mut opened).is_ok() && opened == plain;
    if !is_same {
        tracing::warn!(file = %Path::new(&name).display(), "left out: not a copy of the file beside it");
    }
    Ok(is_same.then_some(copy))
}

/// Returns the time for which a file may be kept: for ever when its name holds a hash of its content.
fn cache_control(name: &str) -> &'static str {
    if has_hash(name) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

/// Tells whether a name ends in the 16 hexadecimal digits that the build puts before (or between) its
/// extensions. It leaves out zeros in front: one name in sixteen has fewer.
fn has_hash(name: &str) -> bool {
    let is_hash = |part: &str| (13..=16).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
    name.split(['-', '.', '_']).any(is_hash)
}

/// The files with a hash that a page names by their path.
fn hashed_names(html: &str) -> impl Iterator<Item = &str> {
    // However they are quoted, if they are.
    html.split(|c: char| !c.is_ascii_alphanumeric() && !"/-_.".contains(c))
        .filter(|text| text.starts_with('/') && has_hash(text))
}

/// Allows what the page itself contains and the providers' pictures; nothing inline but what was there at the build.
fn content_security_policy(html: &str, apis: [&Url; 2]) -> String {
    let scripts = hashes(html, "script");
    let styles = hashes(html, "style");
    let origins = apis.map(|api| api.origin().ascii_serialization());
    let stand_ins = origins.iter().filter(|origin| !REAL_APIS.contains(&origin.as_str()));
    let stand_ins: String = stand_ins.map(|origin| format!(" {origin}")).collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'{styles}; \
         img-src 'self' data: {PICTURE_HOSTS}{stand_ins}; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

/// CSP sources for the content of every inline element of this name.
fn hashes(html: &str, element: &str) -> String {
    let open = format!("<{element}");
    let close = format!("</{element}>");
    html.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.1.split_once(&close).map(|(content, _)| content))
        .filter(|content| !content.is_empty())
        .map(|content| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(content))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_inline_blocks_are_hashed() {
        let html = "<style>a{}</style><script type=module>x</script><script src=/y.js></script>";
        let apis = REAL_APIS.map(|api| Url::parse(api).unwrap());
        let policy = content_security_policy(html, apis.each_ref());
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        assert!(policy.contains(&format!("script-src 'self' 'wasm-unsafe-eval' {};", hash("x"))), "{policy}");
        assert!(policy.contains(&format!("style-src 'self' {};", hash("a{}"))), "{policy}");
        assert!(!policy.contains("unsafe-inline"));
        assert!(policy.contains(&format!("img-src 'self' data: {PICTURE_HOSTS};")), "{policy}");
    }

    #[test]
    fn a_stand_in_shows_its_own_pictures() {
        let [instagram, spotify] =
            [REAL_APIS[0], "http://localhost:4004/api"].map(|api| Url::parse(api).unwrap());
        let policy = content_security_policy("", [&instagram, &spotify]);
        assert!(policy.contains(&format!("{PICTURE_HOSTS} http://localhost:4004;")), "{policy}");
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(has_hash("frontend-0123456789abcdef.js"));
        assert!(has_hash("frontend-0123456789abcdef_bg.wasm"));
        assert!(!has_hash("favicon.svg"));
        assert!(has_hash("frontend-123456789abcdef.js"), "a zero in front is left out");
        assert!(!has_hash("frontend-0123456789ab.js"));
    }
}
