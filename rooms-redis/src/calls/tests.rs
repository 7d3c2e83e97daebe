use super::*;
use futures_util::StreamExt;
use rooms_layer::{
    rooms::adapter::SocketInfo,
    wire::{Args, Limits},
};
use std::time::Duration;

const AFTER: Duration = Duration::from_secs(5);

fn args() -> Args {
    Args::parse("[1]", Vec::new(), &Limits::default()).unwrap()
}

/// A question to so many servers, and what names it.
fn ask(calls: &Arc<Calls>, kind: Kind, servers: Result<usize, AdapterError>) -> (Id, Answers) {
    let call = calls.open();
    let id = call.id.clone();
    let others = tokio::spawn(std::future::ready(servers));
    let deadline = tokio::time::Instant::now() + AFTER;
    (id, call.answers(kind, others, deadline.into_std()))
}

async fn all(answers: Answers) -> Vec<String> {
    let answers: Vec<_> = answers.collect().await;
    answers.iter().map(|answer| format!("{answer:?}")).collect()
}

fn acked(id: &Id) -> Message {
    Message::Acked {
        id: id.clone(),
        socket: SocketId::from("s"),
        args: args(),
    }
}

fn clients(id: &Id, count: usize) -> Message {
    Message::Clients {
        id: id.clone(),
        count,
    }
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_end_when_all_have_come() {
    let calls = Arc::new(Calls::default());
    let (id, answers) = ask(&calls, Kind::Acks, Ok(2));
    for message in [clients(&id, 1), acked(&id), clients(&id, 1), acked(&id)] {
        calls.put(message);
    }
    let begun = tokio::time::Instant::now();
    assert_eq!(all(answers).await.len(), 2);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_deadline_tells_who_is_silent() {
    let calls = Arc::new(Calls::default());
    let (id, answers) = ask(&calls, Kind::Acks, Ok(3));
    calls.put(clients(&id, 2));
    calls.put(acked(&id));
    let begun = tokio::time::Instant::now();
    let told = all(answers).await;
    assert_eq!(told[1..], ["Unanswered(1)", "Missing(2)"]);
    assert_eq!(begun.elapsed(), AFTER);
}

#[tokio::test(start_paused = true)]
async fn nobody_else_is_not_waited_for() {
    let calls = Arc::new(Calls::default());
    let (_, answers) = ask(&calls, Kind::Once(None), Ok(0));
    assert!(all(answers).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_cannot_count_leaves_somebody_missing() {
    let calls = Arc::new(Calls::default());
    let (_, answers) = ask(&calls, Kind::Once(None), Err(AdapterError::new("gone")));
    assert_eq!(all(answers).await, ["Missing(1)"]);

    // There were as many before.
    let (_, answers) = ask(&calls, Kind::Once(None), Ok(3));
    assert_eq!(all(answers).await, ["Missing(3)"]);
    let (_, answers) = ask(&calls, Kind::Once(None), Err(AdapterError::new("gone")));
    assert_eq!(all(answers).await, ["Missing(3)"]);
}

/// A server without an answer counts, and adds nothing.
#[tokio::test(start_paused = true)]
async fn a_server_may_have_nothing_to_say() {
    let calls = Arc::new(Calls::default());
    let (id, answers) = ask(&calls, Kind::Once(None), Ok(2));
    for args in [None, Some(args())] {
        calls.put(Message::Heard {
            id: id.clone(),
            args,
        });
    }
    assert_eq!(all(answers).await.len(), 1);
}

/// Node's servers send their sockets where less was asked for.
#[tokio::test(start_paused = true)]
async fn sockets_answer_questions_about_them() {
    let socket = |rooms: &[&str]| {
        let rooms = rooms.iter().map(|room| (*room).into()).collect();
        SocketInfo::new(SocketId::random(), rooms)
    };
    for (what, expected) in [
        (What::Count, "Counted(2)"),
        (What::Rooms, r#"Named(["a", "b"])"#),
    ] {
        let calls = Arc::new(Calls::default());
        let (id, answers) = ask(&calls, Kind::Once(Some(what)), Ok(1));
        let known = Known::Sockets(vec![socket(&["a"]), socket(&["a", "b"])]);
        calls.put(Message::Known { id, known });
        assert_eq!(all(answers).await, [expected]);
    }
}

/// What was forged, or answers another question, changes nothing.
#[tokio::test(start_paused = true)]
async fn answers_of_another_kind_do_not_count() {
    let calls = Arc::new(Calls::default());
    let (id, answers) = ask(&calls, Kind::Once(Some(What::Count)), Ok(1));
    calls.put(clients(&id, usize::MAX));
    calls.put(acked(&id));
    calls.put(Message::Heard { id, args: None });
    calls.put(acked(&"another".into()));
    assert_eq!(all(answers).await, ["Missing(1)"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_answers_withdraws_the_question() {
    let calls = Arc::new(Calls::default());
    let (_, answers) = ask(&calls, Kind::Acks, Ok(9));
    assert!(!calls.is_empty());
    drop(answers);
    assert!(calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_answers_is_bounded() {
    let calls = Arc::new(Calls::default());
    let (id, answers) = ask(&calls, Kind::Acks, Ok(1));
    calls.put(clients(&id, 3 * WAITING));
    for _ in 0..3 * WAITING {
        calls.put(acked(&id));
    }
    let told = all(answers).await;
    assert_eq!(told.len(), WAITING - 1 + 1);
    assert_eq!(
        told.last().unwrap(),
        &format!("Unanswered({})", 2 * WAITING + 1)
    );
}
