//! The providers: each sends its webhooks, and sends again what was not answered well, as often as its contract says.

use crate::{
    clock::since_epoch,
    lambda::{Failed, Function},
    story::Story,
};
use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;
use verdict_sessions::Provider;
use verdict_simulation::Webhook;

/// The first pause before a webhook is sent again, in the place of a minute or an hour; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What became of one webhook, over all its copies and tries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    /// When it was first sent, and when its last answer was there: milliseconds of Unix time.
    pub(crate) first_sent: u64,
    pub(crate) last_answered: u64,
    /// Whether it was ever answered with success: then it must not be lost.
    pub(crate) is_acknowledged: bool,
}

/// What became of a story.
pub(crate) struct Told {
    /// By webhook.
    pub(crate) fates: Box<[Fate]>,
    /// Whether everything was recorded in the order sent, at the first try.
    pub(crate) is_smooth: bool,
}

/// Sends webhooks to the functions.
pub(crate) struct Sender {
    /// The functions, by the path that leads to them.
    pub(crate) routes: BTreeMap<&'static str, Function>,
    pub(crate) counts: Counts,
}

/// What was seen on the way.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) sent: AtomicUsize,
    pub(crate) spooled: AtomicUsize,
    pub(crate) retried: AtomicUsize,
    pub(crate) given_up: AtomicUsize,
    /// Answers that no genuine webhook should get.
    pub(crate) odd: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Recorded,
    /// Acknowledged, and all is well.
    Well,
    /// Acknowledged, to be recorded later.
    Spooled,
    Failed,
}

impl Sender {
    /// Sends a story's webhooks.
    pub(crate) async fn send(&self, story: &Story) -> Told {
        let now = now();
        let fate = Fate { first_sent: u64::MAX, last_answered: now, is_acknowledged: false };
        let mut told = Told { fates: vec![fate; story.webhooks.len()].into(), is_smooth: !story.is_at_once };
        if story.is_at_once {
            let tries = story.sent.iter().map(async |index| (*index, self.deliver(&story.webhooks[*index]).await));
            for (index, delivered) in join_all(tries).await {
                told.add(index, &delivered);
            }
        } else {
            for index in &story.sent {
                told.add(*index, &self.deliver(&story.webhooks[*index]).await);
            }
        }
        told
    }

    async fn deliver(&self, webhook: &Webhook) -> Delivered {
        self.counts.sent.fetch_add(1, Ordering::Relaxed);
        let event = event(webhook);
        let first_sent = now();
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let answer = self.try_once(webhook, event.clone()).await;
            tries += 1;
            if answer != Answer::Failed || tries > repeats(webhook.provider) {
                self.counts.spooled.fetch_add(usize::from(answer == Answer::Spooled), Ordering::Relaxed);
                self.counts.given_up.fetch_add(usize::from(answer == Answer::Failed), Ordering::Relaxed);
                return Delivered { first_sent, last_answered: now(), answer, is_first_try: tries == 1 };
            }
            self.counts.retried.fetch_add(1, Ordering::Relaxed);
            sleep(pause.mul_f64(0.5 + Rng::new().f64())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_once(&self, webhook: &Webhook, event: String) -> Answer {
        let route = self.routes.iter().find(|(path, _)| webhook.path.starts_with(**path));
        let (_, function) = route.expect("every path leads to a function");
        let response = match function.invoke(event).await {
            Ok(response) => response,
            // What the gateway makes of it is a 500.
            Err(Failed::Died) => return Answer::Failed,
            Err(Failed::Said(error)) => return self.odd(format!("{} failed: {error}", webhook.path)),
        };
        let response: Value = serde_json::from_slice(&response).unwrap();
        let outcome = response["headers"]["x-verdict-outcome"].as_str().unwrap_or_default();
        match (response["statusCode"].as_u64(), outcome) {
            (Some(200), "recorded") => Answer::Recorded,
            (Some(200), "duplicate") if !webhook.claims.is_empty() => Answer::Well,
            (Some(200), "quarantined") if webhook.claims.is_empty() => Answer::Well,
            (Some(200), "spooled") => Answer::Spooled,
            (Some(503), "failed") => Answer::Failed,
            _ => self.odd(format!("{} was answered {response}", webhook.path)),
        }
    }

    fn odd(&self, words: String) -> Answer {
        self.counts.odd.lock().unwrap().push(words);
        Answer::Failed
    }
}

/// What became of one copy of a webhook.
struct Delivered {
    first_sent: u64,
    last_answered: u64,
    answer: Answer,
    is_first_try: bool,
}

impl Told {
    fn add(&mut self, index: usize, delivered: &Delivered) {
        let fate = &mut self.fates[index];
        let is_first_copy = fate.first_sent == u64::MAX;
        fate.first_sent = fate.first_sent.min(delivered.first_sent);
        fate.last_answered = fate.last_answered.max(delivered.last_answered);
        fate.is_acknowledged |= delivered.answer != Answer::Failed;
        let is_as_expected = match delivered.answer {
            Answer::Recorded => is_first_copy,
            Answer::Well => true,
            Answer::Spooled | Answer::Failed => false,
        };
        self.is_smooth &= is_as_expected && delivered.is_first_try;
    }
}

/// How often a provider sends a webhook again: what its page in docs/providers says.
fn repeats(provider: Provider) -> usize {
    match provider {
        Provider::Veriff => 7 * 24,
        Provider::Incode => 5,
        Provider::Treezor => 30,
        Provider::Wultra => 0,
    }
}

/// The event that API Gateway makes of a webhook.
pub(crate) fn event(webhook: &Webhook) -> String {
    let query: Vec<String> = webhook.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: BTreeMap<_, _> = webhook.headers.iter().cloned().collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": webhook.path,
        "rawQueryString": query.join("&"),
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": webhook.path}},
        "body": std::str::from_utf8(&webhook.body).expect("webhooks are text"),
        "isBase64Encoded": false,
    })
    .to_string()
}

/// Milliseconds of Unix time.
fn now() -> u64 {
    let now = since_epoch();
    u64::try_from(now.as_millis()).unwrap()
}
