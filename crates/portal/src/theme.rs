//! How the pages look and what they call this place. In: a name, a colour and a logo, as an operator configured them, parsed. Out:
//! the stylesheet, the script and the logo as they are served, each under a name that changes with its content.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use vestibule_core::wire::Paths;

use crate::address::STATIC;

mod colour;
mod logo;

pub use colour::{Colour, NotAColour};
pub use logo::{Logo, NotALogo};

/// `--accent` and `--mark-inner` of the light scheme.
const OUR_MARK: [&str; 2] = ["3949ab", "7986cb"];

const CSS: &str = include_str!("../templates/portal.css");

const SCRIPT: &str = include_str!("../templates/portal.js");

/// The look of the pages. Nothing in it is text that an operator wrote, but the name; and templates escape that.
pub struct Theme {
    pub(crate) name: String,
    pub(crate) stylesheet: Asset,
    /// What some pages can do better where scripts run. The same for everybody.
    pub(crate) script: Asset,
    pub(crate) logo: Option<Asset>,
    /// Whether the logo says the name by itself.
    pub(crate) logo_alone: bool,
    /// Where the application is: a path or a URL.
    pub(crate) home: String,
    /// The id of the text and the URL of each.
    pub(crate) links: Vec<(&'static str, String)>,
    /// Our mark's two colours, as hexadecimal digits, for the tab of whoever has no logo.
    pub(crate) mark: [String; 2],
}

/// What stands below every page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// LoginTarget to ask.
    pub help: Option<String>,
    /// Who answers for this site, as some countries' laws ask to say.
    pub imprint: Option<String>,
    /// What becomes of personal data.
    pub privacy: Option<String>,
}

/// A file that is served from memory.
pub(crate) struct Asset {
    /// Such as `portal-0123456789abcdef.css`.
    pub(crate) file: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Bytes,
}

impl Theme {
    /// A name for titles and heads, the colour that what can be pressed has, and what stands beside the name. Without a colour and
    /// a logo it is ours.
    pub fn new(name: String, accent: Option<Colour>, logo: Option<Logo>) -> Self {
        let mut css = CSS.to_owned();
        if let Some(accent) = accent {
            css.push_str(&accent.as_css());
        }
        Self {
            name,
            logo_alone: false,
            home: "/".to_owned(),
            links: Vec::new(),
            mark: accent.map_or_else(|| OUR_MARK.map(str::to_owned), Colour::mark),
            stylesheet: Asset::new("portal", "css", "text/css; charset=utf-8", css.into()),
            script: Asset::new(
                "portal",
                "js",
                "text/javascript; charset=utf-8",
                Bytes::from_static(SCRIPT.as_bytes()),
            ),
            logo: logo.map(|logo| {
                Asset::new("logo", logo.kind.extension(), logo.kind.media_type(), logo.bytes.into())
            }),
        }
    }

    /// The same with a logo that is a wordmark: the name does not stand beside it.
    #[must_use]
    pub fn with_logo_alone(self) -> Self {
        Self { logo_alone: true, ..self }
    }

    /// The same with links, which must be paths or http URLs: to the application, and below every page to help, the privacy notice and
    /// the imprint.
    #[must_use]
    pub fn with_links(self, home: String, links: Links) -> Self {
        let below =
            [("link-help", links.help), ("link-privacy", links.privacy), ("link-imprint", links.imprint)];
        let links = below.into_iter().filter_map(|(id, url)| Some((id, url?))).collect();
        Self { home, links, ..self }
    }

    /// What is served under this file name.
    pub(crate) fn asset(&self, file: &str) -> Option<&Asset> {
        let assets = [Some(&self.stylesheet), Some(&self.script), self.logo.as_ref()];
        assets.into_iter().flatten().find(|asset| asset.file == file)
    }
}

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, bytes: Bytes) -> Self {
        let mut digest = HEXLOWER.encode(&Sha256::digest(&bytes));
        digest.truncate(16);
        Self { file: format!("{stem}-{digest}.{extension}"), media_type, bytes }
    }

    /// Where pages find it.
    pub(crate) fn path(&self, paths: &Paths) -> String {
        paths.to(&format!("{STATIC}/{}", self.file))
    }
}
