//! A logo: an image that browsers show, of a size that pages can carry. In: the bytes of a file. Out: the same bytes and their
//! media type, told from the bytes and never from the file's name.

use std::fmt;

/// An image that is known to be one.
#[derive(Clone)]
pub struct Logo {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// Why a file is no logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotALogo {
    /// More than [`Logo::MAX_BYTES`].
    TooLarge,
    /// None of the kinds of images that are taken.
    UnknownKind,
}

impl fmt::Display for NotALogo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "larger than 128 KiB; every page loads it",
            Self::UnknownKind => "not an SVG, PNG, WebP or JPEG image",
        })
    }
}

impl std::error::Error for NotALogo {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    Svg,
    WebP,
}

impl Logo {
    /// The most bytes of a logo.
    pub const MAX_BYTES: usize = 128 * 1024;

    /// Looks at a file's bytes.
    pub fn read(bytes: Vec<u8>) -> Result<Self, NotALogo> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(NotALogo::TooLarge);
        }
        let kind = Kind::of(&bytes).ok_or(NotALogo::UnknownKind)?;
        Ok(Self { kind, bytes })
    }
}

impl Kind {
    /// By the first bytes (MIME Sniffing Standard section 6.1); an SVG image by being XML text with an `svg` element at its root.
    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        if bytes.starts_with(b"\xff\xd8\xff") {
            return Some(Self::Jpeg);
        }
        if bytes.starts_with(b"RIFF") && bytes.get(8..14) == Some(b"WEBPVP") {
            return Some(Self::WebP);
        }
        is_svg(str::from_utf8(bytes).ok()?).then_some(Self::Svg)
    }

    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Svg => "svg",
            Self::WebP => "webp",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::WebP => "image/webp",
        }
    }
}

/// Passes over the byte-order mark, the XML declaration, comments and a plain document type. One that declares entities of its own
/// is not taken: no drawing program needs it.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = if rest.starts_with("<?") {
            "?>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<!DOCTYPE svg") {
            ">"
        } else {
            break;
        };
        let Some((skipped, after)) = rest.split_once(end) else { return false };
        if end == ">" && skipped.contains('[') {
            return false;
        }
        rest = after.trim_start();
    }
    rest.strip_prefix("<svg").is_some_and(|after| after.starts_with([' ', '\n', '\r', '\t', '>']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Result<Kind, NotALogo> {
        Logo::read(bytes.to_vec()).map(|logo| logo.kind)
    }

    #[test]
    fn images_are_known_by_their_bytes() {
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Ok(Kind::Png));
        assert_eq!(kind(b"\xff\xd8\xff\xe0\0\x10JFIF"), Ok(Kind::Jpeg));
        assert_eq!(kind(b"RIFF\x24\0\0\0WEBPVP8 "), Ok(Kind::WebP));
        for svg in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<svg>",
            "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"svg11.dtd\">\n<svg\n>",
        ] {
            assert_eq!(kind(svg.as_bytes()), Ok(Kind::Svg), "{svg}");
        }
    }

    #[test]
    fn nothing_else_is_taken() {
        for other in [
            "",
            "<html><svg></svg></html>",
            "<!DOCTYPE html><svg>",
            "<!DOCTYPE svg [<!ENTITY a \"aaaa\">]><svg>",
            "<svgx>",
            "<!-- <svg>",
            "GIF89a",
            "body { color: red }",
            "RIFF....WAVE",
        ] {
            assert_eq!(kind(other.as_bytes()), Err(NotALogo::UnknownKind), "{other}");
        }
        assert_eq!(kind(b"<svg \xff>"), Err(NotALogo::UnknownKind));
        assert_eq!(kind(&vec![0; Logo::MAX_BYTES + 1]), Err(NotALogo::TooLarge));
    }
}
