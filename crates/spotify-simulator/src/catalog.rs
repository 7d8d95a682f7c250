//! The Web API (spec `spotify-api.md` §4–§7): who may call, and the music that a client can read.

use actix_web::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use simulator_kit::{Answer, Parameters};

use crate::errors::{api_error, bad_request, not_found};
use crate::tokens::Grant;
use crate::world::World;

/// A call of the Web API: what the path and the query say.
pub(crate) struct Call<'a> {
    /// The path after `/v1/`.
    pub(crate) path: &'a str,
    pub(crate) query: &'a Parameters,
    /// The address at which the client found this: scheme, host and port.
    pub(crate) origin: &'a str,
}

/// An artist: a name, genres, and the albums with the names of their tracks.
struct Artist {
    name: &'static str,
    genres: &'static [&'static str],
    followers: u64,
    albums: &'static [Album],
}

struct Album {
    name: &'static str,
    released: &'static str,
    tracks: &'static [&'static str],
}

/// The whole music of this world. Places in it make ids.
const ARTISTS: [Artist; 4] = [
    Artist {
        name: "The Loopback Sisters",
        genres: &["indie folk"],
        followers: 48_211,
        albums: &[
            Album { name: "127 Nights", released: "2019-05-17", tracks: &["Home Again", "No Route", "Echo"] },
            Album { name: "Well Known Ports", released: "2023-09-01", tracks: &["Eighty", "Twenty-Two"] },
        ],
    },
    Artist {
        name: "Björk Lindqvist Trio",
        genres: &["nordic jazz"],
        followers: 3_940,
        albums: &[Album {
            name: "Snö", released: "2021-01-08", tracks: &["Första snön", "Tö", "Vår 🌱"]
        }],
    },
    Artist {
        name: "Null Pointer",
        genres: &[],
        followers: 812,
        albums: &[Album { name: "Segments", released: "2024", tracks: &["Fault", "Dump"] }],
    },
    Artist {
        name: "Mara & the Watercolours",
        genres: &["dream pop", "shoegaze"],
        followers: 120_551,
        albums: &[Album { name: "Wet Paper", released: "2022-11-11", tracks: &["Wash", "Bleed", "Dry"] }],
    },
];

/// Names and kinds of an account's playlists.
const PLAYLISTS: [(&str, Kind); 3] = [
    ("Road songs", Kind::Public),
    ("Ideas, not for you", Kind::Private),
    ("Shop window", Kind::Collaborative),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Collaborative,
}

/// Markets in which Spotify is not to be had.
const UNLAUNCHED: [&str; 3] = ["CN", "CU", "KP"];

type Refused<T> = Result<T, Answer>;

impl World {
    /// Answers any call of the Web API.
    pub(crate) fn api(&self, authorization: Option<&str>, call: &Call<'_>) -> Answer {
        let body = self.caller(authorization).and_then(|grant| self.answer(grant, call));
        body.map(|body| Answer::ok(&body)).into()
    }

    /// Returns what the token's person let the app do, if the app may act for them.
    fn caller(&self, authorization: Option<&str>) -> Refused<&Grant> {
        let refused = |message| api_error(StatusCode::UNAUTHORIZED, message, None);
        let header = authorization.ok_or_else(|| refused("No token provided"))?;
        let Some(text) = header.strip_prefix("Bearer ").filter(|text| !text.is_empty()) else {
            return Err(bad_request("Only valid bearer authentication supported"));
        };
        let token = self.access_tokens.get(text).ok_or_else(|| refused("Invalid access token"))?;
        if token.expires_at <= self.base.now() {
            return Err(refused("The access token expired"));
        }
        let grant = self.grants.get(&token.grant);
        let revoked = |grant: &&Grant| grant.revoked && self.base.options.revoking_ends_access;
        let grant = grant.filter(|grant| !revoked(grant)).ok_or_else(|| refused("Invalid access token"))?;
        if !self.base.options.owner_premium {
            return Err(self.blunt_error(StatusCode::FORBIDDEN, NO_PREMIUM));
        }
        if !self.base.accounts[grant.account].registered {
            return Err(self.blunt_error(StatusCode::FORBIDDEN, self.base.options.not_registered.text()));
        }
        Ok(grant)
    }

    fn answer(&self, grant: &Grant, call: &Call<'_>) -> Refused<Value> {
        check_market(call.query)?;
        let path: Vec<&str> = call.path.split('/').collect();
        let extended = !self.base.options.development_mode;
        match path[..] {
            ["me"] => Ok(self.profile(grant, call.origin)),
            ["me", "top", kind @ ("artists" | "tracks")] => {
                needs(grant, "user-top-read")?;
                let range = call.query.get("time_range").unwrap_or("medium_term");
                if !["short_term", "medium_term", "long_term"].contains(&range) {
                    return Err(bad_request("Invalid time range"));
                }
                let all = if kind == "artists" { call.artists(extended) } else { call.tracks() };
                call.page(all, 20, 50)
            }
            ["me", "playlists"] => {
                let seen = |&(_, kind): &(usize, Kind)| needs_of(kind).is_none_or(|scope| grant.has(scope));
                let kinds = PLAYLISTS.iter().map(|playlist| playlist.1).enumerate();
                let all = kinds.filter(seen).map(|(number, _)| self.playlist(grant.account, number, call));
                call.page(all.collect(), 20, 50)
            }
            ["me", "following"] => {
                needs(grant, "user-follow-read")?;
                if call.query.text("type") != "artist" {
                    return Err(bad_request("Missing parameter type"));
                }
                call.followed(extended)
            }
            ["playlists", id] => {
                let (account, number) = self.own_playlist(grant, id)?;
                let mut playlist = self.playlist(account, number, call);
                playlist["items"] = call.page_at(&format!("playlists/{id}/items"), call.items(), 100, 100)?;
                Ok(playlist)
            }
            ["playlists", id, "items"] => {
                self.own_playlist(grant, id)?;
                call.page(call.items(), 20, 50)
            }
            ["artists", id] => found(id, Call::artist_ids(), |place| call.artist(place, extended)),
            ["albums", id] => found(id, Call::album_ids(), |(artist, album)| call.album(artist, album)),
            ["tracks", id] => found(id, Call::track_ids(), |place| call.track(place)),
            ["search"] => call.search(extended),
            _ if !extended && is_gone(&path) => Err(api_error(StatusCode::FORBIDDEN, "Forbidden", None)),
            _ => Err(api_error(StatusCode::NOT_FOUND, "Service not found", None)),
        }
    }

    /// Returns the playlist's account and number, if the grant lets the app see it.
    fn own_playlist(&self, grant: &Grant, id: &str) -> Refused<(usize, usize)> {
        let all = (0..self.base.accounts.all().len())
            .flat_map(|account| (0..PLAYLISTS.len()).map(move |number| (account, number)))
            .map(|place| (playlist_id(place), place));
        let (account, number) = found(id, all, |place| place)?;
        let kind = PLAYLISTS[number].1;
        if kind == Kind::Public {
            return Ok((account, number));
        }
        // Somebody else's is as unknown as one that never was.
        if account != grant.account {
            return Err(not_found());
        }
        needs_of(kind).map_or(Ok(()), |scope| needs(grant, scope)).map(|()| (account, number))
    }

    fn playlist(&self, account: usize, number: usize, call: &Call<'_>) -> Value {
        let (name, kind) = PLAYLISTS[number];
        let owner = &self.base.accounts[account];
        let id = playlist_id((account, number));
        let mut playlist = call.object("playlist", &id, name);
        let more = json!({
            "description": "", "public": kind == Kind::Public, "collaborative": kind == Kind::Collaborative,
            "snapshot_id": format!("{id}AAAA"), "images": call.cover(number * 90),
            "owner": {"id": owner.id, "display_name": owner.display_name, "type": "user",
                      "uri": format!("spotify:user:{}", owner.id),
                      "href": format!("{}/v1/users/{}", call.origin, owner.id),
                      "external_urls": {"spotify": format!("https://open.spotify.com/user/{}", owner.id)}},
            "items": {"href": format!("{}/v1/playlists/{id}/items", call.origin), "total": call.items().len()},
        });
        extend(&mut playlist, more);
        playlist
    }
}

const NO_PREMIUM: &str = "Active premium subscription required for the owner of the app. When the subscription \
                          status changes, it can take a few hours for the change to take effect.";

/// A track's places: of its artist, of the album, and in the album.
type Track = (usize, usize, usize);

impl Call<'_> {
    /// Returns the members that each object has. Simplified objects have no others.
    fn object(&self, kind: &str, id: &str, name: &str) -> Value {
        json!({
            "id": id, "name": name, "type": kind, "uri": format!("spotify:{kind}:{id}"),
            "href": format!("{}/v1/{kind}s/{id}", self.origin),
            "external_urls": {"spotify": format!("https://open.spotify.com/{kind}/{id}")},
        })
    }

    fn cover(&self, hue: usize) -> Value {
        json!([{"url": format!("{}/covers/{}.svg", self.origin, hue % 360), "height": null, "width": null}])
    }

    fn artist_ids() -> impl Iterator<Item = (String, usize)> {
        (0..ARTISTS.len()).map(|place| (artist_id(place), place))
    }

    fn album_ids() -> impl Iterator<Item = (String, (usize, usize))> {
        let of = |artist: usize| (0..ARTISTS[artist].albums.len()).map(move |album| (artist, album));
        (0..ARTISTS.len()).flat_map(of).map(|place| (album_id(place), place))
    }

    fn track_ids() -> impl Iterator<Item = (String, Track)> {
        let of = |(_, (artist, album)): (String, (usize, usize))| {
            (0..ARTISTS[artist].albums[album].tracks.len()).map(move |track| (artist, album, track))
        };
        Self::album_ids().flat_map(of).map(|place| (track_id(place), place))
    }

    fn simple_artist(&self, place: usize) -> Value {
        self.object("artist", &artist_id(place), ARTISTS[place].name)
    }

    fn artist(&self, place: usize, extended: bool) -> Value {
        let Artist { genres, followers, .. } = &ARTISTS[place];
        let mut artist = self.simple_artist(place);
        extend(&mut artist, json!({"genres": genres, "images": self.cover(place * 70)}));
        if extended {
            let more = json!({"followers": {"href": null, "total": followers}, "popularity": 40 + place * 9});
            extend(&mut artist, more);
        }
        artist
    }

    fn simple_album(&self, artist: usize, album: usize) -> Value {
        let Album { name, released, tracks } = &ARTISTS[artist].albums[album];
        let mut object = self.object("album", &album_id((artist, album)), name);
        let precision = if released.len() == 4 { "year" } else { "day" };
        let more = json!({
            "album_type": "album", "release_date": released, "release_date_precision": precision,
            "total_tracks": tracks.len(), "images": self.cover(artist * 70 + album * 25 + 30),
            "artists": [self.simple_artist(artist)],
        });
        extend(&mut object, more);
        object
    }

    fn album(&self, artist: usize, album: usize) -> Value {
        let tracks = ARTISTS[artist].albums[album].tracks;
        let items: Vec<_> =
            (0..tracks.len()).map(|track| self.simple_track((artist, album, track))).collect();
        let mut object = self.simple_album(artist, album);
        let href = format!("{}/v1/albums/{}/tracks", self.origin, album_id((artist, album)));
        object["tracks"] = json!({"href": href, "limit": 50, "next": null, "offset": 0, "previous": null,
                                  "total": items.len(), "items": items});
        object
    }

    fn simple_track(&self, place: Track) -> Value {
        let (artist, album, track) = place;
        let name = ARTISTS[artist].albums[album].tracks[track];
        let mut object = self.object("track", &track_id(place), name);
        let more = json!({
            "artists": [self.simple_artist(artist)], "disc_number": 1, "track_number": track + 1,
            "duration_ms": 151_000 + 17_000 * (track + 2 * artist), "explicit": false, "is_local": false,
        });
        extend(&mut object, more);
        object
    }

    fn track(&self, place: Track) -> Value {
        let mut track = self.simple_track(place);
        track["album"] = self.simple_album(place.0, place.1);
        track
    }

    fn artists(&self, extended: bool) -> Vec<Value> {
        (0..ARTISTS.len()).map(|place| self.artist(place, extended)).collect()
    }

    fn tracks(&self) -> Vec<Value> {
        Self::track_ids().map(|(_, place)| self.track(place)).collect()
    }

    /// Returns the items of each playlist: a track of every album.
    fn items(&self) -> Vec<Value> {
        let item = |(_, (artist, album))| {
            let track = self.track((artist, album, 0));
            json!({"added_at": ADDED_AT, "is_local": false, "item": track})
        };
        Self::album_ids().map(item).collect()
    }

    fn number(&self, name: &str, default: usize, allowed: std::ops::RangeInclusive<usize>) -> Refused<usize> {
        let given = self.query.get(name).map_or(Some(default), |text| text.parse().ok());
        given.filter(|number| allowed.contains(number)).ok_or_else(|| bad_request(&format!("Invalid {name}")))
    }

    fn page(&self, all: Vec<Value>, default: usize, most: usize) -> Refused<Value> {
        self.page_at(self.path, all, default, most)
    }

    /// Returns a page of a list that is found at this path, with links to its neighbours.
    fn page_at(&self, path: &str, all: Vec<Value>, default: usize, most: usize) -> Refused<Value> {
        let limit = self.number("limit", default, 1..=most)?;
        let offset = self.number("offset", 0, 0..=100_000)?;
        let href =
            |offset: usize| self.link(path, &[("offset", offset.to_string()), ("limit", limit.to_string())]);
        let total = all.len();
        Ok(json!({
            "href": href(offset), "limit": limit, "offset": offset, "total": total,
            "next": (offset + limit < total).then(|| href(offset + limit)),
            "previous": (offset > 0).then(|| href(offset.saturating_sub(limit))),
            "items": all.into_iter().skip(offset).take(limit).collect::<Vec<_>>(),
        }))
    }

    /// Returns a link that carries what the query says, but for paging, and these parameters.
    fn link(&self, path: &str, paging: &[(&str, String)]) -> String {
        let kept = ["q", "type", "market", "time_range"];
        let kept = kept.into_iter().filter_map(|name| Some((name, self.query.get(name)?)));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .extend_pairs(paging)
            .finish();
        format!("{}/v1/{path}?{query}", self.origin)
    }

    /// Returns the followed artists, which are paged by the last one's id.
    fn followed(&self, extended: bool) -> Refused<Value> {
        let limit = self.number("limit", 20, 1..=50)?;
        let all = self.artists(extended);
        let total = all.len();
        let id = |artist: &Value| artist["id"].as_str().unwrap_or_default().to_owned();
        let after = self.query.get("after");
        let start =
            after.map_or(0, |after| all.iter().position(|one| id(one) == after).map_or(total, |at| at + 1));
        let items: Vec<_> = all.into_iter().skip(start).take(limit).collect();
        let last = items.last().map(id).filter(|_| start + items.len() < total);
        let next = last
            .as_ref()
            .map(|last| self.link(self.path, &[("after", last.clone()), ("limit", limit.to_string())]));
        Ok(json!({"artists": {
            "href": self.link(self.path, &[("limit", limit.to_string())]), "limit": limit, "total": total,
            "next": next, "cursors": {"after": last}, "items": items,
        }}))
    }

    fn search(&self, extended: bool) -> Refused<Value> {
        let wanted = self.query.text("q").to_lowercase();
        if wanted.is_empty() {
            return Err(bad_request("No search query"));
        }
        let types: Vec<&str> = self.query.text("type").split(',').filter(|kind| !kind.is_empty()).collect();
        if types.is_empty() {
            return Err(bad_request("Missing parameter type"));
        }
        let (default, most) = if extended { (20, 50) } else { (5, 10) };
        let mut found = Map::new();
        for kind in types {
            let mut all = match kind {
                "artist" => self.artists(extended),
                "album" => {
                    Self::album_ids().map(|(_, (artist, album))| self.simple_album(artist, album)).collect()
                }
                "track" => self.tracks(),
                "playlist" | "show" | "episode" | "audiobook" => Vec::new(),
                _ => return Err(bad_request(&format!("Bad search type field {kind}"))),
            };
            all.retain(|object| {
                object["name"].as_str().is_some_and(|name| name.to_lowercase().contains(&wanted))
            });
            found.insert(format!("{kind}s"), self.page(all, default, most)?);
        }
        Ok(found.into())
    }
}

/// Time at which each item came into its playlist.
const ADDED_AT: Timestamp = Timestamp::constant(1_750_000_000, 0);

fn artist_id(place: usize) -> String {
    format!("{:A>22}", place + 1)
}

fn album_id((artist, album): (usize, usize)) -> String {
    format!("{:B>22}", 10 * (artist + 1) + album)
}

fn track_id((artist, album, track): Track) -> String {
    format!("{:C>22}", 100 * (artist + 1) + 10 * album + track)
}

fn playlist_id((account, number): (usize, usize)) -> String {
    format!("{:D>22}", 10 * (account + 1) + number)
}

/// Finds the object that has this id.
fn found<P, T>(id: &str, all: impl Iterator<Item = (String, P)>, read: impl FnOnce(P) -> T) -> Refused<T> {
    if id.len() != 22 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(bad_request("Invalid base62 id"));
    }
    let mut all = all;
    all.find(|(known, _)| known == id).map(|(_, place)| read(place)).ok_or_else(not_found)
}

fn needs(grant: &Grant, scope: &str) -> Refused<()> {
    grant
        .has(scope)
        .then_some(())
        .ok_or_else(|| api_error(StatusCode::FORBIDDEN, "Insufficient client scope", None))
}

/// Returns the scope that a playlist needs.
fn needs_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Public => None,
        Kind::Private => Some("playlist-read-private"),
        Kind::Collaborative => Some("playlist-read-collaborative"),
    }
}

fn check_market(query: &Parameters) -> Refused<()> {
    match query.get("market") {
        Some(market) if UNLAUNCHED.contains(&market) => Err(bad_request("Unlaunched market")),
        Some(market) if market.len() != 2 || !market.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Err(bad_request("Invalid market code"))
        }
        _ => Ok(()),
    }
}

/// Tells whether a path that others have is gone in development mode (§7).
fn is_gone(path: &[&str]) -> bool {
    matches!(
        path,
        ["users" | "browse" | "markets", ..]
            | ["artists" | "albums" | "tracks"]
            | ["artists", _, "top-tracks"]
            | ["playlists", _, "tracks"]
    )
}

/// Adds an object's members to another.
fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
