//! One exchange on one connection: the request out in one write, the whole answer in.
//!
//! HTTP/1.1 itself is ureq-proto's, the state machine that ureq runs on. ureq's own loop around it makes room for
//! redirects, middleware and streamed bodies, which costs as much again as the exchange.

use std::io;

use ureq::http::{Request, Response};
use ureq::unversioned::transport::{NextTimeout, Transport};
use ureq_proto::BodyMode;
use ureq_proto::client::state::RecvBody;
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use zeroize::Zeroizing;

use super::limits::{self, Trouble};
use super::{Answer, BODY_MOST, BODY_USUAL};

/// Sends `request` with `content` and reads the answer. Whether the connection can serve another request comes with it.
pub(super) fn exchange(
    line: &mut dyn Transport,
    request: Request<()>,
    content: &str,
) -> Result<(Answer, bool), ureq::Error> {
    let mut call = Call::new(request)?.proceed();
    let output = line.buffers().output();
    let mut head = 0;
    while !call.can_proceed() {
        head += call.write(&mut output[head..])?;
    }
    let Some(SendRequestResult::SendBody(mut call)) = call.proceed()? else {
        return Err(bug("the request has no body"));
    };
    let end = head + content.len();
    let room = output.get_mut(head..end);
    room.ok_or_else(|| bug("the request is larger than its buffer"))?
        .copy_from_slice(content.as_bytes());
    call.consume_direct_write(content.len())?;
    line.transmit_output(end, NextTimeout::default())?;

    let mut call = call.proceed().ok_or_else(|| bug("its length is wrong"))?;
    let response = loop {
        let came = await_input(line)?;
        let (used, response) = call.try_response(line.buffers().input(), false)?;
        line.buffers().input_consume(used);
        match response {
            Some(response) => break response,
            None if !came => return Err(closed()),
            None => {}
        }
    };
    limits::status(response.status().as_u16());
    let (body, reusable) = match call.proceed() {
        Some(RecvResponseResult::RecvBody(call)) => read_body(line, call)?,
        Some(RecvResponseResult::Redirect(call)) => (Vec::new(), !call.must_close_connection()),
        Some(RecvResponseResult::Cleanup(call)) => (Vec::new(), !call.must_close_connection()),
        None => return Err(bug("the answer has no end")),
    };
    // More than was asked for would be taken for the next answer.
    let reusable = reusable && line.buffers().input().is_empty();
    Ok((answer(response, body), reusable))
}

fn answer(response: Response<()>, body: Vec<u8>) -> Answer {
    let (parts, ()) = response.into_parts();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

fn read_body(
    line: &mut dyn Transport,
    mut call: Call<RecvBody>,
) -> Result<(Vec<u8>, bool), ureq::Error> {
    let delimited = !matches!(call.body_mode(), BodyMode::CloseDelimited);
    // Zoom's answers fit: growing would leave parts of a token in what is freed.
    // Both are wiped where the answer breaks off, too.
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_USUAL));
    let mut part = Zeroizing::new([0; 4096]);
    while !(delimited && call.can_proceed()) {
        let came = await_input(line)?;
        let (used, made) = call.read(line.buffers().input(), &mut *part)?;
        line.buffers().input_consume(used);
        body.extend_from_slice(&part[..made]);
        if body.len() > BODY_MOST {
            return Err(ureq::Error::BodyExceedsLimit(BODY_MOST as u64));
        }
        if !came && used == 0 && made == 0 {
            break; // the other side closed
        }
    }
    // Some servers leave the last line of a chunked body away.
    let whole = call.can_proceed();
    if !whole && !call.is_ended_chunked() {
        return Err(closed());
    }
    let reusable = match call.proceed() {
        Some(RecvBodyResult::Redirect(call)) => !call.must_close_connection(),
        Some(RecvBodyResult::Cleanup(call)) => !call.must_close_connection(),
        None => false,
    };
    Ok((std::mem::take(&mut *body), reusable))
}

/// Waits for more of the answer, unless there is some that was not looked at. False when the other side closed.
fn await_input(line: &mut dyn Transport) -> Result<bool, ureq::Error> {
    let buffers = line.buffers();
    if !buffers.can_use_input() {
        if buffers.input_append_buf().is_empty() {
            limits::note(Trouble::HeadTooLarge);
            return Err(bug("the input buffer is full"));
        }
        let came = line.await_input(NextTimeout::default())?;
        if came {
            limits::answered();
        }
        return Ok(came);
    }
    Ok(true)
}

fn closed() -> ureq::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed it").into()
}

fn bug(what: &'static str) -> ureq::Error {
    ureq::Error::Other(what.into())
}
