//! The kit's own servers keep to their contract, by clients that are not ours: a number that
//! differs elsewhere is then the engine's.

use crate::kit::{Server, echo_node, echo_python, gateway, prove};

#[track_caller]
fn assert_proven(server: &Server, kind: &str) {
    let (code, said) = prove(server, kind);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_gateway_keeps_its_contract() {
    let server = gateway().with("TOKEN_TTL", 2).with("REFRESH_FAILS", 4).start();
    assert_proven(&server, "gateway");
    // Its users are there already: a proof that cannot fail would pass once more.
    assert_ne!(prove(&server, "gateway").0, 0);
}

#[test]
fn the_echoes_keep_their_contract() {
    for start in [echo_node, echo_python] {
        let server = start();
        assert_proven(&server, "echo");
        assert_ne!(prove(&server, "echo").0, 0, "its counts are not its own any more");
    }
}
