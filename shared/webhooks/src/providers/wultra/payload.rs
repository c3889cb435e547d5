//! What does it say? One envelope, and `eventData` in the shape of the event's type.

use crate::reading::{
    fields::{Id, MaybeText, id, maybe_text, path},
    json::Json,
    unreadable::Unreadable,
};

/// A webhook of Wultra's.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    pub(super) envelope: Envelope<'a>,
    pub(super) event: Event<'a>,
}

/// The members that every event has.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// Missing before release 2.2.0, as `timestamp` is.
    pub(super) id: Option<Id<'a>>,
    pub(super) timestamp: MaybeText<'a>,
    pub(super) user_id: MaybeText<'a>,
    pub(super) external_user_id: MaybeText<'a>,
    pub(super) process_id: Option<Id<'a>>,
    pub(super) process_type: MaybeText<'a>,
    pub(super) identity_verification_id: MaybeText<'a>,
}

#[derive(Debug)]
pub(super) enum Event<'a> {
    DocumentVerificationFinished {
        id: MaybeText<'a>,
        result: CheckResult<'a>,
    },
    FinalDocumentVerificationFinished(CheckResult<'a>),
    PresenceCheckFinished(CheckResult<'a>),
    ProcessFinished {
        status: MaybeText<'a>,
        error_detail: MaybeText<'a>,
    },
    /// Up to release 2.1, and only for processes that succeeded: its type says it all.
    Finished,
    /// A known type whose `eventData` lacks what the type promises.
    Bare {
        name: &'static str,
    },
    Unfamiliar {
        event_type: MaybeText<'a>,
    },
}

/// The members that the three checks have in common. `score` isn't among them: it is 10 for a rejected person too.
#[derive(Debug)]
pub(super) struct CheckResult<'a> {
    pub(super) status: MaybeText<'a>,
    pub(super) reject_reason: MaybeText<'a>,
    pub(super) error_detail: MaybeText<'a>,
    pub(super) provider: MaybeText<'a>,
}

impl<'a> Payload<'a> {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(document: &'a Json<'a>) -> Result<Self, Unreadable> {
        let envelope = Envelope {
            id: id(document, "id")?,
            timestamp: maybe_text(document, "timestamp")?,
            user_id: maybe_text(document, "userId")?,
            external_user_id: maybe_text(document, "externalUserId")?,
            process_id: id(document, "processId")?,
            process_type: maybe_text(document, "processType")?,
            identity_verification_id: maybe_text(document, "identityVerificationId")?,
        };
        Ok(Self { envelope, event: event(document)? })
    }
}

fn event<'a>(document: &'a Json<'a>) -> Result<Event<'a>, Unreadable> {
    let event_type = maybe_text(document, "type")?;
    let promised = |member| Ok(path(document, &["eventData", member])?.filter(|json| matches!(json, Json::Object(_))));
    let process = |json| {
        Ok(Event::ProcessFinished {
            status: maybe_text(json, "status")?,
            error_detail: maybe_text(json, "errorDetail")?,
        })
    };
    Ok(match event_type.as_deref() {
        Some("DOCUMENT_VERIFICATION_FINISHED") => match promised("documentVerification")? {
            Some(json) => Event::DocumentVerificationFinished { id: document_id(json)?, result: check_result(json)? },
            None => Event::Bare { name: "document_verification_finished" },
        },
        Some("FINAL_DOCUMENT_VERIFICATION_FINISHED") => match promised("finalDocumentVerification")? {
            Some(json) => Event::FinalDocumentVerificationFinished(check_result(json)?),
            None => Event::Bare { name: "final_document_verification_finished" },
        },
        Some("PRESENCE_CHECK_FINISHED") => match promised("presenceCheck")? {
            Some(json) => Event::PresenceCheckFinished(check_result(json)?),
            None => Event::Bare { name: "presence_check_finished" },
        },
        Some("PROCESS_FINISHED") => match promised("process")? {
            Some(json) => process(json)?,
            None => Event::Bare { name: "process_finished" },
        },
        // One that speaks of its process has to say that it succeeded.
        Some("FINISHED") => promised("process")?.map_or(Ok(Event::Finished), process)?,
        _ => Event::Unfamiliar { event_type },
    })
}

/// The document, or at least this verification of it.
fn document_id<'a>(verification: &'a Json<'a>) -> Result<MaybeText<'a>, Unreadable> {
    match maybe_text(verification, "documentId")? {
        None => maybe_text(verification, "documentVerificationId"),
        document_id => Ok(document_id),
    }
}

fn check_result<'a>(json: &'a Json<'a>) -> Result<CheckResult<'a>, Unreadable> {
    Ok(CheckResult {
        status: maybe_text(json, "status")?,
        reject_reason: maybe_text(json, "rejectReason")?,
        error_detail: maybe_text(json, "errorDetail")?,
        provider: maybe_text(json, "provider")?,
    })
}
