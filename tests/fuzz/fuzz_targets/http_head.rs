#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| onslaught::protocol::http::fuzz::http_head(data));
