//! TCP ports of this machine: whether one is free, who holds it, and when a server behind it answers.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::failure::Result;
use crate::processes::{self, Group};

/// Checks that nothing listens on the port.
///
/// Both loopback addresses count: a browser that is told `localhost` tries IPv6 first, and would meet the wrong server.
///
/// # Errors
/// A sentence that names the port and, where the system tells, the program that holds it.
pub(crate) fn require_free(port: u16) -> Result {
    let taken =
        [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]
            .into_iter()
            .any(|address| {
                TcpListener::bind(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
            });
    if !taken {
        return Ok(());
    }
    Err(match holder(port) {
        Some(holder) => format!("Port {port} is taken by {holder}. Stop that program, then try again."),
        None => format!("Port {port} is taken. Stop the program that uses it, then try again."),
    }
    .into())
}

/// A port that nothing uses right now, for a server that is about to start there. Below those from which systems choose one
/// for a connection that goes out: such a one could take it in between.
pub(crate) fn free() -> u16 {
    loop {
        let port = fastrand::u16(20_000..30_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Waits until `GET http://localhost:{port}{path}` answers 200.
///
/// # Errors
/// When the program ends before it answers.
pub(crate) fn wait_until_answers(name: &str, server: &mut Group, port: u16, path: &str) -> Result {
    while !answers(port, path) {
        if let Some(status) = server.ended()? {
            return Err(
                format!("The {name} stopped before it answered ({status}). Its last lines say why.").into()
            );
        }
        processes::pause()?;
    }
    Ok(())
}

/// One request without an HTTP library: only the status line matters.
fn answers(port: u16, path: &str) -> bool {
    let exchange = || -> std::io::Result<[u8; 12]> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status)
    };
    exchange().is_ok_and(|status| status.ends_with(b" 200"))
}

/// The program that listens on the port, as `name (process 123)`. Known on Linux, and for one's own processes.
fn holder(port: u16) -> Option<String> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_sockets(&table, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.into_iter().find_map(|entry| {
        let process = entry.path();
        let id =
            process.file_name()?.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))?;
        if !holds_one_of(&process, &sockets) {
            return None;
        }
        let name = fs::read_to_string(process.join("comm")).ok()?;
        Some(format!("{} (process {id})", name.trim()))
    })
}

/// The inodes of the sockets that listen on the port, out of a table in the format of `/proc/net/tcp` (see `proc(5)`).
fn listening_sockets(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let address = format!(":{port:04X}");
    table
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
            (local.ends_with(&address) && *state == LISTEN).then(|| (*inode).to_owned())
        })
        .collect()
}

fn holds_one_of(process: &Path, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| {
        let inode = target.to_str().and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']'));
        inode.is_some_and(|inode| sockets.iter().any(|socket| socket == inode))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_with_its_number() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sentence = require_free(port).unwrap_err().to_string();
        assert!(sentence.starts_with(&format!("Port {port} is taken")), "{sentence}");
        drop(listener);
        // A program that another test starts at this moment has the listener, too, until it has become that program.
        let is_free = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            require_free(port).is_ok()
        });
        assert!(is_free);
    }

    #[test]
    fn only_a_listening_socket_of_that_port_counts() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:0FA2 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 111 1\n\
            1: 0100007F:0FA2 0100007F:9999 01 00000000:00000000 00:00000000 00000000  0  0 222 1\n\
            2: 0100007F:0FA3 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 333 1\n";
        assert_eq!(listening_sockets(table, 4002), ["111"]);
    }
}
