//! What the body of a response says, whatever its format: JSON in all its shapes, malformed JSON, XML, HTML or text.

mod markup;
mod text;

pub(crate) use self::text::one_line;
use self::text::without_credentials;
use serde_json::{Map, Value};

/// The longest error message that is kept, in characters. Zoom's longest have some hundreds.
const MESSAGE_MOST: usize = 1000;
/// The longest part of a text of unknown origin that is kept, in characters.
const TEXT_MOST: usize = 200;

/// What the body of a response says.
#[derive(Debug, PartialEq)]
pub(crate) struct Body {
    pub format: Format,
    /// Zoom's error code; 0 for none.
    pub code: i32,
    /// It states an error, though perhaps with no code that is a number.
    pub is_error: bool,
    /// The error message with its field errors, the title of an HTML page, or the text: one line.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// No bytes, or only whitespace.
    Empty,
    Json,
    /// Malformed JSON, for example with unescaped quotes.
    MalformedJson,
    /// With an error code or a message in it.
    Xml,
    /// A page for people, or other markup.
    Html,
    Text,
}

impl Body {
    pub fn read(bytes: &[u8]) -> Body {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return Body::empty(Format::Empty);
        }
        if let Ok(value) = serde_json::from_slice(bytes) {
            return Body::from_json(&value);
        }
        match bytes[0] {
            b'<' => read_markup(&String::from_utf8_lossy(bytes)),
            b'{' | b'[' => read_malformed(&String::from_utf8_lossy(bytes)),
            _ => Body::text(bytes),
        }
    }

    pub fn from_json(value: &Value) -> Body {
        match value {
            Value::Null | Value::Bool(true) => Body::empty(Format::Json),
            // A JSON string counts as its content: nothing, a text, or JSON that was encoded twice.
            Value::String(text) => Body::read(text.as_bytes()),
            Value::Object(object) => ErrorParts::of(object).into_body(Format::Json),
            Value::Array(items) => {
                let mut parts = ErrorParts::default();
                parts.add_field_errors("", value);
                parts.is_error = !items.is_empty();
                parts.into_body(Format::Json)
            }
            Value::Bool(false) | Value::Number(_) => Body::text(value.to_string().as_bytes()),
        }
    }

    fn empty(format: Format) -> Body {
        Body {
            format,
            code: 0,
            is_error: false,
            message: String::new(),
        }
    }

    fn text(bytes: &[u8]) -> Body {
        let text = String::from_utf8_lossy(bytes);
        let is_binary = text.contains(|c: char| c.is_control() && !c.is_whitespace());
        Body {
            message: if is_binary {
                format!("{} bytes that are not text", bytes.len())
            } else {
                one_line(&without_credentials(&text), TEXT_MOST)
            },
            ..Body::empty(Format::Text)
        }
    }
}

/// What an error object says, in Zoom's spellings and in those of gateways (RFC 9457 and others).
#[derive(Default)]
struct ErrorParts {
    /// The first code that is not 0.
    code: i32,
    is_error: bool,
    /// The kind of error, in a word or a few.
    title: String,
    message: String,
    /// "field: message"
    field_errors: Vec<String>,
}

const CODES: [&str; 3] = ["code", "errorCode", "error_code"];
const MESSAGES: [&str; 6] = [
    "message",
    "error_message",
    "errorMessage",
    "reason",
    "error_description",
    "detail",
];

impl ErrorParts {
    fn of(object: &Map<String, Value>) -> ErrorParts {
        let mut parts = ErrorParts::default();
        let codes = CODES.map(|key| get(object, key).map(number));
        let says_no_error = codes.contains(&Some(Some(0)));
        for code in codes.into_iter().flatten() {
            match code {
                Some(0) => {}
                Some(code) if parts.code == 0 => parts.code = code,
                _ => {}
            }
            parts.is_error |= code != Some(0);
        }
        parts.title = first_text(object, &["error", "title"]);
        parts.message = first_text(object, &MESSAGES);
        if let Some(errors) = get(object, "errors") {
            parts.add_field_errors("", errors);
        }
        let has_message = !parts.title.is_empty() || !parts.message.is_empty();
        parts.is_error |= get(object, "error").is_some_and(is_something)
            || get(object, "errors").is_some_and(is_something)
            || get(object, "success") == Some(&Value::Bool(false))
            || get(object, "status").and_then(number) >= Some(400)
            || has_message && !says_no_error;
        match get(object, "error") {
            Some(Value::Object(inner)) => parts.add(ErrorParts::of(inner)),
            Some(errors @ Value::Array(_)) => parts.add_field_errors("", errors),
            _ => {}
        }
        parts
    }

    /// Adds what an object inside this one says.
    fn add(&mut self, inner: ErrorParts) {
        if self.code == 0 {
            self.code = inner.code;
        }
        if self.title.is_empty() {
            self.title = inner.title;
        }
        if self.message.is_empty() {
            self.message = inner.message;
        }
        self.field_errors.extend(inner.field_errors);
    }

    /// `[{"field":"a","message":"b"}]`, `["b"]`, `{"a":["b"]}` or `"b"`.
    fn add_field_errors(&mut self, field: &str, value: &Value) {
        match value {
            Value::String(message) if field.is_empty() => self.field_errors.push(message.clone()),
            Value::String(message) => self.field_errors.push(format!("{field}: {message}")),
            Value::Array(items) => {
                for item in items {
                    self.add_field_errors(field, item);
                }
            }
            Value::Object(object) => {
                let message = first_text(object, &MESSAGES);
                if message.is_empty() {
                    for (field, value) in object {
                        self.add_field_errors(field, value);
                    }
                    return;
                }
                let code = CODES.iter().filter_map(|key| get(object, key)).next();
                if self.code == 0 {
                    self.code = code.and_then(number).unwrap_or(0);
                }
                match first_text(object, &["field"]) {
                    field if field.is_empty() => self.field_errors.push(message),
                    field => self.field_errors.push(format!("{field}: {message}")),
                }
            }
            _ => {}
        }
    }

    fn into_body(self, format: Format) -> Body {
        let text = match (self.title.as_str(), self.message.as_str()) {
            (title, "") => title.to_owned(),
            ("", message) => message.to_owned(),
            (title, message) => format!("{title}: {message}"),
        };
        let mut errors = self.field_errors;
        errors.retain(|error| *error != self.message);
        let errors = errors.join("; ");
        let message = match (text.as_str(), errors.as_str()) {
            (_, "") => text,
            ("", _) => errors,
            _ => format!("{text} ({errors})"),
        };
        Body {
            format,
            code: self.code,
            is_error: self.is_error,
            message: one_line(&message, MESSAGE_MOST),
        }
    }
}

/// The value of a key in any case: `message`, `Message`.
fn get<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    object.get(key).or_else(|| {
        let mut entries = object.iter();
        entries
            .find(|(k, _)| k.eq_ignore_ascii_case(key))
            .map(|(_, v)| v)
    })
}

fn first_text(object: &Map<String, Value>, keys: &[&str]) -> String {
    let mut texts = keys.iter().filter_map(|key| get(object, key)?.as_str());
    texts
        .find(|text| !text.trim().is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(_) => number(value) != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// A code as a number, 0 for none; `None` when it is no whole number.
fn number(value: &Value) -> Option<i32> {
    match value {
        Value::Null => Some(0),
        Value::String(text) if text.trim().is_empty() => Some(0),
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(n) => match n.as_i64() {
            Some(n) => i32::try_from(n).ok(),
            // 300.0 is 300.
            None => n
                .as_f64()
                .filter(|n| n.fract() == 0.0 && n.abs() <= f64::from(i32::MAX))
                .map(|n| n as i32),
        },
        _ => None,
    }
}

/// XML as Zoom sends it where it doesn't send JSON: `<result><code>300</code><message>…</message></result>`.
fn read_markup(text: &str) -> Body {
    if let Some(value) = markup::xml_to_json(text)
        && let Some(object) = error_object(&value)
    {
        return ErrorParts::of(object).into_body(Format::Xml);
    }
    Body {
        message: one_line(&without_credentials(&markup::title(text)), TEXT_MOST),
        ..Body::empty(Format::Html)
    }
}

/// The outermost object with an error code or a message.
fn error_object(value: &Value) -> Option<&Map<String, Value>> {
    let mut level = vec![value];
    while !level.is_empty() {
        let mut inner = Vec::new();
        for value in level {
            match value {
                Value::Object(object) => {
                    let holds = |key: &&str| get(object, key).is_some_and(Value::is_string);
                    if CODES.iter().chain(&MESSAGES).any(holds) {
                        return Some(object);
                    }
                    inner.extend(object.values());
                }
                Value::Array(items) => inner.extend(items),
                _ => {}
            }
        }
        level = inner;
    }
    None
}

/// Zoom's response to a missing scope has unescaped quotes in its message. Anything else is text.
fn read_malformed(text: &str) -> Body {
    let after = |key: &str| {
        let (_, rest) = text.split_once(&format!("\"{key}\""))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let code = CODES.iter().find_map(|key| after(key)).map(|rest| {
        let rest = rest.trim_start_matches('"');
        let is_part = |c: char| c.is_ascii_digit() || c == '-';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        rest[..end].parse().unwrap_or(0)
    });
    let message = MESSAGES.iter().find_map(|key| after(key));
    if code.is_none() && message.is_none() {
        return Body::text(text.as_bytes());
    }
    Body {
        format: Format::MalformedJson,
        code: code.unwrap_or(0),
        is_error: true,
        message: message.map_or(String::new(), |rest| {
            let message = malformed_string(rest).replace("\\\"", "\"");
            one_line(&without_credentials(&message), MESSAGE_MOST)
        }),
    }
}

/// A string value whose quotes may be unescaped: it ends at a quote after which the object ends, or its next key comes.
fn malformed_string(rest: &str) -> &str {
    let Some(rest) = rest.strip_prefix('"') else {
        let end = rest.find([',', '}']).unwrap_or(rest.len());
        return rest[..end].trim_end();
    };
    let ends_here = |at: &usize| {
        let rest = rest[at + 1..].trim_start();
        if let Some(rest) = rest.strip_prefix('}') {
            return rest
                .trim_start_matches([']', '}', ' ', '\r', '\n'])
                .is_empty();
        }
        let key = rest.strip_prefix(',').map(str::trim_start);
        let Some(key) = key.and_then(|key| key.strip_prefix('"')) else {
            return false;
        };
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let rest = key.trim_start_matches(is_part).strip_prefix('"');
        rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    let mut quotes = rest.match_indices('"').map(|(at, _)| at);
    match quotes.find(ends_here) {
        Some(end) => &rest[..end],
        None => rest.trim_end_matches(|c: char| c.is_whitespace() || "\"}]".contains(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::Format::*;
    use super::*;

    #[test]
    fn every_shape_of_an_error_is_read() {
        for (text, format, code, is_error, message) in [
            // Nothing, and nothing wrong.
            ("", Empty, 0, false, ""),
            (" \r\n\t", Empty, 0, false, ""),
            ("\u{feff}", Empty, 0, false, ""),
            (r#""""#, Empty, 0, false, ""),
            (r#"" ""#, Empty, 0, false, ""),
            ("{}", Json, 0, false, ""),
            ("\u{feff}{}", Json, 0, false, ""),
            ("null", Json, 0, false, ""),
            ("true", Json, 0, false, ""),
            ("[]", Json, 0, false, ""),
            (r#"{"code":0}"#, Json, 0, false, ""),
            (r#"{"code":"0","message":"done"}"#, Json, 0, false, "done"),
            (r#"{"code":"","errorCode":null}"#, Json, 0, false, ""),
            (r#"{"error":null,"errors":[]}"#, Json, 0, false, ""),
            (r#"{"id":"x","status":"inactive"}"#, Json, 0, false, ""),
            (r#"{"success":true,"status":200}"#, Json, 0, false, ""),
            // Zoom's.
            (r#"{"code":300,"message":"no"}"#, Json, 300, true, "no"),
            (
                r#"{"errorCode":"300","error_message":"no"}"#,
                Json,
                300,
                true,
                "no",
            ),
            (r#"{"Code":300,"Message":"no"}"#, Json, 300, true, "no"),
            (r#"{"code":0,"errorCode":7}"#, Json, 7, true, ""),
            (
                r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"a","message":"b"},{"field":"c","message":"d"}]}"#,
                Json,
                300,
                true,
                "Validation Failed. (a: b; c: d)",
            ),
            (
                "{\"code\":1,\"message\":\"* one\\n* two\\u0007\"}",
                Json,
                1,
                true,
                "* one * two",
            ),
            // Numbers in every dress.
            (r#"{"code":300.0}"#, Json, 300, true, ""),
            (r#"{"code":3e2}"#, Json, 300, true, ""),
            (r#"{"code":" 300 "}"#, Json, 300, true, ""),
            (r#"{"code":-300}"#, Json, -300, true, ""),
            (r#"{"code":300.5}"#, Json, 0, true, ""),
            (r#"{"code":3000000000}"#, Json, 0, true, ""),
            (r#"{"code":1e300}"#, Json, 0, true, ""),
            (r#"{"code":"E17"}"#, Json, 0, true, ""),
            (r#"{"code":true}"#, Json, 0, true, ""),
            (r#"{"code":{}}"#, Json, 0, true, ""),
            // Those of gateways and others.
            (r#"{"message":"no"}"#, Json, 0, true, "no"),
            (
                r#"{"error":{"code":403,"message":"no","errors":[{"message":"no"},{"message":"why"}]}}"#,
                Json,
                403,
                true,
                "no (why)",
            ),
            (
                r#"{"error":{"error":{"message":"deep"}}}"#,
                Json,
                0,
                true,
                "deep",
            ),
            (r#"{"detail":"no","status":400}"#, Json, 0, true, "no"),
            (r#"{"title":"Bad Request"}"#, Json, 0, true, "Bad Request"),
            (
                r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"no action"}"#,
                Json,
                0,
                true,
                "Bad Request: no action",
            ),
            (r#"{"errors":[{"message":"no"}]}"#, Json, 0, true, "no"),
            (r#"{"errors":["one","two"]}"#, Json, 0, true, "one; two"),
            (
                r#"{"errors":{"action":["is required"]},"title":"Invalid"}"#,
                Json,
                0,
                true,
                "Invalid (action: is required)",
            ),
            (r#"{"errors":"no"}"#, Json, 0, true, "no"),
            (
                r#"[{"errorCode":"17","message":"no"}]"#,
                Json,
                17,
                true,
                "no",
            ),
            (r#"[1]"#, Json, 0, true, ""),
            (r#"{"success":false}"#, Json, 0, true, ""),
            (r#"{"status":"500"}"#, Json, 0, true, ""),
            (
                r#"{"reason":"Invalid client_id","error":"invalid_client"}"#,
                Json,
                0,
                true,
                "invalid_client: Invalid client_id",
            ),
            (
                r#""{\"code\":300,\"message\":\"twice\"}""#,
                Json,
                300,
                true,
                "twice",
            ),
            // Malformed.
            (
                r#"{"code":4711,"message":"Invalid access token, does not contain scopes:["user:write:admin","user:write"]."}"#,
                MalformedJson,
                4711,
                true,
                r#"Invalid access token, does not contain scopes:["user:write:admin","user:write"]."#,
            ),
            (
                r#"{"message":"an "inner" quote, "and more"", "code" : "124" }"#,
                MalformedJson,
                124,
                true,
                r#"an "inner" quote, "and more""#,
            ),
            (
                r#"{"code":-300,"message":"cut"#,
                MalformedJson,
                -300,
                true,
                "cut",
            ),
            (r#"{"code":0,"x":"a"b"}"#, MalformedJson, 0, true, ""),
            (
                r#"{"errorCode":99999999999,"error_message":"x"y"}"#,
                MalformedJson,
                0,
                true,
                r#"x"y"#,
            ),
            (r#"{"message": null "#, MalformedJson, 0, true, "null"),
            ("{no json}", Text, 0, false, "{no json}"),
            // Text.
            ("\u{7f}ELF\0", Text, 0, false, "5 bytes that are not text"),
            ("error code: 1020", Text, 0, false, "error code: 1020"),
            ("1020", Text, 0, false, "1020"),
            ("false", Text, 0, false, "false"),
            (r#""no""#, Text, 0, false, "no"),
            (
                "one\r\n\r\n  two\u{2028}three",
                Text,
                0,
                false,
                "one two three",
            ),
        ] {
            let expected = Body {
                format,
                code,
                is_error,
                message: message.into(),
            };
            assert_eq!(Body::read(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn xml_is_read_as_json_is() {
        let plain = "<result><code>300</code><message>Validation Failed.</message></result>";
        let read = Body::read(plain.as_bytes());
        assert_eq!((read.format, read.code), (Xml, 300));
        assert_eq!(read.message, "Validation Failed.");
        for text in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<result>\n  <code>300</code>\n  <message>Validation Failed.</message>\n</result>\n",
            "\u{feff}<!-- > --><!DOCTYPE result><result a='>' b=\"</result>\"><code x='1'> 300 </code ><message>Validation\n Failed.</message></result>",
            "<z:result xmlns:z=\"urn:zoom\"><z:code>300</z:code><z:message>Validation Failed.</z:message></z:result>",
            "<result><code><![CDATA[300]]></code><message><![CDATA[Validation Failed.]]></message></result>",
            "<result><code>&#51;&#x30;0</code><message>Validation&#32;Failed.</message></result>",
            "<response><request><id>7</id><empty/></request><result><code>300</code><message>Validation Failed.</message></result></response>",
            "<Error><Code>300</Code><Message>Validation Failed.</Message><a><code>1</code></a></Error>",
        ] {
            assert_eq!(Body::read(text.as_bytes()), read, "{text}");
        }
        for (text, code, message) in [
            (
                "<result><code>300</code><message>no</message><errors><error><field>a</field><message>b</message></error><error><field>c</field><message>d</message></error></errors></result>",
                300,
                "no (a: b; c: d)",
            ),
            (
                "<e><message>a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27; &amp;lt; &apos;f&apos; &none; &</message></e>",
                0,
                r#"a & b <c> "d" 'e' &lt; 'f' &none; &"#,
            ),
            (
                "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
                0,
                "no",
            ),
            ("<message>1 < 2</message>", 0, "1 < 2"),
        ] {
            let read = Body::read(text.as_bytes());
            assert_eq!(
                (read.format, read.code, read.message.as_str()),
                (Xml, code, message)
            );
            assert!(read.is_error, "{text}");
        }
    }

    #[test]
    fn a_lone_angle_bracket_is_text_whatever_follows() {
        for text in [
            "<title>\u{c9}puis\u{e9}</title>",
            "<\u{c9}",
            "a < \u{1f469} < b",
            "<",
        ] {
            let _ = Body::read(format!("<html>{text}</html>").as_bytes());
            let _ = Body::read(text.as_bytes());
        }
    }

    #[test]
    fn other_markup_is_a_page() {
        for (text, message) in [
            (
                "<html>\n<head><title>502 Bad\nGateway</title></head><body><h1>no</h1>",
                "502 Bad Gateway",
            ),
            (
                "<!DOCTYPE html><HTML><script>if (a<b) alert('x')</script><TITLE>a &amp; b</TITLE></HTML>",
                "a & b",
            ),
            (
                "<!DOCTYPE html><html><code>300</code><message>x</message></html>",
                "300",
            ),
            ("<h1>nginx</h1>", "nginx"),
            ("<p>error <code>1020</code></p>", "error"),
            (
                "<style>p {}</style><p>Sign in&nbsp;here</p>",
                "Sign in here",
            ),
            ("<result><code>300</code>", "300"),
            ("<result><code>300</message></result>", "300"),
            ("<", "<"),
            ("<p>é < ü</p>", "é"),
            ("<p>", ""),
            ("<!--", ""),
            ("<a b='", ""),
            ("</a>", ""),
            ("<result/>", ""),
        ] {
            let read = Body::read(text.as_bytes());
            assert_eq!(
                (read.format, read.message.as_str()),
                (Html, message),
                "{text}"
            );
            assert_eq!((read.code, read.is_error), (0, false), "{text}");
        }
        let deep = "<a>".repeat(100_000) + "<code>1</code>" + &"</a>".repeat(100_000);
        assert_eq!(Body::read(deep.as_bytes()).format, Html);
    }

    #[test]
    fn a_message_has_its_limit() {
        let of = |text: String| Body::read(text.as_bytes()).message.chars().count();
        assert_eq!(of("é".repeat(200)), 200);
        assert_eq!(of("é".repeat(5000)), 201); // with its "…"
        assert_eq!(of(format!("<title>{}</title>", "x".repeat(5000))), 201);
        let json = |n| format!(r#"{{"code":1,"message":"{}"}}"#, "x".repeat(n));
        assert_eq!(of(json(1000)), 1000);
        assert_eq!(of(json(5000)), 1001);
        assert_eq!(one_line("a  b", 1), "a…");
        assert_eq!(one_line("a  b", 2), "a…");
        assert_eq!(one_line("a  b", 3), "a b");
    }

    #[test]
    fn a_text_that_echoes_the_request_does_not_show_the_token() {
        for (text, message) in [
            (
                "PUT /\nAuthorization: Bearer abc.DEF-123_456~+/==\nHost: x",
                "PUT / Authorization: Bearer [hidden] Host: x",
            ),
            (
                "<p>authorization: basic YWJjOmRlZmdoaQ==</p>",
                "authorization: basic [hidden]",
            ),
            (
                r#"{"message":"an "inner" quote; bearer 0123456789ab"#,
                r#"an "inner" quote; bearer [hidden]"#,
            ),
            ("Bearer token is missing. é", "Bearer token is missing. é"),
        ] {
            assert_eq!(Body::read(text.as_bytes()).message, message);
        }
        let long = format!("{} Bearer {}", "x".repeat(190), "s".repeat(100));
        assert!(!Body::read(long.as_bytes()).message.contains("ss"));
    }
}
