//! Asking before something is done that cannot be undone.

use std::error::Error;
use std::io::{self, BufRead, IsTerminal, Write};

use super::output::for_terminal;

/// Returns when the operator agrees: by `--yes`, or at the terminal.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), Box<dyn Error>> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err("nobody can be asked here, so nothing was changed: add --yes to go on without".into());
    }
    // Standard error, so that the question is seen when the output goes elsewhere.
    let mut terminal = io::stderr().lock();
    write!(terminal, "{} [y/N] ", for_terminal(question))?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let is_yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
    if is_yes { Ok(()) } else { Err("nothing was changed".into()) }
}
