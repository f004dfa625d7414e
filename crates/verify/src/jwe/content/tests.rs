use super::*;
use crate::jwe::{KeyManagement, compact::Header};
use data_encoding::HEXLOWER_PERMISSIVE;

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text.replace(char::is_whitespace, "").as_bytes()).unwrap()
}

fn jwe(authenticated: &str, iv: &str, ciphertext: &str, tag: &str) -> Jwe<'static> {
    let header = Header {
        management: KeyManagement::Dir,
        encryption: ContentEncryption::A256CbcHs512,
        key_id: None,
        typ: None,
        cty: None,
        agreement: None,
    };
    Jwe {
        header,
        authenticated: authenticated.to_owned().leak(),
        encrypted_key: Vec::new(),
        iv: hex(iv),
        ciphertext: hex(ciphertext),
        tag: hex(tag),
    }
}

#[test]
fn rfc_7518_appendix_b_3() {
    let key: Vec<u8> = (0..64).collect();
    let jwe = jwe(
        "The second principle of Auguste Kerckhoffs",
        "1af38c2dc2b96ffdd86694092341bc04",
        "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2
         e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3
         a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a4930930806d0703b1f6",
        "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
    );
    let content = open(&key, &jwe).unwrap();
    let expected = "A cipher system must not be required to be secret, and it must be able to fall into the hands \
                    of the enemy without inconvenience";
    assert_eq!(String::from_utf8(content).unwrap(), expected);
    for (at, length) in [(0, jwe.iv.len()), (1, jwe.ciphertext.len()), (2, jwe.tag.len())] {
        for byte in 0..length {
            let mut altered = Jwe {
                header: Header { key_id: None, typ: None, cty: None, agreement: None, ..jwe.header },
                iv: jwe.iv.clone(),
                ciphertext: jwe.ciphertext.clone(),
                tag: jwe.tag.clone(),
                encrypted_key: Vec::new(),
                ..jwe
            };
            let part =
                [&mut altered.iv, &mut altered.ciphertext, &mut altered.tag].into_iter().nth(at).unwrap();
            part[byte] ^= 1;
            assert_eq!(open(&key, &altered), Err(Reject::Decryption));
        }
    }
}
