//! WebSocket, tested from outside.

mod agreement;
mod conformance;
mod decoder;
mod encode;
mod faults;
mod feed;
mod generate;
mod handshake;
mod limits;
mod mask;
mod oracle;
mod server;
mod table;
mod wire;
