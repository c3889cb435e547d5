// A plain handler of Veriff's decision webhook with the AWS SDK for JavaScript v3: one conditional put, and one message if
// the decision changed.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const { secrets } = JSON.parse(process.env.VERIFF_CREDENTIALS);
const TABLE = process.env.SESSIONS_TABLE;
const QUEUE = process.env.DECISIONS_QUEUE_URL;

const dynamodb = new DynamoDBClient();
const sqs = new SQSClient();

export async function handler(event) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!isGenuine(body, event.headers["x-hmac-signature"] ?? "")) {
    return { statusCode: 401 };
  }
  const { verification: decision } = JSON.parse(body);
  if (decision) {
    const recorded = await record(decision, body);
    if (recorded && recorded.before !== decision.status) {
      await publish(decision, recorded.before, body);
    }
  }
  return { statusCode: 200 };
}

function isGenuine(body, signature) {
  const given = Buffer.from(signature, "hex");
  return secrets.some((secret) => {
    const expected = createHmac("sha256", secret).update(body).digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

// Puts a decision, and returns the outcome that it replaces; nothing if it, or a later one, is on record already.
async function record(decision, body) {
  const at = { S: decidedAt(decision) };
  const put = new PutItemCommand({
    TableName: TABLE,
    Item: {
      pk: { S: `SESSION#veriff/${decision.id}` },
      sk: { S: "DECISION" },
      attemptId: maybe(decision.attemptId),
      outcome: { S: decision.status },
      code: { N: String(decision.code) },
      reason: maybe(decision.reason),
      reference: maybe(decision.vendorData),
      decidedAt: at,
      payload: { S: body.toString() },
    },
    ConditionExpression: "attribute_not_exists(pk) OR decidedAt < :decidedAt",
    ExpressionAttributeValues: { ":decidedAt": at },
    ReturnValues: "ALL_OLD",
  });
  try {
    const { Attributes } = await dynamodb.send(put);
    return { before: Attributes?.outcome?.S ?? null };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

async function publish(decision, before, body) {
  const message = {
    type: "decision",
    provider: "veriff",
    sessionId: decision.id,
    attemptId: decision.attemptId,
    outcome: decision.status,
    previousOutcome: before,
    reasonCode: decision.reasonCode,
    reference: decision.vendorData,
    decidedAt: decidedAt(decision),
  };
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: QUEUE,
      MessageBody: JSON.stringify(message),
      MessageGroupId: `veriff/${decision.id}`,
      MessageDeduplicationId: createHash("sha256").update(body).digest("hex"),
    }),
  );
}

// Veriff writes all times alike, so that they compare as text.
function decidedAt(decision) {
  return decision.decisionTime ?? decision.acceptanceTime ?? "";
}

function maybe(text) {
  return text == null ? { NULL: true } : { S: text };
}
