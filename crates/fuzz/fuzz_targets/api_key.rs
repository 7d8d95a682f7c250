#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| backend::fuzzing::api_key(bytes));
