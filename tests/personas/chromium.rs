//! A real Chromium, driven over WebDriver. In: what a person does. Out: what they see, and what the engine knows of cookies.
//! Its host names all lead to this machine: app.test, sub.app.test, evil.test.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use thirtyfour::error::{WebDriverError, WebDriverResult};
use thirtyfour::session::http::{Body, HttpClient};
use thirtyfour::{
    By, CapabilitiesHelper, ChromiumLikeCapabilities, Cookie, DesiredCapabilities, WebDriver, WindowHandle,
};
use tokio::runtime::Runtime;

use super::installed::program;
use super::place::{Place, free_address};
use super::running::Running;
use super::wire::Ask;

const PATIENCE: Duration = Duration::from_secs(20);

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scripts {
    Off,
    Run,
}

/// Two browsers at once fill two cores.
static ROOM: (Mutex<usize>, Condvar) = (Mutex::new(2), Condvar::new());

pub(crate) struct Chromium {
    // In the order in which they must go.
    driver: Option<WebDriver>,
    runtime: Runtime,
    _running: Running,
    _place: Place,
    _seat: Seat,
}

impl Chromium {
    pub(crate) fn start() -> Self {
        Self::start_with(Scripts::Run)
    }

    /// One that runs no scripts of any page.
    pub(crate) fn without_scripts() -> Self {
        Self::start_with(Scripts::Off)
    }

    fn start_with(scripts: Scripts) -> Self {
        let seat = Seat::take();
        let place = Place::new();
        let mut command = program("chromedriver", "chromium-driver");
        // One of our own: asked for any, it takes one of IPv6 and ends when somebody has the same one of IPv4.
        let address = free_address();
        command.arg(format!("--port={}", address.port()));
        let mut running = Running::start("chromedriver", command, place.join("chromedriver.log"));
        running.wait_for("started successfully on port ");
        let _ = program("chromium", "chromium");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let driver = runtime.block_on(async {
            let mut wishes = DesiredCapabilities::chrome();
            let profile = format!("--user-data-dir={}", place.join("profile").display());
            for flag in FLAGS.iter().copied().chain([profile.as_str()]) {
                wishes.add_arg(flag).unwrap();
            }
            wishes.accept_insecure_certs(true).unwrap();
            if scripts == Scripts::Off {
                // 2 is "block" in the engine's own table of content settings.
                let settings = serde_json::json!({"profile.managed_default_content_settings.javascript": 2});
                wishes.add_experimental_option("prefs", settings).unwrap();
            }
            let driver = WebDriver::builder(format!("http://{address}"), wishes);
            driver.client(Plain).await.unwrap()
        });
        Self { driver: Some(driver), runtime, _running: running, _place: place, _seat: seat }
    }

    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.on(|driver| async move { driver.goto(url).await });
    }

    #[track_caller]
    pub(crate) fn url(&self) -> String {
        self.on(|driver| async move { driver.current_url().await }).to_string()
    }

    #[track_caller]
    pub(crate) fn title(&self) -> String {
        self.on(|driver| async move { driver.title().await })
    }

    /// What can be read on the page.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.text_of("body")
    }

    /// What can be read of an element; nothing, where there is none (yet). In one step, so that no page can change in between.
    #[track_caller]
    pub(crate) fn text_of(&self, css: &str) -> String {
        let script = format!("return document.querySelector({})?.innerText ?? ''", Value::from(css));
        self.script(&script).as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn fill_in(&self, css: &str, text: &str) {
        self.on(|driver| async move {
            let field = driver.find(By::Css(css)).await?;
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        self.on(|driver| async move { driver.find(By::Css(css)).await?.click().await });
    }

    #[track_caller]
    pub(crate) fn back(&self) {
        self.on(|driver| async move { driver.back().await });
    }

    /// Runs a script in the page; what it returns.
    #[track_caller]
    pub(crate) fn script(&self, script: &str) -> Value {
        self.on(|driver| async move { Ok(driver.execute(script, Vec::new()).await?.json().clone()) })
    }

    /// Runs a script that awaits; what it returns.
    #[track_caller]
    pub(crate) fn awaited(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];\
             (async () => {{ {script} }})().then(done, error => done('failed: ' + error))"
        );
        self.on(|driver| async move { Ok(driver.execute_async(script, Vec::new()).await?.json().clone()) })
    }

    /// All cookies that the engine would send to the page that is shown.
    #[track_caller]
    pub(crate) fn cookies(&self) -> Vec<Cookie> {
        self.on(|driver| async move { driver.get_all_cookies().await })
    }

    /// The one that a session is in.
    #[track_caller]
    pub(crate) fn session_cookie(&self) -> Option<Cookie> {
        let is_ours = |cookie: &Cookie| matches!(cookie.name.as_str(), "vestibule" | "__Host-Http-vestibule");
        self.cookies().into_iter().find(is_ours)
    }

    #[track_caller]
    pub(crate) fn tab(&self) -> WindowHandle {
        self.on(|driver| async move { driver.window().await })
    }

    /// Opens another tab and goes there.
    #[track_caller]
    pub(crate) fn new_tab(&self) -> WindowHandle {
        self.on(|driver| async move {
            let tab = driver.new_tab().await?;
            driver.switch_to_window(tab.clone()).await?;
            Ok(tab)
        })
    }

    #[track_caller]
    pub(crate) fn switch_to(&self, tab: &WindowHandle) {
        self.on(|driver| async move { driver.switch_to_window(tab.clone()).await });
    }

    /// Asks the engine for what no page can ask for: another size, another scheme of colours. What it answers.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.on(|driver| async move { driver.cdp().send_raw(command, parameters).await })
    }

    /// Waits until something holds.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            let seen = || (self.url(), self.text());
            assert!(began.elapsed() < PATIENCE, "never came true: {what}; it shows {:?}", seen());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Fills in the login page that is shown, and sends it.
    #[track_caller]
    pub(crate) fn sign_in(&self, identifier: &str, password: &str) {
        self.fill_in("#identifier", identifier);
        self.fill_in("#password", password);
        self.click("button.primary");
    }

    #[track_caller]
    fn on<'a, T, F>(&'a self, act: impl FnOnce(&'a WebDriver) -> F) -> T
    where
        F: Future<Output = WebDriverResult<T>>,
    {
        let driver = self.driver.as_ref().unwrap();
        match self.runtime.block_on(act(driver)) {
            Ok(done) => done,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            let _ = self.runtime.block_on(driver.quit());
        }
    }
}

const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1200,1000",
    "--host-resolver-rules=MAP app.test 127.0.0.1, MAP sub.app.test 127.0.0.1, MAP evil.test 127.0.0.1",
];

/// A place among the browsers that may run at once.
struct Seat;

impl Seat {
    fn take() -> Self {
        let (room, freed) = &ROOM;
        let room = room.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut room = freed.wait_while(room, |room| *room == 0).unwrap_or_else(|error| error.into_inner());
        *room -= 1;
        Self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (room, freed) = &ROOM;
        *room.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
        freed.notify_one();
    }
}

/// WebDriver's JSON over our plain HTTP: chromedriver needs no more, and nothing else runs while it is waited for.
struct Plain;

#[async_trait::async_trait]
impl HttpClient for Plain {
    async fn send(&self, request: Request<Body<'_>>) -> WebDriverResult<Response<Bytes>> {
        let (parts, body) = request.into_parts();
        let to: SocketAddr = parts.uri.authority().unwrap().as_str().parse().unwrap();
        let mut ask = Ask::new(parts.method.as_str(), parts.uri.path());
        if let Body::Json(json) = body {
            ask = ask.json(json);
        }
        let answer = ask.try_send(to).ok_or(WebDriverError::FatalError("chromedriver is gone".into()))?;
        Ok(Response::builder().status(answer.status).body(Bytes::from(answer.body)).unwrap())
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(Self)
    }
}
