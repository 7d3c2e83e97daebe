//! People in front of the board, in headless Chromium.

use axum::Router;
use board::cluster::Cluster;
use rooms_tests::node;
use tokio::{net::TcpListener, task::spawn_blocking};

#[tokio::test]
async fn people_use_the_board_in_chromium() {
    run("board.test.mjs", board::app()).await;
}

#[tokio::test]
async fn people_use_a_board_of_two_servers_in_chromium() {
    let (_cluster, app) = Cluster::start().await.expect("two servers and their Redis");
    run("cluster.test.mjs", app).await;
}

#[tokio::test]
async fn people_do_on_two_servers_what_they_do_on_one() {
    let (_cluster, app) = Cluster::start().await.expect("two servers and their Redis");
    run("board.test.mjs", app).await;
}

async fn run(file: &'static str, app: Router) {
    board::page::build().expect("the page builds");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(axum::serve(listener, app).into_future());

    let url = format!("http://{address}");
    let suite = spawn_blocking(move || node::run_file("browser", file, Some(&url)));
    suite.await.expect("the suite passes");
}
