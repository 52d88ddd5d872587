use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpStream};

use onslaught::target::{Misbehaviour, Options, ServeError, Terms, bind, serve};

fn options(cores: &[usize]) -> Options {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let misbehaviour = Misbehaviour::default();
    Options {
        listen,
        cores: cores.to_vec(),
        misbehaviour,
        terms: Terms::default(),
        seed: 1,
        journal: None,
    }
}

#[test]
fn all_cores_listen_on_the_port_that_the_kernel_chose() {
    let (address, shards) = bind(&options(&[0, 1, 1])).expect("loopback can be listened on");
    assert_ne!(address.port(), 0);
    assert_eq!(shards.len(), 3);
    TcpStream::connect(address).expect("somebody listens");
}

#[test]
fn each_core_is_driven_and_its_end_is_told() {
    let told = Cell::new(None);
    let driven = |shard: onslaught::target::Shard| match shard.core {
        0 => Ok(()),
        _ => Err(io::Error::other("out of rings")),
    };
    let ended = serve(&options(&[0, 0]), |address| told.set(Some(address)), driven);
    assert!(ended.is_ok());
    assert_ne!(told.get().map_or(0, |address: SocketAddr| address.port()), 0);
    let ended = serve(&options(&[1]), |_| {}, driven).expect_err("the server stopped");
    assert_eq!(ended.to_string(), "the target on core 1 has stopped: out of rings");
}

#[test]
fn it_says_why_it_cannot_listen() {
    assert!(matches!(bind(&options(&[])), Err(ServeError::NoCores)));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let wanted = Options { listen: address, ..options(&[0]) };
    let told = bind(&wanted).expect_err("the port is taken").to_string();
    assert!(told.starts_with(&format!("cannot listen on {address}: Address already in use")));
    assert!(told.ends_with("choose another with --listen ADDR:PORT"), "{told}");
}
