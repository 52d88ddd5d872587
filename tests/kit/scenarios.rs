//! Small scenarios: five users with accounts, and workloads of a test's own.

/// Users `trial1@example.com` to `trial5@example.com`, all logged in before the load begins.
const HEAD: &str = r#"
name: trial
targets:
  api: ${BASE_URL}
  status: ${STATUS_URL}
timeout: 2s
users:
  count: 5
  prefix: trial
  password: ${secret:PASSWORD:-testpassword123}
auth:
  register:
    post: /auth/register
    json: {email: "${user.email}", password: "${user.password}"}
    accept: [201, 409]
  login:
    post: /auth/login
    json: {email: "${user.email}", password: "${user.password}"}
    token: $.accessToken
    refresh_token: $.refreshToken
  refresh:
    post: /auth/refresh
    json: {refreshToken: "${user.refresh_token}"}
    token: $.accessToken
    refresh_token: $.refreshToken
  logout: {post: /auth/logout, json: {}}
  ahead: 5
pools:
  tasks: {keep: 100}
"#;

/// The whole scenario, from the key `workloads` on.
pub(crate) fn trial(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

/// A workload that makes tasks under a load: `connections: 10, for: 2s`.
pub(crate) fn api(load: &str) -> String {
    format!(
        r"
  api:
    user: round-robin
    load: {{{load}}}
    mix:
      - post: /tasks
        name: create
        target: api
        json: {{type: resize-image}}
        expect: {{status: 201}}
        save: {{tasks: [$.taskId]}}
"
    )
}

/// A workload of status connections, each with a subscription every 200 ms that waits 150 ms for
/// its answer: `connections: 5, for: 2s`.
pub(crate) fn status(load: &str) -> String {
    format!(
        r#"
  status:
    user: round-robin
    load: {{{load}}}
    websocket: {{url: "/ws?token=${{user.token}}", target: status, connect_timeout: 500ms}}
    every: 200ms
    send: {{json: {{type: subscribe, taskId: "${{uuid()}}"}}}}
    answer: $.taskId
    expect: {{json: {{$.type: status}}, time: 150ms}}
"#
    )
}
