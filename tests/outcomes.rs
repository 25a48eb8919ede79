//! Every known response and what it means: the tables of Zoom's failures and of those of servers before it, against a
//! mock server, through the C functions.

mod common;

use common::abi::*;
use mockito::{Matcher, Server};
use zus::ffi::*;

const TOKEN: &str = "outcome-token";

/// One attempt with a static token.
fn config(server: &Server, encoding: zus_encoding) -> Config {
    let (api, oauth) = (server.url() + "/v2", server.url() + "/oauth/token");
    let config = Config::new().urls(&api, &oauth).token(TOKEN);
    config.retry(1, 1, 1).encoding(encoding)
}

/// HTTP status, Content-Type, body, and then: the code, Zoom's code, what the message must hold.
type Row = (
    usize,
    &'static str,
    &'static str,
    &'static str,
    i32,
    &'static str,
);

const JSON: &str = "application/json;charset=UTF-8";
const HTML: &str = "text/html";
const XML: &str = "application/xml;charset=UTF-8";

const TABLE: &[Row] = &[
    // Success in every form.
    (204, "", "", "ZUS_OK", 0, ""),
    (204, "application/json", "", "ZUS_OK", 0, ""),
    (200, "text/plain", "", "ZUS_OK", 0, ""),
    (200, JSON, "\"\"", "ZUS_OK", 0, ""),
    (200, JSON, "{}", "ZUS_OK", 0, ""),
    (200, JSON, "null", "ZUS_OK", 0, ""),
    (200, JSON, r#"{"code":0}"#, "ZUS_OK", 0, ""),
    (200, "text/plain", " \r\n", "ZUS_OK", 0, ""),
    (200, HTML, "{}", "ZUS_OK", 0, ""),
    (202, JSON, "{}", "ZUS_OK", 0, ""),
    // 2xx that isn't one.
    (
        200,
        "text/plain",
        "updated",
        "ZUS_ERR_PROTOCOL",
        0,
        "updated",
    ),
    (
        200,
        "text/plain",
        "Welcome to the guest network.\nPlease sign in.",
        "ZUS_ERR_PROTOCOL",
        0,
        "Welcome to the guest network. Please sign in.",
    ),
    (200, JSON, r#""updated""#, "ZUS_ERR_PROTOCOL", 0, "updated"),
    (200, JSON, r#"{"x":"a"b"}"#, "ZUS_ERR_PROTOCOL", 0, ""),
    (200, XML, "<result/>", "ZUS_ERR_PROTOCOL", 0, ""),
    (
        200,
        XML,
        "<result><code>1001</code><message>User does not exist: x.</message></result>",
        "ZUS_ERR_USER_NOT_FOUND",
        1001,
        "User does not exist: x.",
    ),
    (
        200,
        JSON,
        r#"{"error":{"code":1001,"message":"User does not exist: x."}}"#,
        "ZUS_ERR_USER_NOT_FOUND",
        1001,
        "User does not exist: x.",
    ),
    (
        200,
        JSON,
        r#"{"code":1001,"message":"User does not exist: x."}"#,
        "ZUS_ERR_USER_NOT_FOUND",
        1001,
        "User does not exist: x.",
    ),
    (
        200,
        JSON,
        r#"{"code":3000000000}"#,
        "ZUS_ERR_REJECTED",
        0,
        "",
    ),
    (200, JSON, r#"{"code":300.5}"#, "ZUS_ERR_REJECTED", 0, ""),
    (200, JSON, r#"{"code":"E17"}"#, "ZUS_ERR_REJECTED", 0, ""),
    (
        200,
        JSON,
        r#"{"code": -300,"message":"an "inner" quote"}"#,
        "ZUS_ERR_REJECTED",
        -300,
        "inner",
    ),
    (
        200,
        JSON,
        r#"{"code":"","errorCode":null}"#,
        "ZUS_OK",
        0,
        "",
    ),
    (
        200,
        JSON,
        r#"{"errorCode":"300","error_message":"no"}"#,
        "ZUS_ERR_REJECTED",
        300,
        "no",
    ),
    (
        200,
        JSON,
        r#"{"code":9999,"message":"new"}"#,
        "ZUS_ERR_REJECTED",
        9999,
        "new",
    ),
    (
        200,
        HTML,
        "<html>Sign in to the hotel's network</html>",
        "ZUS_ERR_PROTOCOL",
        0,
        "HTML",
    ),
    // The call's own failures.
    (
        400,
        JSON,
        r#"{"code":200,"message":"Zoom Room and Admin users' status cannot be activated or deactivated."}"#,
        "ZUS_ERR_USER_PROTECTED",
        200,
        "Admin users",
    ),
    (
        400,
        JSON,
        r#"{"code":200,"message":"Invalid api key or secret."}"#,
        "ZUS_ERR_UNAUTHORIZED",
        200,
        "api key",
    ),
    (
        400,
        JSON,
        r#"{"code":300,"message":"You cannot deactivate this user because the user has an upcoming Zoom Events scheduled."}"#,
        "ZUS_ERR_USER_BUSY",
        300,
        "upcoming",
    ),
    (
        400,
        JSON,
        r#"{"code":300,"message":"Dieser Benutzer hat eine Veranstaltung in Zoom Events."}"#,
        "ZUS_ERR_USER_BUSY",
        300,
        "Veranstaltung",
    ),
    (
        400,
        JSON,
        r#"{"code":300,"message":"Dieser Benutzer hat eine Veranstaltung."}"#,
        "ZUS_ERR_REJECTED",
        300,
        "Veranstaltung",
    ),
    (
        400,
        JSON,
        r#"{"code":200,"message":"Der Status kann nicht geändert werden."}"#,
        "ZUS_ERR_USER_PROTECTED",
        200,
        "geändert",
    ),
    (
        400,
        JSON,
        r#"{"code":200,"message":"No permission to change this user."}"#,
        "ZUS_ERR_FORBIDDEN",
        200,
        "No permission",
    ),
    (
        400,
        JSON,
        r#"{"code":200,"message":"Only available for Paid account, 7."}"#,
        "ZUS_ERR_FORBIDDEN",
        200,
        "Paid account",
    ),
    (
        400,
        JSON,
        r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"user_id","message":"Invalid field."}]}"#,
        "ZUS_ERR_REJECTED",
        300,
        "user_id: Invalid field.",
    ),
    (
        400,
        JSON,
        r#"{"code":300,"message":"Request Body should be a valid JSON object."}"#,
        "ZUS_ERR_REJECTED",
        300,
        "Request Body",
    ),
    (
        400,
        JSON,
        r#"{"code":3412,"message":"the permitted maximum number"}"#,
        "ZUS_ERR_USER_LIMIT",
        3412,
        "maximum",
    ),
    (
        400,
        JSON,
        r#"{"code":2033,"message":"limit"}"#,
        "ZUS_ERR_USER_LIMIT",
        2033,
        "limit",
    ),
    (
        404,
        JSON,
        r#"{"code":1001,"message":"User does not exist: x."}"#,
        "ZUS_ERR_USER_NOT_FOUND",
        1001,
        "does not exist",
    ),
    (
        400,
        JSON,
        r#"{"code":1010,"message":"User not found."}"#,
        "ZUS_ERR_USER_NOT_FOUND",
        1010,
        "",
    ),
    (
        400,
        JSON,
        r#"{"code":1120,"message":"A valid invitation was not found for this user."}"#,
        "ZUS_ERR_USER_NOT_FOUND",
        1120,
        "",
    ),
    (
        400,
        JSON,
        r#"{"code":1120,"message":"Invitation not found."}"#,
        "ZUS_ERR_REJECTED",
        1120,
        "",
    ),
    (400, "text/plain", "", "ZUS_ERR_REJECTED", 0, "HTTP 400"),
    // The errors of Zoom's that come as XML, and those of gateways.
    (
        400,
        XML,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<result>\n<code>300</code>\n<message>Validation Failed.</message>\n</result>",
        "ZUS_ERR_REJECTED",
        300,
        "Validation Failed.",
    ),
    (
        401,
        XML,
        "<result><code>124</code><message>Invalid access token &amp; more.</message></result>",
        "ZUS_ERR_UNAUTHORIZED",
        124,
        "Invalid access token & more.",
    ),
    (
        429,
        XML,
        "<result><code>429</code><message>You have reached the maximum daily rate limit.</message></result>",
        "ZUS_ERR_DAILY_LIMIT",
        429,
        "daily",
    ),
    (
        400,
        JSON,
        r#"{"detail":"no such action","status":400}"#,
        "ZUS_ERR_REJECTED",
        0,
        "no such action",
    ),
    (
        400,
        JSON,
        r#"{"errors":[{"message":"no such action"}]}"#,
        "ZUS_ERR_REJECTED",
        0,
        "no such action",
    ),
    (
        400,
        JSON,
        r#"{"title":"Bad Request"}"#,
        "ZUS_ERR_REJECTED",
        0,
        "Bad Request",
    ),
    (
        400,
        "text/plain",
        "no such\naction",
        "ZUS_ERR_REJECTED",
        0,
        ": no such action",
    ),
    // A wrong URL.
    (
        404,
        "text/plain",
        "",
        "ZUS_ERR_ENDPOINT",
        0,
        "check the API URL",
    ),
    (
        404,
        HTML,
        "<h1>nginx</h1>",
        "ZUS_ERR_ENDPOINT",
        0,
        "check the API URL",
    ),
    (
        400,
        JSON,
        r#"{"code":2300,"message":"This API endpoint is not recognized."}"#,
        "ZUS_ERR_ENDPOINT",
        2300,
        "check the API URL",
    ),
    (
        405,
        JSON,
        r#"{"code":405,"message":"no PUT"}"#,
        "ZUS_ERR_REJECTED",
        405,
        "no PUT",
    ),
    // The token.
    (
        401,
        JSON,
        r#"{"code":124,"message":"Invalid access token."}"#,
        "ZUS_ERR_UNAUTHORIZED",
        124,
        "Invalid access token",
    ),
    (
        400,
        JSON,
        r#"{"code":124,"message":"Invalid access token."}"#,
        "ZUS_ERR_UNAUTHORIZED",
        124,
        "",
    ),
    (
        401,
        JSON,
        r#"{"code":31337,"message":"Access token is expired."}"#,
        "ZUS_ERR_UNAUTHORIZED",
        31337,
        "expired",
    ),
    (401, "", "", "ZUS_ERR_UNAUTHORIZED", 0, ""),
    (
        400,
        JSON,
        r#"{"code":4711,"message":"Invalid access token, does not contain scopes:["user:write:admin"]."}"#,
        "ZUS_ERR_FORBIDDEN",
        4711,
        "user:write:admin",
    ),
    (
        401,
        JSON,
        r#"{"code":4711,"message":"Invalid access token, does not contain scopes:["user:write:admin"]."}"#,
        "ZUS_ERR_FORBIDDEN",
        4711,
        "does not contain scopes",
    ),
    (
        400,
        JSON,
        r#"{"code":104,"message":"Invalid access token, does not contain scopes."}"#,
        "ZUS_ERR_FORBIDDEN",
        104,
        "",
    ),
    (
        401,
        JSON,
        r#"{"code":201,"message":"does not contain scopes"}"#,
        "ZUS_ERR_FORBIDDEN",
        201,
        "",
    ),
    (
        401,
        JSON,
        r#"{"code":4700,"message":"does not contain scopes"}"#,
        "ZUS_ERR_FORBIDDEN",
        4700,
        "",
    ),
    (
        403,
        JSON,
        r#"{"code":403,"message":"no"}"#,
        "ZUS_ERR_FORBIDDEN",
        403,
        "",
    ),
    // The limits.
    (
        429,
        JSON,
        r#"{"code":429,"message":"You have reached the maximum per-second rate limit for this API. Try again later."}"#,
        "ZUS_ERR_RATE_LIMITED",
        429,
        "per-second",
    ),
    (
        429,
        JSON,
        r#"{"code":429,"message":"You have reached the maximum daily rate limit for this API."}"#,
        "ZUS_ERR_DAILY_LIMIT",
        429,
        "daily",
    ),
    (
        429,
        HTML,
        "<html>slow down</html>",
        "ZUS_ERR_RATE_LIMITED",
        0,
        "HTML",
    ),
    (
        403,
        JSON,
        r#"{"code":403,"message":"You have reached the maximum number of API requests."}"#,
        "ZUS_ERR_RATE_LIMITED",
        403,
        "maximum number",
    ),
    // Servers and what stands before them.
    (
        403,
        "text/plain",
        "error code: 1020",
        "ZUS_ERR_PROTOCOL",
        0,
        "(HTTP 403): error code: 1020",
    ),
    (
        522,
        "text/plain",
        "error code: 522",
        "ZUS_ERR_SERVER",
        0,
        "error code: 522",
    ),
    (408, "", "", "ZUS_ERR_SERVER", 0, ""),
    (
        500,
        JSON,
        r#"{"code":500,"message":"Internal."}"#,
        "ZUS_ERR_SERVER",
        500,
        "Internal.",
    ),
    (
        502,
        HTML,
        "<html><h1>502 Bad Gateway</h1></html>",
        "ZUS_ERR_SERVER",
        0,
        "HTML",
    ),
    (503, "", "", "ZUS_ERR_SERVER", 0, ""),
    (504, HTML, "<html></html>", "ZUS_ERR_SERVER", 0, ""),
    (
        403,
        HTML,
        "<!DOCTYPE html><h1>Blocked</h1>",
        "ZUS_ERR_PROTOCOL",
        0,
        "HTML",
    ),
    (301, "", "", "ZUS_ERR_PROTOCOL", 0, "redirect"),
    (
        302,
        HTML,
        "<html>moved</html>",
        "ZUS_ERR_PROTOCOL",
        0,
        "redirect",
    ),
    (307, "", "", "ZUS_ERR_PROTOCOL", 0, "redirect"),
    (308, "", "", "ZUS_ERR_PROTOCOL", 0, "redirect"),
    (407, "", "", "ZUS_ERR_PROXY", 0, ""),
];

#[test]
fn the_table_of_responses() {
    let mut server = Server::new();
    for (i, &(status, kind, body, code, zoom, says)) in TABLE.iter().enumerate() {
        // A client that knows nothing of the endpoint yet.
        let client = config(&server, ZUS_ENCODING_JSON).client();
        let user = format!("row{i}@example.com");
        let mut mock = server
            .mock("PUT", &*format!("/v2/users/{user}/status"))
            .match_header("authorization", &*format!("Bearer {TOKEN}"))
            .match_header("accept", "application/json")
            .with_status(status)
            .with_header("x-zm-trackingid", "v=2.0;clid=us02;rid=WEB_1")
            .with_header("location", "https://elsewhere.example/v2")
            .with_body(body)
            .expect(1);
        if !kind.is_empty() {
            mock = mock.with_header("content-type", kind);
        }
        let mock = mock.create();
        let result = client.update(&user, ZUS_DEACTIVATE, None);
        let row = format!("{status} {body}: {}", result.message);
        assert_eq!(result.name(), code, "{row}");
        assert_eq!(result.http_status, status as i32, "{row}");
        assert_eq!(result.zoom_code, zoom, "{row}");
        assert!(result.message.contains(says), "{row}");
        assert_eq!(result.message.is_empty(), code == "ZUS_OK", "{row}");
        assert_eq!(result.attempts, 1, "{row}");
        assert_eq!(
            result.header("X-ZM-TrackingID"),
            "v=2.0;clid=us02;rid=WEB_1"
        );
        if status != 204 {
            assert_eq!(*result.body, *body.as_bytes(), "{row}");
        }
        mock.assert();
    }
}

/// Every row of tests/data/users-errors.tsv.
#[test]
fn what_the_users_api_documents() {
    let mut server = Server::new();
    let rows = include_str!("data/users-errors.tsv").lines();
    let rows = rows.filter(|line| !line.starts_with('#')).skip(1);
    let mut count = 0;
    for row in rows {
        let columns: Vec<&str> = row.split('\t').collect();
        let [status, zoom, expected, message, _] = columns.try_into().expect(row);
        let body = format!(r#"{{"code":{zoom},"message":{message:?}}}"#);
        let mock = server
            .mock("PUT", Matcher::Any)
            .with_status(status.parse().unwrap())
            .with_header("content-type", JSON)
            .with_body(body)
            .create();
        let client = config(&server, ZUS_ENCODING_JSON).client();
        let result = client.update("ada@example.com", ZUS_DEACTIVATE, None);
        assert_eq!(result.name(), format!("ZUS_ERR_{expected}"), "{row}");
        assert_eq!(result.zoom_code.to_string(), zoom, "{row}");
        assert!(result.message.contains(message), "{row}");
        mock.remove();
        count += 1;
    }
    assert_eq!(count, 153);
}

#[test]
fn a_404_without_a_code_is_the_urls_fault_until_the_endpoint_is_known() {
    let mut server = Server::new();
    let client = config(&server, ZUS_ENCODING_JSON).client();
    for (status, code) in [
        (404, "ZUS_ERR_ENDPOINT"),
        (204, "ZUS_OK"),
        (404, "ZUS_ERR_REJECTED"),
    ] {
        let mock = server.mock("PUT", Matcher::Any).with_status(status);
        let mock = mock.create();
        let result = client.update("ada@example.com", ZUS_DEACTIVATE, None);
        assert_eq!(result.name(), code, "{}", result.message);
        mock.remove();
    }
}

#[test]
fn the_kind_of_limit_is_in_the_headers() {
    let mut server = Server::new();
    for (headers, code, wait) in [
        (
            &[("x-ratelimit-type", "QPS")][..],
            "ZUS_ERR_RATE_LIMITED",
            -1,
        ),
        (
            &[
                ("x-ratelimit-type", "Daily-limit"),
                ("retry-after", "2020-05-31T00:00:00Z"),
            ],
            "ZUS_ERR_DAILY_LIMIT",
            0,
        ),
        // A limit that lasts, whatever its name.
        (&[("retry-after", "60")], "ZUS_ERR_RATE_LIMITED", 60),
        (&[("retry-after", "61")], "ZUS_ERR_DAILY_LIMIT", 61),
        (
            &[("x-ratelimit-type", "QPS"), ("retry-after", "3600")],
            "ZUS_ERR_DAILY_LIMIT",
            3600,
        ),
    ] {
        let mut mock = server
            .mock("PUT", Matcher::Any)
            .with_status(429)
            .with_header("x-ratelimit-remaining", "0");
        for (name, value) in headers {
            mock = mock.with_header(*name, value);
        }
        let mock = mock.create();
        // A rate limit holds the client back: each row has its own.
        let client = config(&server, ZUS_ENCODING_JSON).client();
        let result = client.update("ada@example.com", ZUS_DEACTIVATE, None);
        assert_eq!(result.name(), code, "{headers:?}");
        assert_eq!(result.header("x-ratelimit-remaining"), "0");
        assert_eq!(result.retry_after, wait);
        mock.remove();
    }
}

/// The token request's errors are read as those of an update are; what may hold a token is not shown.
#[test]
fn what_the_token_url_says() {
    const NO_TOKEN: &str = ": token request: HTTP 200: the response has no access_token";
    for (status, body, says) in [
        (
            401,
            r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#,
            "HTTP 401: invalid_client: Invalid client_id or client_secret",
        ),
        (
            400,
            r#"{"error":"invalid_grant"}"#,
            "HTTP 400: invalid_grant",
        ),
        (
            400,
            "<result><code>4700</code><message>no &quot;grant&quot;</message></result>",
            r#"HTTP 400: no "grant""#,
        ),
        (
            404,
            "<html><title>Not Found</title></html>",
            "HTTP 404: Not Found",
        ),
        (403, "error code: 1020", "HTTP 403: error code: 1020"),
        (400, "", "HTTP 400: without a reason"),
        (
            200,
            r#"{"error":"invalid_request"}"#,
            "HTTP 200: invalid_request",
        ),
        (200, "{}", NO_TOKEN),
        (200, "Welcome", NO_TOKEN),
        (200, r#"{"access_token":"the-token""#, NO_TOKEN),
        (
            401,
            r#"{"access_token":"the-token""#,
            "HTTP 401: without a reason",
        ),
        (
            200,
            r#"{"message":"a "quote"","access_token":"the-token"}"#,
            NO_TOKEN,
        ),
    ] {
        let mut server = Server::new();
        let token = server
            .mock("POST", "/oauth/token")
            .match_header("accept", "application/json")
            .with_status(status)
            .with_body(body)
            .create();
        let config = config(&server, ZUS_ENCODING_FORM).oauth("account", "client", "secret");
        let client = config.client();
        let result = client.update("ada@example.com", ZUS_DEACTIVATE, None);
        assert_eq!(result.name(), "ZUS_ERR_TOKEN", "{body}");
        assert!(result.message.ends_with(says), "{}", result.message);
        token.assert();
    }
}

#[test]
fn the_form_is_the_one_that_curl_sends() {
    let mut server = Server::new();
    let client = config(&server, ZUS_ENCODING_FORM).client();
    for (action, word) in [
        (ZUS_ACTIVATE, "activate"),
        (ZUS_DEACTIVATE, "deactivate"),
        (ZUS_CLOCK_IN, "clock_in"),
        (ZUS_CLOCK_OUT, "clock_out"),
    ] {
        let mock = server
            .mock("PUT", "/v2/users/ada@example.com/status")
            .match_request(move |request| {
                let kind = request.header("content-type")[0].to_str().unwrap();
                let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
                let body = format!(
                    "--{boundary}\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\n{word}\r\n--{boundary}--\r\n"
                );
                let length = request.header("content-length")[0].to_str().unwrap();
                request.body().unwrap() == body.as_bytes() && length == body.len().to_string()
            })
            .with_status(204)
            .expect(1)
            .create();
        assert_eq!(
            client.update("ada@example.com", action, None).name(),
            "ZUS_OK"
        );
        mock.assert();
        mock.remove();
    }
}

#[test]
fn a_server_that_takes_only_json_gets_json_and_is_remembered() {
    for (status, response) in [
        (415, ""),
        (400, ""),
        (422, ""),
        (415, "<html>Unsupported Media Type</html>"),
        (
            400,
            r#"{"code":300,"message":"Request Body should be a valid JSON object."}"#,
        ),
        (400, r#"{"code":300,"message":"Unsupported Content Type"}"#),
        (
            400,
            r#"{"code":300,"message":"Missing parameters: action."}"#,
        ),
        (
            400,
            "<result><code>300</code><message>Validation Failed.</message></result>",
        ),
        (
            500,
            r#"{"message":"Content type 'multipart/form-data' not supported"}"#,
        ),
        (
            400,
            r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"action","message":"Invalid field."}]}"#,
        ),
    ] {
        let mut server = Server::new();
        let form = server
            .mock("PUT", Matcher::Any)
            .match_header(
                "content-type",
                Matcher::Regex("^multipart/form-data".into()),
            )
            .with_status(status)
            .with_body(response)
            .expect(1)
            .create();
        let json = server
            .mock("PUT", Matcher::Any)
            .match_header("content-type", "application/json")
            .match_body(r#"{"action":"deactivate"}"#)
            .with_status(204)
            .expect(2)
            .create();
        let client = config(&server, ZUS_ENCODING_FORM).client();
        let first = client.update("ada@example.com", ZUS_DEACTIVATE, None);
        assert_eq!((first.name().as_str(), first.attempts), ("ZUS_OK", 2));
        let second = client.update("grace@example.com", ZUS_DEACTIVATE, None);
        assert_eq!((second.name().as_str(), second.attempts), ("ZUS_OK", 1));
        form.assert();
        json.assert();
    }
}

#[test]
fn a_documented_rejection_is_not_sent_again_as_json() {
    let mut server = Server::new();
    let mock = server
        .mock("PUT", Matcher::Any)
        .with_status(400)
        .with_body(r#"{"code":200,"message":"Zoom Room"}"#)
        .expect(1)
        .create();
    let client = config(&server, ZUS_ENCODING_FORM).client();
    let result = client.update("room@example.com", ZUS_DEACTIVATE, None);
    assert_eq!(result.name(), "ZUS_ERR_USER_PROTECTED");
    mock.assert();
}

#[test]
fn the_user_id_is_one_path_segment() {
    let mut server = Server::new();
    let client = config(&server, ZUS_ENCODING_FORM).client();
    for (user, path) in [
        ("me", "me"),
        ("KDcuGIm1QgePTO8WbOqwIQ", "KDcuGIm1QgePTO8WbOqwIQ"),
        ("ada@example.com", "ada@example.com"),
        ("ada+zoom@example.com", "ada%2Bzoom@example.com"),
        ("a/b==", "a%2Fb%3D%3D"),
        ("../admin", "..%2Fadmin"),
        ("50%?#&", "50%25%3F%23%26"),
        ("a b", "a%20b"),
        ("zoë@example.com", "zo%C3%AB@example.com"),
    ] {
        let mock = server
            .mock("PUT", &*format!("/v2/users/{path}/status"))
            .with_status(204)
            .expect(1)
            .create();
        let result = client.update(user, ZUS_ACTIVATE, None);
        assert_eq!(result.name(), "ZUS_OK", "{user}");
        assert_eq!(result.user_id, user);
        mock.assert();
    }
}

#[test]
fn an_id_with_an_invisible_character_is_not_sent() {
    let mut server = Server::new();
    let mock = server.mock("PUT", Matcher::Any).expect(0).create();
    let client = config(&server, ZUS_ENCODING_FORM).client();
    for (user, says) in [
        ("ada@example.com ", "trailing whitespace"),
        (" ada@example.com", "leading whitespace"),
        ("ada@example.com\n", "U+000A"),
        ("ada@example.com\u{200e}", "U+200E"),
        ("\u{feff}ada@example.com", "U+FEFF"),
        ("ada\u{ad}@example.com", "U+00AD"),
        ("ada@example\u{a0}.com", "U+00A0"),
        ("ada@example.com\u{3000}", "U+3000"),
        ("ada\u{e0061}@example.com", "U+E0061"),
    ] {
        let result = client.update(user, ZUS_DEACTIVATE, None);
        assert_eq!(result.name(), "ZUS_ERR_ARGUMENT", "{user:?}");
        assert!(result.message.contains(says), "{}", result.message);
        assert_eq!(result.attempts, 0);
    }
    mock.assert();
}
