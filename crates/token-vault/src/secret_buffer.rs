//! A buffer to write secrets into that leaves no copy behind.

use std::io;
use zeroize::Zeroizing;

/// Collects what is written to it. A plain `Vec` would leave the bytes in freed memory each time that it grows; this one
/// overwrites the old memory with zeros.
#[derive(Default)]
pub(crate) struct SecretBuffer(Zeroizing<Vec<u8>>);

impl SecretBuffer {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl io::Write for SecretBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn keeps_all_that_is_written_while_it_grows() {
        let mut buffer = SecretBuffer::default();
        let mut expected = Vec::new();
        for length in 0..200_u8 {
            let piece = vec![length; usize::from(length)];
            buffer.write_all(&piece).unwrap();
            expected.extend(piece);
        }
        assert_eq!(buffer.as_slice(), expected);
    }
}
