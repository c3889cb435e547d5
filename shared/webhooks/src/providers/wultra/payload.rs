//! What does it say? One envelope, and `eventData` in the shape of the event's type.

use crate::reading::{
    details::{Remarks, shown},
    fields::{Id, MaybeText, id, maybe_text, path, subject},
    json::Json,
    times::Time,
    unreadable::Unreadable,
    word::Word,
};
use std::collections::BTreeMap;
use verdict_sessions::Subject;

/// A webhook of Wultra's.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    pub(super) envelope: Envelope<'a>,
    pub(super) event: Event<'a>,
}

/// What every event tells.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// Missing before release 2.2.0, as `timestamp` is.
    pub(super) id: Option<Id<'a>>,
    pub(super) timestamp: Time,
    pub(super) subject: Subject,
    /// What was left out of the subject.
    pub(super) remarks: Remarks,
    pub(super) process_id: Option<Id<'a>>,
    pub(super) process_type: Word<'a>,
    pub(super) identity_verification_id: Word<'a>,
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
        status: Word<'a>,
        error_detail: MaybeText<'a>,
    },
    /// Up to release 2.1, and only for processes that succeeded: its type says it all.
    Finished,
    /// A known type whose `eventData` lacks what the type promises.
    Bare {
        name: &'static str,
        /// What stands in its place, as an event shows it.
        shown: BTreeMap<String, String>,
        /// Whether the type tells of something that the person did.
        is_check: bool,
    },
    Unfamiliar {
        event_type: Word<'a>,
    },
}

/// The members that the three checks have in common.
#[derive(Debug)]
pub(super) struct CheckResult<'a> {
    /// All of it, for its details.
    pub(super) json: &'a Json<'a>,
    pub(super) status: Word<'a>,
    pub(super) reject_reason: MaybeText<'a>,
    pub(super) error_detail: MaybeText<'a>,
    pub(super) provider: Word<'a>,
}

impl<'a> Payload<'a> {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(document: &'a Json<'a>) -> Result<Self, Unreadable> {
        let (user, external) = (document.member("userId")?, document.member("externalUserId")?);
        let (subject, remarks) = subject(("userId", user), ("externalUserId", external));
        let envelope = Envelope {
            id: id(document, "id")?,
            timestamp: Time::read(document, "timestamp")?,
            subject,
            remarks,
            process_id: id(document, "processId")?,
            process_type: Word::read(document, "processType")?,
            identity_verification_id: Word::read(document, "identityVerificationId")?,
        };
        Ok(Self { envelope, event: event(document)? })
    }
}

fn event<'a>(document: &'a Json<'a>) -> Result<Event<'a>, Unreadable> {
    let event_type = Word::read(document, "type")?;
    let promised = |member| Ok(path(document, &["eventData", member])?.filter(|json| matches!(json, Json::Object(_))));
    let process = |json| {
        Ok(Event::ProcessFinished {
            status: Word::read(json, "status")?,
            error_detail: maybe_text(json, "errorDetail")?,
        })
    };
    let bare = |name, member, is_check| {
        Ok(Event::Bare { name, shown: shown([(member, path(document, &["eventData", member])?)]), is_check })
    };
    match event_type.text() {
        Some("DOCUMENT_VERIFICATION_FINISHED") => match promised("documentVerification")? {
            Some(json) => {
                Ok(Event::DocumentVerificationFinished { id: document_id(json)?, result: check_result(json)? })
            }
            None => bare("document_verification_finished", "documentVerification", true),
        },
        Some("FINAL_DOCUMENT_VERIFICATION_FINISHED") => match promised("finalDocumentVerification")? {
            Some(json) => Ok(Event::FinalDocumentVerificationFinished(check_result(json)?)),
            None => bare("final_document_verification_finished", "finalDocumentVerification", true),
        },
        Some("PRESENCE_CHECK_FINISHED") => match promised("presenceCheck")? {
            Some(json) => Ok(Event::PresenceCheckFinished(check_result(json)?)),
            None => bare("presence_check_finished", "presenceCheck", true),
        },
        Some("PROCESS_FINISHED") => match promised("process")? {
            Some(json) => process(json),
            None => bare("process_finished", "process", false),
        },
        // One that speaks of its process has to say that it succeeded.
        Some("FINISHED") => promised("process")?.map_or(Ok(Event::Finished), process),
        _ => Ok(Event::Unfamiliar { event_type }),
    }
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
        json,
        status: Word::read(json, "status")?,
        reject_reason: maybe_text(json, "rejectReason")?,
        error_detail: maybe_text(json, "errorDetail")?,
        provider: Word::read(json, "provider")?,
    })
}
