//! What does it say? Veriff's families, told apart by their members.

use crate::reading::{
    fields::{Id, MaybeText, id, maybe_text, path},
    json::Json,
    minimise::minimise_unbounded,
    unreadable::Unreadable,
};
use std::borrow::Cow;

/// A webhook of one of Veriff's families.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    pub(super) envelope: Envelope<'a>,
    pub(super) family: Family<'a>,
}

/// The members that every family has, each in its own place.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) session: Option<Id<'a>>,
    pub(super) attempt: Option<Id<'a>>,
    pub(super) time: MaybeText<'a>,
    pub(super) vendor_data: MaybeText<'a>,
    pub(super) end_user_id: MaybeText<'a>,
}

#[derive(Debug)]
pub(super) enum Family<'a> {
    Event { code: MaybeText<'a>, action: MaybeText<'a>, address_id: MaybeText<'a>, context: Option<Context<'a>> },
    Decision { status: MaybeText<'a>, code: MaybeText<'a>, reason: MaybeText<'a>, reason_code: MaybeText<'a> },
    Watchlist { match_status: MaybeText<'a>, check_type: MaybeText<'a> },
    UserStatus { status_code: MaybeText<'a> },
    FullAuto { decision: MaybeText<'a>, score: MaybeText<'a> },
    Registry(Registry<'a>),
    Unfamiliar { event_type: MaybeText<'a> },
}

/// The reason why an end user stopped, and the step. Both are open sets and come in any combination.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) reason: MaybeText<'a>,
    pub(super) state: MaybeText<'a>,
    /// All of it, because the event's id is made of it.
    pub(super) json: &'a Json<'a>,
}

/// The answer of a state registry.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    pub(super) name: &'static str,
    pub(super) code: MaybeText<'a>,
    pub(super) status: MaybeText<'a>,
    pub(super) active: Option<bool>,
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

fn decision<'a>(verification: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let envelope = Envelope {
        session: id(verification, "id")?,
        attempt: id(verification, "attemptId")?,
        time: maybe_text(verification, "decisionTime")?,
        ..subject(verification)?
    };
    let family = Family::Decision {
        status: maybe_text(verification, "status")?,
        code: code(verification)?,
        reason: maybe_text(verification, "reason")?,
        reason_code: maybe_text(verification, "reasonCode")?,
    };
    Ok(Payload { envelope, family })
}

/// A decision's code. One that is neither text nor number must not pass for a missing one, which contradicts nothing.
fn code<'a>(verification: &'a Json<'a>) -> Result<MaybeText<'a>, Unreadable> {
    match verification.member("code")? {
        Some(json) if json.text().is_none() => Ok(Some(Cow::Owned(minimise_unbounded(json)))),
        _ => maybe_text(verification, "code"),
    }
}

fn event<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let envelope = Envelope { session: id(document, "id")?, attempt: id(document, "attemptId")?, ..subject(document)? };
    let context = match document.member("context")? {
        None => None,
        Some(json) => Some(Context { reason: maybe_text(json, "reason")?, state: maybe_text(json, "state")?, json }),
    };
    let family = Family::Event {
        code: maybe_text(document, "code")?,
        action: maybe_text(document, "action")?,
        address_id: maybe_text(document, "addressId")?,
        context,
    };
    Ok(Payload { envelope, family })
}

/// A watchlist's result. Old ones have no `sessionId`, and are filed under their attempt.
fn watchlist<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let session = match id(document, "sessionId")? {
        None => id(document, "attemptId")?,
        session => session,
    };
    let envelope = Envelope {
        session,
        attempt: id(document, "attemptId")?,
        time: maybe_text(document, "createdAt")?,
        ..subject(document)?
    };
    let family = Family::Watchlist {
        match_status: maybe_text(document, "matchStatus")?,
        check_type: maybe_text(document, "checkType")?,
    };
    Ok(Payload { envelope, family })
}

fn user_status<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let defined = path(document, &["data", "verification", "userDefinedData"])?;
    let family = Family::UserStatus { status_code: defined.map_or(Ok(None), |data| maybe_text(data, "statusCode"))? };
    Ok(Payload { envelope: typed(document)?, family })
}

fn full_auto<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let verification = path(document, &["data", "verification"])?;
    let decision = path(document, &["data", "verification", "decision"])?;
    let family = Family::FullAuto {
        decision: decision.map_or(Ok(None), |decision| maybe_text(decision, "value"))?,
        score: verification.map_or(Ok(None), |verification| maybe_text(verification, "decisionScore"))?,
    };
    Ok(Payload { envelope: typed(document)?, family })
}

fn registry<'a>(document: &'a Json<'a>, name: &'static str, session: &'static str) -> Result<Payload<'a>, Unreadable> {
    let data = document.member("data")?.unwrap_or(&Json::Null);
    let attempt = match id(document, "attemptId")? {
        None => id(data, "attemptId")?,
        attempt => attempt,
    };
    let envelope = Envelope {
        session: id(document, session)?,
        attempt,
        time: maybe_text(document, "time")?,
        ..subject(document)?
    };
    let active = match path(data, &["details", "active"])? {
        Some(Json::Bool(active)) => Some(*active),
        _ => None,
    };
    let registry = Registry { name, code: maybe_text(data, "code")?, status: maybe_text(data, "status")?, active };
    Ok(Payload { envelope, family: Family::Registry(registry) })
}

/// A family that this version does not know is filed under the session that it names, if it does.
fn unfamiliar<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let mut envelope = typed(document)?;
    if envelope.session.is_none() {
        envelope.session = id(document, "id")?;
    }
    Ok(Payload { envelope, family: Family::Unfamiliar { event_type: maybe_text(document, "eventType")? } })
}

/// The envelope that the families with an `eventType` share.
fn typed<'a>(document: &'a Json<'a>) -> Result<Envelope<'a>, Unreadable> {
    let session = match id(document, "sessionId")? {
        None => path(document, &["data", "verification"])?.map_or(Ok(None), |verification| id(verification, "id"))?,
        session => session,
    };
    Ok(Envelope {
        session,
        attempt: id(document, "attemptId")?,
        time: maybe_text(document, "time")?,
        ..subject(document)?
    })
}

fn subject<'a>(object: &'a Json<'a>) -> Result<Envelope<'a>, Unreadable> {
    Ok(Envelope {
        vendor_data: maybe_text(object, "vendorData")?,
        end_user_id: maybe_text(object, "endUserId")?,
        ..Envelope::default()
    })
}
