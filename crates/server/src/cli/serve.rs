//! `vestibule serve`: the server, until SIGTERM or SIGINT; SIGHUP reads what can change while it runs. In: settings. Out: log
//! lines, and an end that finishes what was begun.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vestibule_core::wire::forwarded::TrustedProxies;

use super::{Context, Failure};
use crate::assemble::{App, Endpoints};
use crate::config::reload::{self, Differences};
use crate::config::{self, Danger, Settings, Source};
use crate::control::server::ControlSocket;
use crate::host::open_files;
use crate::listen::{self, Face, Limits};
use crate::maintenance;
use crate::operator::Operator;
use crate::secrets::Unchecked;
use crate::status::Status;
use crate::telemetry;
use crate::untrusted;

/// How long browsers' requests in flight may take once the program was asked to end, and then the proxies' questions: together less
/// than the 30 seconds after which supervisors lose patience.
const DRAIN_PUBLIC: Duration = Duration::from_secs(20);
const DRAIN_INTERNAL: Duration = Duration::from_secs(5);

const LOOPBACK_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let _log = telemetry::log(context.log_format, "info")?;
    let counters = telemetry::count()?;
    let settings = context.settings()?;
    block_on(async {
        if !settings.listen.public.ip().is_loopback() {
            tracing::warn!(
                address = %settings.listen.public,
                "the public listener speaks plain HTTP beyond loopback: only your TLS proxy should reach it"
            );
        }
        if let Some(exposed) = context.source.exposed() {
            tracing::warn!("{exposed}");
        }
        let server = Server::open(settings, counters).await?;
        tracing::info!(
            public = %server.public_address(),
            internal = %server.internal_address(),
            public_url = server.app.settings.public_url.as_str(),
            routes = server.app.settings.routes.len(),
            "ready"
        );
        server.run(HangUp::Reloads(context.source.clone())).await
    })
}

/// Runs a server command's future on all cores.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Unknown(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(future)
}

/// A server with its sockets open.
pub(super) struct Server {
    pub(super) app: Arc<App>,
    counters: PrometheusHandle,
    public: TcpListener,
    internal: TcpListener,
    control: ControlSocket,
    signals: Signals,
}

impl Server {
    /// Opens the sockets first, so that a port in use is known before anything else happens.
    pub(super) async fn open(settings: Settings, counters: PrometheusHandle) -> Result<Self, Failure> {
        let public = listen::bind(settings.listen.public, "listen.public").await?;
        let internal = listen::bind(settings.listen.internal, "listen.internal").await?;
        Self::open_on(settings, counters, public, internal).await
    }

    /// Opens the app behind sockets that are open already.
    pub(super) async fn open_on(
        settings: Settings,
        counters: PrometheusHandle,
        public: TcpListener,
        internal: TcpListener,
    ) -> Result<Self, Failure> {
        let signals = Signals::receive()?;
        tell_dangers(&settings.dangers);
        for warning in config::warnings(&settings).into_iter().chain(untrusted::none_named(&settings)) {
            tracing::warn!("{warning}");
        }
        let app = App::open(settings, Unchecked::Keep).await?;
        let control = ControlSocket::open(&app.settings.control_socket())?;
        app.key_manager.ensure_signers().await?;
        Ok(Self { app, counters, public, internal, control, signals })
    }

    pub(super) fn public_address(&self) -> String {
        self.public.local_addr().map(|it| it.to_string()).unwrap_or_default()
    }

    pub(super) fn internal_address(&self) -> String {
        self.internal.local_addr().map(|it| it.to_string()).unwrap_or_default()
    }

    /// Serves until a signal ends it.
    pub(super) async fn run(mut self, hang_up: HangUp) -> Result<(), Failure> {
        let app = self.app;
        let front = Arc::new(app.front()?);
        let status = Arc::new(Status::new(Arc::clone(&app), self.counters.clone()));
        let operator = Arc::new(Operator::new(Arc::clone(&app)));
        let stop = CancellationToken::new();
        let listen = app.settings.listen;
        let limits = Limits {
            slowest_body: listen.slowest_body,
            header_block: listen.header_block,
            ..Limits::within(open_files::raise())
        };
        let shared = Limits { per_source: share(listen.connections_per_source), ..limits };
        let face = Face::Public { front: Arc::clone(&front) };
        let public = Open::on(self.public, face, shared, known(&app.settings.public_proxies));
        let face = Face::Internal { front: Arc::clone(&front), status: Arc::clone(&status) };
        // Only proxies and operators come here.
        let internal = Open::on(self.internal, face, limits, Vec::new());
        let control = tokio::spawn(self.control.serve(operator, stop.clone()));
        let maintenance = tokio::spawn(maintenance::run(Arc::clone(&app), self.counters, stop.clone()));

        match hang_up {
            HangUp::Ends => self.signals.end_or_hang_up().await,
            HangUp::Reloads(source) => {
                let reload = Reload { app: &app, front: &front, status: &status, source };
                self.signals.end_or_reload(&reload).await;
            }
        }
        status.drain();
        if !listen.drain_notice.is_zero() {
            tracing::info!(
                seconds = listen.drain_notice.as_secs(),
                "asked to end: /readyz says 503, and requests are taken as ever until balancers had time to notice"
            );
            tokio::select! {
                () = tokio::time::sleep(listen.drain_notice) => {}
                () = self.signals.end() => {}
            }
        }
        tracing::info!(
            "draining: no new requests from browsers; those in flight are finished, and /check is answered to the last"
        );
        tokio::select! {
            // Inside out would refuse requests that are on their way already: the proxy in front still asks about those it has.
            () = async { public.drain(DRAIN_PUBLIC).await; internal.drain(DRAIN_INTERNAL).await; } => {}
            () = self.signals.end() => tracing::warn!("asked twice: not waiting for requests in flight"),
        }
        stop.cancel();
        control.await.ok();
        maintenance.await.ok();
        app.stores.upkeep.close().await?;
        tracing::info!("ended");
        Ok(())
    }
}

fn share(connections_per_source: Option<NonZeroU32>) -> usize {
    connections_per_source.map_or(usize::MAX, |most| usize::try_from(most.get()).unwrap_or(usize::MAX))
}

/// Whoever may have any number of connections: the proxies, and this machine, where one is likely to stand.
fn known(proxies: &[IpNet]) -> Vec<IpNet> {
    let here = [IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)), LOOPBACK_V4.into()];
    proxies.iter().copied().chain(here).collect()
}

/// A listener that accepts connections, and what became of them.
struct Open {
    name: &'static str,
    accepting: JoinHandle<()>,
    drain: CancellationToken,
    connections: TaskTracker,
}

impl Open {
    fn on(listener: TcpListener, face: Face, limits: Limits, known: Vec<IpNet>) -> Self {
        let name = face.name();
        let (drain, connections) = (CancellationToken::new(), TaskTracker::new());
        let accepting =
            tokio::spawn(listen::accept(listener, face, limits, known, drain.clone(), connections.clone()));
        Self { name, accepting, drain, connections }
    }

    /// Closes the listener, ends connections that lie idle, and waits for the answers of the others.
    async fn drain(self, patience: Duration) {
        self.drain.cancel();
        self.accepting.await.ok();
        self.connections.close();
        if tokio::time::timeout(patience, self.connections.wait()).await.is_err() {
            tracing::warn!(
                listener = self.name,
                connections = self.connections.len(),
                "some requests were not finished in time"
            );
        }
    }
}

/// What SIGHUP is answered with.
pub(super) enum HangUp {
    /// The end: the terminal that it was started from has closed.
    Ends,
    /// The configuration is read again from here.
    Reloads(Source),
}

/// The signals that are answered, from the moment this is made: before it, SIGTERM would end the program without a drain.
struct Signals {
    hang_up: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn receive() -> Result<Self, Failure> {
        let receive = |kind| {
            signal(kind).map_err(|error| Failure::Unknown(format!("signals cannot be received: {error}")))
        };
        Ok(Self {
            hang_up: receive(SignalKind::hangup())?,
            interrupt: receive(SignalKind::interrupt())?,
            terminate: receive(SignalKind::terminate())?,
        })
    }

    /// Waits for SIGTERM or SIGINT.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for SIGTERM, SIGINT or SIGHUP.
    async fn end_or_hang_up(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }

    /// Waits for the end, and reads the configuration anew at each SIGHUP until then.
    async fn end_or_reload(&mut self, reload: &Reload<'_>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => reload.run().await,
            }
        }
    }
}

/// What SIGHUP does: routes, audiences, the peers that may ask /check, and the signing keys are read anew.
struct Reload<'a> {
    app: &'a App,
    front: &'a Endpoints,
    status: &'a Status,
    source: Source,
}

impl Reload<'_> {
    /// A configuration that is wrong changes nothing, and so does one for another origin or other listeners: the old one stays in
    /// force.
    async fn run(&self) {
        let newer = match self.source.load() {
            Ok(newer) => newer,
            Err(error) => {
                tracing::error!(error = %error, "the configuration stays as it was");
                return;
            }
        };
        let differences = Differences::between(&self.app.settings, &newer);
        if !differences.refused.is_empty() {
            let keys = differences.refused.join(", ");
            tracing::error!(keys, "these need a restart: the configuration stays as it was, routes included");
            return;
        }
        if !differences.waiting.is_empty() {
            tracing::warn!(keys = differences.waiting.join(", "), "these stay as they are until a restart");
        }
        let dangers = reload::dangers_after(&self.app.settings, &newer);
        tell_dangers(&dangers);
        self.status.replace_dangers(&dangers);
        self.front.forward_auth.replace_proxies(TrustedProxies::new(newer.forward_auth_proxies.clone()));
        self.app.replace_routes(&newer);
        if let Err(fault) = self.app.key_manager.tick().await {
            tracing::error!(
                target: "vestibule::fault",
                task = "read the signing keys anew",
                fault.code = fault.code(),
                fault.report = fault.report(),
                "the signing keys stay as they were"
            );
        }
        tracing::info!(
            routes = newer.routes.len(),
            audiences = newer.audiences.len(),
            "routes, audiences, forward-auth proxies and keys were read anew; other settings need a restart"
        );
    }
}

fn tell_dangers(dangers: &[Danger]) {
    for danger in dangers {
        tracing::warn!(target: telemetry::DANGER, setting = danger.key, "danger: {}", danger.what);
    }
}
