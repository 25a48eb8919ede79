//! HTTP/1.1 on one connection: the request out in one write, the whole response in.
//!
//! HTTP/1.1 itself is ureq-proto's, the state machine that ureq runs on. ureq's own loop around it serves redirects,
//! middleware and streamed bodies, which would double the cost of an exchange.

use std::io;

use ureq::http::{HeaderMap, Request, Response as Head};
use ureq::unversioned::transport::{NextTimeout, Transport};
use ureq_proto::BodyMode;
use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use zeroize::Zeroizing;

use super::failure::{Failure, Phase, Step};
use super::socket::INPUT;
use crate::code::Code;
use crate::limits::Limits;

/// The largest body of a response that is read. Zoom's are a few hundred bytes.
const BODY_MOST: usize = 1024 * 1024;
const BODY_USUAL: usize = 4 * 1024;

/// What a server sent.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// An exchange in progress.
pub(super) struct Exchange<'a> {
    transport: &'a mut dyn Transport,
    phase: Phase,
    /// The HTTP status, once the head of the response is complete.
    status: u16,
}

impl<'a> Exchange<'a> {
    pub fn new(transport: &'a mut dyn Transport) -> Exchange<'a> {
        Exchange {
            transport,
            phase: Phase::Send,
            status: 0,
        }
    }

    /// Sends `request` with `content` and reads the response. Returns also whether the connection can serve another
    /// request.
    pub fn run(
        mut self,
        request: Request<()>,
        content: &str,
        limits: &Limits,
    ) -> Result<(Response, bool), Failure> {
        self.exchange(request, content).map_err(|e| {
            let step = Step {
                phase: self.phase,
                limits,
            };
            Failure {
                status: self.status,
                ..step.failed(e)
            }
        })
    }

    fn exchange(
        &mut self,
        request: Request<()>,
        content: &str,
    ) -> Result<(Response, bool), ureq::Error> {
        let mut call = self.send(request, content)?;
        self.phase = Phase::Await;
        let head = self.receive_head(&mut call)?;
        self.status = head.status().as_u16();
        let (body, reusable) = match call.proceed() {
            Some(RecvResponseResult::RecvBody(call)) => self.receive_body(call)?,
            Some(RecvResponseResult::Redirect(call)) => (Vec::new(), !call.must_close_connection()),
            Some(RecvResponseResult::Cleanup(call)) => (Vec::new(), !call.must_close_connection()),
            None => return Err(bug("the response has no end")),
        };
        // Bytes after the response would be read as the next one.
        let reusable = reusable && self.transport.buffers().input().is_empty();
        let (parts, ()) = head.into_parts();
        let response = Response {
            status: self.status,
            headers: parts.headers,
            body,
        };
        Ok((response, reusable))
    }

    fn send(
        &mut self,
        request: Request<()>,
        content: &str,
    ) -> Result<Call<RecvResponse>, ureq::Error> {
        let mut call = Call::new(request)?.proceed();
        let output = self.transport.buffers().output();
        let mut head = 0;
        while !call.can_proceed() {
            head += call.write(&mut output[head..])?;
        }
        let end = head + content.len();
        let call = match call.proceed()? {
            Some(SendRequestResult::SendBody(mut call)) => {
                let room = output.get_mut(head..end);
                room.ok_or_else(|| bug("the request is larger than its buffer"))?
                    .copy_from_slice(content.as_bytes());
                call.consume_direct_write(content.len())?;
                call.proceed()
            }
            Some(SendRequestResult::RecvResponse(call)) if content.is_empty() => Some(call),
            _ => None,
        };
        let call = call.ok_or_else(|| bug("the request and its body don't fit together"))?;
        self.transport
            .transmit_output(end, NextTimeout::default())?;
        Ok(call)
    }

    fn receive_head(&mut self, call: &mut Call<RecvResponse>) -> Result<Head<()>, ureq::Error> {
        loop {
            let came = self.await_input()?;
            let buffers = self.transport.buffers();
            let (used, head) = call.try_response(buffers.input(), false)?;
            buffers.input_consume(used);
            match head {
                Some(head) => return Ok(head),
                None if !came => return Err(closed()),
                None => {}
            }
        }
    }

    fn receive_body(&mut self, mut call: Call<RecvBody>) -> Result<(Vec<u8>, bool), ureq::Error> {
        let delimited = !matches!(call.body_mode(), BodyMode::CloseDelimited);
        // Zoom's responses fit: growing would leave parts of a token in what is freed.
        // Both are wiped where the response breaks off, too.
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_USUAL));
        let mut part = Zeroizing::new([0; 4096]);
        while !(delimited && call.can_proceed()) {
            let came = self.await_input()?;
            let buffers = self.transport.buffers();
            let (used, made) = call.read(buffers.input(), &mut *part)?;
            buffers.input_consume(used);
            body.extend_from_slice(&part[..made]);
            if body.len() > BODY_MOST {
                return Err(too_large("body", BODY_MOST));
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

    /// Waits for more of the response, unless there is some that was not looked at. False when the other side closed.
    fn await_input(&mut self) -> Result<bool, ureq::Error> {
        let buffers = self.transport.buffers();
        if buffers.can_use_input() {
            return Ok(true);
        }
        if buffers.input_append_buf().is_empty() {
            return Err(too_large("head", INPUT));
        }
        let came = self.transport.await_input(NextTimeout::default())?;
        if came {
            self.phase = Phase::Receive;
        }
        Ok(came)
    }
}

fn closed() -> ureq::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed it").into()
}

fn too_large(part: &str, most: usize) -> ureq::Error {
    let message = format!("the {part} of the response is larger than {most} bytes");
    let failure = Failure {
        sent: true,
        ..Failure::new(Code::Protocol, message)
    };
    failure.into()
}

fn bug(what: &'static str) -> ureq::Error {
    ureq::Error::Other(what.into())
}
