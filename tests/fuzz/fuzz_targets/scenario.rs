#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| onslaught::scenario::fuzz::scenario(data));
