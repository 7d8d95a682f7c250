#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| spotify_client::fuzzing::answer(bytes));
