//! Checks that more than one setting shares. Each failure names the value and what is wrong with it.

use std::ops::RangeInclusive;

use crate::code::Error;

/// Checks text that travels in a header or a form: not empty, not too long, no control character.
pub(crate) fn check_text(what: &str, value: &str, longest: usize) -> Result<(), Error> {
    if value.is_empty() {
        Err(Error::argument(format!("the {what} is empty")))
    } else if value.len() > longest {
        let message = format!("the {what} is longer than {longest} bytes");
        Err(Error::argument(message))
    } else if value.contains(char::is_control) {
        let message = format!("the {what} has a control character");
        Err(Error::argument(message))
    } else {
        Ok(())
    }
}

/// Checks a number against its range.
pub(crate) fn check_range(what: &str, value: u32, range: RangeInclusive<u32>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = range.into_inner();
    Err(Error::argument(format!(
        "{what} is {value}; it must be from {least} to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_neither_empty_nor_too_long_nor_has_it_control_characters() {
        for (value, message) in [
            ("", "the name is empty"),
            ("abcd", "the name is longer than 3 bytes"),
            ("a\nb", "the name has a control character"),
            ("\u{85}", "the name has a control character"),
        ] {
            let error = check_text("name", value, 3).unwrap_err();
            assert_eq!(error.message(), message, "{value:?}");
        }
        assert_eq!(check_text("name", "abc", 3), Ok(()));
    }

    #[test]
    fn a_number_out_of_range_is_named_with_its_range() {
        assert_eq!(check_range("the count", 1, 1..=3), Ok(()));
        let error = check_range("the count", 4, 1..=3).unwrap_err();
        assert_eq!(error.message(), "the count is 4; it must be from 1 to 3");
    }
}
