//! Who takes part in the stories: programs that are really started, and people who use them.
//! Each test makes its own, in a folder and on ports of its own; whatever was started ends with its persona.

mod api_client;
mod application;
mod browser;
mod caddy;
mod chromium;
mod decoy;
mod example;
mod haproxy;
mod installed;
mod lighttpd;
mod nginx;
mod oauth_client;
mod operator;
mod place;
mod running;
mod scene;
mod service;
mod terminal;
mod verifying;
mod vestibule;
mod wire;

pub(crate) use api_client::ApiClient;
pub(crate) use application::Application;
pub(crate) use browser::{Browser, Page};
pub(crate) use caddy::Caddy;
pub(crate) use chromium::Chromium;
pub(crate) use decoy::Decoy;
pub(crate) use example::{Example, ExampleService};
pub(crate) use haproxy::HaProxy;
pub(crate) use installed::{example_path, fake_time, node, oracles, program, python, python_of, script_path};
pub(crate) use lighttpd::Lighttpd;
pub(crate) use nginx::{Certificate, Nginx, exchange as exchange_texts};
pub(crate) use oauth_client::{OAuthClient, OAuthLibrary};
pub(crate) use operator::{Ended, Operator};
pub(crate) use place::{Place, free_address, loopback};
pub(crate) use running::{Running, Signal};
pub(crate) use scene::{ADA, CHEAP_HASH, Door, PASSWORD, Scene, routes};
pub(crate) use service::{Received, Service};
pub(crate) use verifying::{Library, VerifyingService};
pub(crate) use vestibule::Vestibule;
pub(crate) use wire::{Answer, Ask, exchange};
