//! The arguments of `serve`.

use core::net::IpAddr;

use clap::Args;

/// `serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// The port on this machine; 0 takes one that is free
    #[arg(long, value_name = "N", default_value_t = 7420)]
    pub port: u16,
    /// The address to listen at; others than this machine's own need --allow-host
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub address: IpAddr,
    /// A name that browsers may call this server by; may be given again
    #[arg(long = "allow-host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Show everything, change nothing
    #[arg(long)]
    pub read_only: bool,
    /// Open it in the browser
    #[arg(long)]
    pub open: bool,
}
