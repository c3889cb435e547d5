//! What of a payload becomes a detail of a check or a decision: the only members that may.
//!
//! Beside these, the decision of an identification has the detail [`IDENTIFICATION`].

use crate::reading::details::{Allowed, Form};

/// Of a user or of a review. The date of the next one is left blank if there is none.
pub(super) const REVIEW: [Allowed; 5] = [
    ("kycLevel", "kycLevel", Form::Code),
    ("kycReviewType", "kycReviewType", Form::Code),
    ("codeStatus", "codeStatus", Form::Code),
    ("isFreezed", "isFreezed", Form::Code),
    ("nextReviewDate", "nextReviewDate", Form::Time),
];

/// Of a document.
pub(super) const DOCUMENT: [Allowed; 1] = [("documentType", "documentType", Form::Code)];

/// The detail that tells which of liveness, qualified electronic signature and video conference an identification is.
pub(super) const IDENTIFICATION: &str = "identification";
