//! Questions of this server that others are answering.

use crate::protocol::LONGEST_WAIT;
use futures_util::stream;
use rooms_layer::rooms::adapter::{Answer, Answers};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};
use tokio::{sync::mpsc, time::sleep_until};

/// How many answers wait for whoever asked and does not take them. What comes beyond is dropped, and its server counts as missing.
const MOST_WAITING: usize = 1_000_000;

/// The open questions, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Questions(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_id: HashMap<u64, Question>,
}

#[derive(Debug)]
struct Question {
    /// The servers that have not said their last, and how many of their sockets owe an answer, where they have said it.
    expected: HashMap<Box<str>, Option<usize>>,
    answers: mpsc::UnboundedSender<Answer>,
    waiting: usize,
    /// How many servers were lost meanwhile.
    lost: usize,
    /// How many sockets owe an answer that will not come any more.
    unanswered: usize,
}

impl Question {
    fn is_answered(&self) -> bool {
        self.expected.is_empty()
    }

    /// A server is lost: it will not answer.
    fn lose(&mut self, server: &str) {
        if self.expected.remove(server).is_some() {
            self.lost += 1;
        }
    }

    /// A server has said its last.
    fn finish(&mut self, server: &str) {
        if let Some(owed) = self.expected.remove(server) {
            self.unanswered += owed.unwrap_or(0);
        }
    }

    /// Sockets of a server were asked, or have acknowledged.
    fn note(&mut self, server: &str, asked: usize, answers: &[Answer]) {
        let Some(owed) = self.expected.get_mut(server) else {
            return;
        };
        if asked > 0 {
            *owed = Some(asked);
        }
        if let Some(owed) = owed {
            let is_ack = |answer: &&Answer| matches!(answer, Answer::Acked(..));
            *owed = owed.saturating_sub(answers.iter().filter(is_ack).count());
        }
    }

    fn tell(&self, answer: Answer) {
        // Whoever asked may have gone.
        self.answers.send(answer).ok();
    }

    /// Nothing more comes: the answers end with how many sockets and servers have not answered.
    fn end(self) {
        let owed = self.expected.values().flatten().sum::<usize>();
        let silent = self.expected.values().filter(|owed| owed.is_none()).count();
        let (unanswered, missing) = (self.unanswered + owed, self.lost + silent);
        if unanswered > 0 {
            self.tell(Answer::Unanswered(unanswered));
        }
        if missing > 0 {
            self.tell(Answer::Missing(missing));
        }
    }
}

impl Questions {
    /// Opens a question that these servers are to answer: its number, and the answers.
    pub(crate) fn open<'a>(
        self: &Arc<Self>,
        servers: impl Iterator<Item = &'a str>,
        deadline: Instant,
    ) -> (u64, Answers) {
        let (tell, told) = mpsc::unbounded_channel();
        let question = Question {
            expected: servers.map(|server| (server.into(), None)).collect(),
            answers: tell,
            waiting: 0,
            lost: 0,
            unanswered: 0,
        };
        let mut open = self.lock();
        let id = open.next;
        open.next += 1;
        open.by_id.insert(id, question);
        drop(open);
        let asked = Asked {
            questions: self.clone(),
            id,
        };
        (id, answers(asked, told, deadline))
    }

    /// A server has answered.
    pub(crate) fn answered(
        &self,
        id: u64,
        server: &str,
        asked: usize,
        answers: Vec<Answer>,
        last: bool,
    ) {
        let mut open = self.lock();
        let Some(question) = open.by_id.get_mut(&id) else {
            return;
        };
        question.waiting += answers.len();
        if question.waiting > MOST_WAITING {
            question.lose(server);
        } else {
            question.note(server, asked, &answers);
            answers.into_iter().for_each(|answer| question.tell(answer));
            if last {
                question.finish(server);
            }
        }
        if question.is_answered() {
            open.by_id.remove(&id).into_iter().for_each(Question::end);
        }
    }

    /// A server is gone: in order, or not.
    pub(crate) fn gone(&self, server: &str, in_order: bool) {
        let mut open = self.lock();
        for question in open.by_id.values_mut() {
            match in_order {
                true => question.finish(server),
                false => question.lose(server),
            }
        }
        let done = open.by_id.extract_if(|_, question| question.is_answered());
        done.for_each(|(_, question)| question.end());
    }

    /// A question could not be put.
    pub(crate) fn give_up(&self, id: u64) {
        let question = self.lock().by_id.remove(&id);
        question.into_iter().for_each(Question::end);
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().expect("no code panics under this lock")
    }
}

/// A question that somebody waits for. When it is dropped, nobody does.
struct Asked {
    questions: Arc<Questions>,
    id: u64,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.questions.lock().by_id.remove(&self.id);
    }
}

/// What arrives until all have answered, or until the deadline.
fn answers(asked: Asked, told: mpsc::UnboundedReceiver<Answer>, deadline: Instant) -> Answers {
    let deadline = deadline.min(Instant::now() + LONGEST_WAIT);
    let next = move |(asked, mut told, is_over): (Asked, mpsc::UnboundedReceiver<Answer>, bool)| async move {
        if !is_over {
            tokio::select! {
                biased;
                answer = told.recv() => return answer.map(|answer| (answer, (asked, told, false))),
                () = sleep_until(deadline.into()) => asked.questions.give_up(asked.id),
            }
        }
        // The sender is gone, so this is what had arrived, and who is missing.
        let answer = told.recv().await?;
        Some((answer, (asked, told, true)))
    };
    Box::pin(stream::unfold((asked, told, false), next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};
    use rooms_layer::{SocketId, wire::Args};
    use std::time::Duration;

    fn open(servers: &[&str]) -> (Arc<Questions>, u64, Answers) {
        let questions = Arc::new(Questions::default());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
        let (id, answers) = questions.open(servers.iter().copied(), deadline.into_std());
        (questions, id, answers)
    }

    async fn all(answers: Answers) -> String {
        format!("{:?}", answers.collect::<Vec<_>>().await)
    }

    fn counted(sockets: usize) -> Vec<Answer> {
        vec![Answer::Counted(sockets)]
    }

    #[tokio::test(start_paused = true)]
    async fn answers_end_with_the_last_server() {
        let (questions, id, answers) = open(&["a", "b"]);
        questions.answered(id, "a", 0, counted(1), false);
        questions.answered(id, "b", 0, counted(2), true);
        questions.answered(id, "a", 0, counted(3), true);
        questions.answered(id, "a", 0, counted(4), true);
        let begun = tokio::time::Instant::now();
        assert_eq!(all(answers).await, "[Counted(1), Counted(2), Counted(3)]");
        assert_eq!(begun.elapsed(), Duration::ZERO, "nobody is waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_deadline_they_end_with_what_has_arrived_and_who_is_missing() {
        let (questions, id, answers) = open(&["a", "b", "c"]);
        questions.answered(id, "a", 0, counted(1), true);
        questions.answered(id, "b", 0, counted(2), false);
        let begun = tokio::time::Instant::now();
        assert_eq!(all(answers).await, "[Counted(1), Counted(2), Missing(2)]");
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_lost_is_missing_and_one_that_closes_is_not() {
        let (questions, id, answers) = open(&["a", "b", "c"]);
        questions.answered(id, "a", 0, counted(1), true);
        questions.gone("b", true);
        questions.gone("c", false);
        questions.gone("a", false);
        assert_eq!(all(answers).await, "[Counted(1), Missing(1)]");
    }

    #[tokio::test(start_paused = true)]
    async fn sockets_that_were_asked_and_are_silent_are_counted() {
        let acked = || {
            let args = Args::from_values(&[]).expect("arguments");
            vec![Answer::Acked(SocketId::anonymous(), args)]
        };
        let (questions, id, answers) = open(&["a", "b", "c", "d"]);
        questions.answered(id, "a", 3, Vec::new(), false);
        questions.answered(id, "b", 1, acked(), false);
        questions.answered(id, "c", 2, acked(), true);
        questions.answered(id, "a", 0, acked(), false);
        let answers = answers.collect::<Vec<_>>().await;
        assert_eq!(answers.len(), 5);
        // Two of a, none of b, one of c; of d nothing is known.
        assert_eq!(
            format!("{:?}", &answers[3..]),
            "[Unanswered(3), Missing(1)]"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_nobody_knew_may_answer_too() {
        let (questions, id, answers) = open(&["a"]);
        questions.answered(id, "new", 0, counted(1), true);
        questions.answered(id, "a", 0, counted(2), true);
        assert_eq!(all(answers).await, "[Counted(1), Counted(2)]");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_forgotten_with_whoever_asked() {
        let (questions, id, mut answers) = open(&["a"]);
        questions.answered(id, "a", 0, counted(1), false);
        answers.next().now_or_never().flatten().expect("an answer");
        drop(answers);
        assert!(questions.lock().by_id.is_empty());
        questions.answered(id, "a", 0, counted(2), true);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_nobody_takes_are_bounded() {
        let (questions, id, answers) = open(&["a"]);
        let many = || {
            (0..MOST_WAITING / 2)
                .flat_map(|_| counted(1))
                .collect::<Vec<_>>()
        };
        questions.answered(id, "a", 0, many(), false);
        questions.answered(id, "a", 0, many(), false);
        questions.answered(id, "a", 0, many(), false);
        let answers = answers.collect::<Vec<_>>().await;
        assert_eq!(answers.len(), MOST_WAITING + 1);
        assert!(matches!(answers.last(), Some(Answer::Missing(1))));
    }
}
