//! Which version of the client the lock file has, for the table.

fn main() {
    println!("cargo::rerun-if-changed=Cargo.lock");
    let lock = std::fs::read_to_string("Cargo.lock").expect("the lock file is there");
    let (_, package) = lock
        .split_once("name = \"rust_socketio\"\nversion = \"")
        .expect("the lock file names the client");
    let version = package.split('"').next().expect("split returns something");
    println!("cargo::rustc-env=CLIENT_VERSION={version}");
}
