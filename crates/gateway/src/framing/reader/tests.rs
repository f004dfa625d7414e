use proptest::prelude::*;

use super::Reader;

/// The place of the first byte refused, with the bytes cut into pieces of this size.
fn refused(bytes: &[u8], piece: usize) -> Option<usize> {
    let mut reader = Reader::default();
    let mut before = 0;
    for piece in bytes.chunks(piece) {
        if let Err(at) = reader.read(piece) {
            return Some(before + at);
        }
        before += piece.len();
    }
    None
}

#[test]
fn whole_conversations_pass_however_they_are_cut() {
    let conversation = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\
        \r\nPOST /x HTTP/1.1\r\ncontent-length:\t 3 \r\n\r\n\n\r\r\
        POST /y HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5;ext=\"v\"\r\n\r\n0\r\n\r\n00A\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n\
        POST /z HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET /last HTTP/1.0\r\n\r\n";
    for piece in 1..=conversation.len() {
        assert_eq!(refused(conversation, piece), None, "in pieces of {piece}");
    }
}

#[test]
fn the_first_ambiguous_byte_is_the_one_refused() {
    for (bytes, at) in [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", 14),
        ("GET /#a HTTP/1.1\r\n\r\n", 17),
        ("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", 23),
        ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 25),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 62),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 48),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 52),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET /\n", 43),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n", 58),
    ] {
        for piece in 1..=bytes.len() {
            assert_eq!(refused(bytes.as_bytes(), piece), Some(at), "{bytes:?} in pieces of {piece}");
        }
    }
}

#[test]
fn a_line_without_end_is_not_kept_forever() {
    assert!(refused(&[b'a'; 70_000], 1000).is_some());
}

/// A head has a bound, and each has its own: what came before it, and bodies, do not count.
#[test]
fn a_head_that_is_too_large_is_refused_where_it_exceeds() {
    let head = |bytes: usize| {
        let rest = "GET / HTTP/1.1\r\nCookie: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nCookie: {}\r\n\r\n", "c".repeat(bytes - rest)).into_bytes()
    };
    let body = b"POST / HTTP/1.1\r\nContent-Length: 200\r\n\r\n".iter().copied().chain([b'b'; 200]);
    let exceeded = |bytes: &[u8], piece: usize| {
        let mut reader = Reader::bounded(100);
        let refused = bytes.chunks(piece).any(|piece| reader.read(piece).is_err());
        assert_eq!(refused, reader.is_too_large());
        refused
    };
    for piece in 1..130 {
        let fits = [head(98), body.clone().collect(), head(98)].concat();
        assert!(!exceeded(&fits, piece), "in pieces of {piece}");
        assert!(exceeded(&head(110), piece), "in pieces of {piece}");
        assert!(exceeded(&[fits, head(110)].concat(), piece), "in pieces of {piece}");
    }
}

proptest! {
    /// Where the network cuts the bytes must make no difference.
    #[test]
    fn cuts_change_nothing(bytes in "((POST|GET) /[#a]{0,2} HTTP/1.1|content-length|transfer-encoding|:| |\t|chunked|[0-9a;]|\r|\n|\r\n|\r\n\r\n){0,40}", piece in 1_usize..20) {
        prop_assert_eq!(refused(bytes.as_bytes(), piece), refused(bytes.as_bytes(), usize::MAX >> 1));
    }
}
