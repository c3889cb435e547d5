//! What does it mean? Treezor's payloads as session events: of users' reviews, and of identifications.

use super::{
    details,
    part::{OwnPart, Sent, Subjects},
    payload::{
        Document, Identification, Liveness, Payload, Person, Reason, Refusal, Shape, Unfamiliar, UserReview, Webhook,
        object_id,
    },
};
use crate::{
    delivery::Genuine,
    providers::provider::{Batch, Binding, Ignored, Part, Reading},
    reading::{
        details::{Allowed, Form, Remarks, codes, details, remark},
        facts::Facts,
        fields::{Id, MaybeText, document_check, event_id, reason as bounded_reason, usable},
        json::Json,
        times::{Time, are_blank},
        unreadable::Unreadable,
        word::{Word, shown_words},
    },
};
use std::{borrow::Cow, collections::BTreeMap, convert::Infallible};
use verdict_sessions::{
    Check, CheckOutcome, Decision, Detail, EventId, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent,
    SessionId, SessionKey, Stage, Subject, Timestamp,
};

/// Reads at most so many of a genuine webhook's subjects into session events, beginning with the one in the place
/// `first`. With the first of all, the others are looked at, too.
pub(super) fn read(genuine: &Genuine, first: usize, most: usize) -> Result<Batch, Unreadable> {
    let document = Json::parse_object(genuine.body())?;
    let sent = Sent::find(&document)?;
    let kept = sent.envelope()?;
    let webhook = Webhook::read(&kept, sent.payload)?;
    let Some(name) = Name::of(&webhook.name) else { return Ok(Batch::all(Reading::Nothing(Ignored::OtherFamily))) };
    let shape = Shape::of(webhook.object_payload)?;
    let subjects = Subjects::of(webhook.object_payload, shape)?;
    let speaks_of_another = speaks_of_another(&webhook, &subjects, shape)?;
    let envelope = Envelope {
        contradictions: contradictions(&webhook, &name, shape, speaks_of_another),
        created_at: webhook.created_at,
        former_fact: sent.former_fact()?,
        received_at: genuine.received_at(),
        readings: name.readings(shape),
        name,
    };
    let statement = |index| Statement::of(subjects.subject(index), shape, &envelope.name, webhook.object_id.clone());
    if first == 0 {
        subjects.distinct(0).try_for_each(|index| statement(index)?.session().map(drop))?;
    }
    let read = |index| {
        let id = object_id(subjects.subject(index), shape)?;
        let is_of_other = !speaks_of_another && id.is_some_and(|id| differ(webhook.object_id.as_ref(), &id));
        envelope.event(index, statement(index)?, OwnPart::of(&webhook, &subjects, index, is_of_other))
    };
    let mut places = subjects.distinct(first);
    let (events, parts): (Vec<_>, Vec<_>) =
        places.by_ref().take(most).map(read).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    if events.is_empty() {
        return Err(Unreadable::NoSessionId);
    }
    Ok(Batch { reading: Reading::Events { events, parts }, next: places.next() })
}

/// What all events of a webhook have in common.
struct Envelope {
    name: Name,
    /// The members around the payload that say otherwise than it, as an event shows them.
    contradictions: BTreeMap<String, String>,
    created_at: Time,
    /// The digest that the ids of the first release begin with.
    former_fact: String,
    received_at: Timestamp,
    /// The reading that the payload gets, and the one that it would get under another name.
    readings: (&'static str, Option<&'static str>),
}

impl Envelope {
    /// The event that a statement makes, and the part that it comes from.
    fn event(&self, index: usize, statement: Statement<'_>, part: OwnPart) -> Result<(SessionEvent, Part), Unreadable> {
        let session = statement.session()?;
        let Statement { kind, id, subject, when, facts, bound } = statement;
        let (reading, other_reading) = self.readings;
        let event_id = event_id(part.id(reading))?;
        let is_contradicted = !self.contradictions.is_empty();
        let occurred_at = when.occurred_at.or(self.created_at.at());
        let decided_at = when.shows_sending.then(|| self.shown_at(when.occurred_at)).flatten();
        let facts = Facts {
            name: self.name.shown.clone(),
            remark: if is_contradicted { Some(Remark::Inconsistent) } else { facts.remark.or(self.name.remark) },
            undated: when.is_undated,
            decision: facts
                .decision
                .map(|decision| Decision { decided_at: decided_at.filter(|at| Some(*at) != occurred_at), ..decision }),
            ..facts
        };
        let facts = facts
            .with_detail(self.name.detail.clone())
            .with_detail(self.contradictions.clone())
            .with_remarks(when.remarks.into_iter().chain(self.created_at.remark()));
        let part = Part {
            former_id: Some(self::event_id(format!("{}:{}", self.former_fact, index + 1))?),
            other_reading: other_reading.map(|reading| self::event_id(part.id(reading))).transpose()?,
            binding: bound.map(|bound| binding(&bound, id, &event_id)).transpose()?.flatten(),
            ..Part::whole(part.payload)
        };
        let event = SessionEvent {
            occurred_at,
            emitted_at: self.created_at.at(),
            subject,
            ..facts.event(event_id, session, kind, self.received_at)
        };
        Ok((event, part))
    }

    /// The time to show for a decision that comes with the time of something else: the later of that and of the
    /// webhook's, which isn't signed. Nothing is ordered by it.
    fn shown_at(&self, occurred_at: Option<Timestamp>) -> Option<Timestamp> {
        occurred_at.max(self.created_at.at()).map(|at| at.min(self.received_at))
    }
}

/// The binding of a part to the unsigned id that it came with: it is written down at the signed user's session, or at
/// one of the part's own if no user is signed.
fn binding(bound: &Bound<'_>, id: Option<Id<'_>>, event_id: &EventId) -> Result<Option<Binding>, Unreadable> {
    let user = bound.user.as_ref().and_then(|user| session_key(Kind::KycReview, Some(user)).ok());
    let session = match user {
        Some(session) => session,
        None => SessionKey {
            provider: Provider::Treezor,
            session_id: SessionId::new(format!("bound:{event_id}")).map_err(|_| Unreadable::NoSessionId)?,
        },
    };
    Ok(id.map(|id| Binding { session, object_id: id.text.into_owned() }))
}

/// An event's name. It isn't signed: if a payload says otherwise, the payload counts.
struct Name {
    /// As recorded.
    shown: String,
    /// The shape that its payload should have, if the family is known.
    shape: Option<Shape>,
    remark: Option<Remark>,
    detail: BTreeMap<String, String>,
}

impl Name {
    /// The name, or `None` if the event is about something other than identity verification.
    fn of(name: &Word<'_>) -> Option<Self> {
        const FAMILIES: [(&str, Shape, &[&str]); 6] = [
            ("user", Shape::Users, &["kycrequest", "kycreview"]),
            ("kycreview", Shape::Review, &["request", "result"]),
            ("document", Shape::Documents, &["create", "update", "cancel"]),
            ("kycliveness", Shape::Liveness, &["create", "update"]),
            ("qes", Shape::Identification, &["created", "processing", "aborted", "finalized"]),
            ("videoConference", Shape::Identification, &["created", "processing", "aborted", "finalized"]),
        ];
        let unrecognised =
            |shown, shape| Self { shown, shape, remark: Some(Remark::Unrecognised), detail: name.shown() };
        let Some(text) = name.text() else { return Some(unrecognised("unrecognised".into(), None)) };
        let (family, action) = text.split_once('.')?;
        let (_, shape, actions) = FAMILIES.into_iter().find(|(known, ..)| *known == family)?;
        if actions.contains(&action) {
            return Some(Self { shown: text.to_owned(), shape: Some(shape), remark: None, detail: BTreeMap::new() });
        }
        // Of a user's events, most are about something else.
        (family != "user").then(|| unrecognised(format!("{family}.unrecognised"), Some(shape)))
    }

    /// Which of the two that have one form an identification is. The name isn't signed, but only the name tells.
    fn identification(&self) -> Option<&'static str> {
        let is_of = |family| self.shown.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'));
        [("qes", "qes"), ("videoConference", "video")]
            .into_iter()
            .find(|(family, _)| is_of(*family))
            .map(|(_, kind)| kind)
    }

    /// The reading that a payload of a shape gets under this name, and the one that it would get under another name.
    /// Names that have it read the same way are one here: an event's id is made of this, and not of the name.
    fn readings(&self, shape: Shape) -> (&'static str, Option<&'static str>) {
        let one_of = |is_other: bool, one, other| if is_other { (other, Some(one)) } else { (one, Some(other)) };
        match shape {
            Shape::Users => one_of(self.is_user_request(), "review", "request"),
            Shape::Review => one_of(self.is_review_request(), "review", "request"),
            Shape::Documents => one_of(self.is_document_creation(), "document", "new_document"),
            Shape::Liveness => ("liveness", None),
            Shape::Identification => ("identification", None),
            Shape::Unfamiliar => ("unfamiliar", None),
        }
    }

    fn is_user_request(&self) -> bool {
        self.shown == "user.kycrequest"
    }

    fn is_review_request(&self) -> bool {
        self.shown == "kycreview.request"
    }

    fn is_document_creation(&self) -> bool {
        self.shown == "document.create"
    }

    /// Returns whether a payload is what the name says. An unknown one is no contradiction, only new.
    fn fits(&self, shape: Shape) -> bool {
        shape == Shape::Unfamiliar || self.shape.is_none_or(|promised| promised == shape)
    }
}

/// The members of the envelope, which isn't signed, that say otherwise than the payload.
fn contradictions(
    webhook: &Webhook<'_>,
    name: &Name,
    shape: Shape,
    speaks_of_another: bool,
) -> BTreeMap<String, String> {
    let names = if name.fits(shape) { BTreeMap::new() } else { webhook.name.shown() };
    let ids = if speaks_of_another { webhook.object_id_word.shown() } else { BTreeMap::new() };
    names.into_iter().chain(ids).collect()
}

/// Returns whether the envelope's `object_id`, which isn't signed, is none of the payload's. If it is one of them, it
/// isn't stored with the others' parts.
fn speaks_of_another(webhook: &Webhook<'_>, subjects: &Subjects<'_>, shape: Shape) -> Result<bool, Unreadable> {
    let mut has_ids = false;
    for index in 0..subjects.len() {
        if let Some(id) = object_id(subjects.subject(index), shape)? {
            has_ids = true;
            if !differ(webhook.object_id.as_ref(), &id) {
                return Ok(false);
            }
        }
    }
    Ok(has_ids)
}

/// Returns whether both ids are there and differ. In samples and logs ids are redacted with runs of X: those say
/// nothing.
fn differ(object_id: Option<&Id<'_>>, id: &Id<'_>) -> bool {
    let is_redacted = |text: &str| text.to_ascii_lowercase().contains("xx");
    object_id
        .is_some_and(|object_id| object_id.text != id.text && !is_redacted(&object_id.text) && !is_redacted(&id.text))
}

/// The session that a payload speaks of.
fn session_key(kind: Kind, id: Option<&Id<'_>>) -> Result<SessionKey, Unreadable> {
    let id = id.ok_or(Unreadable::NoSessionId)?;
    let of = if kind == Kind::KycReview { "user" } else { "identification" };
    let session_id = usable(id, |id| SessionId::new(format!("{of}:{id}")))?;
    Ok(SessionKey { provider: Provider::Treezor, session_id })
}

/// What a payload says of one session, and which session that is.
struct Statement<'a> {
    kind: Kind,
    id: Option<Id<'a>>,
    subject: Subject,
    when: When,
    facts: Facts,
    /// Set if the session's id comes from the envelope, which isn't signed.
    bound: Option<Bound<'a>>,
}

/// A statement of which the payload doesn't say what session it is about.
struct Bound<'a> {
    /// The user that the payload names.
    user: Option<Id<'a>>,
}

/// When what a payload says happened, by the payload.
#[derive(Default)]
struct When {
    occurred_at: Option<Timestamp>,
    /// Whether the payload prints its times, and leaves all of them blank.
    is_undated: bool,
    /// Whether the time is of something else than the decision: then the webhook's may be shown.
    shows_sending: bool,
    remarks: Remarks,
}

impl When {
    /// The first of a payload's times is the one that counts; it has no others.
    fn by(times: &[Time]) -> Self {
        let first = times.first();
        Self {
            occurred_at: first.and_then(|time| time.at()),
            is_undated: are_blank(times),
            remarks: first.and_then(|time| time.remark()).into_iter().collect(),
            ..Self::default()
        }
    }
}

impl<'a> Statement<'a> {
    /// A payload of some shape, about one subject.
    fn of(subject: &'a Json<'a>, shape: Shape, name: &Name, object_id: Option<Id<'a>>) -> Result<Self, Unreadable> {
        Ok(match Payload::read(subject, shape)? {
            Payload::User(user) => Self::of_user(user, name),
            Payload::Document(document) => return Self::of_document(document, name),
            Payload::Liveness(liveness) => Self::of_liveness(liveness, object_id),
            Payload::Identification(identification) => Self::of_identification(identification, name, object_id),
            Payload::Review(review) => Self::of_user_review(review, name),
            Payload::Unfamiliar(unfamiliar) => Self::of_unfamiliar(unfamiliar, name, object_id),
        })
    }

    /// The session that it is about.
    fn session(&self) -> Result<SessionKey, Unreadable> {
        session_key(self.kind, self.id.as_ref())
    }

    fn about_user(person: Person<'a>, facts: Facts) -> Self {
        Self {
            kind: Kind::KycReview,
            id: person.id,
            subject: person.subject,
            when: When::default(),
            facts: facts.with_remarks(person.remarks),
            bound: None,
        }
    }

    /// Identifications are inputs to a user's review and never decide it: each is a session of its own. If its id isn't
    /// signed, it is bound to the first that comes.
    fn about_identification(
        signed: Option<Id<'a>>,
        object_id: Option<Id<'a>>,
        person: Person<'a>,
        facts: Facts,
    ) -> Self {
        let about_user = Self::about_user(person, facts);
        let bound = signed.is_none().then(|| Bound { user: about_user.id.clone() });
        Self { kind: Kind::Identification, id: signed.or(object_id), bound, ..about_user }
    }

    /// `modifiedDate` tells when the user's data changed, which may be days before their review.
    fn of_user(user: UserReview<'a>, name: &Name) -> Self {
        let when = When { shows_sending: true, ..When::by(&[user.modified_at]) };
        Self { when, ..Self::of_review(user, name.is_user_request()) }
    }

    fn of_user_review(review: UserReview<'a>, name: &Name) -> Self {
        let is_request = name.is_review_request();
        let (requested, reviewed) = (review.requested_at, review.reviewed_at);
        let when = When::by(&if is_request { [requested, reviewed] } else { [reviewed, requested] });
        Self { when, ..Self::of_review(review, is_request) }
    }

    /// The number decides; the word beside it, if there is one, must not say otherwise. There is no reason code:
    /// one and the same review has another `codeStatus` in each of the two families that tell of it.
    fn of_review(review: UserReview<'a>, is_request: bool) -> Self {
        let (outcome, remark) = match review.kyc_review.text() {
            Some("2") => (Some(Outcome::Approved), None),
            Some("3") => (Some(Outcome::Declined), None),
            Some("1" | "6" | "7") => (Some(Outcome::Review), None),
            // None yet, and two that are deprecated.
            Some("0" | "4" | "5") => (None, None),
            _ => (None, Some(Remark::Unrecognised)),
        };
        let contradicted = match review.kyc_status.text() {
            Some("VALIDATED") => outcome != Some(Outcome::Approved),
            Some("REFUSED") => outcome != Some(Outcome::Declined),
            Some("PENDING") => outcome.is_some_and(Outcome::is_final),
            _ => false,
        };
        let (detail, remarks) = review_details(&review);
        let decision = outcome.filter(|_| !is_request && !contradicted).map(|outcome| Decision {
            reason: bounded_reason(&review.comment),
            detail,
            ..Decision::new(outcome)
        });
        let facts = Facts {
            stage: is_request.then_some(Stage::Submitted),
            decision,
            remark: if contradicted { Some(Remark::Inconsistent) } else { remark },
            remarks,
            detail: shown_words([&review.kyc_status, &review.kyc_level, &review.code]),
            ..Facts::default()
        };
        Self::about_user(review.person, facts.with_detail(review.kyc_review.shown()))
    }

    /// A document that was captured shows that the person has started.
    fn of_document(document: Document<'a>, name: &Name) -> Result<Self, Unreadable> {
        let when = when_of_document(&document, name.is_document_creation());
        let outcome = match document.status.text() {
            Some("PENDING") => Some(CheckOutcome::Pending),
            Some("VALIDATED") => Some(CheckOutcome::Passed),
            Some("REFUSED") => Some(CheckOutcome::Failed),
            Some("CANCELED") => Some(CheckOutcome::Cancelled),
            _ => None,
        };
        let (detail, more) = details(document.json, &details::DOCUMENT);
        let (reason_codes, remarks) = codes_of("codeStatus", [document.code.maybe_text()]);
        let check = |(id, outcome): (Id<'_>, CheckOutcome)| {
            let reason = bounded_reason(document.code.maybe_text());
            Ok((document_check(&usable(&id, Ok::<_, Infallible>)?), Check { outcome, reason, reason_codes, detail }))
        };
        let checks: BTreeMap<_, _> = document.id.zip(outcome).map(check).transpose()?.into_iter().collect();
        let shown_id = if checks.is_empty() { document.id_word.shown() } else { BTreeMap::new() };
        let facts = Facts {
            stage: Some(Stage::Started),
            remark: checks.is_empty().then_some(Remark::Unrecognised),
            checks,
            remarks,
            detail: document.status.shown(),
            ..Facts::default()
        };
        let facts = facts.with_detail(shown_id).with_remarks(more);
        Ok(Self { when, ..Self::about_user(document.person, facts) })
    }

    /// A liveness names itself nowhere in its payload, so the envelope's id is all there is.
    fn of_liveness(liveness: Liveness<'a>, object_id: Option<Id<'a>>) -> Self {
        let when = When::by(&[liveness.updated_at, liveness.started_at]);
        let (stage, outcome, remark) = match liveness.status.text() {
            Some("processing") => (Some(Stage::Submitted), None, None),
            Some("processed") => processed(&liveness.score, &liveness.refusal),
            _ => (None, None, Some(Remark::Unrecognised)),
        };
        let Refusal { reasons, .. } = &liveness.refusal;
        let (codes, remarks) = codes_of("refusal-details.reasons", reasons.iter().map(|reason| &reason.code));
        let messages: Vec<&str> = reasons.iter().filter_map(|reason| reason.message.as_deref()).collect();
        let decision = outcome.map(|outcome| {
            let messages = Some(Cow::<str>::Owned(messages.join("; "))).filter(|text| !text.is_empty());
            identified(outcome, codes, &messages, Some("liveness"))
        });
        let facts = Facts { stage, decision, remark, remarks, ..Facts::default() }
            .with_detail(shown_words([&liveness.score]))
            .with_detail(liveness.status.shown());
        let is_odd = remark.is_some();
        let facts = facts.with_detail(if is_odd { liveness.score.shown() } else { BTreeMap::new() });
        Self { when, ..Self::about_identification(None, object_id, liveness.person, facts) }
    }

    fn of_identification(identification: Identification<'a>, name: &Name, object_id: Option<Id<'a>>) -> Self {
        let Identification { transaction, person, result, reason, identified_at } = identification;
        let (stage, outcome, remark) = match result.text() {
            Some("STARTED" | "START") => (Some(Stage::Submitted), None, None),
            Some("CHECK_PENDING" | "REVIEW_PENDING" | "FRAUD_SUSPICION_PENDING") => (None, Some(Outcome::Review), None),
            Some("SUCCESS" | "SUCCESS_DATA_CHANGED" | "SUCCESS_DATA_CHANGE") => (None, Some(Outcome::Approved), None),
            Some("CANCELED" | "FRAUD_SUSPICION_CONFIRMED") => (None, Some(Outcome::Declined), None),
            Some("ABORTED") => (None, Some(Outcome::Abandoned), None),
            _ => (None, None, Some(Remark::Unrecognised)),
        };
        let (codes, remarks) = codes_of_identification(&result, &reason);
        let decision = outcome.map(|outcome| identified(outcome, codes, &reason.message, name.identification()));
        let facts = Facts { stage, decision, remark, remarks, detail: result.shown(), ..Facts::default() };
        let when = When::by(&[identified_at]);
        Self { when, ..Self::about_identification(transaction, object_id, person, facts) }
    }

    /// A payload that this version does not know is filed as its event's name says, if it holds an id.
    fn of_unfamiliar(unfamiliar: Unfamiliar<'a>, name: &Name, object_id: Option<Id<'a>>) -> Self {
        let Unfamiliar { person, transaction, shown } = unfamiliar;
        let facts = Facts::unrecognised(shown);
        match name.shape {
            Some(Shape::Liveness | Shape::Identification) => {
                Self::about_identification(transaction, object_id, person, facts)
            }
            _ => Self::about_user(person, facts),
        }
    }
}

/// A date that is blank is no detail, and not odd either.
fn review_details(review: &UserReview<'_>) -> (Detail, Remarks) {
    let is_blank = |member| Time::read(review.json, member).is_ok_and(Time::is_blank);
    let is_told = |(member, _, form): &Allowed| *form != Form::Time || !is_blank(*member);
    let allowed: Vec<_> = details::REVIEW.into_iter().filter(is_told).collect();
    details(review.json, &allowed)
}

/// A document without the time of a change counts from before everything of its user that has a time. That it was
/// created is told in French time: taken as if it were summer, that is never later than the truth.
fn when_of_document(document: &Document<'_>, is_created: bool) -> When {
    let when = When::by(&[document.modified_at]);
    if !is_created || when.occurred_at.is_some() {
        return when;
    }
    let mut remarks = when.remarks;
    document.created_at.remark().into_iter().for_each(|one| remark(&mut remarks, one));
    When { occurred_at: document.created_at.at(), remarks, ..when }
}

/// The meaning of a liveness that is processed: only a score of 1 approves; only a score of 0, or a refusal, declines.
fn processed(score: &Word<'_>, refusal: &Refusal<'_>) -> (Option<Stage>, Option<Outcome>, Option<Remark>) {
    match (whole(score), refusal.is_told) {
        (Some("1"), false) => (None, Some(Outcome::Approved), None),
        (Some("1"), true) => (None, Some(Outcome::Declined), Some(Remark::Inconsistent)),
        (Some("0"), _) => (None, Some(Outcome::Declined), None),
        (_, true) => (None, Some(Outcome::Declined), score.text().map(|_| Remark::Unrecognised)),
        // The person showed their face all the same.
        (_, false) => (Some(Stage::Started), None, Some(Remark::Unrecognised)),
    }
}

/// A score without its fraction, if that is nought. It comes as a number or as its text.
fn whole<'w>(score: &'w Word<'_>) -> Option<&'w str> {
    let text = score.text()?.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|digit| digit == b'0').then_some(whole)
}

/// The decision of an identification.
fn identified(
    outcome: Outcome,
    codes: Vec<ReasonCode>,
    message: &MaybeText<'_>,
    identification: Option<&str>,
) -> Decision {
    let mut detail = Detail::empty();
    if let Some(identification) = identification {
        let _ = detail.insert(details::IDENTIFICATION, identification);
    }
    Decision { reason: bounded_reason(message), detail, ..Decision::new(outcome).with_codes(codes) }
}

/// The codes of an identification's reasons. A success with other data than the user declared is a reason by itself. If
/// the code is blank and the message looks like one, the message is the code.
fn codes_of_identification(result: &Word<'_>, reason: &Reason<'_>) -> (Vec<ReasonCode>, Remarks) {
    let is_changed = |text: &Cow<'_, str>| text.starts_with("SUCCESS_DATA_CHANGE");
    let changed = result.maybe_text().clone().filter(is_changed);
    let message = || reason.message.clone().filter(|text| ReasonCode::new(text).is_some());
    let code = reason.code.clone().or_else(message);
    codes("reasonCode", [changed, code].into_iter().flatten().map(Some))
}

/// The codes among some texts; what is blank is left out without a remark.
fn codes_of<'t>(member: &str, texts: impl IntoIterator<Item = &'t MaybeText<'t>>) -> (Vec<ReasonCode>, Remarks) {
    codes(member, texts.into_iter().flatten().map(|text| Some(Cow::Borrowed(&**text))))
}
