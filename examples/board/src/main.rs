//! Run with `cargo run -p board`, then open the address that it prints in two windows.
//!
//! `cargo run -p board -- export` writes the contract that the page imports.

use board::{contract, page};
use std::{env, error::Error, fs};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = env::args().nth(1);
    if argument.as_deref() == Some("export") {
        fs::write(page::CONTRACT, contract::typescript()?)?;
        return Ok(());
    }
    tracing_subscriber::fmt::init();
    page::build()?;

    let port = argument.or_else(|| env::var("PORT").ok());
    let port: u16 = port.map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    println!("the board is at http://{address}/?name=Ann&project=1");

    axum::serve(listener, board::app()).await?;
    Ok(())
}
