//! Services behind the targets, asked whether they are there.

use std::sync::Arc;

/// A service that is asked once before the load and once after it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What results call it.
    pub name: String,
    /// Its host: to be resolved.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What is asked.
    pub ask: Ask,
}

/// What a service is asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A connection.
    Connect,
    /// A reply with a status below 500 to this request, which closes the connection.
    Get(Arc<[u8]>),
}
