//! The service as it is started by an operator.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The service as a process of its own.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// Everything it has printed so far.
    pub(crate) output: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Process {
    /// The binary, with these variables alone.
    pub(crate) fn command(folder: &TempDir, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instagram-connect"));
        command
            .env_clear()
            .current_dir(folder.path())
            .env("BIND_ADDRESS", "127.0.0.1:0")
            .env("LOG_FORMAT", "json")
            .envs(variables.iter().copied());
        command
    }

    /// Starts the binary and waits until it listens.
    pub(crate) fn start(folder: &TempDir, variables: &[(&str, &str)]) -> Self {
        let mut child =
            Self::command(folder, variables).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let (found, address) = std::sync::mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let (output, found) = (std::sync::Arc::clone(&output), found.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Ok(event) = serde_json::from_str::<serde_json::Value>(&line)
                        && event["message"] == "listening"
                    {
                        let _ = found.send(event["address"].as_str().unwrap_or_default().to_owned());
                    }
                    let mut output = output.lock().unwrap();
                    output.push_str(&line);
                    output.push('\n');
                }
            });
        }
        let address = address.recv_timeout(Duration::from_secs(20));
        let address = address.unwrap_or_else(|_| panic!("it did not start: {}", output.lock().unwrap()));
        Self { child, url: format!("http://{address}"), output }
    }

    pub(crate) fn terminate(&self) {
        let kill = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
    }

    /// Waits until the process has printed this.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let started = Instant::now();
        loop {
            let output = self.output.lock().unwrap().clone();
            if output.contains(text) {
                return output;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "no {text:?} in {output}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The lines of a process's log that say this, once it has stopped.
    pub(crate) fn lines_at_the_end(&mut self, text: &str) -> Vec<serde_json::Value> {
        self.terminate();
        assert!(self.child.wait().unwrap().success());
        let output = self.wait_for("\"stopped\"");
        let lines = output.lines().filter(|line| line.contains(text));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
