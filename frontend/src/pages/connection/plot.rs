//! Followers over time: from readings to a picture, without a browser.

/// More readings than this say no more to an eye, and are a burden in a table.
const MOST_READINGS: usize = 120;

/// The most lines across the picture are one more than this.
const MOST_INTERVALS: u64 = 4;

/// Side of the square that lines are drawn in; the page stretches it.
pub const SIDE: u16 = 1000;

/// Followers of an account at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Milliseconds since 1970.
    pub at: f64,
    /// Number of followers.
    pub followers: u64,
}

/// A curve through readings.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// At least two, the oldest first.
    readings: Vec<Reading>,
    /// At equal distances; the first is at the bottom of the picture, the last at its top.
    ticks: Vec<u64>,
}

impl Plot {
    /// A curve through these readings, the oldest first. `None` where there is no more than one moment.
    pub fn of(readings: &[Reading]) -> Option<Self> {
        let (first, last) = (readings.first()?, readings.last()?);
        if first.at >= last.at {
            return None;
        }
        let readings = thinned(readings, MOST_READINGS);
        let followers = || readings.iter().map(|reading| reading.followers);
        let ticks = ticks(followers().min()?, followers().max()?);
        Some(Self { readings, ticks })
    }

    /// Returns the readings of the curve, the oldest first; never empty.
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// The values of the lines across, the lowest first.
    pub fn ticks(&self) -> &[u64] {
        &self.ticks
    }

    /// The moments below the picture: `count` of them from its left end to its right end.
    pub fn moments(&self, count: u32) -> impl Iterator<Item = f64> {
        let (start, span) = (self.start(), self.span());
        (0..count).map(move |index| start + span * f64::from(index) / f64::from(count.max(2) - 1))
    }

    /// Milliseconds from the first reading to the last.
    pub fn span(&self) -> f64 {
        self.readings.last().map_or(0.0, |last| last.at) - self.start()
    }

    /// Returns a reading's distance from the left, as a share of the width.
    pub fn x(&self, reading: Reading) -> f64 {
        (reading.at - self.start()) / self.span()
    }

    /// Returns a reading's distance from the top, as a share of the height.
    pub fn y(&self, reading: Reading) -> f64 {
        let bottom = self.ticks.first().copied().unwrap_or_default();
        let top = self.ticks.last().copied().unwrap_or_default();
        // Counts are far below 2^53, where a float begins to lose digits.
        (top - reading.followers) as f64 / (top - bottom).max(1) as f64
    }

    /// The reading nearest to a share of the width.
    pub fn nearest(&self, x: f64) -> usize {
        let distance = |&index: &usize| (self.x(self.readings[index]) - x).abs();
        let indices = 0..self.readings.len();
        indices.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or_default()
    }

    /// The curve as SVG path data, in a square of [`SIDE`].
    pub fn line(&self) -> String {
        let mut path = String::new();
        for &reading in &self.readings {
            path.push(if path.is_empty() { 'M' } else { 'L' });
            path.push_str(&place(self.x(reading)));
            path.push(' ');
            path.push_str(&place(self.y(reading)));
        }
        path
    }

    fn start(&self) -> f64 {
        self.readings.first().map_or(0.0, |first| first.at)
    }
}

/// A share of the picture in whole units of its square. A tenth of a pixel is finer than an eye.
fn place(share: f64) -> String {
    ((share * f64::from(SIDE)).round() as i64).to_string()
}

/// At most `most` of the readings, spread over the whole time: the first, and the last one of each stretch.
fn thinned(readings: &[Reading], most: usize) -> Vec<Reading> {
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return Vec::new() };
    if readings.len() <= most {
        return readings.to_vec();
    }
    let stretches = most as f64 - 1.0;
    let stretch = |reading: &Reading| {
        ((reading.at - first.at) / (last.at - first.at) * stretches).ceil().min(stretches) as usize
    };
    let mut kept: Vec<Reading> = Vec::with_capacity(most);
    for reading in readings {
        if kept.last().is_some_and(|before| stretch(before) == stretch(reading)) {
            kept.pop();
        }
        kept.push(*reading);
    }
    kept
}

/// Round numbers at equal distances that reach from the lowest to the highest value.
fn ticks(lowest: u64, highest: u64) -> Vec<u64> {
    // A curve that stays level runs through the middle.
    let (lowest, highest) = if lowest == highest {
        (lowest.saturating_sub(1), highest.saturating_add(1))
    } else {
        (lowest, highest)
    };
    let mut size = 1_u64;
    loop {
        for step in [size, size.saturating_mul(2), size.saturating_mul(5)] {
            let (bottom, top) = (lowest / step, highest.div_ceil(step));
            if top - bottom <= MOST_INTERVALS {
                return (bottom..=top).map(|index| index.saturating_mul(step)).collect();
            }
        }
        size = size.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(followers: &[u64]) -> Vec<Reading> {
        let at = |index| index as f64 * 1000.0;
        followers.iter().enumerate().map(|(index, &followers)| Reading { at: at(index), followers }).collect()
    }

    #[test]
    fn one_moment_is_no_curve() {
        assert_eq!(Plot::of(&[]), None);
        assert_eq!(Plot::of(&readings(&[5])), None);
        let twice = Reading { at: 1.0, followers: 5 };
        assert_eq!(Plot::of(&[twice, twice]), None);
    }

    #[test]
    fn the_lines_are_round_few_and_around_the_curve() {
        assert_eq!(ticks(15_300, 15_420), [15_300, 15_350, 15_400, 15_450]);
        assert_eq!(ticks(15_420, 15_421), [15_420, 15_421]);
        assert_eq!(ticks(0, 7), [0, 2, 4, 6, 8]);
        assert_eq!(ticks(980_000, 1_240_000), [900_000, 1_000_000, 1_100_000, 1_200_000, 1_300_000]);
        assert_eq!(ticks(9, 9), [8, 9, 10]);
        assert_eq!(ticks(0, 0), [0, 1]);
        assert!(ticks(0, u64::MAX).len() <= 5);
    }

    #[test]
    fn the_curve_fills_the_picture() {
        let plot = Plot::of(&readings(&[0, 4, 2])).unwrap();
        assert_eq!(plot.ticks(), [0, 1, 2, 3, 4]);
        assert_eq!(plot.line(), "M0 1000L500 0L1000 500");
        assert_eq!(plot.moments(3).collect::<Vec<_>>(), [0.0, 1000.0, 2000.0]);
    }

    #[test]
    fn pointing_finds_the_nearest_reading() {
        let plot = Plot::of(&readings(&[0, 4, 2])).unwrap();
        assert_eq!([-1.0, 0.2, 0.3, 0.74, 0.76, 9.0].map(|x| plot.nearest(x)), [0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn many_readings_become_few_and_keep_both_ends() {
        let all = readings(&(0..10_000).collect::<Vec<_>>());
        let few = thinned(&all, 120);
        assert_eq!(few.len(), 120);
        assert_eq!((few[0], few[119]), (all[0], all[9_999]));
        assert!(few.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert_eq!(thinned(&all[..120], 120), all[..120]);
    }
}
