//! What operators see, in the words of the `metrics` facade.

use super::Stats;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

impl Stats {
    /// Hands everything to the recorder of the `metrics` facade, as gauges and counters named `rooms_..`. Call it before each
    /// export, or every few seconds: nothing is recorded in between, so that emitting costs no more for it.
    ///
    /// | metric | labels |
    /// |---|---|
    /// | `rooms_connections` | `transport` |
    /// | `rooms_namespaces`, `rooms_sockets`, `rooms_rooms` | |
    /// | `rooms_queued_packets`, `rooms_queued_bytes`, `rooms_held_bytes` | |
    /// | `rooms_connections_opened_total` | |
    /// | `rooms_connections_closed_total` | `cause` |
    /// | `rooms_refused_total` | `reason` |
    /// | `rooms_events_in_total`, `rooms_events_out_total`, `rooms_deliveries_total`, `rooms_dropped_total` | |
    ///
    /// Without a recorder it does nothing. Two servers in one process have the same names: whichever is recorded last is seen,
    /// unless each has a recorder of its own (`metrics::with_local_recorder`).
    pub fn record(&self) {
        gauge!("rooms_connections", "transport" => "polling").set(self.polling as f64);
        gauge!("rooms_connections", "transport" => "websocket").set(self.websocket as f64);
        gauge!("rooms_namespaces").set(self.namespaces as f64);
        gauge!("rooms_sockets").set(self.sockets as f64);
        gauge!("rooms_rooms").set(self.rooms as f64);
        gauge!("rooms_queued_packets").set(self.queued_packets as f64);
        gauge!("rooms_queued_bytes").set(self.queued_bytes as f64);
        gauge!("rooms_held_bytes").set(self.held_bytes as f64);
        counter!("rooms_connections_opened_total").absolute(self.opened);
        counter!("rooms_events_in_total").absolute(self.events_in);
        counter!("rooms_events_out_total").absolute(self.events_out);
        counter!("rooms_deliveries_total").absolute(self.deliveries);
        counter!("rooms_dropped_total").absolute(self.dropped);
        for (&cause, &closed) in &self.closed {
            counter!("rooms_connections_closed_total", "cause" => cause).absolute(closed);
        }
        for (&reason, &refused) in &self.refused {
            counter!("rooms_refused_total", "reason" => reason).absolute(refused);
        }
    }

    /// Tells the recorder what the metrics of [`record`](Self::record) mean. Call it once, at the start.
    pub fn describe() {
        let gauges = [
            ("rooms_connections", Unit::Count, "open connections"),
            ("rooms_namespaces", Unit::Count, "namespaces"),
            ("rooms_sockets", Unit::Count, "sockets in all namespaces"),
            ("rooms_rooms", Unit::Count, "rooms that somebody has joined"),
            (
                "rooms_queued_packets",
                Unit::Count,
                "packets that wait for clients",
            ),
            (
                "rooms_queued_bytes",
                Unit::Bytes,
                "bytes that wait for clients",
            ),
            (
                "rooms_held_bytes",
                Unit::Bytes,
                "bytes of messages that clients have not ended",
            ),
        ];
        for (name, unit, meaning) in gauges {
            describe_gauge!(name, unit, meaning);
        }
        let counters = [
            (
                "rooms_connections_opened_total",
                "connections that were opened",
            ),
            (
                "rooms_connections_closed_total",
                "connections that have ended",
            ),
            (
                "rooms_refused_total",
                "requests, clients and events that were refused",
            ),
            ("rooms_events_in_total", "events that clients sent"),
            ("rooms_events_out_total", "emits, to however many sockets"),
            ("rooms_deliveries_total", "packets queued for sockets"),
            (
                "rooms_dropped_total",
                "volatile packets that clients could not take",
            ),
        ];
        for (name, meaning) in counters {
            describe_counter!(name, Unit::Count, meaning);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    #[test]
    fn every_number_is_recorded_under_its_name() {
        let stats = Stats {
            polling: 1,
            websocket: 2,
            namespaces: 3,
            sockets: 4,
            rooms: 5,
            queued_packets: 6,
            queued_bytes: 7,
            held_bytes: 8,
            opened: 9,
            events_in: 10,
            events_out: 11,
            deliveries: 12,
            dropped: 13,
            closed: [("slow_client", 14)].into(),
            refused: [("foreign_origin", 15)].into(),
        };
        let recorder = DebuggingRecorder::new();
        let snapshots = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || {
            Stats::describe();
            stats.record();
            // Recorded again, a count does not double.
            stats.record();
        });
        let mut seen = Vec::new();
        for (key, unit, meaning, value) in snapshots.snapshot().into_vec() {
            assert!(unit.is_some() && meaning.is_some(), "{key:?} is described");
            let labels = key.key().labels();
            let labels: String = labels
                .map(|label| format!(" {}={}", label.key(), label.value()))
                .collect();
            let value = match value {
                DebugValue::Counter(value) => value,
                DebugValue::Gauge(value) => value.into_inner() as u64,
                DebugValue::Histogram(_) => panic!("there are no histograms"),
            };
            seen.push((value, format!("{}{labels}", key.key().name())));
        }
        seen.sort();
        let names: Vec<_> = seen.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "rooms_connections transport=polling",
                "rooms_connections transport=websocket",
                "rooms_namespaces",
                "rooms_sockets",
                "rooms_rooms",
                "rooms_queued_packets",
                "rooms_queued_bytes",
                "rooms_held_bytes",
                "rooms_connections_opened_total",
                "rooms_events_in_total",
                "rooms_events_out_total",
                "rooms_deliveries_total",
                "rooms_dropped_total",
                "rooms_connections_closed_total cause=slow_client",
                "rooms_refused_total reason=foreign_origin",
            ]
        );
        let values = seen.iter().map(|(value, _)| *value);
        assert!(values.eq(1..=15));
    }
}
