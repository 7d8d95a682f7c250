#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| instagram_client::fuzzing::answer(bytes));
