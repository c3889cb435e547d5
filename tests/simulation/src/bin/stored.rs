//! Writes what today's code stores as the fixtures of a release: `tests/stored/{release}/`.
//!
//! `cargo run --package verdict-simulation --bin stored -- 0.2`. It refuses a release that is out: its
//! fixtures stay as they are. With `misread 0.1`, it writes the sessions that the code of that release misreads.

use std::{env, fs::File, io, process::ExitCode};
use verdict_simulation::stored::{Fixtures, MISREAD, misread, released_digest, today};

#[expect(clippy::print_stderr, reason = "standard output is the functions'")]
fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (folder, make): (String, fn() -> Fixtures) = match &arguments[..] {
        [release] if is_release(release) => (release.clone(), today),
        [misread_by, release] if misread_by == MISREAD && is_release(release) => {
            (format!("{MISREAD}/{release}"), misread)
        }
        _ => {
            eprintln!("Which release? Such as 0.2: the folder under tests/stored/ that is written.");
            return Ok(ExitCode::FAILURE);
        }
    };
    if released_digest(&folder).is_some() {
        eprintln!("{folder} is out: its fixtures stay as they are. Add those of the next release.");
        return Ok(ExitCode::FAILURE);
    }
    // The functions print a line for each delivery.
    rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    let fixtures = make();
    fixtures.save(&folder);
    eprintln!("tests/stored/{folder}: {} files, digest {}", fixtures.files().count(), fixtures.digest());
    Ok(ExitCode::SUCCESS)
}

/// Returns true for two or more numbers with dots between them.
fn is_release(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|part| part.parse::<u32>().is_ok())
}
