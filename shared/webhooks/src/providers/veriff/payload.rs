//! What does it say? Veriff's families, told apart by their members.

use crate::reading::{
    fields::{Id, MaybeJson, MaybeText, id, maybe_json, maybe_text, path},
    json::Json,
    minimise::minimise_unbounded,
    times::Time,
    unreadable::Unreadable,
};
use std::borrow::Cow;

/// A webhook of one of Veriff's families.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    pub(super) envelope: Envelope<'a>,
    pub(super) family: Family<'a>,
}

/// What every family tells, each in its own place.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) session: Option<Id<'a>>,
    pub(super) attempt: Option<Id<'a>>,
    /// Events have none.
    pub(super) time: Option<Time>,
    pub(super) vendor_data: MaybeJson<'a>,
    pub(super) end_user_id: MaybeJson<'a>,
}

#[derive(Debug)]
pub(super) enum Family<'a> {
    Event {
        code: MaybeJson<'a>,
        action: MaybeJson<'a>,
        address_id: MaybeText<'a>,
        context: Option<Context<'a>>,
        json: &'a Json<'a>,
    },
    Decision {
        verification: Verification<'a>,
        /// The spelling, which takes part in the event's identity.
        time: MaybeText<'a>,
    },
    Watchlist {
        match_status: MaybeJson<'a>,
        check_type: MaybeJson<'a>,
        json: &'a Json<'a>,
    },
    UserStatus {
        status_code: MaybeJson<'a>,
        reason: MaybeText<'a>,
        json: &'a Json<'a>,
    },
    FullAuto {
        verification: Verification<'a>,
        /// A decision that is there, and `null`.
        is_undecided: bool,
        score: MaybeJson<'a>,
    },
    Registry(Registry<'a>),
    /// The members that say what it is.
    Unfamiliar(Vec<(&'static str, &'a Json<'a>)>),
}

/// The members of a decision.
#[derive(Debug)]
pub(super) struct Verification<'a> {
    /// The member with the word that decides.
    pub(super) member: &'static str,
    pub(super) status: MaybeJson<'a>,
    pub(super) code: MaybeText<'a>,
    pub(super) reason: MaybeText<'a>,
    pub(super) reason_code: MaybeJson<'a>,
    /// All of it, for the details.
    pub(super) json: &'a Json<'a>,
}

/// The reason why an end user stopped, and the step. Both are open sets and come in any combination.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) reason: MaybeText<'a>,
    pub(super) state: MaybeText<'a>,
    /// All of it, since it takes part in the event's identity.
    pub(super) json: &'a Json<'a>,
}

/// What a state registry answered.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    pub(super) name: &'static str,
    pub(super) code: MaybeText<'a>,
    pub(super) status: MaybeText<'a>,
    pub(super) active: Option<bool>,
    /// All of the answer, for the details.
    pub(super) data: &'a Json<'a>,
}

impl<'a> Payload<'a> {
    /// Reads a document; `None` for `verification: null`, which says that nothing is decided yet.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(document: &'a Json<'a>) -> Result<Option<Self>, Unreadable> {
        if let Some(verification @ Json::Object(_)) = document.member("verification")? {
            return decision(verification).map(Some);
        }
        // The answer of Veriff's API wraps what its webhook sends bare.
        if let Some(data) = document.member("data")?
            && data.has("checkType")?
        {
            return watchlist(data).map(Some);
        }
        if let Some(event_type) = maybe_text(document, "eventType")? {
            return match &*event_type {
                "user-status.created" => user_status(document),
                "fullauto" => full_auto(document),
                "ine_registry" => registry(document, "ine", "sessionId"),
                "combined-ine-curp-registry" => registry(document, "ine_curp", "sessionId"),
                _ => unfamiliar(document),
            }
            .map(Some);
        }
        if maybe_text(document, "type")?.as_deref() == Some("curp_registry") {
            registry(document, "curp", "id").map(Some)
        } else if document.has("checkType")? && document.has("matchStatus")? {
            watchlist(document).map(Some)
        } else if document.has("action")? && document.has("code")? {
            event(document).map(Some)
        } else if document.has("verification")? && document.member("verification")?.is_none() {
            Ok(None)
        } else {
            unfamiliar(document).map(Some)
        }
    }
}

fn decision<'a>(json: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    const TIME: &str = "decisionTime";
    let envelope = envelope(json, id(json, "id")?, id(json, "attemptId")?, Some(Time::read(json, TIME)?))?;
    let verification = Verification {
        member: "status",
        status: maybe_json(json, "status")?,
        code: code(json)?,
        reason: maybe_text(json, "reason")?,
        reason_code: maybe_json(json, "reasonCode")?,
        json,
    };
    Ok(Payload { envelope, family: Family::Decision { verification, time: maybe_text(json, TIME)? } })
}

/// A decision's code. One that is neither text nor number must not pass for a missing one, which contradicts nothing.
fn code<'a>(verification: &'a Json<'a>) -> Result<MaybeText<'a>, Unreadable> {
    match verification.member("code")? {
        Some(json) if json.text().is_none() => Ok(Some(Cow::Owned(minimise_unbounded(json)))),
        _ => maybe_text(verification, "code"),
    }
}

fn event<'a>(json: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let envelope = envelope(json, id(json, "id")?, id(json, "attemptId")?, None)?;
    let context = match json.member("context")? {
        None => None,
        Some(json) => Some(Context { reason: maybe_text(json, "reason")?, state: maybe_text(json, "state")?, json }),
    };
    let family = Family::Event {
        code: maybe_json(json, "code")?,
        action: maybe_json(json, "action")?,
        address_id: maybe_text(json, "addressId")?,
        context,
        json,
    };
    Ok(Payload { envelope, family })
}

/// A watchlist's result. Old ones have no `sessionId`, and are filed under their attempt.
fn watchlist<'a>(json: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let attempt = id(json, "attemptId")?;
    let session = id(json, "sessionId")?.or_else(|| attempt.clone());
    let envelope = envelope(json, session, attempt, Some(Time::read(json, "createdAt")?))?;
    let family = Family::Watchlist {
        match_status: maybe_json(json, "matchStatus")?,
        check_type: maybe_json(json, "checkType")?,
        json,
    };
    Ok(Payload { envelope, family })
}

/// A status that a customer's own reviewers set. Only its `sessionId` names the session: `data.verification.id` is, in
/// Veriff's own sample, neither the session nor the attempt.
fn user_status<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let json = path(document, &["data", "verification", "userDefinedData"])?.unwrap_or(&Json::Null);
    let family =
        Family::UserStatus { status_code: maybe_json(json, "statusCode")?, reason: maybe_text(json, "reason")?, json };
    let attempt = id(document, "attemptId")?;
    let envelope = envelope(document, id(document, "sessionId")?, attempt, Some(Time::read(document, "time")?))?;
    Ok(Payload { envelope, family })
}

/// Full Auto's decision: a plain word, or an object with the word in `value`.
fn full_auto<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let json = path(document, &["data", "verification"])?.unwrap_or(&Json::Null);
    let (holder, member) = match json.member("decision")? {
        Some(wrapped @ Json::Object(_)) => (wrapped, "value"),
        _ => (json, "decision"),
    };
    let verification = Verification {
        member: "decision",
        status: maybe_json(holder, member)?,
        code: None,
        reason: maybe_text(json, "reason")?,
        reason_code: maybe_json(json, "reasonCode")?,
        json,
    };
    let is_undecided = holder.has(member)? && holder.member(member)?.is_none();
    let family = Family::FullAuto { verification, is_undecided, score: maybe_json(json, "decisionScore")? };
    Ok(Payload { envelope: typed(document)?, family })
}

fn registry<'a>(document: &'a Json<'a>, name: &'static str, session: &'static str) -> Result<Payload<'a>, Unreadable> {
    let data = document.member("data")?.unwrap_or(&Json::Null);
    let attempt = match id(document, "attemptId")? {
        None => id(data, "attemptId")?,
        attempt => attempt,
    };
    let envelope = envelope(document, id(document, session)?, attempt, Some(Time::read(document, "time")?))?;
    let active = match path(data, &["details", "active"])? {
        Some(Json::Bool(active)) => Some(*active),
        _ => None,
    };
    let registry =
        Registry { name, code: maybe_text(data, "code")?, status: maybe_text(data, "status")?, active, data };
    Ok(Payload { envelope, family: Family::Registry(registry) })
}

/// A family that this version does not know is filed under the session that it names, if it does.
fn unfamiliar<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    const SHOWN: [&str; 6] = ["eventType", "type", "checkType", "feature", "code", "action"];
    let mut envelope = typed(document)?;
    if envelope.session.is_none() {
        envelope.session = id(document, "id")?;
    }
    let shown = SHOWN.iter().filter_map(|name| Some((*name, document.member(name).ok()??)));
    Ok(Payload { envelope, family: Family::Unfamiliar(shown.collect()) })
}

/// The envelope that the families with an `eventType` share.
fn typed<'a>(document: &'a Json<'a>) -> Result<Envelope<'a>, Unreadable> {
    let session = match id(document, "sessionId")? {
        None => path(document, &["data", "verification"])?.map_or(Ok(None), |verification| id(verification, "id"))?,
        session => session,
    };
    envelope(document, session, id(document, "attemptId")?, Some(Time::read(document, "time")?))
}

fn envelope<'a>(
    object: &'a Json<'a>,
    session: Option<Id<'a>>,
    attempt: Option<Id<'a>>,
    time: Option<Time>,
) -> Result<Envelope<'a>, Unreadable> {
    let (vendor_data, end_user_id) = (maybe_json(object, "vendorData")?, maybe_json(object, "endUserId")?);
    Ok(Envelope { session, attempt, time, vendor_data, end_user_id })
}
