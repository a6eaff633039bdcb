//! One command to one server, past fred.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Sends a command on a connection of its own and returns the whole reply as it arrives.
///
/// # Errors
///
/// If the server does not take the connection, ends it, or does not answer within `limit`.
pub(crate) fn request(port: u16, words: &[&str], limit: Duration) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    let count = words.len();
    let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{count}\r\n{words}").as_bytes())?;
    let mut reply = Vec::new();
    let mut part = vec![0; 64 * 1024];
    while end_of_reply(&reply).is_none() {
        match stream.read(&mut part)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => reply.extend_from_slice(&part[..length]),
        }
    }
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// Returns the strings and numbers of a reply, however they are nested; nulls are left out.
pub(crate) fn leaves(reply: &str) -> Vec<String> {
    let mut leaves = Vec::new();
    let mut rest = reply;
    while let Some((line, after)) = rest.split_once("\r\n") {
        rest = after;
        match (line.get(..1), line.get(1..).and_then(|number| number.parse::<usize>().ok())) {
            (Some("$"), Some(length)) => {
                leaves.push(after[..length].to_owned());
                rest = &after[length + 2..];
            }
            (Some("+" | ":" | "-"), _) => leaves.push(line[1..].to_owned()),
            _ => {}
        }
    }
    leaves
}

/// Returns where the first reply ends, if all of it is there.
fn end_of_reply(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let number = || {
        let text = std::str::from_utf8(&bytes[1..line - 2]).ok()?;
        text.parse::<usize>().ok()
    };
    match (bytes[0], number()) {
        (b'$', Some(length)) => Some(line + length + 2).filter(|end| *end <= bytes.len()),
        (b'*', Some(count)) => {
            (0..count).try_fold(line, |end, _| Some(end + end_of_reply(&bytes[end..])?))
        }
        _ => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::{end_of_reply, leaves};

    #[test]
    fn a_reply_ends_with_its_last_element() {
        let reply = "*3\r\n$3\r\na\r\n\r\n:7\r\n*1\r\n$-1\r\n";
        assert_eq!(end_of_reply(reply.as_bytes()), Some(reply.len()));
        for length in 0..reply.len() {
            assert_eq!(end_of_reply(&reply.as_bytes()[..length]), None, "{length}");
        }
    }

    #[test]
    fn leaves_are_what_is_in_the_arrays() {
        assert_eq!(leaves("*3\r\n$3\r\na\r\n\r\n:7\r\n*1\r\n$-1\r\n"), ["a\r\n", "7"]);
        assert_eq!(leaves("+OK\r\n"), ["OK"]);
    }
}
