//! What of a webhook becomes a detail of a check or a decision: the only members that may.
//!
//! Beside these, the check `documents` has the ids of the documents that counted, [`DOCUMENT_ID`]`1` and so on. A
//! presence check has no score: it is 10 for a rejected person, too.

use crate::reading::details::{Allowed, Form};

/// Of the envelope: for every check and decision.
pub(super) const ENVELOPE: [Allowed; 1] = [("processType", "processType", Form::Code)];

/// Of one document.
pub(super) const DOCUMENT: [Allowed; 3] = [
    ("documentVerificationResult.type", "documentType", Form::Code),
    ("documentVerificationResult.country", "country", Form::Code),
    ("score", "score", Form::Code),
];

/// The ids of the documents that counted: the list, and the names of the details before their numbers.
pub(super) const DOCUMENT_IDS: &str = "documentIds";
pub(super) const DOCUMENT_ID: &str = "documentId";
