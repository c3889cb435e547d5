//! The stores: the sessions table and the queues. The rooms above see no type of AWS's SDK, except `environment`, which
//! makes the clients.

pub(crate) mod aws_error;
pub(crate) mod endpoints;
pub(crate) mod queued_webhook;
pub(crate) mod queues;
mod stored_trace;
pub(crate) mod table;
pub(crate) mod wake_up;
