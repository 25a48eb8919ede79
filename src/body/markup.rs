//! As much of XML and HTML as an error response needs: elements and their text. Attributes, comments, processing
//! instructions and the DOCTYPE are skipped; namespaces are dropped.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Zoom sends no XML that is deeper than this.
const DEPTH_MOST: usize = 64;

enum Token<'a> {
    Open { name: &'a str, is_empty: bool },
    Close { name: &'a str },
    Text(Cow<'a, str>),
}

/// The tokens of XML, and of HTML as far as it goes.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let text = self.0;
            if text.is_empty() {
                return None;
            }
            let skipped = [("<!--", "-->"), ("<?", "?>")];
            if let Some((start, end)) = skipped.iter().find(|(start, _)| text.starts_with(start)) {
                self.take_to(start.len(), end);
            } else if text.starts_with("<![CDATA[") {
                return Some(Token::Text(self.take_to(9, "]]>").into()));
            } else if text.starts_with("<!") {
                self.take_tag();
            } else if is_tag(text) {
                return Some(self.tag());
            } else {
                // A lone "<" is text.
                let mut starts = text.match_indices('<').map(|(at, _)| at);
                let end = starts.find(|at| *at > 0).unwrap_or(text.len());
                self.0 = &text[end..];
                return Some(Token::Text(unescape(&text[..end])));
            }
        }
    }
}

fn is_tag(text: &str) -> bool {
    let name = text.strip_prefix("</").or_else(|| text.strip_prefix('<'));
    name.is_some_and(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

impl<'a> Tokens<'a> {
    /// What stands between `from` and `end`, and goes on behind it.
    fn take_to(&mut self, from: usize, end: &str) -> &'a str {
        let text = &self.0[from..];
        let at = text.find(end).unwrap_or(text.len());
        self.0 = text.get(at + end.len()..).unwrap_or_default();
        &text[..at]
    }

    /// What stands between `<` and `>`. A ">" in quotes is part of an attribute.
    fn take_tag(&mut self) -> &'a str {
        let text = self.0;
        let mut quote = None;
        let end = text.find(|c| match quote {
            Some(q) => {
                if c == q {
                    quote = None;
                }
                false
            }
            None => {
                if c == '"' || c == '\'' {
                    quote = Some(c);
                }
                c == '>'
            }
        });
        let end = end.unwrap_or(text.len());
        self.0 = text.get(end + 1..).unwrap_or_default();
        &text[1..end]
    }

    fn tag(&mut self) -> Token<'a> {
        let tag = self.take_tag();
        let (tag, closes) = match tag.strip_prefix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let end = tag.find(|c: char| c.is_whitespace() || c == '/');
        let name = &tag[..end.unwrap_or(tag.len())];
        let name = name.rsplit(':').next().unwrap_or(name);
        if closes {
            Token::Close { name }
        } else {
            let is_empty = tag.ends_with('/');
            Token::Open { name, is_empty }
        }
    }
}

/// XML as the JSON of the same shape: an element is an object of its children, or its text; several of one name are an
/// array. `None` for what is not well-formed, and for HTML.
pub(super) fn xml_to_json(text: &str) -> Option<Value> {
    struct Element<'a> {
        name: &'a str,
        children: Map<String, Value>,
        text: String,
    }
    let element = |name| Element {
        name,
        children: Map::new(),
        text: String::new(),
    };
    // The document itself holds the root.
    let mut open = vec![element("")];
    for token in Tokens(text) {
        let closed = match token {
            Token::Open { name, .. } if name.eq_ignore_ascii_case("html") => return None,
            Token::Open { name, is_empty } => {
                open.push(element(name));
                is_empty
            }
            Token::Close { name } => {
                if open.len() == 1 || open.last()?.name != name {
                    return None;
                }
                true
            }
            Token::Text(text) => {
                open.last_mut()?.text.push_str(&text);
                false
            }
        };
        if open.len() > DEPTH_MOST {
            return None;
        }
        if closed {
            let element = open.pop()?;
            // Words around elements are a text for people.
            if !element.children.is_empty() && !element.text.trim().is_empty() {
                return None;
            }
            let value = match element.children {
                children if children.is_empty() => Value::String(element.text.trim().to_owned()),
                children => Value::Object(children),
            };
            let children = &mut open.last_mut()?.children;
            match children.get_mut(element.name) {
                None => {
                    children.insert(element.name.to_owned(), value);
                }
                Some(Value::Array(several)) => several.push(value),
                Some(one) => *one = Value::Array(vec![one.take(), value]),
            }
        }
    }
    match open.pop() {
        Some(document) if open.is_empty() => Some(Value::Object(document.children)),
        _ => None,
    }
}

/// The title of a page, or else its first words.
pub(super) fn title(text: &str) -> String {
    let mut inside = "";
    let mut first = String::new();
    for token in Tokens(text) {
        match token {
            Token::Open {
                name,
                is_empty: false,
            } => inside = name,
            Token::Close { .. } | Token::Open { .. } => inside = "",
            Token::Text(text) if !text.trim().is_empty() => {
                if inside.eq_ignore_ascii_case("title") {
                    return text.into_owned();
                }
                let is_code = ["script", "style"]
                    .iter()
                    .any(|n| inside.eq_ignore_ascii_case(n));
                if first.is_empty() && !is_code {
                    first = text.into_owned();
                }
            }
            Token::Text(_) => {}
        }
    }
    first
}

/// Text with the entities of XML, and with HTML's space, written out.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest is "&#x10FFFF;".
        let end = rest.bytes().take(12).position(|b| b == b';');
        match end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            Some((c, end)) => {
                plain.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.into()
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}
