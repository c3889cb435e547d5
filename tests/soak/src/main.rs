//! The soak, an attack, a measurement, or two releases side by side, as the variables say: see the library.

use std::process::ExitCode;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    if verdict_soak::run().await { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
