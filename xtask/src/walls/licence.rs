//! SPDX licence expressions (SPDX specification, annex D), as far as Cargo manifests use them: `AND`, `OR`, `WITH`,
//! brackets, and the old `/` that meant `OR`.
//! In: an expression and what is allowed. Out: whether some choice it offers is allowed; `None` when it cannot be read.

/// Whether every demand of `expression` can be met with a licence out of `allowed`.
/// A licence `WITH` an exception counts only when it is allowed in exactly that form.
pub(super) fn permits(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allowed };
    let verdict = parser.any()?;
    parser.words.is_empty().then_some(verdict)
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Parser<'_> {
    /// `all (OR all)*`; every side is read, so that a typing error behind a yes is still an error.
    fn any(&mut self) -> Option<bool> {
        let mut verdict = self.all()?;
        while self.take("OR") {
            verdict |= self.all()?;
        }
        Some(verdict)
    }

    /// `one (AND one)*`: binds tighter than `OR`.
    fn all(&mut self) -> Option<bool> {
        let mut verdict = self.one()?;
        while self.take("AND") {
            verdict &= self.one()?;
        }
        Some(verdict)
    }

    /// A bracket, or a licence with or without an exception.
    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let verdict = self.any()?;
            return self.take(")").then_some(verdict);
        }
        let mut name = self.word()?.to_owned();
        if self.take("WITH") {
            name = format!("{name} WITH {}", self.word()?);
        }
        Some(self.allowed.contains(&name))
    }

    fn take(&mut self, wanted: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == wanted => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn word(&mut self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        (!["AND", "OR", "WITH", "(", ")"].contains(first)).then_some(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(expression: &str) -> Option<bool> {
        permits(
            expression,
            &["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()],
        )
    }

    #[test]
    fn a_choice_needs_one_and_a_sum_needs_all() {
        for yes in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "MIT AND ISC", "(GPL-3.0 OR MIT) AND ISC"] {
            assert_eq!(judge(yes), Some(true), "{yes}");
        }
        for no in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "GPL-3.0 OR MIT AND GPL-3.0"] {
            assert_eq!(judge(no), Some(false), "{no}");
        }
    }

    #[test]
    fn an_exception_is_another_licence() {
        assert_eq!(judge("Apache-2.0 WITH LLVM-exception"), Some(true));
        assert_eq!(judge("Apache-2.0"), Some(false));
        assert_eq!(judge("MIT WITH Classpath-exception-2.0"), Some(false));
    }

    #[test]
    fn what_cannot_be_read_is_not_a_yes() {
        for unreadable in ["", "MIT OR", "AND MIT", "(MIT", "MIT)", "MIT ISC", "MIT WITH"] {
            assert_eq!(judge(unreadable), None, "{unreadable}");
        }
    }
}
