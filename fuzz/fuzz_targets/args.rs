//! Any text is read or refused; what was read can be written, and is the same when it is read again.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rooms_layer::wire::{Args, DataWriter, Limits};

fuzz_target!(|input: (u8, &str)| {
    let (count, json) = input;
    let attachments = (0..count % 4).map(|byte| Bytes::from(vec![byte])).collect();
    let Ok(args) = Args::parse(json, attachments, &Limits::default()) else {
        return;
    };
    for index in 0..args.len() {
        let _ = args.get::<&str>(index);
        let _ = args.get::<Option<f64>>(index);
    }
    let Ok(values) = args.values() else { return };
    let mut writer = DataWriter::ack();
    for value in &values {
        writer.push(value).expect("a value is always JSON");
    }
    // Objects that look like placeholders may stand in arguments that came without attachments.
    if let Ok(again) = Args::from_data(&writer.finish()) {
        assert_eq!(again.len(), values.len());
    }
});
