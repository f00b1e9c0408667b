//! The dashboard: what the commands say, as pages that keep up with what happens. Translates requests into calls of the very
//! functions that the command line calls, and renders what they return; knows no arguments and keeps no state of goals.
//!
//! A page is made by one function, `pages::make`, whether a browser asks for it, a stream sends it anew because something
//! changed, or `export` writes it to a file. The only module with an asynchronous runtime; commands run on its threads for
//! blocking work.

pub mod acting;
pub mod actions;
pub mod api;
pub mod assets;
pub mod gate;
pub mod given;
pub mod live;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod remarks;
pub mod render;
pub mod respond;
pub mod running;
pub mod server;
pub mod sign_in;
pub mod site;
pub mod still;
