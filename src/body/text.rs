//! Text of a server as a message may show it: one line, without credentials.

/// Shorter words than this after "Bearer" are words.
const CREDENTIALS_LEAST: usize = 12;

/// On one line: whitespace and control characters become one space. Longer than `most` characters, it ends with "…".
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let mut line = String::with_capacity(text.len().min(4 * most));
    let mut length = 0;
    for word in text.split(is_gap).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        for c in word.chars() {
            if length >= most {
                line.truncate(line.trim_end().len());
                line.push('…');
                return line;
            }
            line.push(c);
            length += 1;
        }
    }
    line
}

/// A server may echo the request with the access token: the word after "Bearer" or "Basic" is hidden.
pub(super) fn without_credentials(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_scheme(rest) {
        let (before, after) = rest.split_at(at);
        kept.push_str(before);
        let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
        kept.push_str(if end < CREDENTIALS_LEAST {
            &after[..end]
        } else {
            "[hidden]"
        });
        rest = &after[end..];
    }
    kept.push_str(rest);
    kept
}

/// Where the credentials after the next "Bearer " or "Basic " begin.
fn find_scheme(text: &str) -> Option<usize> {
    let schemes: [&[u8]; 2] = [b"bearer ", b"basic "];
    let bytes = text.as_bytes();
    (0..bytes.len()).find_map(|at| {
        let ends = |scheme: &&&[u8]| {
            let end = at + scheme.len();
            end <= bytes.len() && bytes[at..end].eq_ignore_ascii_case(scheme)
        };
        schemes.iter().find(ends).map(|scheme| at + scheme.len())
    })
}
