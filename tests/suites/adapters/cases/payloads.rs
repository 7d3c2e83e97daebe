//! What events carry.

use super::Case;
use crate::cluster::{Cluster, all, heard_from, to};
use bytes::Bytes;
use rooms_layer::wire::Value;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("values arrive as they were sent", values),
        Case::new("binary arrives at any depth", binary),
        Case::new("900 kB arrive, as text and as binary", big),
    ]
}

async fn arrive(cluster: &Cluster, values: &[Value]) {
    let mut clients = cluster.client_of_each("/").await;
    clients[1].join("a").await;
    clients[2].join("a").await;
    for (number, server) in cluster.iter().enumerate() {
        for value in values {
            server.emit(&to(&["a"]), value.clone()).await;
        }
        let heard = heard_from(server, &mut clients).await;
        assert!(heard[0].is_empty());
        for heard in &heard[1..] {
            for (heard, sent) in heard.iter().zip(values) {
                // Not printed: some are long.
                assert!(
                    sorted(heard) == sorted(sent),
                    "another value, from server {number}"
                );
            }
            assert_eq!(heard.len(), values.len());
        }
    }
}

/// The same with the entries of objects in an order of their own, which says nothing in JSON.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(sorted).collect::<Vec<_>>().into(),
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), sorted(value)));
            let mut entries: Vec<_> = entries.collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(entries)
        }
        other => other.clone(),
    }
}

async fn values(cluster: Cluster) {
    let object = Value::Object(vec![
        ("name".into(), "ü€😀 \"\\\u{1}".into()),
        ("constructor".into(), Value::Array(Vec::new())),
        ("nothing".into(), Value::Null),
        ("number".into(), (-1.5).into()),
    ]);
    let values = [
        Value::Null,
        true.into(),
        0.into(),
        (-1).into(),
        9_007_199_254_740_991_i64.into(),
        0.1.into(),
        "".into(),
        "text".into(),
        Value::Array(vec![Value::Array(vec![object.clone()])]),
        object,
    ];
    arrive(&cluster, &values).await;
}

async fn binary(cluster: Cluster) {
    let bytes = |bytes: &'static [u8]| Value::Binary(Bytes::from_static(bytes));
    let nested = Value::Object(vec![
        ("first".into(), bytes(&[0, 1, 2, 255])),
        (
            "list".into(),
            Value::Array(vec![bytes(b""), "text".into(), bytes(b"{}")]),
        ),
        (
            "deep".into(),
            Value::Object(vec![("er".into(), bytes(b"x"))]),
        ),
    ]);
    arrive(&cluster, &[bytes(b"alone"), nested]).await;
}

async fn big(cluster: Cluster) {
    const LENGTH: usize = 900_000;
    let text = Value::from("x".repeat(LENGTH));
    let binary = Value::Binary(vec![0xff; LENGTH].into());
    arrive(&cluster, &[text.clone(), binary]).await;
    // And what comes behind it is not behind for long.
    let mut clients = cluster.client_of_each("/").await;
    cluster[0].emit(&all(), text).await;
    cluster[0].emit(&all(), "small").await;
    let heard = heard_from(&cluster[0], &mut clients).await;
    for heard in heard {
        assert_eq!(heard.len(), 2);
        assert_eq!(heard[1], "small".into());
    }
}
