//! The two ends of the completion queue that a shard is driven by.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};

use onslaught::net::{Completion, Completions, Handle, Payload, Submissions};

use super::agenda::Id;
use super::socket::Armed;
use super::world::World;

/// What has happened to the sockets of one shard.
pub(crate) struct Inbox<'a> {
    world: &'a RefCell<World>,
    shard: usize,
    /// The bytes of the last completion.
    lent: Vec<u8>,
}

/// What one shard asks for.
pub(crate) struct Outbox<'a> {
    world: &'a RefCell<World>,
    shard: usize,
}

impl<'a> Inbox<'a> {
    pub(crate) const fn new(world: &'a RefCell<World>, shard: usize) -> Self {
        Self { world, shard, lent: Vec::new() }
    }
}

impl<'a> Outbox<'a> {
    pub(crate) const fn new(world: &'a RefCell<World>, shard: usize) -> Self {
        Self { world, shard }
    }

    const fn id(&self, handle: Handle) -> Id {
        Id { shard: self.shard, handle }
    }
}

impl Completions for Inbox<'_> {
    fn next(&mut self) -> Option<Completion<'_>> {
        let (handle, happened) = self.world.borrow_mut().tell(self.shard)?;
        Some(Completion { handle, event: happened.into_event(&mut self.lent) })
    }
}

impl Submissions for Outbox<'_> {
    fn accept(&mut self, _: u32) {
        panic!("a client never listens");
    }

    fn connect(&mut self, handle: Handle, to: SocketAddr, _: Option<IpAddr>) {
        self.world.borrow_mut().connect(self.id(handle), to);
    }

    fn receive(&mut self, handle: Handle) {
        self.world.borrow_mut().receive(self.id(handle), Armed::Stream);
    }

    fn receive_once(&mut self, handle: Handle) {
        self.world.borrow_mut().receive(self.id(handle), Armed::Once);
    }

    fn stop_receiving(&mut self, handle: Handle) {
        self.world.borrow_mut().stop_receiving(self.id(handle));
    }

    fn discard(&mut self, handle: Handle, len: u32) {
        self.world.borrow_mut().receive(self.id(handle), Armed::Discard(len));
    }

    fn send(&mut self, handle: Handle, payload: Payload) {
        self.world.borrow_mut().send(self.id(handle), payload);
    }

    fn close(&mut self, handle: Handle) {
        self.world.borrow_mut().close(self.id(handle));
    }
}
