use std::{future::Future, time::Duration};

/// Longer than anything in memory takes, shorter than patience.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits for what a test expects.
pub(super) async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} seconds for {what}", PATIENCE.as_secs()),
    }
}
