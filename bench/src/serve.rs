//! Servers in a process of their own, one thread each, so that their processor time is theirs alone. In: how to answer. Out: the
//! address on stdout, then answers until the process is ended.

use std::convert::Infallible;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use clap::ValueEnum;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::{TcpListener, TcpStream};

use crate::app::App;
use crate::home::Home;

/// How a child answers.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answering {
    /// 200, whatever was asked: the floor.
    Bare,
    /// The floor, on tokio's runtime of many threads, of which it gets one: what the program runs on.
    BareShared,
    /// The forward-auth door.
    Check,
}

pub(crate) fn run(how: Answering, home: Option<&Path>) -> Result<()> {
    let mut builder = match how {
        Answering::BareShared => tokio::runtime::Builder::new_multi_thread(),
        Answering::Bare | Answering::Check => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()?.block_on(async {
        // As the program does; without a recorder counting would cost nothing.
        PrometheusBuilder::new().install_recorder()?;
        match how {
            Answering::Bare | Answering::BareShared => accept(Arc::new(Floor)).await,
            Answering::Check => {
                let app = App::open(&Home::at(home.context("--home is missing")?)?).await?;
                accept(Arc::new(app)).await
            }
        }
    })
}

/// What answers a request.
trait Answer: Send + Sync + 'static {
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

struct Floor;

impl Answer for Floor {
    async fn answer(&self, _: Request<Incoming>, _: IpAddr) -> Response<Full<Bytes>> {
        Response::new(Full::default())
    }
}

impl Answer for App {
    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Full<Bytes>> {
        let (parts, _) = request.into_parts();
        self.forward_auth.answer(&parts, peer).await
    }
}

async fn accept(answer: Arc<impl Answer>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    loop {
        let (stream, peer) = listener.accept().await?;
        tokio::spawn(connection(stream, peer.ip(), Arc::clone(&answer)));
    }
}

async fn connection(stream: TcpStream, peer: IpAddr, answer: Arc<impl Answer>) {
    // Without it the figures would only be worse.
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| {
        let answer = Arc::clone(&answer);
        async move { Ok::<_, Infallible>(answer.answer(request, peer).await) }
    });
    // The client hangs up in the middle of nothing when it is done.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
