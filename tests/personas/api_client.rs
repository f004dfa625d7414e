//! A program that signs in by JSON and presents its session as a bearer credential.

use std::net::SocketAddr;

use serde_json::json;

use super::wire::{Answer, Ask};

pub(crate) struct ApiClient {
    pub(crate) address: SocketAddr,
    /// What it presents; secret.
    pub(crate) session_token: String,
}

impl ApiClient {
    /// One attempt to sign in, whatever comes of it.
    pub(crate) fn attempt(address: SocketAddr, identifier: &str, password: &str) -> Answer {
        let body = json!({"identifier": identifier, "password": password, "deliver": "body"});
        Ask::post("/auth/api/v1/login").json(&body).send(address)
    }

    /// Signs in.
    #[track_caller]
    pub(crate) fn sign_in(address: SocketAddr, identifier: &str, password: &str) -> Self {
        let answer = Self::attempt(address, identifier, password);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.header("set-cookie").is_none(), "one way of delivery, not two: {answer:?}");
        let session_token = answer.json()["session_token"].as_str().unwrap().to_owned();
        Self { address, session_token }
    }

    /// Asks for something with its credential.
    #[track_caller]
    pub(crate) fn send(&self, ask: Ask) -> Answer {
        ask.bearer(&self.session_token).send(self.address)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Ask::get(path))
    }

    #[track_caller]
    pub(crate) fn sign_out(&self) -> Answer {
        self.send(Ask::post("/auth/api/v1/logout"))
    }
}
