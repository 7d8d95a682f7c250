//! Followers over time: a curve for eyes, a table for everyone.
//!
//! Curve and table are HTML text, which costs less code than a tree of elements. What is put into it comes from this page
//! alone: numbers and times, in the browser's own words.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::plot::{Plot, Reading, SIDE};
use crate::format;

/// Dates below the picture: as many as a narrow window has room for.
const MARKS: u32 = 4;

/// A curve through the readings. Pointing at it, or the arrow keys, tell its readings; a table below has them all.
#[component]
pub fn FollowersPlot(
    /// The curve to draw.
    plot: Plot,
    /// The table's caption, which says from when the readings are. Not escaped.
    caption: &'static str,
    /// Tells whether the table is open.
    shows_table: RwSignal<bool>,
) -> impl IntoView {
    let table = table(&plot, caption, shows_table);
    view! {
        {picture(plot)}
        {table}
    }
}

fn picture(plot: Plot) -> AnyView {
    let last = plot.readings().len() - 1;
    // The reading that is told, by its place.
    let told = RwSignal::new(None::<usize>);
    let ticks: String = plot.ticks().iter().rev().map(|&tick| span(&format::number(tick))).collect();
    let mut marks: Vec<String> =
        plot.moments(MARKS).map(|moment| format::mark(moment, plot.span())).collect();
    // Readings of one minute have one mark.
    marks.dedup();
    let marks: String = marks.iter().map(|mark| span(mark)).collect();
    let curve = curve(&plot);

    let plot = StoredValue::new(plot);
    let words = move |index: usize| plot.with_value(|plot| in_words(plot.readings()[index]));
    let on_point = move |event: PointerEvent| {
        told.set(Some(plot.with_value(|plot| plot.nearest(pointed_at(&event)))));
    };
    let on_key = move |event: KeyboardEvent| {
        let now = told.get_untracked().unwrap_or(last);
        let next = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => now.saturating_sub(1),
            "ArrowRight" | "ArrowUp" => (now + 1).min(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        told.set(Some(next));
    };
    view! {
        <div class="plot">
            <div class="plot-ticks" aria-hidden="true" inner_html=ticks></div>
            <div
                class="plot-field"
                role="slider"
                tabindex="0"
                aria-label="Followers over time"
                aria-valuemin="0"
                aria-valuemax=last
                aria-valuenow=move || told.get().unwrap_or(last)
                aria-valuetext=move || words(told.get().unwrap_or(last))
                on:pointermove=on_point
                on:pointerdown=on_point
                on:pointerleave=move |_| told.set(None)
                on:focus=move |_| told.update(|told| *told = told.or(Some(last)))
                on:blur=move |_| told.set(None)
                on:keydown=on_key
            >
                <div class="plot-curve" aria-hidden="true" inner_html=curve></div>
                {move || told.get().map(|index| plot.with_value(|plot| readout(plot, index)))}
            </div>
            <div class="plot-marks" aria-hidden="true" inner_html=marks></div>
        </div>
    }
    .into_any()
}

/// Returns where the pointer is, as a share of the picture's width.
fn pointed_at(event: &PointerEvent) -> f64 {
    // Everything inside lets pointers through, so offsets are those of the picture itself.
    let picture = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
    let width = picture.map_or(0, |picture| picture.client_width());
    f64::from(event.offset_x()) / f64::from(width.max(1))
}

/// The curve and the area below it, in front of the lines across.
fn curve(plot: &Plot) -> String {
    let (line, grid) = (plot.line(), grid(plot.ticks().len()));
    format!(
        r#"<svg viewBox="0 0 {SIDE} {SIDE}" preserveAspectRatio="none"><path class="plot-grid" d="{grid}"/>
<path class="plot-area" d="{line}V{SIDE}H0Z"/><path class="plot-line" d="{line}"/></svg>"#
    )
}

fn span(text: &str) -> String {
    format!("<span>{text}</span>")
}

/// A dot on the curve, and what it stands for.
fn readout(plot: &Plot, index: usize) -> AnyView {
    let reading = plot.readings()[index];
    let is_high = plot.y(reading) < 0.5;
    let (x, y) = (percent(plot.x(reading)), percent(plot.y(reading)));
    // Moved left by its own share: at both ends it stays inside of the picture.
    let shift = format!("translateX(-{x})");
    view! {
        <span class="plot-rule" style:left=x.clone()></span>
        <span class="plot-dot" style:left=x.clone() style:top=y></span>
        <span class="plot-told" class:plot-told-low=is_high aria-hidden="true" style:left=x style:transform=shift>
            <strong>{format::count(reading.followers, "follower", "followers")}</strong>
            <span>{format::moment(reading.at)}</span>
        </span>
    }
    .into_any()
}

fn in_words(reading: Reading) -> String {
    let followers = format::count(reading.followers, "follower", "followers");
    format!("{}: {followers}", format::moment(reading.at))
}

/// A share as the style sheet writes it. By whole numbers: to print a float takes more code than the rest of this file.
fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0).round() as u32;
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Lines across, one for each tick.
fn grid(ticks: usize) -> String {
    let intervals = ticks.max(2) - 1;
    (0..ticks).map(|index| format!("M0 {}H{SIDE}", index * usize::from(SIDE) / intervals)).collect()
}

/// Every reading that the curve goes through, the newest first.
fn table(plot: &Plot, caption: &str, shows: RwSignal<bool>) -> AnyView {
    let readings = plot.readings();
    let rows: String = (0..readings.len())
        .rev()
        .map(|index| {
            let Reading { at, followers } = readings[index];
            let before = index.checked_sub(1).map(|before| readings[before].followers);
            let change = before.map(|before| format::change(before, followers)).unwrap_or_default();
            let (at, followers) = (format::moment(at), format::number(followers));
            format!(r#"<tr><th scope="row">{at}</th><td>{followers}</td><td>{change}</td></tr>"#)
        })
        .collect();
    let table = format!(
        r#"<table><caption>{caption}</caption><thead><tr><th scope="col">Read</th><th scope="col">Followers</th>
<th scope="col">Change</th></tr></thead><tbody>{rows}</tbody></table>"#
    );
    view! {
        <details
            class="readings"
            prop:open=shows.get_untracked()
            on:toggle=move |event| shows.set(event_target::<Element>(&event).has_attribute("open"))
        >
            <summary>"Show as a table"</summary>
            <div
                class="readings-frame"
                role="region"
                tabindex="0"
                aria-label="Followers as a table"
                inner_html=table
            ></div>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_with_two_digits() {
        assert_eq!(percent(0.0), "0.00%");
        assert_eq!(percent(0.1234), "12.34%");
        assert_eq!(percent(1.0 / 16.0), "6.25%");
        assert_eq!(percent(0.0501), "5.01%");
        assert_eq!(percent(1.0), "100.00%");
    }

    #[test]
    fn the_lines_across_are_at_equal_distances() {
        assert_eq!(grid(3), "M0 0H1000M0 500H1000M0 1000H1000");
    }
}
