//! What does it say? Veriff's families, told apart by their members.

use crate::reading::{
    fields::{Id, Scalar, id, path, scalar},
    json::Json,
    minimise::compact,
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
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) session: Option<Id<'a>>,
    pub(super) attempt: Option<Id<'a>>,
    pub(super) time: Scalar<'a>,
    pub(super) vendor_data: Scalar<'a>,
    pub(super) end_user_id: Scalar<'a>,
}

#[derive(Debug)]
pub(super) enum Family<'a> {
    Event { code: Scalar<'a>, action: Scalar<'a>, address_id: Scalar<'a>, context: Option<Context<'a>> },
    Decision { status: Scalar<'a>, code: Scalar<'a>, reason: Scalar<'a>, reason_code: Scalar<'a> },
    Watchlist { match_status: Scalar<'a>, check_type: Scalar<'a> },
    UserStatus { status_code: Scalar<'a> },
    FullAuto { decision: Scalar<'a>, score: Scalar<'a> },
    Registry(Registry<'a>),
    Unfamiliar { event_type: Scalar<'a> },
}

/// Why an end user stopped where. Both are open sets and come in any combination.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) reason: Scalar<'a>,
    pub(super) state: Scalar<'a>,
    /// All of it, since it takes part in the event's identity.
    pub(super) json: &'a Json<'a>,
}

/// What a state registry answered.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    pub(super) name: &'static str,
    pub(super) code: Scalar<'a>,
    pub(super) status: Scalar<'a>,
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
        if let Some(event_type) = scalar(document, "eventType")? {
            return match &*event_type {
                "user-status.created" => user_status(document),
                "fullauto" => full_auto(document),
                "ine_registry" => registry(document, "ine", "sessionId"),
                "combined-ine-curp-registry" => registry(document, "ine_curp", "sessionId"),
                _ => unfamiliar(document),
            }
            .map(Some);
        }
        if scalar(document, "type")?.as_deref() == Some("curp_registry") {
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
        time: scalar(verification, "decisionTime")?,
        ..subject(verification)?
    };
    let family = Family::Decision {
        status: scalar(verification, "status")?,
        code: code(verification)?,
        reason: scalar(verification, "reason")?,
        reason_code: scalar(verification, "reasonCode")?,
    };
    Ok(Payload { envelope, family })
}

/// A decision's code. One that is neither text nor number must not pass for a missing one, which contradicts nothing.
fn code<'a>(verification: &'a Json<'a>) -> Result<Scalar<'a>, Unreadable> {
    match verification.member("code")? {
        Some(json) if json.scalar().is_none() => Ok(Some(Cow::Owned(compact(json)))),
        _ => scalar(verification, "code"),
    }
}

fn event<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let envelope = Envelope { session: id(document, "id")?, attempt: id(document, "attemptId")?, ..subject(document)? };
    let context = match document.member("context")? {
        None => None,
        Some(json) => Some(Context { reason: scalar(json, "reason")?, state: scalar(json, "state")?, json }),
    };
    let family = Family::Event {
        code: scalar(document, "code")?,
        action: scalar(document, "action")?,
        address_id: scalar(document, "addressId")?,
        context,
    };
    Ok(Payload { envelope, family })
}

/// Old ones have no `sessionId`; there the attempt is all there is to file them under.
fn watchlist<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let session = match id(document, "sessionId")? {
        None => id(document, "attemptId")?,
        session => session,
    };
    let envelope = Envelope {
        session,
        attempt: id(document, "attemptId")?,
        time: scalar(document, "createdAt")?,
        ..subject(document)?
    };
    let family = Family::Watchlist {
        match_status: scalar(document, "matchStatus")?,
        check_type: scalar(document, "checkType")?,
    };
    Ok(Payload { envelope, family })
}

fn user_status<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let defined = path(document, &["data", "verification", "userDefinedData"])?;
    let family = Family::UserStatus { status_code: defined.map_or(Ok(None), |data| scalar(data, "statusCode"))? };
    Ok(Payload { envelope: typed(document)?, family })
}

fn full_auto<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let verification = path(document, &["data", "verification"])?;
    let decision = path(document, &["data", "verification", "decision"])?;
    let family = Family::FullAuto {
        decision: decision.map_or(Ok(None), |decision| scalar(decision, "value"))?,
        score: verification.map_or(Ok(None), |verification| scalar(verification, "decisionScore"))?,
    };
    Ok(Payload { envelope: typed(document)?, family })
}

fn registry<'a>(document: &'a Json<'a>, name: &'static str, session: &'static str) -> Result<Payload<'a>, Unreadable> {
    let data = document.member("data")?.unwrap_or(&Json::Null);
    let attempt = match id(document, "attemptId")? {
        None => id(data, "attemptId")?,
        attempt => attempt,
    };
    let envelope =
        Envelope { session: id(document, session)?, attempt, time: scalar(document, "time")?, ..subject(document)? };
    let active = match path(data, &["details", "active"])? {
        Some(Json::Bool(active)) => Some(*active),
        _ => None,
    };
    let registry = Registry { name, code: scalar(data, "code")?, status: scalar(data, "status")?, active };
    Ok(Payload { envelope, family: Family::Registry(registry) })
}

/// A family that this version does not know is filed under the session that it names, if it does.
fn unfamiliar<'a>(document: &'a Json<'a>) -> Result<Payload<'a>, Unreadable> {
    let mut envelope = typed(document)?;
    if envelope.session.is_none() {
        envelope.session = id(document, "id")?;
    }
    Ok(Payload { envelope, family: Family::Unfamiliar { event_type: scalar(document, "eventType")? } })
}

/// The envelope that the families with an `eventType` share.
fn typed<'a>(document: &'a Json<'a>) -> Result<Envelope<'a>, Unreadable> {
    let session = match id(document, "sessionId")? {
        None => path(document, &["data", "verification"])?.map_or(Ok(None), |verification| id(verification, "id"))?,
        session => session,
    };
    Ok(Envelope { session, attempt: id(document, "attemptId")?, time: scalar(document, "time")?, ..subject(document)? })
}

fn subject<'a>(object: &'a Json<'a>) -> Result<Envelope<'a>, Unreadable> {
    Ok(Envelope {
        vendor_data: scalar(object, "vendorData")?,
        end_user_id: scalar(object, "endUserId")?,
        ..Envelope::default()
    })
}
