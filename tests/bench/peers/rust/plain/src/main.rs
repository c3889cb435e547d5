//! A plain handler of Veriff's decision webhook over the stock SDK: one conditional put, and one message if the decision
//! changed.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use lambda_http::{Body, Error, Request, Response, http::StatusCode, run, service_fn, tracing};
use std::env;
use veriff::{Credentials, Decision, answer, digest};

struct Handler {
    credentials: Credentials,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    table: String,
    queue: String,
}

/// What the table says to a decision.
enum Recorded {
    /// It is on record, in the place of another outcome if there was one.
    Now { before: Option<String> },
    /// It, or a later one, was on record before.
    Before,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let handler = Handler {
        credentials: Credentials::from_env()?,
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        table: env::var("SESSIONS_TABLE")?,
        queue: env::var("DECISIONS_QUEUE_URL")?,
    };
    run(service_fn(|request| handler.handle(request))).await
}

impl Handler {
    async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        if !self.credentials.prove(&request) {
            return answer(StatusCode::UNAUTHORIZED);
        }
        let body = request.body();
        let Some(decision) = Decision::from_webhook(body)? else { return answer(StatusCode::OK) };
        if let Recorded::Now { before } = self.record(&decision, body).await? {
            if before.as_ref() != Some(&decision.status) {
                self.publish(&decision, before.as_deref(), body).await?;
            }
        }
        answer(StatusCode::OK)
    }

    async fn record(&self, decision: &Decision, body: &[u8]) -> Result<Recorded, Error> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let maybe = |text: Option<&String>| text.cloned().map_or(AttributeValue::Null(true), AttributeValue::S);
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(decision.partition()))
            .item("sk", text("DECISION"))
            .item("attemptId", maybe(decision.attempt_id.as_ref()))
            .item("outcome", text(&decision.status))
            .item("code", AttributeValue::N(decision.code.to_string()))
            .item("reason", maybe(decision.reason.as_ref()))
            .item("reference", maybe(decision.vendor_data.as_ref()))
            .item("decidedAt", text(decision.decided_at()))
            .item("payload", text(str::from_utf8(body)?))
            .condition_expression("attribute_not_exists(pk) OR decidedAt < :decidedAt")
            .expression_attribute_values(":decidedAt", text(decision.decided_at()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match put {
            Ok(put) => {
                let outcome = put.attributes.and_then(|mut before| before.remove("outcome"));
                Ok(Recorded::Now { before: outcome.and_then(|outcome| outcome.as_s().ok().cloned()) })
            }
            Err(error) => match error.into_service_error() {
                error if error.is_conditional_check_failed_exception() => Ok(Recorded::Before),
                error => Err(error.into()),
            },
        }
    }

    async fn publish(&self, decision: &Decision, before: Option<&str>, body: &[u8]) -> Result<(), Error> {
        self.sqs
            .send_message()
            .queue_url(&self.queue)
            .message_group_id(format!("veriff/{}", decision.id))
            .message_deduplication_id(digest(body))
            .message_body(decision.message(before).to_string())
            .send()
            .await?;
        Ok(())
    }
}
