//! What it costs the program to tell a resource server which JWT a token is the phantom of: processor time per request beside a bare hyper
//! that answers 200 to the same bytes, in turns, as for a check. In: the program, 100 000 warm sessions, as many clients as it takes to ask
//! as fast as that. Out: a ratio.

use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use vestibule_core::client::{Client, ClientId, ClientProof, ClientSecret};
use vestibule_core::port::Clock;

use super::check::{Promise, Side, in_turns};
use super::program;
use crate::Scale;
use crate::child::Started;
use crate::home::{self, Home, Homes};
use crate::host::HeldClock;
use crate::load::Expected;
use crate::report::Row;

const PHANTOM: Promise = Promise { figure: "introspect", at_most: 1.60 };
const SESSIONS: u64 = 100_000;
/// Each may ask a thousand times a second, and that is part of what is measured: together they may ask faster than a server with one
/// thread can answer. Were they too few, answers would be other than 200, and nothing would be measured.
const CLIENTS: u8 = 128;

pub(crate) fn measure(scale: Scale, homes: &mut Homes, file: Option<&Path>) -> Result<Vec<Row>> {
    // Who asks is a client of the whole program; `cargo xtask bench` always has it.
    let Some(file) = file else { return Ok(Vec::new()) };
    let home = homes.with(scale.of(SESSIONS))?;
    let proofs = register(&home)?;
    let requests: Vec<Vec<u8>> = (0..home.sessions())
        .zip(proofs.iter().cycle())
        .map(|(number, proof)| request(number, proof))
        .collect();
    let (floor, mut said) = Started::own(&["--serve".as_ref(), "bare-shared".as_ref()])?;
    let mut floor = (Side::new(floor.id(), said.next()?.parse()?, Expected::Ok)?, floor);
    let (program, address) = program::start(file, &home)?;
    let mut program = (Side::new(program.id(), address, Expected::Phantom)?, program);
    let names = ["the warm phantom answer", "bare hyper, same runtime and bytes"];
    in_turns(scale, PHANTOM, [&mut program.0, &mut floor.0], &requests, names)
}

/// Registers clients that serve the audience, unless they are there from an earlier run; returns how each proves itself.
fn register(home: &Home) -> Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stores = home.open().await?;
        let mut proofs = Vec::new();
        for number in 0..CLIENTS {
            let id = ClientId::from_bytes([number; 16]);
            let secret = ClientSecret::from_random([number ^ 0x5a; 32]);
            if stores.clients.find(&id).await?.is_none() {
                let client = Client {
                    id,
                    name: format!("resource server {number}"),
                    proof: ClientProof::Secret(secret.digest(&home::pepper())),
                    audiences: Vec::new(),
                    scopes: Vec::new(),
                    exchanges: false,
                    serves: Some("orders".to_owned()),
                    added_at: HeldClock::new().now(),
                };
                client.check().context("a client of the bench is none")?;
                stores.clients.add(client).await?;
            }
            proofs.push(BASE64.encode(format!("{id}:{}", secret.reveal().as_str()).as_bytes()));
        }
        stores.upkeep.close().await?;
        Ok(proofs)
    })
}

/// As `examples/nginx-introspection` asks.
fn request(number: u64, proof: &str) -> Vec<u8> {
    let token = home::token(number).reveal_bearer();
    let body = format!("token={}", token);
    format!(
        "POST /auth/oauth/introspect HTTP/1.1\r\nhost: 127.0.0.1:8081\r\naccept: application/jwt\r\n\
         content-type: application/x-www-form-urlencoded\r\nauthorization: Basic {proof}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_long_it_is_and_is_one_sessions_alone() {
        let text = String::from_utf8(request(5, "YTpi")).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        assert!(body.starts_with("token=vst_"), "{body}");
        assert_ne!(request(5, "YTpi"), request(6, "YTpi"));
    }
}
