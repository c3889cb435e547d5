//! One secret of Secrets Manager, and the versions of it that a function asks for.

use super::{
    arn::SecretArn,
    fault::{Fault, Problem},
};
use crate::store::aws_error::AwsError;
use aws_sdk_secretsmanager::Client;
use futures_util::{FutureExt as _, future::LocalBoxFuture};
use zeroize::Zeroizing;

/// A secret.
pub(crate) struct Secret {
    client: Client,
    arn: SecretArn,
}

/// The label of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The version that counts.
    Current,
    /// The version that counted before.
    Previous,
}

impl Stage {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "AWSCURRENT",
            Self::Previous => "AWSPREVIOUS",
        }
    }
}

/// A version of a secret. Its text is wiped when it is dropped; the bytes of the answer that it came in can't be, since
/// the SDK keeps them to itself.
pub(super) struct Version {
    /// Secrets Manager's name for the version.
    pub(super) id: String,
    text: Option<Zeroizing<String>>,
}

impl Version {
    /// The version's text.
    ///
    /// # Errors
    /// The [`Problem`] if there is none.
    pub(super) fn text(&self) -> Result<&str, Problem> {
        match &self.text {
            None => Err(Problem::malformed("the secret is binary; put the JSON there as text (SecretString)")),
            Some(text) if text.trim().is_empty() => Err(Problem::malformed("the secret is empty")),
            Some(text) => Ok(text),
        }
    }
}

impl Secret {
    pub(crate) const fn new(client: Client, arn: SecretArn) -> Self {
        Self { client, arn }
    }

    /// Fetches the version with a label.
    ///
    /// # Errors
    /// The [`Fault`] if Secrets Manager doesn't give it.
    pub(super) fn version(&self, stage: Stage) -> LocalBoxFuture<'static, Result<Version, Fault>> {
        let request = self.client.get_secret_value().secret_id(self.arn.as_str()).version_stage(stage.as_str());
        let version = async move {
            let mut answer = request.send().await.map_err(AwsError::from)?;
            let text = answer.secret_string.take().map(Zeroizing::new);
            Ok(Version { id: answer.version_id.unwrap_or_default(), text })
        };
        version.boxed_local()
    }
}
