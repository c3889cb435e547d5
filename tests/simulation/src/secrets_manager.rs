//! A small Secrets Manager, behind its own JSON protocol: versions of secrets with their labels. A model and no emulator:
//! it answers `GetSecretValue` alone, and knows no permissions.

use crate::network::Answer;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Secrets, by ARN.
#[derive(Default)]
pub struct SecretsManager {
    secrets: BTreeMap<String, Secret>,
    asked: usize,
}

/// A secret.
#[derive(Default)]
struct Secret {
    /// The values of its versions, oldest first. The last is the current one, and the one before it the previous one.
    versions: Vec<Content>,
    is_deleted: bool,
}

/// The value of a version.
enum Content {
    Text(String),
    Binary,
}

impl SecretsManager {
    /// Puts a new version of a secret, which becomes the current one.
    pub fn put(&mut self, arn: &str, text: &str) {
        self.add(arn, Content::Text(text.to_owned()));
    }

    /// The same with a value that isn't text.
    pub fn put_binary(&mut self, arn: &str) {
        self.add(arn, Content::Binary);
    }

    fn add(&mut self, arn: &str, content: Content) {
        self.secrets.entry(arn.to_owned()).or_default().versions.push(content);
    }

    /// Schedules a secret for deletion, or restores it.
    pub fn delete(&mut self, arn: &str, is_deleted: bool) {
        self.secrets.entry(arn.to_owned()).or_default().is_deleted = is_deleted;
    }

    /// How many calls it has answered.
    #[must_use]
    pub const fn asked(&self) -> usize {
        self.asked
    }

    /// Answers a call.
    pub fn answer(&mut self, operation: &str, request: &[u8]) -> Answer {
        assert_eq!(operation, "GetSecretValue", "nobody asks Secrets Manager for anything else");
        self.asked += 1;
        let request: Value = serde_json::from_slice(request).unwrap();
        let arn = request["SecretId"].as_str().unwrap();
        let stage = request["VersionStage"].as_str().unwrap_or("AWSCURRENT");
        let Some(secret) = self.secrets.get(arn) else {
            return error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        };
        if secret.is_deleted {
            let message = "You can't perform this operation on the secret because it was marked for deletion.";
            return error("InvalidRequestException", message);
        }
        let back = if stage == "AWSCURRENT" { 1 } else { 2 };
        let Some(index) = secret.versions.len().checked_sub(back) else {
            let message = format!("Secrets Manager can't find the specified secret value for staging label: {stage}");
            return error("ResourceNotFoundException", &message);
        };
        let mut answer = json!({"ARN": arn, "Name": "secret", "VersionId": format!("version-{index}"),
            "VersionStages": [stage], "CreatedDate": 1_781_308_800});
        match &secret.versions[index] {
            Content::Text(text) => answer["SecretString"] = json!(text),
            Content::Binary => answer["SecretBinary"] = json!("AAEC"),
        }
        Answer { status: 200, body: answer.to_string() }
    }
}

fn error(code: &str, message: &str) -> Answer {
    Answer { status: 400, body: json!({"__type": code, "Message": message}).to_string() }
}
