//! People in front of the board, in headless Chromium.

use rooms_tests::node;
use tokio::{net::TcpListener, task::spawn_blocking};

#[tokio::test]
async fn people_use_the_board_in_chromium() {
    board::page::build().expect("the page builds");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(axum::serve(listener, board::app()).into_future());

    let suite = spawn_blocking(move || node::run_suite("browser", &format!("http://{address}")));
    suite.await.expect("the suite passes");
}
