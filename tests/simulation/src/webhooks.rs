//! Genuine webhooks of all four providers, written from their contracts, and what each says in plain words: that is
//! what a run is measured against, and it owes nothing to the code that reads them.

use crate::fake_incode::score;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json, value::RawValue};
use sha2::Sha256;
use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};
use verdict_sessions::{CheckOutcome, Outcome, Provider, Stage, Timestamp};
use verdict_webhooks::incode::SCORE_PATH;

/// What every function of a local run is configured with.
static CREDENTIALS: LazyLock<Value> = LazyLock::new(|| {
    let mut credentials: Value = serde_json::from_str(include_str!("../../../events/local-credentials.json")).unwrap();
    // The header alone proves a webhook here. With access to the API sessions are also put on the poll schedule.
    let incode = credentials["incode"].as_object_mut().unwrap();
    incode.remove("oauth");
    incode.insert(
        "api".to_owned(),
        json!({"baseUrl": "https://api.simulation.example", "apiKey": "simulated-api-key-0123456789",
            "email": "poller@simulation.example", "password": "simulated-password-0123456789"}),
    );
    // A deployment says whether a webhook decides by itself.
    incode.insert("confirmDecisions".to_owned(), json!(false));
    credentials
});

/// A provider's credentials, as its functions are given them.
#[must_use]
pub fn credentials(provider: Provider) -> &'static Value {
    &CREDENTIALS[provider.as_str()]
}

/// A webhook as the provider sends it. Sent again, it is the same, byte for byte.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Who sends it.
    pub provider: Provider,
    /// The path that it is posted to.
    pub path: String,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// The headers that matter.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What it says, of each session that it speaks of. Nothing, where it can't be read.
    pub claims: Vec<Claim>,
}

/// What Treezor says of a user beside the review.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'s> {
    /// When the user's data changed; `None`: a blank time.
    pub(crate) at: Option<Timestamp>,
    /// When the webhook was sent.
    pub(crate) sent: Timestamp,
    /// Our own name for the user.
    pub(crate) tag: Option<&'s str>,
}

impl Said<'_> {
    /// A change that is sent at once.
    fn at_once(at: Timestamp) -> Self {
        Self { at: Some(at), sent: at, tag: None }
    }
}

/// What a webhook says of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The session: `{provider}/{sessionId}`.
    pub session: String,
    /// Our own name for the person, where it says so.
    pub reference: Option<String>,
    /// How far the session has come, where it says so.
    pub stage: Option<Stage>,
    /// How it was decided, where it says so.
    pub outcome: Option<Outcome>,
    /// Why, as codes, where it says so.
    pub reason_codes: Vec<String>,
    /// What came of a check, by the check's name, where it says so.
    pub check: Option<(String, CheckOutcome)>,
    /// Why, as codes, where it says so.
    pub check_codes: Vec<String>,
    /// When that was. `None`: the provider does not say, so that the arrival counts.
    pub at: Option<Timestamp>,
    /// Whether the provider leaves every time blank that it prints: it counts from before all that has one.
    pub is_undated: bool,
    /// Which attempt it is about.
    pub attempt: Option<String>,
}

impl Webhook {
    /// The outcomes that a provider knows.
    #[must_use]
    pub const fn outcomes(provider: Provider) -> &'static [Outcome] {
        match provider {
            Provider::Veriff => &[
                Outcome::Approved,
                Outcome::Declined,
                Outcome::Review,
                Outcome::ResubmissionRequested,
                Outcome::Expired,
                Outcome::Abandoned,
            ],
            Provider::Incode | Provider::Treezor => &[Outcome::Approved, Outcome::Declined, Outcome::Review],
            Provider::Wultra => &[Outcome::Approved, Outcome::Failed],
        }
    }

    /// What the answer to a poll says of a session's score: recorded like a webhook, and never sent.
    #[must_use]
    pub fn score(session: &str, outcome: Outcome) -> Self {
        let claim = Claim { outcome: Some(outcome), ..Claim::of(Provider::Incode, session) };
        Self::posted(Provider::Incode, SCORE_PATH, score(outcome), vec![claim])
    }

    /// Only to see whether it gets through.
    #[must_use]
    pub fn probe(provider: Provider) -> Self {
        let probe = json!({"verdictProbe": "00112233445566778899aabbccddeeff"});
        let body = probe.to_string();
        match provider {
            Provider::Veriff => veriff("/veriff/decisions", &body, Vec::new()),
            Provider::Incode => incode("onboarding-status", &body, Vec::new()),
            Provider::Treezor => signed_by_treezor(&json!({"webhook": "user.kycreview"}), &probe, Vec::new()),
            Provider::Wultra => Self::of_wultra(body, Vec::new()),
        }
    }

    /// The session has come a step further. `at` is the provider's time, of which Veriff and Incode say nothing; only
    /// Veriff and Incode know stages other than *submitted*, and Wultra knows none: there it is a check.
    #[must_use]
    pub fn progress(provider: Provider, session: &str, stage: Stage, at: Timestamp, attempt: &str) -> Self {
        match provider {
            Provider::Veriff => {
                let (code, action) = if stage == Stage::Submitted { (7002, "submitted") } else { (7001, "started") };
                let body = json!({"id": session, "attemptId": attempt, "feature": "selfid", "code": code,
                    "action": action, "vendorData": reference(session), "endUserId": null});
                let claim =
                    Claim { stage: Some(stage), attempt: Some(attempt.to_owned()), ..Claim::of(provider, session) };
                veriff("/veriff/events", &body.to_string(), vec![claim])
            }
            Provider::Incode => {
                let claim = Claim { stage: Some(stage), ..Claim::of(provider, session) };
                if stage == Stage::Submitted {
                    let body = json!({"interviewId": session, "onboardingStatus": "ONBOARDING_FINISHED",
                        "externalId": reference(session)});
                    incode("onboarding-status", &body.to_string(), vec![claim])
                } else {
                    incode("session-started", &incode_body(session, attempt), vec![claim])
                }
            }
            Provider::Treezor => Self::review_requested(session, Said::at_once(at)),
            Provider::Wultra => Self::check(provider, session, CheckOutcome::Passed, at, attempt),
        }
    }

    /// A part of the session was checked, at Veriff or Wultra.
    ///
    /// # Panics
    /// For another provider, and for an outcome that the provider's check does not have: Veriff's watchlist is passed
    /// or flagged, Wultra's presence check passed or failed.
    #[must_use]
    pub fn check(provider: Provider, session: &str, outcome: CheckOutcome, at: Timestamp, attempt: &str) -> Self {
        let claim = Claim { at: Some(at), ..Claim::of(provider, session) };
        match (provider, outcome) {
            (Provider::Veriff, CheckOutcome::Passed | CheckOutcome::Flagged) => {
                Self::watchlist(session, outcome, &[], at, attempt)
            }
            (Provider::Wultra, CheckOutcome::Passed | CheckOutcome::Failed) => {
                let status = if outcome == CheckOutcome::Passed { "ACCEPTED" } else { "REJECTED" };
                let check = json!({"presenceCheck": {"status": status, "rejectReason": null, "errorDetail": null,
                    "provider": "zenid", "score": 10, "presenceCheckResult": null}});
                let claim =
                    Claim { check: Some(("presence".to_owned(), outcome)), stage: Some(Stage::Started), ..claim };
                wultra("PRESENCE_CHECK_FINISHED", session, at, &check, vec![claim])
            }
            _ => panic!("{provider} has no check that is {outcome:?}"),
        }
    }

    /// Veriff has looked for the person on watchlists, with hits on some of them.
    #[must_use]
    pub fn watchlist(session: &str, outcome: CheckOutcome, lists: &[&str], at: Timestamp, attempt: &str) -> Self {
        let found = if outcome == CheckOutcome::Passed { "no_match" } else { "possible_match" };
        let hits: Vec<Value> = lists
            .iter()
            .map(|list| json!({"matchTypes": ["name_exact"], "listingsRelatedToMatch": {*list: [{"sourceName": "a list"}]}}))
            .collect();
        let body = json!({"checkType": "updated_result", "sessionId": session, "attemptId": attempt,
            "vendorData": reference(session), "matchStatus": found, "createdAt": at, "hits": hits});
        let claim = Claim {
            at: Some(at),
            check: Some(("watchlist".to_owned(), outcome)),
            check_codes: lists.iter().map(|list| (*list).to_owned()).collect(),
            attempt: Some(attempt.to_owned()),
            ..Claim::of(Provider::Veriff, session)
        };
        veriff("/veriff/decisions", &body.to_string(), vec![claim])
    }

    /// Veriff has asked a registry for the person, and found nothing against them.
    #[must_use]
    pub fn registry(session: &str, at: Timestamp, attempt: &str) -> Self {
        let body = json!({"eventType": "ine_registry", "sessionId": session, "attemptId": attempt,
            "vendorData": reference(session), "version": "1.0.0", "time": at,
            "data": {"status": "found", "code": 200, "details": {"active": true}}});
        let claim = Claim {
            at: Some(at),
            check: Some(("registry".to_owned(), CheckOutcome::Passed)),
            attempt: Some(attempt.to_owned()),
            ..Claim::of(Provider::Veriff, session)
        };
        veriff("/veriff/decisions", &body.to_string(), vec![claim])
    }

    /// The session was decided.
    ///
    /// # Panics
    /// For an outcome that the provider does not know: see [`Webhook::outcomes`].
    #[must_use]
    pub fn decision(provider: Provider, session: &str, outcome: Outcome, at: Timestamp, attempt: &str) -> Self {
        Self::decision_because(None, provider, session, outcome, at, attempt)
    }

    /// The same with a reason code. Veriff gives them, and Wultra where a process failed; the others' have none.
    ///
    /// # Panics
    /// As [`decision`](Self::decision).
    #[must_use]
    pub fn decision_because(
        reason_code: Option<&str>,
        provider: Provider,
        session: &str,
        outcome: Outcome,
        at: Timestamp,
        attempt: &str,
    ) -> Self {
        assert!(Self::outcomes(provider).contains(&outcome), "{provider} knows no {}", outcome.as_str());
        let claim = Claim { outcome: Some(outcome), at: Some(at), ..Claim::of(provider, session) };
        let because =
            |claim: Claim| Claim { reason_codes: reason_code.into_iter().map(str::to_owned).collect(), ..claim };
        match provider {
            Provider::Veriff => {
                let code = match outcome {
                    Outcome::Approved => 9001,
                    Outcome::Declined => 9102,
                    Outcome::ResubmissionRequested => 9103,
                    Outcome::Review => 9121,
                    _ => 9104,
                };
                let body = json!({"status": "success", "verification": {"id": session, "attemptId": attempt,
                    "code": code, "status": outcome.as_str(), "reason": null, "reasonCode": reason_code,
                    "vendorData": reference(session), "decisionTime": at}});
                let claim = because(Claim { attempt: Some(attempt.to_owned()), ..claim });
                veriff("/veriff/decisions", &body.to_string(), vec![claim])
            }
            Provider::Incode => {
                let kind = match outcome {
                    Outcome::Approved => "session-succeeded",
                    Outcome::Declined => "session-failed",
                    _ => "session-pending-review",
                };
                incode(kind, &incode_body(session, attempt), vec![Claim { at: None, ..claim }])
            }
            Provider::Treezor => Self::review(session, outcome, Said::at_once(at)),
            Provider::Wultra => {
                let (status, claim) =
                    if outcome == Outcome::Approved { ("FINISHED", claim) } else { ("FAILED", because(claim)) };
                let process = json!({"process": {"status": status, "errorDetail": claim.reason_codes.first(), "deviceData": null}});
                wultra("PROCESS_FINISHED", session, at, &process, vec![claim])
            }
        }
    }

    /// Treezor asks for a user's review.
    #[must_use]
    pub(crate) fn review_requested(session: &str, said: Said<'_>) -> Self {
        let claim = Claim { stage: Some(Stage::Submitted), ..Claim::of_user_at(session, said) };
        treezor("user.kycrequest", &[user(session, "0", said)], said.sent, vec![claim])
    }

    /// Treezor has reviewed a user.
    #[must_use]
    pub(crate) fn review(session: &str, outcome: Outcome, said: Said<'_>) -> Self {
        let claim = Claim { outcome: Some(outcome), ..Claim::of_user_at(session, said) };
        treezor("user.kycreview", &[user(session, review(outcome), said)], said.sent, vec![claim])
    }

    /// A user's document at Treezor, whose webhooks have no time of their own.
    ///
    /// # Panics
    /// For a result that Treezor's documents don't have.
    #[must_use]
    pub fn document(session: &str, outcome: CheckOutcome, at: Option<Timestamp>, nonce: usize) -> Self {
        Self::document_called("88", session, outcome, at, nonce)
    }

    /// One of several documents of a user.
    ///
    /// # Panics
    /// As [`document`](Self::document).
    #[must_use]
    pub fn document_called(
        id: &str,
        session: &str,
        outcome: CheckOutcome,
        at: Option<Timestamp>,
        nonce: usize,
    ) -> Self {
        let status = match outcome {
            CheckOutcome::Pending => "PENDING",
            CheckOutcome::Passed => "VALIDATED",
            CheckOutcome::Failed => "REFUSED",
            CheckOutcome::Cancelled => "CANCELED",
            _ => panic!("Treezor has no document that is {outcome:?}"),
        };
        let document = json!({"documentId": id, "userId": session, "documentStatus": status, "fileName": nonce,
            "modifiedDate": local(at)});
        let claim = Claim {
            stage: Some(Stage::Started),
            check: Some((format!("document:{id}"), outcome)),
            at,
            is_undated: at.is_none(),
            ..Claim::of_user(session)
        };
        let envelope = json!({"webhook": "document.update", "object": "document", "object_id": id});
        signed_by_treezor(&envelope, &json!({"documents": [document]}), vec![claim])
    }

    /// An identification at Treezor, for several reasons if it is declined.
    #[must_use]
    pub(crate) fn liveness(session: &str, is_declined: bool, reason_codes: &[&str], at: Timestamp) -> Self {
        Self::liveness_of(session, session, is_declined, reason_codes, at)
    }

    /// The same of a user who isn't named like the identification.
    #[must_use]
    pub(crate) fn liveness_of(
        user: &str,
        session: &str,
        is_declined: bool,
        reason_codes: &[&str],
        at: Timestamp,
    ) -> Self {
        let mut payload = json!({"kyc-status": "processed", "user_id": user, "updated-at": at,
            "score": u8::from(!is_declined)});
        if !reason_codes.is_empty() {
            let reasons = reason_codes.iter().map(|code| json!({"reason-code": code, "reason-message": ""}));
            payload["refusal-details"] = json!({"reasons": reasons.collect::<Vec<_>>()});
        }
        let claim = Claim {
            outcome: Some(if is_declined { Outcome::Declined } else { Outcome::Approved }),
            reason_codes: reason_codes.iter().map(|code| (*code).to_owned()).collect(),
            at: Some(at),
            reference: None,
            ..Claim::of(Provider::Treezor, &format!("identification:{session}"))
        };
        let envelope = json!({"webhook": "kycliveness.update", "object": "identification", "object_id": session});
        signed_by_treezor(&envelope, &payload, vec![claim])
    }

    /// A genuine webhook with this body, which need not be one that a provider would send.
    ///
    /// # Panics
    /// For Treezor, which signs a part of it.
    #[must_use]
    pub fn with_body(provider: Provider, body: &str) -> Self {
        match provider {
            Provider::Veriff => veriff("/veriff/decisions", body, Vec::new()),
            Provider::Incode => incode("onboarding-status", body, Vec::new()),
            Provider::Treezor => panic!("Treezor signs its payloads"),
            Provider::Wultra => Self::of_wultra(body.to_owned(), Vec::new()),
        }
    }

    /// A webhook of Treezor's around this payload, as it is written; these members stand before it.
    #[must_use]
    pub fn with_payload(members: &str, payload: &str) -> Self {
        Self::with_payload_signed_as(members, payload, payload)
    }

    /// The same with a payload that is signed in another form.
    #[must_use]
    pub fn with_payload_signed_as(members: &str, payload: &str, signed: &str) -> Self {
        let keys = credentials(Provider::Treezor);
        let signature = BASE64_STANDARD.encode(hmac(&keys["secrets"][0], signed.as_bytes()));
        let body = format!(r#"{{{members},"object_payload":{payload},"object_payload_signature":"{signature}"}}"#);
        let query = vec![("token".to_owned(), text(&keys["urlTokens"][0]).to_owned())];
        Self { query, ..Self::posted(Provider::Treezor, "/treezor", body, Vec::new()) }
    }

    /// A webhook of Treezor's as somebody sends it who has captured it: in another envelope, which isn't signed.
    ///
    /// # Panics
    /// If it isn't Treezor's.
    #[must_use]
    pub(crate) fn in_another_envelope(&self, members: &Value) -> Self {
        assert_eq!(self.provider, Provider::Treezor);
        let mut body: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&self.body).unwrap();
        for (name, value) in members.as_object().unwrap() {
            body.insert(name.clone(), serde_json::value::to_raw_value(value).unwrap());
        }
        Self { body: serde_json::to_vec(&body).unwrap(), ..self.clone() }
    }

    /// A login at Incode that passed or failed.
    #[must_use]
    pub fn login(session: &str, outcome: CheckOutcome, nonce: usize) -> Self {
        Self::authentication(session, Some(outcome == CheckOutcome::Passed), nonce)
    }

    /// A login at Incode; without a result, only the picture is there.
    #[must_use]
    pub fn authentication(session: &str, is_passed: Option<bool>, nonce: usize) -> Self {
        let mut body = json!({"interviewId": session, "customerId": reference(session), "transactionId": nonce});
        if let Some(is_passed) = is_passed {
            body["overallStatus"] = if is_passed { "PASS" } else { "FAIL" }.into();
        }
        let outcome = match is_passed {
            None => CheckOutcome::Captured,
            Some(true) => CheckOutcome::Passed,
            Some(false) => CheckOutcome::Failed,
        };
        let claim = Claim {
            stage: Some(Stage::Started),
            check: Some(("authentication".to_owned(), outcome)),
            reference: None,
            ..Claim::of(Provider::Incode, session)
        };
        incode("authentication", &body.to_string(), vec![claim])
    }

    /// One webhook of Treezor that decides the reviews of several users.
    #[must_use]
    pub fn decisions_of_users(sessions: &[&str], outcome: Outcome, at: Timestamp) -> Self {
        let reviews: Vec<_> = sessions.iter().map(|session| (*session, outcome, at)).collect();
        Self::reviews_of_users(&reviews, at)
    }

    /// One webhook of Treezor that tells of several reviews, of several users or the same.
    #[must_use]
    pub fn reviews_of_users(reviews: &[(&str, Outcome, Timestamp)], sent: Timestamp) -> Self {
        let said = |at| Said { at: Some(at), sent, tag: None };
        let users: Vec<Value> =
            reviews.iter().map(|(session, outcome, at)| user(session, review(*outcome), said(*at))).collect();
        let claims = reviews
            .iter()
            .map(|(session, outcome, at)| Claim { outcome: Some(*outcome), ..Claim::of_user_at(session, said(*at)) });
        treezor("user.kycreview", &users, sent, claims.collect())
    }

    /// The same webhook, proved with the first entries of other credentials.
    #[must_use]
    pub fn proved_by(self, keys: &Value) -> Self {
        let body = String::from_utf8(self.body).unwrap();
        let Self { query, headers, body, .. } = match self.provider {
            Provider::Veriff => veriff_with(keys, &self.path, &body, Vec::new()),
            Provider::Incode => incode_with(keys, &self.path, &body, Vec::new()),
            Provider::Treezor => {
                let mut envelope: Value = serde_json::from_str(&body).unwrap();
                let payload = envelope["object_payload"].take();
                signed_by_treezor_with(keys, &envelope, &payload, Vec::new())
            }
            Provider::Wultra => Self::of_wultra_with(keys, body, Vec::new()),
        };
        Self { query, headers, body, ..self }
    }

    /// Genuine, and nothing can be made of it.
    #[must_use]
    pub fn unreadable(provider: Provider) -> Self {
        Self::unreadable_saying(provider, "approved")
    }

    /// The same with a word in it, by which it can be told from others.
    #[must_use]
    pub fn unreadable_saying(provider: Provider, word: &str) -> Self {
        let broken = format!(r#"{{"verification":{{"status":"{word}""#);
        match provider {
            Provider::Veriff => veriff("/veriff/decisions", &broken, Vec::new()),
            Provider::Incode => incode("session-succeeded", &broken, Vec::new()),
            // What is signed has to be JSON: here a review of nobody.
            Provider::Treezor => {
                treezor("user.kycreview", &[json!({"kycReview": "2", "comment": word})], Timestamp::EPOCH, Vec::new())
            }
            Provider::Wultra => Self::of_wultra(broken, Vec::new()),
        }
    }

    /// What Veriff posts to a path. It claims nothing here, as for the two below.
    #[must_use]
    pub(crate) fn veriff_saying(path: &str, body: &Value) -> Self {
        veriff(path, &body.to_string(), Vec::new())
    }

    /// What Incode posts to one of its paths.
    #[must_use]
    pub(crate) fn incode_saying(kind: &str, body: &Value) -> Self {
        incode(kind, &body.to_string(), Vec::new())
    }

    /// What Wultra posts.
    #[must_use]
    pub(crate) fn wultra_saying(event: &str, session: &str, at: Timestamp, data: &Value) -> Self {
        wultra(event, session, at, data, Vec::new())
    }

    /// A signed payload of Treezor's, in an envelope with these members besides.
    #[must_use]
    pub(crate) fn treezor_saying(envelope: &Value, payload: &Value) -> Self {
        signed_by_treezor(envelope, payload, Vec::new())
    }

    fn of_wultra(body: String, claims: Vec<Claim>) -> Self {
        Self::of_wultra_with(credentials(Provider::Wultra), body, claims)
    }

    fn of_wultra_with(keys: &Value, body: String, claims: Vec<Claim>) -> Self {
        let login = &keys["basic"][0];
        let login = format!("{}:{}", text(&login["username"]), text(&login["password"]));
        let headers = vec![("authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(login)))];
        Self { headers, ..Self::posted(Provider::Wultra, "/wultra/process/event", body, claims) }
    }

    fn posted(provider: Provider, path: &str, body: String, claims: Vec<Claim>) -> Self {
        let body = body.into_bytes();
        Self { provider, path: path.to_owned(), query: Vec::new(), headers: Vec::new(), body, claims }
    }
}

impl Claim {
    /// What an answer of Incode's API says.
    pub(crate) fn of_answer(path: &str, session: &str, body: &str) -> Self {
        let body: Value = serde_json::from_str(body).unwrap();
        let nothing = Self { reference: None, ..Self::of(Provider::Incode, session) };
        let outcome = match body["overall"]["status"].as_str() {
            Some("OK") => Some(Outcome::Approved),
            Some("FAIL") => Some(Outcome::Declined),
            Some("WARN") => Some(Outcome::Review),
            _ => None,
        };
        if path == SCORE_PATH {
            return Self { outcome, ..nothing };
        }
        assert_eq!(body["onboardingStatus"], "FACE_VALIDATION_FINISHED", "that is no news");
        Self { stage: Some(Stage::Started), check: Some(("face".to_owned(), CheckOutcome::Captured)), ..nothing }
    }

    /// Nothing yet, of a session.
    fn of(provider: Provider, session: &str) -> Self {
        Self {
            session: format!("{provider}/{session}"),
            reference: Some(reference(session)),
            stage: None,
            outcome: None,
            reason_codes: Vec::new(),
            check: None,
            check_codes: Vec::new(),
            at: None,
            is_undated: false,
            attempt: None,
        }
    }

    /// Nothing yet, of a user's review at Treezor, which names no reference of ours.
    fn of_user(user: &str) -> Self {
        Self { reference: None, ..Self::of(Provider::Treezor, &format!("user:{user}")) }
    }

    /// The same, of a user of whom Treezor says as much.
    fn of_user_at(user: &str, said: Said<'_>) -> Self {
        Self {
            reference: said.tag.map(str::to_owned),
            at: said.at,
            is_undated: said.at.is_none(),
            ..Self::of_user(user)
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Our own name for the person: another for each session.
fn reference(session: &str) -> String {
    format!("customer-of-{session}")
}

fn hmac(key: &Value, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(text(key).as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn veriff(path: &str, body: &str, claims: Vec<Claim>) -> Webhook {
    veriff_with(credentials(Provider::Veriff), path, body, claims)
}

/// Hex HMAC-SHA256 over the body, in a header.
fn veriff_with(keys: &Value, path: &str, body: &str, claims: Vec<Claim>) -> Webhook {
    let digest = hmac(&keys["secrets"][0], body.as_bytes());
    let signature = digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let headers = vec![("x-hmac-signature".to_owned(), signature)];
    Webhook { headers, ..Webhook::posted(Provider::Veriff, path, body.to_owned(), claims) }
}

fn incode(kind: &str, body: &str, claims: Vec<Claim>) -> Webhook {
    incode_with(credentials(Provider::Incode), &format!("/incode/{kind}"), body, claims)
}

/// A static header.
fn incode_with(keys: &Value, path: &str, body: &str, claims: Vec<Claim>) -> Webhook {
    let secret = &keys["headers"]["x-incode-secret"][0];
    let headers = vec![("x-incode-secret".to_owned(), text(secret).to_owned())];
    Webhook { headers, ..Webhook::posted(Provider::Incode, path, body.to_owned(), claims) }
}

fn incode_body(session: &str, attempt: &str) -> String {
    json!({"interviewId": session, "clientId": "simulation", "flowId": attempt, "externalId": reference(session)})
        .to_string()
}

fn treezor(event: &str, users: &[Value], at: Timestamp, claims: Vec<Claim>) -> Webhook {
    let envelope = json!({
        "webhook": event,
        // Tenths of milliseconds.
        "webhook_created_at": at.unix_seconds() * 10_000,
        "object": "user",
        "object_id": users[0]["userId"],
    });
    signed_by_treezor(&envelope, &json!({"users": users}), claims)
}

fn signed_by_treezor(envelope: &Value, payload: &Value, claims: Vec<Claim>) -> Webhook {
    signed_by_treezor_with(credentials(Provider::Treezor), envelope, payload, claims)
}

/// Base64 HMAC-SHA256 over the payload, beside it; and the URL's token. What is written here is as PHP writes it.
fn signed_by_treezor_with(keys: &Value, envelope: &Value, payload: &Value, claims: Vec<Claim>) -> Webhook {
    let signature = BASE64_STANDARD.encode(hmac(&keys["secrets"][0], payload.to_string().as_bytes()));
    let mut body = envelope.clone();
    body["object_payload"] = payload.clone();
    body["object_payload_signature"] = signature.into();
    let query = vec![("token".to_owned(), text(&keys["urlTokens"][0]).to_owned())];
    Webhook { query, ..Webhook::posted(Provider::Treezor, "/treezor", body.to_string(), claims) }
}

fn user(id: &str, review: &str, said: Said<'_>) -> Value {
    json!({"userId": id, "userTag": said.tag.unwrap_or_default(), "kycReview": review, "kycLevel": "2",
        "codeStatus": "110009", "modifiedDate": local(said.at)})
}

/// Treezor's time has no zone and no fraction; it is UTC. A time that it doesn't know is written with zeros.
fn local(at: Option<Timestamp>) -> String {
    let at = at.map_or("0000-00-00 00:00:00".to_owned(), |at| at.to_string().replace('T', " "));
    at.chars().take("2026-06-13 00:00:00".len()).collect()
}

fn review(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Approved => "2",
        Outcome::Declined => "3",
        _ => "6",
    }
}

/// HTTP Basic; the envelope of Enrollment Server 2.2. An event's id is made of what it says, so that no two share one.
fn wultra(event: &str, session: &str, at: Timestamp, data: &Value, claims: Vec<Claim>) -> Webhook {
    let digest = hmac(&json!("ids"), format!("{event} {session} {at} {data}").as_bytes());
    let id = u64::from_be_bytes(digest[..8].try_into().unwrap());
    let body = json!({"id": format!("{id:016x}"), "timestamp": at, "type": event, "userId": reference(session),
        "externalUserId": null, "processId": session, "processType": "onboarding", "identityVerificationId": null,
        "eventData": data});
    Webhook::of_wultra(body.to_string(), claims)
}
