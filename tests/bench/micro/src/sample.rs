//! A webhook to measure.

use crate::{growing::grown, stage::hmac};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, sync::Arc};
use verdict_sessions::{Provider, SessionEvent, Timestamp};
use verdict_webhooks::{
    Delivery, Genuine, Reading, Refusal, WebhookSource, incode::Incode, read_batch, treezor::Treezor, veriff::Veriff,
    wultra::Wultra,
};

type Proof = Arc<dyn Fn(Delivery, Timestamp) -> Result<Genuine, Refusal> + Send + Sync>;

/// A webhook of a provider's, with what proves it.
#[derive(Clone)]
pub struct Sample {
    provider: Provider,
    event: Event,
    /// The shared secret, if the provider signs.
    secret: Option<String>,
    proof: Proof,
}

/// A gateway's event, as far as a delivery is made of it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    query_string_parameters: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    request_context: Context,
    body: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    time_epoch: i64,
}

impl Sample {
    /// Reads a sample of `events/`.
    pub(crate) fn read(provider: Provider, name: &str) -> Self {
        let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../events");
        let text = |path: &str| fs::read_to_string(events.join(path)).unwrap();
        let credentials: BTreeMap<String, Value> = serde_json::from_str(&text("local-credentials.json")).unwrap();
        let mut credentials = credentials[provider.as_str()].clone();
        // The samples' tokens live too long for it. Their header proves them, too.
        credentials.as_object_mut().unwrap().remove("oauth");
        Self {
            provider,
            event: serde_json::from_str(&text(&format!("{provider}/{name}.json"))).unwrap(),
            secret: credentials["secrets"][0].as_str().map(str::to_owned),
            proof: proof(provider, &credentials.to_string()),
        }
    }

    /// The same webhook with a body of about so many bytes, genuine again.
    pub(crate) fn grown(&self, size: usize) -> Self {
        let mut sample = self.clone();
        if let Some(payload) = self.signed_payload() {
            let rest = self.body().len() - payload.len();
            sample.put_payload(&grown(payload, size.saturating_sub(rest)));
        } else {
            sample.event.body = grown(self.body(), size);
            sample.sign();
        }
        sample
    }

    /// Signs the body, as Veriff does.
    fn sign(&mut self) {
        let Some(secret) = &self.secret else { return };
        let digest = hmac(secret, self.event.body.as_bytes());
        let hex = digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        self.event.headers.insert("x-hmac-signature".to_owned(), hex);
    }

    /// Puts another payload into the body and signs it, as Treezor does.
    fn put_payload(&mut self, payload: &str) {
        let digest = hmac(self.secret.as_deref().unwrap_or_default(), payload.as_bytes());
        let mut body: BTreeMap<&str, &RawValue> = serde_json::from_str(&self.event.body).unwrap();
        let signature = serde_json::value::to_raw_value(&BASE64_STANDARD.encode(digest)).unwrap();
        let payload = RawValue::from_string(payload.to_owned()).unwrap();
        body.insert("object_payload", &payload);
        body.insert("object_payload_signature", &signature);
        self.event.body = serde_json::to_string(&body).unwrap();
    }

    /// The provider.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The part of the body that is signed, if it isn't all of it.
    pub(crate) fn signed_payload(&self) -> Option<&str> {
        if self.provider != Provider::Treezor {
            return None;
        }
        let body: BTreeMap<String, &RawValue> = serde_json::from_str(self.body()).unwrap();
        Some(body["object_payload"].get())
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.event.body
    }

    /// The shared secret; a provider that signs nothing has a text in its place.
    pub(crate) fn secret(&self) -> &str {
        self.secret.as_deref().unwrap_or("a-secret-of-as-many-characters-0123")
    }

    /// The webhook as it comes in.
    pub(crate) fn delivery(&self) -> Delivery {
        let Event { raw_path, query_string_parameters, headers, body, .. } = &self.event;
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let query = query_string_parameters.clone().into_iter().collect();
        Delivery::new("POST", raw_path, headers, body.clone().into_bytes()).with_query(query)
    }

    /// Proves a delivery of this webhook.
    pub(crate) fn prove(&self, delivery: Delivery) -> Genuine {
        let now = Timestamp::from_unix(self.event.request_context.time_epoch / 1000, 0).unwrap();
        (self.proof)(delivery, now).unwrap()
    }
}

/// Reads a genuine webhook's events.
pub(crate) fn read(genuine: &Genuine) -> Vec<SessionEvent> {
    match read_batch(genuine, 0).unwrap().reading {
        Reading::Events { events, .. } => events,
        Reading::Nothing(_) => Vec::new(),
    }
}

fn proof(provider: Provider, credentials: &str) -> Proof {
    fn of<S: WebhookSource + Send + Sync + 'static>(source: S) -> Proof {
        Arc::new(move |delivery, now| source.prove(delivery, now))
    }
    match provider {
        Provider::Veriff => of(Veriff::from_json(credentials).unwrap()),
        Provider::Incode => of(Incode::from_json(credentials).unwrap()),
        Provider::Treezor => of(Treezor::from_json(credentials).unwrap()),
        Provider::Wultra => of(Wultra::from_json(credentials).unwrap()),
    }
}
