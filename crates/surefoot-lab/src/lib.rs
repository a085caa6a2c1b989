//! A page to learn and play with on Surefoot's engine.
//!
//! [`Lab`] serves a page that is in the program itself: it builds networks, trains them by [`surefoot_fit::fit()`], shows every number on
//! the way, and gives away what makes the same bits. It translates requests; what a training is,
//! the library decides.
//!
//! Nothing is printed. Whoever starts a server says where it listens and when it ends.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod api;
mod assets;
mod checks;
mod choices;
mod data;
mod drawn;
mod equations;
mod error;
mod forward;
mod gate;
mod guard;
mod lab;
mod plane;
mod session;
mod sessions;
mod take_away;
mod toys;
mod view;

pub use error::{Error, Result};
pub use lab::Lab;
pub use surefoot_serve::until_signal;
