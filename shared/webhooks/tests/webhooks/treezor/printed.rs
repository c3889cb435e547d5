//! What each webhook means that Treezor prints, literally as printed (`printed/`). They were redacted after they were
//! signed, so they are taken to be genuine.

use super::genuine::ARRIVAL;
use crate::printed::{events, summary};
use verdict_sessions::Provider;

/// By file: the session, and all that the event says of it.
const PRINTED: [(&str, &str); 19] = [
    (
        "document.cancel",
        "user:0000000, started, document:8XXXX cancelled [600004 documentType=PAYSLIP], at \
         2020-05-18T20:55:24Z, user 0000000",
    ),
    (
        "document.create",
        "user:1XXXXXX, started, document:8XXXX pending [600003 documentType=PASSPORT], undated, at \
         2020-05-19T08:34:21Z, user 1XXXXXX",
    ),
    (
        "document.update",
        "user:1XXXXXX, started, document:8XXXX pending [600003 documentType=LEGAL_STATUS], at \
         2020-05-13T18:28:43Z, user 1XXXXXX",
    ),
    (
        "kycliveness.create",
        "identification:9dac1414-6733-46ae-b5a9-1b3aa39ea4bd, submitted, at 2020-06-30T07:15:18.856843Z, \
         user 2440234",
    ),
    (
        "kycliveness.update",
        "identification:9dac1414-6733-46ae-b5a9-1b3aa39ea4xx, declined [1312 1320 2401 \
         identification=liveness], at 2024-03-08T05:37:26.076003Z, user 100196123",
    ),
    ("kycreview.request", "user:1, submitted, at 2015-02-25T11:06:39Z, sent 2026-02-20T10:26:47Z, user 1"),
    (
        "kycreview.result",
        "user:1, approved [codeStatus=110006 kycLevel=1 kycReviewType=ONBOARDING \
         nextReviewDate=2020-02-25], at 2015-02-25T15:06:39Z, sent 2026-02-20T10:26:47Z, user 1",
    ),
    (
        "qes.aborted",
        "identification:3606323f-345e-5105-bfb6-7ca324a69945, abandoned [3002 identification=qes], at \
         2024-06-15T08:58:02Z, sent 2024-06-15T08:58:04.2212Z, user 100438239",
    ),
    (
        "qes.created",
        "identification:b00ecdec-b721-55c4-8e20-ef3625616926, submitted, undated, at \
         2024-06-27T07:13:59.9022Z, sent 2024-06-27T07:13:59.9022Z, user 4137216",
    ),
    (
        "qes.finalized.CANCELED",
        "identification:b00ecdec-b721-55c4-8e20-ef3625616926, declined [3201 identification=qes], at \
         2024-06-27T07:16:23Z, sent 2024-06-27T07:16:44.4907Z, user 4137216",
    ),
    (
        "qes.finalized.SUCCESS_DATA_CHANGED",
        "identification:b00ecdec-b721-55c4-8e20-ef3625616926, approved [SUCCESS_DATA_CHANGED \
         identification=qes], at 2024-06-27T07:16:23Z, sent 2024-06-27T07:16:44.4907Z, user 4137216",
    ),
    (
        "qes.processing",
        "identification:b00ecdec-b721-55c4-8e20-ef3625616926, review [identification=qes], at \
         2024-06-27T07:16:23Z, sent 2024-06-27T07:16:24.1286Z, user 4137216",
    ),
    (
        "user.kycrequest",
        "user:6461762, submitted, at 2022-05-18T12:21:12Z, sent 2022-05-23T08:29:38.6168Z, user 6461762",
    ),
    (
        "user.kycreview",
        "user:6461762, approved [codeStatus=110009 isFreezed=0 kycLevel=2], at 2022-05-18T12:21:12Z, sent \
         2022-05-30T14:11:02.0721Z, shown 2022-05-30T14:11:02.0721Z, user 6461762",
    ),
    (
        "videoConference.aborted",
        "identification:26dd014c-33f2-56f6-9ebc-bec12caxx2bf, abandoned [STALLED_TIMEOUT \
         identification=video], at 2024-07-31T23:33:00Z, sent 2024-08-19T10:05:55Z, user 4137216",
    ),
    (
        "videoConference.created",
        "identification:b00ecdec-b721-55c4-8e20-ef3625616926, submitted, undated, at \
         2024-06-27T07:13:59.9022Z, sent 2024-06-27T07:13:59.9022Z, user 4137216",
    ),
    (
        "videoConference.finalized.CANCELED",
        "identification:b00ecdec-b721-55c4-8e20-ef3625616926, declined [3201 identification=video], at \
         2024-06-27T07:16:23Z, sent 2024-06-27T07:16:44.4907Z, user 4137216",
    ),
    (
        "videoConference.finalized.SUCCESS_DATA_CHANGED",
        "identification:11a08a9a-b05a-5127-b727-b32fa01616bc, approved [SUCCESS_DATA_CHANGED \
         identification=video], at 2024-08-19T08:05:55Z, sent 2024-08-19T10:05:55Z, user 100689821",
    ),
    (
        "videoConference.processing",
        "identification:bd17f3e1-05fe-5b12-929c-0d4b9b27c4a2, review [identification=video], at \
         2024-08-27T13:23:03Z, sent 2024-08-19T10:05:55Z, user 100764422",
    ),
];

#[test]
fn every_webhook_as_printed_says_what_the_contract_says() {
    let mut found = Vec::new();
    for (file, expected) in PRINTED {
        let event = <[_; 1]>::try_from(events(Provider::Treezor, "/treezor", file, ARRIVAL)).expect(file)[0].clone();
        found.push((file, summary(&event), expected));
    }
    let wrong: Vec<_> = found.iter().filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
