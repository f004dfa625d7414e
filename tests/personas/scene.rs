//! The usual arrangement: Vestibule, one of four doors, and a service behind. In: which door. Out: an origin to point a browser at.

use std::net::SocketAddr;

use super::api_client::ApiClient;
use super::browser::Browser;
use super::caddy::Caddy;
use super::haproxy::HaProxy;
use super::nginx::Nginx;
use super::place::free_address;
use super::service::Service;
use super::verifying::{Library, VerifyingService};
use super::vestibule::Vestibule;

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The same, at a price that hundreds of accounts can pay.
pub(crate) const CHEAP_HASH: &str =
    "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY";

/// What stands in front of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    BuiltIn,
    Caddy,
    HaProxy,
    Nginx,
}

impl Door {
    pub(crate) const ALL: [Self; 4] = [Self::BuiltIn, Self::Caddy, Self::HaProxy, Self::Nginx];
}

pub(crate) struct Scene {
    pub(crate) door: Door,
    /// Ends first: what asks before what answers.
    _proxy: Proxy,
    pub(crate) vestibule: Vestibule,
    pub(crate) service: Service,
    _elsewhere: Option<VerifyingService>,
    /// Where browsers come in.
    pub(crate) front: SocketAddr,
    /// The origin they see.
    pub(crate) origin: String,
    /// Ada's subject.
    pub(crate) subject: String,
}

/// Who answers.
enum Behind {
    Library(Library),
    Persona,
    Program(SocketAddr),
}

enum Proxy {
    Caddy(#[expect(dead_code, reason = "held until it ends")] Caddy),
    HaProxy(#[expect(dead_code, reason = "held until it ends")] HaProxy),
    Nginx(#[expect(dead_code, reason = "held until it ends")] Nginx),
    None,
}

impl Scene {
    /// Everything runs, Ada has an account, nobody is signed in.
    pub(crate) fn behind(door: Door) -> Self {
        Self::with(door, Vestibule::installed(), "", "")
    }

    /// The same before a service in another language.
    pub(crate) fn before(library: Library, door: Door) -> Self {
        Self::build(door, Vestibule::installed(), None, "", "", Behind::Library(library))
    }

    /// The same before a program that the story has started itself, and the service persona hears nothing.
    pub(crate) fn in_front_of(door: Door, behind: SocketAddr) -> Self {
        Self::build(door, Vestibule::installed(), None, "", "", Behind::Program(behind))
    }

    /// The built-in door of an installation that says it is elsewhere: at an https origin, whose TLS somebody else would end.
    pub(crate) fn at(origin: &str, vestibule: Vestibule) -> Self {
        Self::build(Door::BuiltIn, vestibule, Some(origin), "", "", Behind::Persona)
    }

    /// The same with keys of the top level and sections of the story's own. `{upstream}` in them stands for the service's origin.
    pub(crate) fn with(door: Door, vestibule: Vestibule, top: &str, sections: &str) -> Self {
        Self::build(door, vestibule, None, top, sections, Behind::Persona)
    }

    fn build(
        door: Door,
        mut vestibule: Vestibule,
        origin: Option<&str>,
        top: &str,
        sections: &str,
        behind: Behind,
    ) -> Self {
        let front = if door == Door::BuiltIn { vestibule.public } else { free_address() };
        let origin = origin.map_or_else(|| format!("http://{front}"), str::to_owned);
        let service = Service::start();
        let elsewhere = match behind {
            Behind::Library(library) => {
                Some(VerifyingService::start(library, &origin, "orders", vestibule.public))
            }
            Behind::Persona | Behind::Program(_) => None,
        };
        let behind = match (behind, &elsewhere) {
            (Behind::Program(address), _) => address,
            (_, Some(elsewhere)) => elsewhere.address,
            (_, None) => service.address,
        };
        let top = format!("public_url = \"{origin}\"\n{top}");
        let sections = sections.replace("{upstream}", &format!("http://{behind}"));
        vestibule.configure(&top, &format!("{sections}\n{}", routes(behind)));
        vestibule.start();
        let subject = vestibule.operator.add_account(ADA);
        service.trust(&origin, "orders", vestibule.public);
        let proxy = match door {
            Door::BuiltIn => Proxy::None,
            Door::Caddy => Proxy::Caddy(Caddy::start(front, vestibule.public, vestibule.internal, behind)),
            Door::HaProxy => {
                Proxy::HaProxy(HaProxy::start(front, vestibule.public, vestibule.internal, behind))
            }
            Door::Nginx => Proxy::Nginx(Nginx::start(front, vestibule.public, vestibule.internal, behind)),
        };
        Self { door, _proxy: proxy, vestibule, service, _elsewhere: elsewhere, front, origin, subject }
    }

    /// A fresh browser.
    pub(crate) fn browser(&self) -> Browser {
        Browser::at(&self.origin)
    }

    /// A browser that Ada has signed in with.
    #[track_caller]
    pub(crate) fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in("/auth/login", ADA, PASSWORD);
        assert_eq!((page.path.as_str(), page.answer.status), ("/auth/account", 200), "{:?}", page.answer);
        self.service.take();
        browser
    }

    /// A program that Ada has signed in with.
    #[track_caller]
    pub(crate) fn api_client(&self) -> ApiClient {
        ApiClient::sign_in(self.front, ADA, PASSWORD)
    }
}

/// Everything for those signed in, `/public/` for all.
pub(crate) fn routes(service: SocketAddr) -> String {
    format!(
        "[[audience]]\n\
         name = \"orders\"\n\
         claims = {{ department = \"account.traits.department\", email = \"account.identifier\" }}\n\
         [[route]]\n\
         path = \"/\"\n\
         audience = \"orders\"\n\
         headers = {{ \"x-auth-department\" = \"department\" }}\n\
         upstream = \"http://{service}\"\n\
         [[route]]\n\
         path = \"/public/\"\n\
         require = \"public\"\n\
         audience = \"orders\"\n\
         headers = {{ \"x-auth-department\" = \"department\" }}\n\
         upstream = \"http://{service}\"\n"
    )
}
