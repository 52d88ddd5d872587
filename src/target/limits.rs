//! Every bound of the target, with its reason.

use crate::stdx::Nanos;

/// Replies queued behind the one being sent, in bytes. Beyond it the connection reads no further
/// request or message, so that a client that never reads costs no more than this and one reply.
/// Where the server speaks unasked, a client that has let so much wait is cut off.
pub(super) const OUT_MAX: usize = 64 * 1024;

/// Unread input at which receiving is stopped: the kernel's window then slows the client down.
pub(super) const BACKLOG_PAUSE: usize = 64 * 1024;

/// Unread input at which a connection is closed. A ring's receive buffers are at most 4 MB and
/// can be used up once more before a stop takes effect, so honest clients never come here.
pub(super) const BACKLOG_MAX: usize = 8 << 20;

/// The largest body that is kept, and the largest message that `/echo` gives back: one connection
/// may not hold more memory than this.
pub(super) const ECHO_MAX: usize = 1 << 20;

/// The largest body of `/bytes/N` and `/chunked/N`: about a second of loopback.
pub(super) const BYTES_MAX: u64 = 64 << 20;

/// The longest delay: what the usual patience of clients (30 s) can be tested with.
pub(super) const DELAY_MAX: Nanos = Nanos::from_secs(60);

/// The longest mean of `/queue`.
pub(super) const QUEUE_MEAN_MAX: Nanos = Nanos::from_secs(1);

/// How far ahead the clerk of `/queue` may be booked; a connection that asks for more is closed,
/// and counted as an overrun.
pub(super) const QUEUE_MAX: Nanos = Nanos::from_secs(300);

/// A head that has begun must end within this time; an idle connection may stay for ever.
pub(super) const HEAD_PATIENCE: Nanos = Nanos::from_secs(30);

/// Accepting is tried again so long after it failed: when descriptors or memory are short, trying
/// at once would only burn the core.
pub(super) const ACCEPT_PAUSE: Nanos = Nanos::from_millis(100);

/// A send buffer that has grown beyond this is freed, not kept.
pub(super) const SPARE_EACH: usize = 64 * 1024;

/// All spare send buffers together: enough that 10,000 busy connections reuse theirs.
pub(super) const SPARE_ALL: usize = 16 << 20;

/// Timers outstanding at once, stale ones of closed connections included: 16 MiB of them. A
/// connection that would need one more is closed.
pub(super) const TIMERS_MAX: u32 = 1 << 20;

/// A piece of a large body, and the size of a chunk: one send each, when it is alone.
pub(super) const PIECE: usize = 16 * 1024;

/// So many pieces go out in one send while a body has them left.
pub(super) const PIECES: usize = 16;

/// Accounts, all servers together: with 300 bytes each they are 300 MB.
pub(super) const ACCOUNTS_MAX: u32 = 1 << 20;

/// Sessions of one account, each with a refresh token; one more ends the oldest.
pub(super) const SESSIONS_MAX: usize = 8;

/// Access tokens that a server remembers to be good, about 400 bytes each.
pub(super) const TOKENS_KEPT: usize = 16 * 1024;

/// The longest address (RFC 5321 section 4.5.3.1.3, without its brackets).
pub(super) const EMAIL_MAX: usize = 254;

/// The longest password: what others take is shorter.
pub(super) const PASSWORD_MAX: usize = 1024;

/// Types of tasks: what 8 bits of an id tell apart.
pub(super) const KINDS_MAX: usize = 256;

/// The longest name of a type.
pub(super) const KIND_NAME_MAX: usize = 64;

/// Tasks that one WebSocket is told about; one more puts the oldest out.
pub(super) const SUBSCRIPTIONS_MAX: usize = 64;

/// The longest message to the gateway; to `/echo` it is [`ECHO_MAX`].
pub(super) const SAID_MAX: u64 = 64 * 1024;
