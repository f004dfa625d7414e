//! One colour, and the shades that pages need of it. In: `#rrggbb`. Out: values for the stylesheet's variables, in both schemes dark
//! or light enough to be read, whatever colour it is (WCAG 2.2, success criteria 1.4.3 and 1.4.11).

use std::fmt;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// Why a text is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAColour;

impl fmt::Display for NotAColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a colour; write it like \"#3949ab\"")
    }
}

impl std::error::Error for NotAColour {}

/// What text has to stand out by.
const READABLE: f64 = 4.5;
/// What a shape has to stand out by.
const SEEN: f64 = 3.0;

const BLACK: Colour = Colour([0, 0, 0]);
const WHITE: Colour = Colour([0xff, 0xff, 0xff]);
/// `--paper` and `--card` of the light scheme, `--card` of the dark one: what stands on the first is seen on the second.
const LIGHT_PAPER: Colour = Colour([0xf5, 0xf5, 0xf7]);
const DARK_CARD: Colour = Colour([0x1d, 0x1d, 0x23]);

impl Colour {
    /// Six hexadecimal digits after a `#`, and nothing else that CSS would take.
    pub fn parse(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(NotAColour)?;
        let mut bytes = [0; 3];
        match data_encoding::HEXLOWER_PERMISSIVE.decode_mut(digits.as_bytes(), &mut bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(NotAColour),
        }
    }

    /// The variables that depend on the accent, for both schemes.
    pub(super) fn as_css(self) -> String {
        let (light, dark) = (self.in_light(), self.in_dark());
        format!(":root {{{light}}}\n@media (prefers-color-scheme: dark) {{ :root {{{dark}}} }}\n")
    }

    /// The two colours of the mark, as hexadecimal digits.
    pub(super) fn mark(self) -> [String; 2] {
        let Shades { accent, mark_inner, .. } = self.in_light();
        [accent, mark_inner].map(|colour| colour.to_string().trim_start_matches('#').to_owned())
    }

    fn in_light(self) -> Shades {
        let accent = self.toward(BLACK, |shade| shade.contrast(LIGHT_PAPER) >= READABLE);
        let soft = accent.mixed(WHITE, 88);
        let strong = accent.mixed(BLACK, 22).toward(BLACK, |shade| shade.contrast(soft) >= READABLE);
        Shades { accent, strong, soft, mark_inner: accent.mixed(WHITE, 35), fill: Fill::of(self) }
    }

    fn in_dark(self) -> Shades {
        let accent = self.toward(WHITE, |shade| shade.contrast(DARK_CARD) >= READABLE);
        let soft = accent.mixed(DARK_CARD, 80);
        let strong = accent.mixed(WHITE, 40).toward(WHITE, |shade| shade.contrast(soft) >= READABLE);
        let fill = self.toward(WHITE, |shade| shade.contrast(DARK_CARD) >= SEEN);
        Shades { accent, strong, soft, mark_inner: accent.mixed(DARK_CARD, 40), fill: Fill::of(fill) }
    }

    /// The first of the shades between this colour and another that will do; the other itself does.
    fn toward(self, other: Self, will_do: impl Fn(Self) -> bool) -> Self {
        (0..=100).map(|percent| self.mixed(other, percent)).find(|shade| will_do(*shade)).unwrap_or(other)
    }

    /// This colour with so many percent of another in it.
    fn mixed(self, other: Self, percent: u16) -> Self {
        let Self([red, green, blue]) = self;
        let Self([other_red, other_green, other_blue]) = other;
        let mix = |own: u8, other: u8| {
            let sum = u16::from(own) * (100 - percent.min(100)) + u16::from(other) * percent.min(100);
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self([mix(red, other_red), mix(green, other_green), mix(blue, other_blue)])
    }

    /// From 1 (the same) to 21 (black and white): WCAG 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let Self([red, green, blue]) = self;
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}

/// `#rrggbb`.
impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The values of the variables of one scheme.
struct Shades {
    /// Lines and marks.
    accent: Colour,
    /// Text.
    strong: Colour,
    /// What lies under that text.
    soft: Colour,
    mark_inner: Colour,
    fill: Fill,
}

/// What the main button is filled with: the colour itself where that can be, with the ink that can be read on it.
struct Fill {
    colour: Colour,
    strong: Colour,
    ink: Colour,
}

impl Fill {
    /// On every colour either white or black can be read.
    fn of(colour: Colour) -> Self {
        if colour.contrast(WHITE) >= READABLE {
            Self { colour, strong: colour.mixed(BLACK, 22), ink: WHITE }
        } else {
            Self { colour, strong: colour.mixed(WHITE, 25), ink: BLACK }
        }
    }
}

impl fmt::Display for Shades {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accent, strong, soft, mark_inner, fill: Fill { colour, strong: fill_strong, ink } } = self;
        write!(
            f,
            " --accent: {accent}; --accent-strong: {strong}; --accent-soft: {soft}; --mark-inner: {mark_inner};"
        )?;
        write!(f, " --fill: {colour}; --fill-strong: {fill_strong}; --fill-ink: {ink}; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits_and_nothing_that_css_would_take_besides() {
        assert_eq!(Colour::parse("#3949AB").unwrap().to_string(), "#3949ab");
        for bad in [
            "",
            "#",
            "3949ab",
            "#fff",
            "#3949abff",
            "#3949ag",
            " #3949ab",
            "#3949ab;",
            "red",
            "#}body{",
            "rgb(1,2,3)",
            "#é949a",
        ] {
            assert_eq!(Colour::parse(bad), Err(NotAColour), "{bad}");
        }
    }

    #[test]
    fn contrast_is_what_the_standard_says() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        assert!((WHITE.contrast(WHITE) - 1.0).abs() < 1e-9);
        // A pair that is known for just missing 4.5 on white, and one that just meets it.
        assert!(Colour([0x77, 0x77, 0x77]).contrast(WHITE) < READABLE);
        assert!(Colour([0x76, 0x76, 0x76]).contrast(WHITE) >= READABLE);
    }

    #[test]
    fn whatever_the_colour_all_that_is_written_can_be_read() {
        let steps = (0..=255).step_by(15).map(|step| step as u8);
        for red in steps.clone() {
            for green in steps.clone() {
                for blue in steps.clone() {
                    let colour = Colour([red, green, blue]);
                    let papers = [
                        (colour.in_light(), [LIGHT_PAPER, WHITE]),
                        (colour.in_dark(), [DARK_CARD, Colour([0x13, 0x13, 0x17])]),
                    ];
                    for (shades, papers) in papers {
                        for paper in papers {
                            assert!(shades.accent.contrast(paper) >= READABLE, "{colour} on {paper}");
                            assert!(shades.strong.contrast(paper) >= READABLE, "{colour} strong");
                        }
                        let Fill { colour: fill, strong, ink } = shades.fill;
                        assert!(ink.contrast(fill) >= READABLE, "{colour}: ink");
                        assert!(ink.contrast(strong) >= READABLE, "{colour}: ink on strong");
                        assert!(shades.strong.contrast(shades.soft) >= READABLE, "{colour}: badge");
                    }
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_already_is_left_as_it_is() {
        let indigo = Colour::parse("#3949ab").unwrap();
        assert_eq!(indigo.in_light().accent, indigo);
        let amber = Colour::parse("#f4a000").unwrap();
        assert_eq!((amber.in_light().fill.colour, amber.in_light().fill.ink), (amber, BLACK));
        assert_ne!(indigo.in_dark().accent, indigo, "it is lighter on a dark page");
    }
}
