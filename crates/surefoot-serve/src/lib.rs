//! Predictions of a model over HTTP.
//!
//! A [`Service`] reads the rows of a request by the model's encoding, lets those of all requests that wait go through the network
//! together, and answers with what `surefoot predict` would write, to the bit. A [`Listener`] is the port of any server of Surefoot.
//!
//! Nothing is printed. Whoever starts a server says where it listens and when it ends.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod answer;
mod batches;
mod error;
mod hosts;
mod listener;
mod rows;
mod schema;
mod service;

pub use error::{Error, Result};
pub use hosts::Hosts;
pub use listener::{Listener, until_signal};
pub use service::Service;
