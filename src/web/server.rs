//! The server: accepts connections on one address, bounds what each may cost, and ends when it is told to. Owns the runtime.
//!
//! Bounds: connections, the size of a request's head and body, and how long a head may take to come. A browser that reads
//! slowly holds its own connection and nothing else: commands run on threads of their own.

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    middleware,
    response::Response,
    routing::{any, get, post},
};
use core::net::SocketAddr;
use eyre::{Result, WrapErr as _};
use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::{Semaphore, watch},
    time,
};

use crate::{
    fault::{Fault, Kind},
    time::{Stop, Stopping},
    web::{
        acting, api,
        gate::{self, Gate},
        live::{self, Live},
        metrics, respond, sign_in,
        site::Site,
    },
};

/// Most connections at a time; streams of pages are among them, up to `live::STREAMS`.
const CONNECTIONS: usize = 64;
/// Most bytes of a request's head.
const HEAD: usize = 16 * 1024;
/// Most lines of it.
const HEADERS: usize = 64;
/// How long a head may take; a connection that asks for nothing more is closed after it, too.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Most bytes of a form.
pub const FORM: usize = 256 * 1024;
/// Threads on which commands run.
const THREADS: usize = 8;
/// How often the wish to stop is looked at.
const STEP: Duration = Duration::from_millis(100);
/// How long the last answers may take once it is told to stop.
const LAST: Duration = Duration::from_secs(2);
/// The answer where there are too many connections.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n";

/// What requests work with.
#[derive(Clone)]
pub struct Shared {
    /// The site.
    pub site: Arc<Site>,
    /// Who may come in.
    pub gate: Arc<Gate>,
    /// The streams that are open.
    pub live: Live,
}

/// Serves until `stop` says to end. `ready` is told the address as soon as connections are taken.
///
/// # Errors
/// A fault where the address is taken or cannot be had.
pub fn serve(
    shared: Shared,
    address: SocketAddr,
    stop: &Stop,
    ready: impl FnOnce(SocketAddr) -> Result<()>,
) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(THREADS)
        .build()
        .wrap_err("starting the runtime of the server")?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| taken(address, &error))?;
        ready(listener.local_addr().wrap_err("asking for the address")?)?;
        accept(&listener, router(shared), stop).await;
        Ok(())
    });
    runtime.shutdown_timeout(LAST);
    served
}

fn taken(address: SocketAddr, error: &io::Error) -> Fault {
    let fault = |kind| Fault::new(kind, format!("cannot listen on {address}: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            fault(Kind::Busy).hint("`git invisigoth serve --port 0` takes any port that is free")
        }
        io::ErrorKind::PermissionDenied => {
            fault(Kind::Usage).hint("ports below 1024 are for root: `git invisigoth serve --port 7420`")
        }
        _ => fault(Kind::Error).hint("`git invisigoth serve` listens on this machine alone"),
    }
}

/// Every address. What is not here is a page, or nothing.
fn router(shared: Shared) -> Router {
    let gate = middleware::from_fn_with_state(shared.clone(), gate::guard);
    let mut router = Router::new()
        .route("/static/{name}", get(respond::asset))
        .route("/events", get(live::stream))
        .route("/sign-in", get(sign_in::sign_in))
        .route("/healthz", get(respond::health))
        .route("/metrics", get(metrics::metrics))
        .route("/do/{verb}", post(acting::form));
    for endpoint in api::ALL {
        let path = [api::ROOT, endpoint.path].concat();
        router = router.route(&path, get(move |state, request| api::read(state, request, endpoint)));
    }
    router
        .route(&[api::ROOT, "/do/{verb}"].concat(), post(acting::json))
        .route(&[api::ROOT, "/openapi.json"].concat(), get(api::description))
        .route("/api/{*rest}", any(api::nothing))
        .fallback(get(respond::page))
        .layer(gate)
        .with_state(shared)
}

async fn accept(listener: &TcpListener, router: Router, stop: &Stop) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let (end, ends) = watch::channel(());
    while stop.stopping() == Stopping::No {
        // Taken up again at the next look where nobody came; what came is never lost in between.
        let Ok(accepted) = time::timeout(STEP, listener.accept()).await else {
            continue;
        };
        match accepted {
            Ok((stream, _)) => match Arc::clone(&room).try_acquire_owned() {
                Ok(place) => {
                    let served = connection(stream, router.clone(), ends.clone());
                    tokio::spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(_) => drop(tokio::spawn(full(stream))),
            },
            // No more files can be opened: some connection has to end first.
            Err(_) => time::sleep(STEP).await,
        }
    }
    // Streams see the wish to stop by themselves; connections end with the answer that they are at.
    drop(end);
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = time::timeout(LAST, room.acquire_many(all)).await;
}

fn connection(stream: TcpStream, router: Router, mut ends: watch::Receiver<()>) -> impl Future<Output = ()> {
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    async move {
        let mut connection = pin!(connection);
        // Whoever sends nonsense or goes away is of no concern to anybody else.
        let is_served = matches!(select(connection.as_mut(), pin!(ends.changed())).await, Either::Left(_));
        if !is_served {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

async fn full(stream: TcpStream) {
    if stream.writable().await.is_ok() {
        let _ = stream.try_write(FULL);
    }
}

/// Runs `work`, which may wait for disk and git, on a thread for such.
///
/// # Errors
/// Where it panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Response> {
    let failed = |_| {
        let mut response = Response::new(Body::from("error: a request came to no end\n"));
        *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}
