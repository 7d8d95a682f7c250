//! Chance in when things are done.

use std::time::Duration;

/// A span of time, up to a quarter longer or shorter by chance: what many processes begin at once, or what failed together,
/// does not come back together.
pub fn jittered(span: Duration) -> Duration {
    let mut chance = [0_u8];
    // Without random numbers there is no jitter, which is no reason to fail.
    let _ = getrandom::fill(&mut chance);
    span * 3 / 4 + span * u32::from(chance[0]) / 512
}
