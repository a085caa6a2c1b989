//! Where a kind of number keeps what is compiled for it.

use std::any::Any;

/// A number for which this crate has compiled an engine. The engine itself is made of things that know numbers; so that these
/// two need not know each other, it is kept without its type.
pub trait HasEngine: 'static {
    /// The engine, for whoever knows what it is.
    #[doc(hidden)]
    fn engine() -> &'static (dyn Any + Send + Sync);
}
