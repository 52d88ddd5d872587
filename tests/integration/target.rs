//! The embedded target on real sockets, spoken to by another implementation of WebSocket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::kit::{Onslaught, shards, target};

/// On as many cores as shards.
fn serving(count: u32, args: &str) -> crate::kit::Target {
    let cores = if count == 1 { "0" } else { "0,1" };
    target(&format!("--cores {cores} {args}"))
}

#[track_caller]
fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connect to the target");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set a timeout");
    stream
}

/// One POST on a connection of its own, which the kernel gives to any of the cores.
#[track_caller]
fn post(port: u16, path: &str, token: &str, body: &Value) -> (String, Value) {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = connect(port);
    stream.write_all(request.as_bytes()).expect("send a request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("read a reply");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a whole head");
    (head[9..12].to_owned(), serde_json::from_str(body).unwrap_or_default())
}

#[track_caller]
fn open(port: u16, path: &str) -> WebSocket<TcpStream> {
    let url = format!("ws://127.0.0.1:{port}{path}");
    tungstenite::client(url, connect(port)).expect("a handshake in order").0
}

#[track_caller]
fn text(socket: &mut WebSocket<TcpStream>) -> String {
    let message = socket.read().expect("a message");
    message.into_text().expect("text").to_string()
}

#[test]
fn accounts_tasks_and_their_status() {
    shards([1, 2], |count| {
        let server = serving(count, "--task-time 300ms");
        let port = server.port;
        let user = json!({"email": "a@b.c", "password": "secret"});
        assert_eq!(post(port, "/auth/register", "", &user).0, "201");
        for _ in 0..8 {
            assert_eq!(post(port, "/auth/register", "", &user).0, "409");
        }
        let (_, tokens) = post(port, "/auth/login", "", &user);
        let token = tokens["accessToken"].as_str().expect("a token");
        for _ in 0..8 {
            let (status, made) = post(port, "/tasks", token, &json!({"type": "x"}));
            assert_eq!(status, "201");
            let mut socket = open(port, &format!("/ws?token={token}"));
            let ask = json!({"type": "subscribe", "taskId": made["taskId"]});
            socket.send(Message::text(ask.to_string())).expect("a message is sent");
            let mut last = json!({"progress": -1});
            while last["status"] != "completed" {
                let next: Value = serde_json::from_str(&text(&mut socket)).expect("JSON");
                assert_eq!(next["taskId"], made["taskId"]);
                assert_ne!(next, last, "a change is told");
                last = next;
            }
            assert_eq!(last["progress"], 100);
        }
        assert_eq!(post(port, "/auth/logout", token, &json!(null)).0, "204");
        for _ in 0..8 {
            assert_eq!(post(port, "/tasks", token, &json!({"type": "x"})).0, "401");
        }
        let told = server.told();
        let counts = ["users_created", "users_existing", "logins", "logouts", "unauthorized"];
        assert_eq!(counts.map(|name| told[name].as_u64().expect("a count")), [1, 8, 1, 1, 8]);
        assert_eq!((&told["tasks_created"], &told["ws_opened"]), (&json!(8), &json!(8)));
    });
}

#[test]
fn an_echo_of_any_size_and_a_close() {
    shards([1, 2], |count| {
        let server = serving(count, "");
        let mut socket = open(server.port, "/echo");
        for size in [0, 1, 125, 126, 4_096, 65_535, 65_536, 1 << 20] {
            let message = Message::binary(vec![7; size]);
            socket.send(message.clone()).expect("a message is sent");
            assert_eq!(socket.read().expect("an echo"), message, "{size} bytes");
        }
        socket.close(None).expect("a close is sent");
        let ended = loop {
            if let Err(error) = socket.read() {
                break error;
            }
        };
        assert!(matches!(ended, tungstenite::Error::ConnectionClosed), "{ended}");
        assert_eq!(server.told()["ws_closed"], 1);
    });
}

#[test]
fn lies_of_messages_are_counted_exactly() {
    shards([1, 2], |count| {
        let server = serving(count, "--misbehave ws-drop:7,ws-corrupt:5,ws-duplicate:3");
        let (mut whole, mut corrupt) = (0, 0);
        for _ in 0..8 {
            let mut socket = open(server.port, "/echo");
            for _ in 0..500 {
                socket.send(Message::text("{}")).expect("a message is sent");
            }
            socket.close(None).expect("a close is sent");
            while let Ok(message) = socket.read() {
                match message.to_text() {
                    Ok("{}") => whole += 1,
                    Ok("{|") => corrupt += 1,
                    other => assert!(message.is_close(), "{other:?}"),
                }
            }
        }
        let told = server.told();
        let lies = |kind: &str| told["lies"][kind].as_u64().expect("a count of lies");
        assert_eq!(told["ws_messages_in"], 4_000);
        assert_eq!(corrupt, lies("ws-corrupt"), "{told:#}");
        let sent = 4_000 - lies("ws-drop") + lies("ws-duplicate");
        assert_eq!(whole + corrupt, sent, "{told:#}");
        assert_eq!(told["ws_messages_out"], sent);
    });
}

#[test]
fn terms_that_are_none() {
    for (flag, value) in [("--token-ttl", "999ms"), ("--token-ttl", "x"), ("--task-time", "-1s")] {
        let run = Onslaught::command("target").line("--listen 127.0.0.1:0").args([flag, value]);
        run.run().exits([2]).says([flag, value]);
    }
}
