//! What the doors tell an operator: counts under the listed names, one line per swap, and never a secret.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::Request;
use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tracing_subscriber::fmt::MakeWriter;
use vestibule_gateway::METRICS;

use crate::app::{App, SESSION, SUBJECT};
use crate::wire::{Gate, OK, service};

#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, Arc<Count>>>>);

#[derive(Default)]
struct Count(AtomicU64);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Counter::from_arc(Arc::clone(self.0.lock().unwrap().entry(name).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

impl Counts {
    fn of(&self, name: &str) -> u64 {
        self.0.lock().unwrap().get(name).map_or(0, |count| count.0.load(Ordering::SeqCst))
    }
}

async fn check(app: &App, uri: &str, cookie: Option<&str>) {
    let mut request = Request::get("/check")
        .header("x-forwarded-method", "GET")
        .header("x-forwarded-host", "app.test")
        .header("x-forwarded-uri", uri);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    app.forward_auth.answer(&parts, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
}

#[tokio::test]
async fn every_decision_is_counted_once() {
    let counts = Counts::default();
    let _installed = metrics::set_default_local_recorder(&counts);
    let app = App::new();
    let cookie = app.cookie();
    for _ in 0..3 {
        check(&app, "/orders/", Some(&cookie)).await;
    }
    check(&app, "/public/", None).await;
    check(&app, "/orders/", None).await;
    check(&app, "/orders//", None).await;
    app.world.is_down.store(true, Ordering::SeqCst);
    check(&app, "/orders/", Some(&cookie)).await;
    for (labels, expected) in [
        ("outcome=pass,code=", 4),
        ("outcome=challenge,code=no-credential", 1),
        ("outcome=deny,code=path-ambiguous", 1),
        ("outcome=fault,code=unavailable", 1),
    ] {
        let name = format!("vestibule_decisions_total{{door=forward-auth,{labels}}}");
        assert_eq!(counts.of(&name), expected, "{name} in {:?}", counts.0.lock().unwrap().keys());
    }
    assert_eq!(counts.of("vestibule_swaps_total{door=forward-auth}"), 3);
    for counted in counts.0.lock().unwrap().keys() {
        assert!(METRICS.iter().any(|(name, _)| counted.starts_with(&format!("{name}{{"))), "{counted}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// LG-01: with everything told that there is to tell, no secret is.
#[tokio::test]
async fn a_swap_is_one_line_and_no_line_holds_a_secret() {
    let log = Log::default();
    // For all threads, because what one thread's subscriber may hear depends on what the others have heard before.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_thread_ids(true)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let (cookie, csrf, bearer) = (gate.app.cookie(), gate.app.csrf(), gate.app.session_bearer());
    let presented = gate.app.jwt("https://app.test");
    check(&gate.app, "/orders/", Some(&cookie)).await;
    check(&gate.app, "/orders/", Some(&format!("{cookie}; {cookie}"))).await;
    gate.app.clock.advance(std::time::Duration::from_secs(1));
    gate.get("/orders/", &[("X-CSRF-Token", &csrf)]).await;
    gate.ask("GET", "/orders/", &[("Authorization", &bearer)]).await;
    gate.ask("GET", "/orders/", &[("Authorization", &format!("Bearer {presented}"))]).await;
    let mut told = vec![
        gate.get("/orders/", &[("Authorization", &bearer)]).await,
        gate.get("/broken/", &[]).await,
        gate.get("/nowhere", &[]).await,
        gate.ask("TRACE", "/orders/", &[]).await,
    ];
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Gate::before(&format!("http://{gone}").parse().unwrap()).await;
    told.push(nobody.ask("GET", "/public/", &[]).await);
    let stranger = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
    gate.app.forward_auth.answer(&Request::new(()).into_parts().0, stranger).await;
    let minted: Vec<String> = seen
        .take()
        .iter()
        .map(|request| crate::wire::values(request, "authorization")[0][7..].to_owned())
        .collect();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let here = format!("{:0>2?} ", std::thread::current().id());
    let swaps: Vec<&str> =
        log.lines().filter(|line| line.contains("vestibule::swap") && line.contains(&here)).collect();
    assert_eq!(swaps.len(), 4, "{log}");
    for part in [
        format!("subject=\"{SUBJECT}\""),
        format!("session.id=\"{SESSION}\""),
        "audience=\"orders\"".to_owned(),
        "route=\"/orders/\"".to_owned(),
    ] {
        assert!(swaps.iter().all(|line| line.contains(&part)), "{part} in {swaps:#?}");
    }
    let reused: Vec<bool> = swaps.iter().map(|line| line.contains("jwt.reused=true")).collect();
    assert_eq!(reused, [false, true, true, false], "{swaps:#?}");
    assert!(log.contains("cookie-ambiguous") && log.contains("two-credentials"), "{log}");
    assert!(
        log.contains("peer.address=192.0.2.9") && log.contains("not in trusted_proxies.forward_auth"),
        "{log}"
    );
    assert!(
        log.contains("upstream.failure=\"upstream-unreachable\" cause=\"client error (Connect): "),
        "{log}"
    );
    // HD-04: what is told to the outside is found in the log.
    for answer in &told {
        let (_, incident) = answer.split_once(r#""incident":""#).unwrap_or_else(|| panic!("{answer}"));
        let line = format!("incident={}", incident.split_once('"').unwrap().0);
        assert!(log.lines().any(|it| it.contains(&here) && it.contains(&line)), "{line} in {log}");
    }
    assert!(log.contains("vestibule::fault: could not decide door=\"proxy\""), "{log}");
    let secrets = [cookie.split_once('=').unwrap().1, &csrf, &bearer[7..], &presented];
    for secret in secrets.into_iter().chain(minted.iter().map(String::as_str)) {
        assert!(secret.len() > 20 && !log.contains(secret), "{secret} in {log}");
        // The signature alone would do harm enough.
        assert!(!log.contains(secret.rsplit('.').next().unwrap()), "{secret} in {log}");
    }
}
