//! Writes the contract's files that are made from the types: the schemas and the sample messages.

use std::{fs, io};
use verdict_contract::{files, root};

fn main() -> io::Result<()> {
    for (path, text) in files() {
        fs::write(root().join(path), text)?;
    }
    Ok(())
}
