use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::assemble::App;
use crate::config;

mod prefix;

/// A whole server's sockets on free ports, over a database of their own.
struct Sockets {
    public: SocketAddr,
    internal: SocketAddr,
    drain: CancellationToken,
    connections: TaskTracker,
    /// Lets a service that is slow to answer do so, one answer each.
    answers: Arc<tokio::sync::Semaphore>,
    _folder: tempfile::TempDir,
}

const QUICK: Limits = Limits {
    connections: 3,
    header_block: 32 * 1024,
    uri: 8 * 1024,
    header_time: Duration::from_millis(400),
    idle_time: Duration::from_millis(1200),
    stuck_time: Duration::from_millis(400),
    per_source: usize::MAX,
    slowest_body: 0,
};

impl Sockets {
    async fn open(limits: Limits) -> Self {
        Self::open_with(limits, "").await
    }

    /// The same before a service that is slow to answer, at `/slow/`.
    async fn before_a_service(limits: Limits) -> Self {
        let answers = Arc::new(tokio::sync::Semaphore::new(0));
        let upstream = slow_service(Arc::clone(&answers)).await;
        let route =
            format!("[[route]]\npath = \"/slow/\"\nrequire = \"public\"\nupstream = \"http://{upstream}\"");
        Self { answers, ..Self::open_with(limits, &route).await }
    }

    async fn open_with(limits: Limits, sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("data_dir = \"data\"\n{sections}");
        let settings = config::read(&text, "v.toml", folder.path(), &[]).unwrap();
        let app = App::open(settings, crate::secrets::Unchecked::Keep).await.unwrap();
        app.key_manager.ensure_signers().await.unwrap();
        let front = Arc::new(app.front().unwrap());
        let counters = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
        let status = Arc::new(Status::new(app, counters));
        let (drain, connections) = (CancellationToken::new(), TaskTracker::new());
        let mut addresses = Vec::new();
        for face in
            [Face::Public { front: Arc::clone(&front) }, Face::Internal { front: Arc::clone(&front), status }]
        {
            let listener = bind(([127, 0, 0, 1], 0).into(), "test").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            tokio::spawn(accept(listener, face, limits, Vec::new(), drain.clone(), connections.clone()));
        }
        Self {
            public: addresses[0],
            internal: addresses[1],
            drain,
            connections,
            answers: Arc::new(tokio::sync::Semaphore::new(0)),
            _folder: folder,
        }
    }
}

/// A service that takes requests at once and answers when it is let.
async fn slow_service(answers: Arc<tokio::sync::Semaphore>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                answers.acquire().await.unwrap().forget();
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
            });
        }
    });
    address
}

/// Sends bytes and reads until the server closes or nothing comes for a second.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    read_some(&mut stream).await
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(length)) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut buffer)).await {
        all.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&all);
        if length == 0 || text.contains("\r\n\r\n") {
            break;
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// How long the server keeps a silent connection open.
async fn kept_open(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let mut buffer = [0; 4096];
    while let Ok(Ok(length)) = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await {
        if length == 0 {
            return began.elapsed();
        }
    }
    Duration::MAX
}

#[tokio::test]
async fn each_listener_answers_what_is_its_own() {
    let sockets = Sockets::open(Limits::default()).await;
    let get = |address, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        async move { exchange(address, request.as_bytes()).await }
    };
    for (address, path, status) in [
        (sockets.internal, "/healthz", "200"),
        (sockets.internal, "/readyz", "200"),
        (sockets.internal, "/metrics", "200"),
        (sockets.internal, "/check", "403"),
        (sockets.internal, "/csrf", "405"),
        (sockets.internal, "/auth/login", "404"),
        (sockets.internal, "/.well-known/jwks.json", "404"),
        (sockets.public, "/auth/login", "200"),
        (sockets.public, "/.well-known/jwks.json", "200"),
        (sockets.public, "/auth/nothing", "404"),
        (sockets.public, "/metrics", "404"),
        (sockets.public, "/check", "404"),
        (sockets.public, "/csrf", "404"),
        (sockets.public, "/", "404"),
    ] {
        let answer = get(address, path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
    let answer =
        exchange(sockets.internal, b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let sockets = Sockets::open(Limits::default()).await;
    for address in [sockets.public, sockets.internal] {
        let uri = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(8 * 1024));
        let answer = exchange(address, uri.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 414") && answer.contains("\"code\":\"uri-too-long\""),
            "{answer}"
        );
        let browsers = uri.replace("\r\n\r\n", "\r\nAccept: text/html\r\nAccept-Language: de\r\n\r\n");
        let page = exchange(address, browsers.as_bytes()).await;
        assert!(page.starts_with("HTTP/1.1 414") && page.contains("Die Adresse ist zu lang"), "{page}");
        let fits = format!("GET /auth/login HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(31 * 1024));
        let answer = exchange(address, fits.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

/// Other programs on the host set cookies, too. What is too much is answered with words, also where all of it is still being sent, and it
/// is never acted on.
#[tokio::test]
async fn too_many_cookies_are_answered_with_words_that_help() {
    let sockets = Sockets::open(Limits::default()).await;
    for address in [sockets.public, sockets.internal] {
        for kilobytes in [33, 60, 100, 700] {
            // The internal side has proxies for peers, and cuts nothing off: more than they can send is a bare 431 there.
            if address == sockets.internal && kilobytes > 100 {
                continue;
            }
            for path in ["/auth/login", "/healthz", "/check"] {
                let cookies = "c=1234567; ".repeat(kilobytes * 1024 / 11);
                let ask = |accept: &str| {
                    let head = format!(
                        "GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nCookie: {cookies}\r\n\r\n"
                    );
                    async move { exchange(address, head.as_bytes()).await }
                };
                let page = ask("text/html,*/*;q=0.8").await;
                assert!(page.starts_with("HTTP/1.1 431 "), "{kilobytes} {path}: {page}");
                assert!(page.contains("text/html") && page.contains("Delete the cookies"), "{page}");
                assert!(page.contains("<link rel=\"stylesheet\""), "a page of the theme: {page}");
                assert!(page.contains("connection: close") && page.contains("nosniff"), "{page}");
                let problem = ask("application/json").await;
                assert!(problem.starts_with("HTTP/1.1 431 "), "{kilobytes} {path}: {problem}");
                assert!(problem.contains("\"code\":\"headers-too-large\""), "{problem}");
            }
        }
        // A request that fits is answered as always, also behind others on the same connection.
        let one = format!("GET /x HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "c".repeat(30 * 1024));
        let mut stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..5 {
            stream.write_all(one.as_bytes()).await.unwrap();
            assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 404"));
        }
    }
}

#[tokio::test]
async fn a_slow_or_silent_peer_is_let_go() {
    let sockets = Sockets::open(QUICK).await;
    let mut silent = TcpStream::connect(sockets.public).await.unwrap();
    let mut slow = TcpStream::connect(sockets.public).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let (silent, slow) = tokio::join!(kept_open(&mut silent), kept_open(&mut slow));
    for held in [silent, slow] {
        assert!((300..2000).contains(&held.as_millis()), "held for {held:?}");
    }
}

/// Drop by drop is as slow as not at all.
#[tokio::test]
async fn headers_that_trickle_do_not_hold_a_connection_forever() {
    let sockets = Sockets::open(QUICK).await;
    let (mut reading, mut writing) = TcpStream::connect(sockets.public).await.unwrap().into_split();
    let trickle = tokio::spawn(async move {
        for _ in 0..100 {
            if writing.write_all(b"X").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let began = Instant::now();
    let mut buffer = [0; 100];
    let _ = tokio::time::timeout(Duration::from_secs(10), reading.read(&mut buffer)).await;
    assert!(began.elapsed() < Duration::from_secs(3), "held for {:?}", began.elapsed());
    trickle.abort();
}

#[tokio::test]
async fn a_connection_stays_open_between_requests_and_not_forever() {
    let sockets = Sockets::open(QUICK).await;
    let mut stream = TcpStream::connect(sockets.internal).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let answer = read_some(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // Longer than headers may take, shorter than a connection may lie unused.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let held = kept_open(&mut stream).await;
    assert!((300..4000).contains(&held.as_millis()), "held for {held:?}");
}

/// A connection with a request at work: the service has not answered yet.
async fn at_work(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /slow/ HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream
}

async fn is_served(stream: &mut TcpStream) -> bool {
    if stream.write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n").await.is_err() {
        return false;
    }
    read_some(stream).await.starts_with("HTTP/1.1 200")
}

fn patient() -> Limits {
    Limits { header_time: Duration::from_secs(2), idle_time: Duration::from_secs(30), ..QUICK }
}

#[tokio::test]
async fn one_request_too_many_waits_for_its_turn() {
    let sockets = Sockets::before_a_service(patient()).await;
    let mut held = Vec::new();
    for _ in 0..QUICK.connections {
        held.push(at_work(sockets.public).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut late = TcpStream::connect(sockets.public).await.unwrap();
    assert!(!is_served(&mut late).await, "answered beyond the limit");
    held.pop();
    assert!(read_some(&mut late).await.starts_with("HTTP/1.1 200"));
    // Nobody at work was cut off.
    sockets.answers.add_permits(held.len() + 1);
    for stream in &mut held {
        assert!(read_some(stream).await.starts_with("HTTP/1.1 204"));
    }
}

/// DS-02: strangers who hold connections and ask nothing, or never finish asking, keep nobody out.
#[tokio::test]
async fn quiet_connections_make_room_for_who_comes() {
    for begun in ["", "GET / HTTP/1.1\r\nHo", "GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let sockets = Sockets::open(patient()).await;
        let mut held = Vec::new();
        for _ in 0..QUICK.connections {
            let mut stream = TcpStream::connect(sockets.public).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            held.push(stream);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut late = TcpStream::connect(sockets.public).await.unwrap();
        assert!(is_served(&mut late).await, "kept out by connections after {begun:?}");
        // One was enough.
        let others = sockets.connections.len();
        assert_eq!(others, QUICK.connections, "after {begun:?}");
    }
}

/// DS-02: who stalls in the midst of a body, or sends a byte of it now and then, makes room as who never finishes asking does: for a form
/// of ours, a call, and what is carried to a service.
#[tokio::test]
async fn stalled_and_dripping_bodies_make_room_for_who_comes() {
    let head = |path: &str, kind: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 900\r\n\r\na"
        )
    };
    let heads = [
        head("/auth/login", "application/x-www-form-urlencoded"),
        head("/auth/api/v1/login", "application/json"),
        head("/auth/oauth/token", "application/x-www-form-urlencoded"),
        head("/slow/", "text/plain"),
    ];
    // A grace that is over before anything else is.
    let limits = Limits { header_time: Duration::from_secs(3), ..patient() };
    for head in heads {
        let sockets = Sockets::before_a_service(limits).await;
        let mut held = Vec::new();
        for _ in 0..QUICK.connections {
            let mut stream = TcpStream::connect(sockets.public).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            held.push(stream);
        }
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            for stream in &mut held {
                stream.write_all(b"a").await.unwrap();
            }
        }
        let mut late = TcpStream::connect(sockets.public).await.unwrap();
        assert!(is_served(&mut late).await, "kept out by bodies that stall: {head:?}");
        assert_eq!(sockets.connections.len(), QUICK.connections, "one was enough: {head:?}");
    }
}

/// An upload that goes on is work, however long it takes.
#[tokio::test]
async fn an_upload_that_goes_on_is_not_cut_off() {
    let sockets = Sockets::before_a_service(patient()).await;
    let mut held = Vec::new();
    for _ in 0..QUICK.connections {
        let mut stream = TcpStream::connect(sockets.public).await.unwrap();
        let head = b"POST /slow/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        held.push(stream);
    }
    let late = TcpStream::connect(sockets.public).await.unwrap();
    // Below the pace that keeps a place, its answer would come when the first of these is closed.
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for stream in &mut held {
            stream.write_all(&[b'a'; 17 * 1024]).await.expect("it was cut off");
        }
    }
    drop(late);
}

#[tokio::test]
async fn one_source_has_its_share_and_quiet_ones_of_its_own_make_room_first() {
    let limits = Limits { connections: 100, per_source: 3, ..patient() };
    let sockets = Sockets::before_a_service(limits).await;
    let mut quiet = TcpStream::connect(sockets.public).await.unwrap();
    assert!(is_served(&mut quiet).await);
    let mut held = vec![at_work(sockets.public).await, at_work(sockets.public).await];
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The third place is a quiet one's.
    held.push(at_work(sockets.public).await);
    assert!(kept_open(&mut quiet).await < Duration::from_secs(1), "the quiet one stays");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut fourth = TcpStream::connect(sockets.public).await.unwrap();
    assert!(!is_served(&mut fourth).await, "more than its share");
    assert!(kept_open(&mut fourth).await < Duration::from_secs(1), "it is held");
    sockets.answers.add_permits(3);
    assert!(read_some(&mut held[0]).await.starts_with("HTTP/1.1 204"), "who was at work was cut off");
    drop(held);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(is_served(&mut TcpStream::connect(sockets.public).await.unwrap()).await);
}

#[tokio::test]
async fn draining_ends_idle_connections_at_once() {
    let sockets = Sockets::open(Limits::default()).await;
    let mut fresh = TcpStream::connect(sockets.public).await.unwrap();
    let mut idle = TcpStream::connect(sockets.internal).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_some(&mut idle).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    sockets.drain.cancel();
    sockets.connections.close();
    let all = tokio::time::timeout(Duration::from_secs(5), sockets.connections.wait()).await;
    assert!(all.is_ok(), "{} connections are still open", sockets.connections.len());
    assert!(kept_open(&mut fresh).await < Duration::from_secs(1));
    assert!(kept_open(&mut idle).await < Duration::from_secs(1));
    assert!(TcpStream::connect(sockets.public).await.is_err(), "a draining server takes no new connections");
}

/// A request that has begun when the program is asked to end is answered; the connection closes after it.
#[tokio::test]
async fn draining_finishes_what_was_begun() {
    let sockets = Sockets::open(Limits::default()).await;
    let mut stream = TcpStream::connect(sockets.public).await.unwrap();
    let head = b"POST /auth/api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{";
    stream.write_all(head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    sockets.drain.cancel();
    sockets.connections.close();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sockets.connections.len(), 1, "the request in flight was cut off");
    stream.write_all(b"}").await.unwrap();
    let answer = read_some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 4") && answer.contains("problem+json"), "{answer}");
    let all = tokio::time::timeout(Duration::from_secs(5), sockets.connections.wait()).await;
    assert!(all.is_ok(), "the connection stayed open after its last answer");
}

/// A peer that takes nothing of a long answer does not hold its connection, and so the place of another, for good.
#[tokio::test]
async fn a_peer_that_takes_nothing_is_let_go() {
    let sockets = Sockets::open(QUICK).await;
    let mut stream = TcpStream::connect(sockets.internal).await.unwrap();
    // Requests without end, and none of their answers is read: sooner or later the server cannot send.
    let ask = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(64);
    let asked = async {
        loop {
            if stream.write_all(&ask).await.is_err() {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), asked).await.is_ok(), "it is still being served");
}

/// GW-04: what hyper would mend, strangers are not allowed to send; the pages and the proxy stand behind the same ear.
#[tokio::test]
async fn messages_with_two_readings_are_refused_and_the_connection_ends() {
    let sockets = Sockets::open(Limits::default()).await;
    let good = "GET /auth/login HTTP/1.1\r\nhost: a\r\n\r\n";
    assert!(exchange(sockets.public, good.as_bytes()).await.starts_with("HTTP/1.1 200"));
    let two_readings = [
        "POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
        "GET /auth/login HTTP/1.1\r\nhost: a\r\nx: 1\r\n folded\r\n\r\n",
        "GET /auth/login HTTP/1.1\nhost: a\n\n",
        "GET /auth/login#/x HTTP/1.1\r\nhost: a\r\n\r\n",
    ];
    for message in two_readings {
        let answer = exchange(sockets.public, message.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{message:?}: {answer:?}");
    }
}
