//! The conformance vectors: deliveries that a proof has to accept or refuse, made outside our code.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{fs, path::Path};
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{
    CredentialsError, Delivery, Genuine, Refusal, WebhookSource, incode::Incode, treezor::Treezor, veriff::Veriff,
    wultra::Wultra,
};

/// A vector, as `tests/vectors/conformance.py` describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) credentials: serde_json::Value,
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    source: Option<String>,
    now: Option<String>,
    pub(crate) verdict: Verdict,
    pub(crate) refusal: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Genuine,
    Refused,
}

/// A provider's vectors.
pub(crate) fn cases(provider: Provider) -> Vec<Case> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/vectors/{provider}.json"));
    serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap()
}

/// A provider's verdict on a delivery.
pub(crate) fn prove(
    provider: Provider,
    credentials: &str,
    delivery: Delivery,
    now: Timestamp,
) -> Result<Result<Genuine, Refusal>, CredentialsError> {
    Ok(match provider {
        Provider::Veriff => Veriff::from_json(credentials)?.prove(delivery, now),
        Provider::Incode => Incode::from_json(credentials)?.prove(delivery, now),
        Provider::Treezor => Treezor::from_json(credentials)?.prove(delivery, now),
        Provider::Wultra => Wultra::from_json(credentials)?.prove(delivery, now),
    })
}

impl Case {
    pub(crate) fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64).unwrap(),
            _ => panic!("{}: exactly one of body and bodyBase64", self.name),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(header, _)| header == name).unwrap().1
    }

    /// When it arrives.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::parse(self.now.as_deref().unwrap_or("2026-06-13T00:40:00Z")).unwrap()
    }

    pub(crate) fn provider<P>(&self, from_json: impl Fn(&str) -> Result<P, CredentialsError>) -> P {
        from_json(&self.credentials.to_string()).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    pub(crate) fn delivery(&self) -> Delivery {
        let delivery = Delivery::new(&self.method, &self.path, self.headers.iter().cloned().collect(), self.body())
            .with_query(self.query.clone());
        match &self.source {
            Some(source) => delivery.from_source(source),
            None => delivery,
        }
    }

    pub(crate) fn prove<P: WebhookSource>(
        &self,
        from_json: impl Fn(&str) -> Result<P, CredentialsError>,
    ) -> Result<Genuine, Refusal> {
        self.provider(from_json).prove(self.delivery(), self.now())
    }
}
