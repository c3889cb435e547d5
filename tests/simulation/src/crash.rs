//! A function that dies, and one that is frozen.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};
use tokio::time::sleep;

/// Polls a future up to `times` times and drops it if it is not done by then, as a function that dies there: `None`.
pub async fn polled<T>(future: impl Future<Output = T>, times: usize) -> Option<T> {
    let mut future = pin!(future);
    polled_in_place(future.as_mut(), times).await
}

/// Polls a future up to `times` times, then leaves it alone for a while, as a function whose process is frozen there,
/// and lets it go on. Says whether that came before its end.
pub async fn frozen<T>(future: impl Future<Output = T>, times: usize, pause: Duration) -> (T, bool) {
    let mut future = pin!(future);
    if let Some(done) = polled_in_place(future.as_mut(), times).await {
        return (done, false);
    }
    sleep(pause).await;
    (future.await, true)
}

async fn polled_in_place<T>(mut future: Pin<&mut impl Future<Output = T>>, times: usize) -> Option<T> {
    let mut left = times;
    poll_fn(|context| match left.checked_sub(1) {
        None => Poll::Ready(None),
        Some(fewer) => {
            left = fewer;
            match future.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn a_future_is_dropped_at_the_poll_that_is_named() {
        let reached = Cell::new(0);
        let work = async || {
            for step in 1..=3 {
                reached.set(step);
                yield_now().await;
            }
            "done"
        };
        for (times, expected) in [(1, (None, 1)), (2, (None, 2)), (3, (None, 3)), (4, (Some("done"), 3))] {
            assert_eq!((polled(work(), times).await, reached.get()), expected, "{times}");
        }
    }
}
