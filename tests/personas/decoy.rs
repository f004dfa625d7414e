//! Another site, or another page on the same machine, that means no good: it serves the pages a story gives it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use super::place::loopback;

pub(crate) struct Decoy {
    pub(crate) address: SocketAddr,
    pages: Arc<Mutex<HashMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Decoy {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(loopback(0)).unwrap();
        let address = listener.local_addr().unwrap();
        let decoy = Self { address, pages: Arc::default(), asked: Arc::default() };
        let (pages, asked) = (Arc::clone(&decoy.pages), Arc::clone(&decoy.asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (pages, asked) = (Arc::clone(&pages), Arc::clone(&asked));
                std::thread::spawn(move || {
                    let mut request = vec![0; 64 * 1024];
                    let length = stream.read(&mut request).unwrap_or_default();
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                    asked.lock().unwrap().push(request);
                    let page = pages.lock().unwrap().get(&path).cloned().unwrap_or_default();
                    let head =
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
                    let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{page}", page.len());
                });
            }
        });
        decoy
    }

    /// Serves a page from now on.
    pub(crate) fn serve(&self, path: &str, html: &str) {
        self.pages.lock().unwrap().insert(path.to_owned(), html.to_owned());
    }

    /// Whole requests as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
