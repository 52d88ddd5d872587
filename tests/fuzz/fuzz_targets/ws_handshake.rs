#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| onslaught::protocol::ws::fuzz::ws_handshake(data));
