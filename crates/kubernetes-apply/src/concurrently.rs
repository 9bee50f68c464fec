//! Several calls at once.

use futures_util::StreamExt;
use futures_util::stream::iter;

/// How many calls one step makes at once. The connection has a limit of its own, for all steps together.
const CONCURRENCY: usize = 16;

/// Awaits futures, several at once, and returns their results in the order of the futures.
pub(crate) async fn concurrently<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    iter(futures).buffered(CONCURRENCY).collect().await
}
