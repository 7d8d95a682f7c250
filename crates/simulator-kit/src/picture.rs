//! Pictures of made-up people.

/// Returns a made-up person's picture as SVG: a record, in a hue of their own.
pub fn avatar(username: &str, hue: u16) -> String {
    let far = (hue + 50) % 360;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" role="img" aria-label="{username}">
<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="hsl({hue} 85% 62%)"/>
<stop offset="1" stop-color="hsl({far} 75% 42%)"/></linearGradient></defs>
<rect width="120" height="120" fill="url(#g)"/>
<circle cx="60" cy="60" r="42" fill="hsl(260 14% 10%)"/>
<g fill="none" stroke="white" stroke-opacity=".16"><circle cx="60" cy="60" r="36"/><circle cx="60" cy="60" r="30"/>
<circle cx="60" cy="60" r="24"/></g>
<circle cx="60" cy="60" r="15" fill="url(#g)"/><circle cx="60" cy="60" r="3" fill="white"/></svg>"#
    )
}
