//! A server of Node's, as a member of a cluster.

use rooms_layer::rooms::Selection;
use rooms_tests::peer::Peer;
use serde_json::json;
use std::sync::Arc;

/// A server of Node's, in a process that it shares with others.
pub(crate) struct Node {
    pub(crate) peer: Arc<Peer>,
    pub(crate) number: u64,
    pub(crate) port: u16,
}

impl Node {
    pub(crate) async fn call(
        &self,
        name: &str,
        namespace: &str,
        to: &Selection,
        parameters: serde_json::Value,
    ) -> serde_json::Value {
        let parameters = self.addressed(namespace, to, parameters);
        self.peer.call(name, parameters).await
    }

    pub(crate) fn addressed(
        &self,
        namespace: &str,
        to: &Selection,
        mut parameters: serde_json::Value,
    ) -> serde_json::Value {
        parameters["server"] = json!(self.number);
        parameters["namespace"] = json!(namespace);
        parameters["to"] = json!({ "rooms": to.rooms, "except": to.except });
        parameters
    }

    pub(crate) async fn command(
        &self,
        command: &str,
        to: &Selection,
        mut parameters: serde_json::Value,
    ) {
        parameters["command"] = json!(command);
        self.call("command", "/", to, parameters).await;
    }
}

/// The process lives on, for the next case.
impl Drop for Node {
    fn drop(&mut self) {
        self.peer.cast("close", json!({ "server": self.number }));
    }
}
