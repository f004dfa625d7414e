//! The end of a server, seen from outside: browsers are sent elsewhere first, the proxies' questions are answered to the last.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::personas::{Ask, Door, Scene, Signal};

fn is_closed(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_err()
}

#[test]
fn the_public_listener_closes_first_and_check_is_answered_to_the_last() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let browser = scene.signed_in();
    let (cookies, public, internal) = (browser.cookies(), scene.vestibule.public, scene.vestibule.internal);
    let mine = |ask: Ask| ask.header("Cookie", browser.cookies());
    let slow =
        std::thread::spawn(move || Ask::get("/orders/slow").header("Cookie", cookies).try_send(public));
    scene.service.wait_for_one();

    scene.vestibule.running().signal(Signal::TERM);
    scene.vestibule.running().wait_for("draining");
    while !is_closed(public) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The slow request is still under way: on new connections proxies are answered as ever, and balancers are told to go.
    assert_eq!(scene.vestibule.check(mine, &format!("{}/orders/", scene.origin)).status, 200);
    assert_eq!(scene.vestibule.check(|ask| ask, &format!("{}/orders/", scene.origin)).status, 401);
    let readiness = Ask::get("/readyz").send(internal);
    assert_eq!(readiness.status, 503, "{readiness:?}");
    assert!(readiness.json()["reasons"][0].as_str().unwrap().starts_with("draining"), "{readiness:?}");
    assert_eq!(Ask::get("/healthz").send(internal).status, 200);
    assert!(is_closed(public) && !slow.is_finished(), "all of that happened while a request was in flight");

    let answer = slow.join().unwrap().expect("an answer to what was begun");
    assert_eq!((answer.status, answer.text()), (200, format!("hello {}", scene.subject)));
    let ended = scene.vestibule.running().ended().unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(is_closed(internal));
}

#[test]
fn a_question_that_was_begun_when_the_end_came_is_answered() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let browser = scene.signed_in();
    let url = format!("{}/orders/", scene.origin);
    let question = Ask::get("/check").header("X-Original-Method", "GET").header("X-Original-URL", &url);
    let bytes = question.header("Cookie", browser.cookies()).bytes(scene.vestibule.internal);
    let (begun, rest) = bytes.split_at(bytes.len() / 2);
    let mut stream = TcpStream::connect(scene.vestibule.internal).unwrap();
    stream.write_all(begun).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));

    scene.vestibule.running().signal(Signal::TERM);
    scene.vestibule.running().wait_for("draining");
    while !is_closed(scene.vestibule.internal) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    stream.write_all(rest).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("authorization: Bearer eyJ"), "{answer}");
    assert_eq!(scene.vestibule.running().ended().unwrap().code(), Some(0));
}
