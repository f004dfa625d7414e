//! Which language: what a browser accepts, and the best that there is. In: `Accept-Language` (RFC 9110 section 12.5.4) and the tags
//! that are there. Out: ranges, the most wanted first, and the one tag that a range finds (RFC 4647 section 3.4, lookup).

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// More ranges than any browser sends are not looked at.
const MOST_RANGES: usize = 32;

/// The language ranges of a request, by weight and then as they come. What has the weight 0 or cannot be read is left out.
pub(super) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let mut ranges: Vec<(u16, &str)> = headers
        .get_all(ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|item| !item.trim().is_empty())
        .take(MOST_RANGES)
        .filter_map(weighted)
        .filter(|(weight, _)| *weight > 0)
        .collect();
    // Stable: among equals the first one is meant.
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(_, range)| range)
}

/// A range and its weight in thousandths.
fn weighted(item: &str) -> Option<(u16, &str)> {
    let (range, weight) = match item.split_once(';') {
        Some((range, parameter)) => (range, thousandths(parameter.trim())?),
        None => (item, 1000),
    };
    Some((weight, range.trim()))
}

/// `q=0.8` (RFC 9110 section 12.4.2): at most three digits after the point, 1 at most.
fn thousandths(parameter: &str) -> Option<u16> {
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// The range itself, or what is left of it without its last subtags. A single letter or digit is taken away with what follows it.
pub(super) fn lookup<T>(range: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut rest = range;
    loop {
        if let Some(found) = find(rest) {
            return Some(found);
        }
        (rest, _) = rest.rsplit_once('-')?;
        if let Some((before, single)) = rest.rsplit_once('-')
            && single.len() == 1
        {
            rest = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(values: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_LANGUAGE, http::HeaderValue::from_static(value));
        }
        accepted(&headers).map(str::to_owned).collect()
    }

    #[test]
    fn ranges_come_by_weight_and_then_in_order() {
        assert_eq!(ranges(&["de-AT,de;q=0.9,en;q=0.8"]), ["de-AT", "de", "en"]);
        assert_eq!(ranges(&["en;q=0.5 , fr ;q=1.000, de ; q=0.55"]), ["fr", "de", "en"]);
        assert_eq!(ranges(&["da, en-gb;q=0.8", "en;q=0.7,*;q=0.1"]), ["da", "en-gb", "en", "*"]);
        assert_eq!(ranges(&["en,de"]), ["en", "de"]);
        assert!(ranges(&[]).is_empty() && ranges(&["", ",,"]).is_empty());
    }

    /// A weight that cannot be read is no wish for a language.
    #[test]
    fn what_is_unwanted_or_unreadable_is_left_out() {
        for value in
            ["de;q=0", "de;q=0.000", "de;q=1.1", "de;q=0.1234", "de;q=-1", "de;q=", "de;q=2", "de;x=1"]
        {
            assert_eq!(ranges(&[value, "en;q=0.1"]), ["en"], "{value}");
        }
    }

    #[test]
    fn a_header_of_many_ranges_is_not_read_to_its_end() {
        let long: &'static str = Box::leak("x;q=0.1,".repeat(5000).into_boxed_str());
        assert_eq!(ranges(&[long]).len(), MOST_RANGES);
    }

    /// RFC 4647 section 3.4, its own example among them.
    #[test]
    fn a_range_finds_itself_or_what_is_more_general() {
        let among = |tags: &'static [&'static str]| {
            move |wanted: &str| tags.iter().find(|tag| tag.eq_ignore_ascii_case(wanted)).copied()
        };
        assert_eq!(lookup("de-AT", among(&["en", "de"])), Some("de"));
        assert_eq!(lookup("DE", among(&["en", "de"])), Some("de"));
        assert_eq!(lookup("zh-Hant-CN-x-private1-private2", among(&["zh", "zh-Hant"])), Some("zh-Hant"));
        assert_eq!(lookup("de", among(&["de-AT"])), None);
        assert_eq!(lookup("", among(&["en"])), None);
        assert_eq!(lookup("---", among(&["en"])), None);
        let seen = std::cell::RefCell::new(Vec::new());
        lookup("zh-Hant-CN-x-private1", |tag: &str| {
            seen.borrow_mut().push(tag.to_owned());
            None::<()>
        });
        assert_eq!(seen.into_inner(), ["zh-Hant-CN-x-private1", "zh-Hant-CN", "zh-Hant", "zh"]);
    }
}
