use super::{
    board::Board,
    client::Ledger,
    connection::{Packet, parse},
};

fn take(ledger: &mut Ledger, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        ledger.take("a".to_owned(), "room".to_owned(), number);
    }
}

/// `count` numbers of the publisher `a` are with the engine.
fn published(count: u64) -> Board {
    let board = Board::default();
    board.ask("a", "room", count);
    board.confirm("a", "room");
    board
}

#[test]
fn a_ledger_finds_what_is_lost_doubled_and_out_of_order() {
    let cases: [(&[u64], [u64; 3]); 6] = [
        (&[4, 5, 6, 7], [0, 0, 0]),
        // On its way when the client entered.
        (&[2, 3, 4, 5, 6, 7], [0, 0, 0]),
        (&[5, 6, 7], [1, 0, 0]),
        (&[4, 7], [2, 0, 0]),
        (&[4, 5], [2, 0, 0]),
        (&[4, 6, 5, 6, 7], [1, 1, 1]),
    ];
    for (numbers, expected) in cases {
        let mut ledger = Ledger::default();
        ledger.enter("room", &published(4).said("room"));
        take(&mut ledger, numbers.iter().copied());
        let board = published(8);
        assert_eq!(ledger.is_whole(&board), numbers.ends_with(&[7]));
        ledger.settle(&board);
        let report = ledger.report;
        let found = [report.lost, report.doubled, report.misordered];
        assert_eq!(found, expected, "{numbers:?}");
    }
}

#[test]
fn what_is_published_during_an_outage_is_told() {
    let mut ledger = Ledger::default();
    ledger.enter("room", &published(0).said("room"));
    take(&mut ledger, 0..3);
    ledger.went_away();
    ledger.enter("room", &published(10).said("room"));
    take(&mut ledger, 10..12);
    ledger.settle(&published(12));
    assert_eq!((ledger.report.outages, ledger.report.while_away), (1, 7));
    assert_eq!(ledger.report.lost, 0);
}

/// Its new server may be behind the one that it had before. Nobody is told twice by one.
#[test]
fn what_a_new_client_hears_again_is_not_doubled() {
    let mut ledger = Ledger::default();
    ledger.enter("room", &published(0).said("room"));
    take(&mut ledger, 0..5);
    ledger.went_away();
    ledger.enter("room", &published(5).said("room"));
    take(&mut ledger, [3, 4, 5, 5]);
    let report = ledger.report;
    assert_eq!((report.again, report.doubled, report.lost), (2, 1, 0));
}

#[test]
fn outside_of_a_room_nothing_is_missed() {
    let mut ledger = Ledger::default();
    ledger.enter("room", &published(0).said("room"));
    take(&mut ledger, 0..3);
    ledger.leave("room");
    ledger.enter("room", &published(7).said("room"));
    take(&mut ledger, 7..9);
    ledger.settle(&published(9));
    assert_eq!(ledger.report.lost, 0);
}

#[test]
fn packets_are_told_apart() {
    let tick = Packet::Tick {
        publisher: "0.1".to_owned(),
        room: String::new(),
        number: 7,
    };
    let ack = |id, yes| Some(Packet::Ack { id, yes });
    let cases = [
        (r#"42["tick","0.1","",7]"#, "", Some(tick)),
        (r"4312[true]", "", ack(12, true)),
        (r"43/control,1[false]", "/control,", ack(1, false)),
        (r#"44{"message":"no"}"#, "", None),
        (r#"42["tick"]"#, "", None),
    ];
    for (packet, namespace, expected) in cases {
        assert_eq!(parse(packet, namespace), expected, "{packet}");
    }
}
