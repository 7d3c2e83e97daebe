//! Run with `cargo run -p board`, then open the address that it prints in two windows.

use std::{env, error::Error};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    board::page::build()?;

    let port = env::args().nth(1).or_else(|| env::var("PORT").ok());
    let port: u16 = port.map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    println!("the board is at http://{address}/?name=Ann&project=1");

    axum::serve(listener, board::app()).await?;
    Ok(())
}
