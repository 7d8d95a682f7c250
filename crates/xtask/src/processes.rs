//! Starting other programs, and never leaving one behind.
//!
//! Every program gets a process group of its own. So Ctrl-C in a terminal reaches this process alone, which then stops
//! each group as a whole: the program and whatever it started. A [`Group`] also stops when it is dropped, so that a
//! panic leaves nothing running either.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::failure::{Failure, Result};
use crate::workspace;

/// Time after which a waiting loop looks again.
const POLL: Duration = Duration::from_millis(25);

/// Time that a program may take to end before it is killed. The backend promises ten seconds; it gets one
/// more.
const GRACE: Duration = Duration::from_secs(11);

/// Set by the signal handler. A signal is for the whole process, hence a static.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes SIGINT, SIGTERM and SIGHUP end the current command in order instead of killing this process.
///
/// # Errors
/// When the handler cannot be installed.
pub(crate) fn listen_for_interrupts() -> Result {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed))
        .map_err(Failure::while_doing("Ctrl-C cannot be handled"))
}

/// Sleeps for a moment in a waiting loop.
///
/// # Errors
/// [`Failure::Interrupted`] once this process was asked to end.
pub(crate) fn pause() -> Result {
    thread::sleep(POLL);
    if INTERRUPTED.load(Ordering::Relaxed) { Err(Failure::Interrupted) } else { Ok(()) }
}

/// A command that runs in the workspace's root, reads nothing, and inherits the environment.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).stdin(Stdio::null());
    // `cargo run` describes this package to its program. Handed on, that would make every build script that looks at
    // these variables run again, and with it the build of what depends on it.
    for (name, _) in std::env::vars_os() {
        let described = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_BIN_NAME"
        });
        if described {
            command.env_remove(name);
        }
    }
    command
}

/// The cargo that started this program.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").as_deref().unwrap_or(OsStr::new("cargo")))
}

/// Runs a command to its end, with its output shown as it comes.
///
/// # Errors
/// When it cannot start or fails; [`Failure::Interrupted`] when this process was asked to end meanwhile.
pub(crate) fn run(command: &mut Command) -> Result {
    let shown = in_short(command);
    let mut group = Group::start(command)?;
    group.wait().and_then(|status| succeeded(&shown, status))
}

/// Like [`run`]; also gives each line of the standard output to `on_line`.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_reading(command: &mut Command, mut on_line: impl FnMut(&str) + Send) -> Result {
    let shown = in_short(command);
    let mut group = Group::start(command.stdout(Stdio::piped()))?;
    let stdout = group.child.stdout.take();
    let status = thread::scope(|scope| {
        scope.spawn(move || {
            for line in stdout.into_iter().flat_map(lines) {
                println!("{line}");
                on_line(&line);
            }
        });
        let status = group.wait();
        if status.is_err() {
            // Closes the pipe, without which the reading thread would never end.
            group.stop();
        }
        status
    })?;
    succeeded(&shown, status)
}

/// The standard output of a short command, when it can be run and succeeds.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A running program with everything that it started.
pub(crate) struct Group {
    child: Child,
    stopped: bool,
}

impl Group {
    /// Starts the command in a new process group.
    ///
    /// # Errors
    /// When there is no such program, or it may not be run.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let shown = in_short(command);
        let child = command
            .process_group(0)
            .spawn()
            .map_err(Failure::while_doing(format!("`{shown}` cannot be started")))?;
        Ok(Self { child, stopped: false })
    }

    /// Starts the command, and prints each line that it writes behind `[name]`.
    ///
    /// # Errors
    /// As [`Group::start`].
    pub(crate) fn start_with_log(name: &'static str, command: &mut Command) -> Result<Self> {
        if !std::io::stdout().is_terminal() {
            // Programs that colour what they write even into a pipe. Trunk wants this word, others anything.
            command.env("NO_COLOR", "true");
        }
        let mut group = Self::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        // The threads end with the pipes, that is, with the program: nobody has to wait for them.
        group.child.stdout.take().map(|pipe| print_lines(name, pipe));
        group.child.stderr.take().map(|pipe| print_lines(name, pipe));
        Ok(group)
    }

    /// Returns the exit status of the program, or `None` while it runs.
    ///
    /// # Errors
    /// When the system cannot say.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().map_err(Failure::while_doing("A program cannot be waited for"))
    }

    /// Waits for the program's own end.
    fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                self.stopped = true;
                return Ok(status);
            }
            pause()?;
        }
    }

    /// Asks the whole group to end, waits, and kills what is left.
    fn stop(&mut self) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        let deadline = Instant::now() + GRACE;
        self.signal(Signal::SIGTERM);
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(POLL);
        }
        self.signal(Signal::SIGKILL);
        // Collects the exit status, so that no zombie stays; there is nobody to tell about a failure.
        let _ = self.child.wait();
    }

    /// Sends a signal to the group. That the group is gone already is no failure.
    fn signal(&self, signal: Signal) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop();
    }
}

fn print_lines(name: &'static str, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
    thread::spawn(move || lines(pipe).for_each(|line| println!("[{name}] {line}")))
}

/// The lines of a pipe until it closes. Bytes that are not UTF-8 are replaced: a log line is never a reason to stop.
fn lines(pipe: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(pipe)
        .split(b'\n')
        .map_while(std::result::Result::ok)
        .map(|line| String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

/// The command as a person would type it, without folders and cut where it gets long.
fn in_short(command: &Command) -> String {
    const LONGEST: usize = 90;
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words: Vec<_> =
        std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn succeeded(shown: &str, status: ExitStatus) -> Result {
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status}).").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_named_with_its_status() {
        let failure = run(command("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "`sh -c exit 3` failed (exit status: 3).");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = run(&mut command("/nowhere/no-such-program")).unwrap_err();
        assert!(failure.to_string().starts_with("`no-such-program` cannot be started"), "{failure}");
    }

    #[test]
    fn each_line_of_the_output_is_read() {
        let mut seen = Vec::new();
        run_reading(command("printf").arg("one\ntwo\n"), |line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen, ["one", "two"]);
    }

    #[test]
    fn dropping_a_group_also_ends_what_the_program_started() {
        let mut group =
            Group::start(command("sh").args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped()))
                .unwrap();
        let grandchild = lines(group.child.stdout.take().unwrap()).next().unwrap();
        drop(group);
        let deadline = Instant::now() + Duration::from_secs(5);
        while answer(command("kill").args(["-0", &grandchild])).is_some() {
            assert!(Instant::now() < deadline, "process {grandchild} still runs");
            thread::sleep(POLL);
        }
    }
}
