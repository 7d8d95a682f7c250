//! The profile of a listener.

use serde::Deserialize;
use upstream::UpstreamError;
use url::Url;

/// A person's profile (`spotify-api.md` §5). What the person has not set, and what Spotify does not tell an app in
/// development mode, is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The only id that never changes. Missing in older answers.
    pub account_id: Option<String>,
    /// The user name, which can change.
    pub id: String,
    /// The display name.
    pub display_name: Option<String>,
    /// The largest picture. The URL may stop working.
    pub picture_url: Option<String>,
    /// The page of the profile at Spotify.
    pub profile_url: Option<String>,
    /// Number of followers.
    pub followers: Option<u64>,
    /// The subscription, as Spotify writes it: `premium`, `free` or `open`, which is free, too.
    pub product: Option<String>,
}

/// The wire shape of §5.
#[derive(Deserialize)]
struct ProfileAnswer {
    account_id: Option<String>,
    id: Option<String>,
    display_name: Option<String>,
    images: Option<Vec<Image>>,
    external_urls: Option<ExternalUrls>,
    followers: Option<Followers>,
    product: Option<String>,
}

#[derive(Deserialize)]
struct Image {
    url: Option<String>,
    width: Option<f64>,
    height: Option<f64>,
}

#[derive(Deserialize)]
struct ExternalUrls {
    spotify: Option<String>,
}

#[derive(Deserialize)]
struct Followers {
    total: Option<u64>,
}

impl Profile {
    /// Reads a successful answer.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, UpstreamError> {
        let answer: ProfileAnswer = serde_json::from_slice(body)?;
        Ok(Self {
            account_id: not_empty(answer.account_id),
            id: not_empty(answer.id).ok_or_else(|| UpstreamError::unintelligible("no id in the profile"))?,
            display_name: not_empty(answer.display_name),
            picture_url: largest(answer.images.unwrap_or_default()),
            profile_url: web_url(answer.external_urls.and_then(|urls| urls.spotify)),
            followers: answer.followers.and_then(|followers| followers.total),
            product: not_empty(answer.product),
        })
    }
}

/// Returns the address of the picture with the most pixels. Sizes can be missing.
fn largest(images: Vec<Image>) -> Option<String> {
    let size = |image: &Image| image.width.unwrap_or_default() * image.height.unwrap_or_default();
    let images = images.into_iter().filter_map(|image| Some((size(&image), web_url(image.url)?)));
    images.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, url)| url)
}

/// Returns an address that a page may link to. Others, such as `javascript:…`, are taken for none.
fn web_url(url: Option<String>) -> Option<String> {
    url.filter(|url| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")))
}

fn not_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
